"""Codes by the job and sheets by the part: cancelled, handed over, killed, they end as if nothing had happened."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event as Flag

import pytest
from sqlalchemy import create_engine, func, select, update
from sqlalchemy.orm import Session

from tests.adapters.pages import readable
from tests.factories import NOW, Factories
from tests.support.databases import environment_for, settings_for
from tests.support.jobs import run_jobs
from tests.support.processes import kill_group, tied, wait_until
from tests.support.run import ROOT
from webapp.adapters import randomness, typesetting
from webapp.adapters.engines import engine_options
from webapp.config import Settings
from webapp.domain.audit import Event
from webapp.domain.jobs import JobStatus
from webapp.domain.voucher_codes import code_hash
from webapp.jobs import registry
from webapp.jobs import vouchers as handlers
from webapp.jobs.runner import Runner
from webapp.models import AuditEntry, Job, Lease, Voucher, VoucherBatch, VoucherType
from webapp.queries import files as read_files
from webapp.queries import vouchers as read
from webapp.services import jobs, vouchers
from webapp.services.vouchers import AllocateVouchers, GenerateVouchers, Mint, PrintVouchers, code_key
from webapp.services.vouchers.drawing import Row
from webapp.services.work import Work

CHUNK = 50


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> None:
    """Jobs find the key and a folder of their own where the serving process would."""
    monkeypatch.setenv("LARGESSE_SECRET_KEY", settings.secret_key)
    monkeypatch.setenv("LARGESSE_INSTANCE", str(tmp_path))


@pytest.fixture
def mint(settings: Settings) -> Mint:
    return Mint(code_key(settings.secret_key), randomness.entropy)


@pytest.fixture
def ordered(work: Work, make: Factories, mint: Mint, monkeypatch: pytest.MonkeyPatch) -> VoucherBatch:
    """An order of 230 codes that a job makes in chunks of fifty."""
    monkeypatch.setattr(vouchers.generation, "CHUNK", CHUNK)
    monkeypatch.setattr(vouchers.drawing, "BATCH", CHUNK)
    batch = vouchers.generate(work, GenerateVouchers(make.voucher_type(title="Coffee").id, 230), mint)
    work.session.commit()
    return batch


def facts_of(session: Session, event: Event) -> list[dict[str, object]]:
    return list(session.scalars(select(AuditEntry.facts).where(AuditEntry.event == event)))


def assert_whole(session: Session, batch_id: int, count: int) -> None:
    """So many distinct codes, all counted, told of once, under the fingerprint that the batch has."""
    session.expire_all()
    batch = session.get_one(VoucherBatch, batch_id)
    codes = session.scalars(select(Voucher.code).where(Voucher.batch_id == batch_id)).all()
    kind = session.get_one(VoucherType, batch.voucher_type_id)
    assert len(set(codes)) == len(codes) == batch.made == batch.wanted == kind.idle_count == count
    assert batch.sha256 == read.digest(sorted(codes))
    assert facts_of(session, Event.VOUCHERS_GENERATED) == [
        {"count": count, "title": kind.title, "sha256": batch.sha256[:16]}
    ]


def test_a_large_order_is_made_in_chunks_and_told_once(session: Session, ordered: VoucherBatch, mint: Mint) -> None:
    assert run_jobs(session) == 1
    assert_whole(session, ordered.id, 230)
    job = session.scalars(select(Job)).one()
    assert (job.status, job.done, job.total, job.message) == (JobStatus.DONE, 230, 230, "230 codes generated.")
    voucher = session.scalars(select(Voucher)).first()
    assert voucher is not None
    assert voucher.code_hash == code_hash(mint.key, voucher.code)


def sessions_of(session: Session) -> object:
    bind = session.get_bind()
    return lambda: Session(bind, expire_on_commit=False, join_transaction_mode="create_savepoint")


def test_a_job_handed_over_goes_on_where_it_stopped(
    session: Session, ordered: VoucherBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping, made = Flag(), []
    add = vouchers.add

    def add_then_stop(work: Work, batch_id: int, rows: list[Row]) -> VoucherBatch:
        made.append(len(rows))
        if len(made) == 2:
            stopping.set()
        return add(work, batch_id, rows)

    monkeypatch.setattr(handlers.vouchers, "add", add_then_stop)
    Runner(sessions_of(session), registry.kinds(), stopping=stopping).drain()  # type: ignore[arg-type]
    session.expire_all()
    assert 2 * CHUNK <= session.get_one(VoucherBatch, ordered.id).made == sum(made) < 230
    assert session.scalars(select(Job)).one().status is JobStatus.QUEUED
    assert run_jobs(session) == 1
    assert_whole(session, ordered.id, 230)
    assert sum(made) == 230, "a chunk was made twice"


def test_a_cancelled_order_is_a_smaller_batch_that_is_told(
    session: Session, ordered: VoucherBatch, actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = vouchers.add

    def add_then_cancel(work: Work, batch_id: int, rows: list[Row]) -> VoucherBatch:
        made = add(work, batch_id, rows)
        if made.made >= 3 * CHUNK:
            jobs.cancel(work, jobs.CancelJob(work.session.scalars(select(Job.id)).one()))
        return made

    monkeypatch.setattr(handlers.vouchers, "add", add_then_cancel)
    run_jobs(session)
    assert session.scalars(select(Job)).one().status is JobStatus.CANCELLED
    session.expire_all()
    made = session.get_one(VoucherBatch, ordered.id).made
    assert 3 * CHUNK <= made < 230
    assert_whole(session, ordered.id, made)


@pytest.fixture
def own(own_database: str) -> Iterator[Session]:
    """A session on a database of this test's own, whose commits are real."""
    engine = create_engine(own_database, **engine_options(own_database, threads=1))
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


def test_p6_a_killed_order_goes_on_to_the_same_end(own: Session, own_database: str, tmp_path: Path) -> None:
    kind = Factories(own).voucher_type(code="COFFEE")
    settings = settings_for(own_database, tmp_path / "instance")
    program = [sys.executable, "-m", "webapp", "vouchers", "generate", "COFFEE"]

    def made() -> int:
        own.rollback()
        return own.scalar(select(func.coalesce(func.max(VoucherBatch.made), 0))) or 0

    first = subprocess.Popen(
        tied(*program, "60000"), cwd=ROOT, env=environment_for(settings), start_new_session=True, text=True
    )
    wait_until(lambda: made() >= 10_000, "a chunk is made", seconds=120, process=first)
    kill_group(first)
    first.wait()
    assert 10_000 <= made() < 60_000, "it was over before it could be killed"
    # The dead runner's leases run out by themselves after half a minute; a test need not wait.
    past = NOW - timedelta(days=1)
    own.execute(update(Job).values(lease_until=past))
    own.execute(update(Lease).values(until=past))
    own.commit()
    subprocess.run(
        tied(sys.executable, "-m", "webapp", "tick"), cwd=ROOT, env=environment_for(settings), check=True, timeout=240
    )
    own.rollback()
    batch_id = own.scalars(select(VoucherBatch.id).where(VoucherBatch.voucher_type_id == kind.id)).one()
    assert_whole(own, batch_id, 60_000)


def printable(work: Work, make: Factories, mint: Mint, count: int) -> list[Voucher]:
    kind = make.voucher_type(title="Coffee")
    reward = make.reward(title="Spring draw", site_id=kind.site_id)
    vouchers.generate(work, GenerateVouchers(kind.id, count), mint)
    found: list[Voucher] = []
    for _ in range(count):
        winner = make.winner(reward)
        command = AllocateVouchers(kind.id, winner.id, winner.profile_id, 1, "Europe/London", "")
        found += vouchers.allocate(work, command)
    vouchers.order(work, PrintVouchers(reward.id, "a4-2x4"))
    work.session.commit()
    return found


def test_a_print_job_handed_over_keeps_its_parts_and_counts_once(
    session: Session, work: Work, make: Factories, mint: Mint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = printable(work, make, mint, 9)
    monkeypatch.setattr(typesetting, "SAMPLE", 1)
    monkeypatch.setattr(handlers, "PIECE", 4_096)
    stopping, typeset, appended = Flag(), [], []
    run, append = typesetting._run, handlers.files.append

    def count_run(*given: object, **more: object) -> object:
        typeset.append(1)
        return run(*given, **more)  # type: ignore[arg-type]

    def append_then_stop(work: Work, file_id: int, data: bytes) -> int:
        appended.append(len(data))
        if len(appended) == 2:
            stopping.set()
        return append(work, file_id, data)

    monkeypatch.setattr(typesetting, "_run", count_run)
    monkeypatch.setattr(handlers.files, "append", append_then_stop)
    Runner(sessions_of(session), registry.kinds(), stopping=stopping).drain()  # type: ignore[arg-type]
    session.expire_all()
    assert list((tmp_path / "printing").rglob("*.pdf")), "the part is kept for whoever goes on"
    assert run_jobs(session) == 1
    job = session.scalars(select(Job).where(Job.kind == "vouchers.print")).one()
    assert job.status is JobStatus.DONE
    file_id = handlers.result_of(job.cursor)
    assert file_id is not None
    pdf = b"".join(read_files.read(session, file_id))
    assert sum(appended) == len(pdf) == read_files.get(session, file_id).size
    assert sorted(readable(pdf)) == sorted(voucher.code for voucher in made)
    assert len(typeset) == 1
    assert set(session.scalars(select(Voucher.printed_count))) == {1}
    assert len(facts_of(session, Event.VOUCHERS_PRINTED)) == 1
    assert not list((tmp_path / "printing").rglob("*.pdf")), "codes are not left lying about"


def test_a_print_job_that_fails_leaves_no_file_behind(
    session: Session, work: Work, make: Factories, mint: Mint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    printable(work, make, mint, 1)
    monkeypatch.setattr(typesetting, "_run", lambda *_, **__: ([], b"%PDF"))
    run_jobs(session)
    job = session.scalars(select(Job)).one()
    assert job.status is JobStatus.FAILED
    assert "could not be read back" in job.error
    assert handlers.result_of(job.cursor) is None
    assert not list((tmp_path / "printing").rglob("*"))
