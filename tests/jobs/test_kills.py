"""Processes that run jobs and are killed in the middle of them (P6), and several at once."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from tests.factories import Factories
from tests.support.benefits import MINT
from tests.support.clock import NOW
from tests.support.invariants import faults
from tests.support.processes import tied
from tests.support.run import ROOT
from webapp.adapters.engines import engine_options
from webapp.domain.benefit_batches import Audience, BatchStatus
from webapp.domain.identity import SYSTEM
from webapp.domain.jobs import JobStatus
from webapp.models import AuditEntry, Benefit, BenefitChange, Job, Profile, Voucher
from webapp.queries import files
from webapp.queries.benefit_filters import Filter
from webapp.queries.invariants import INVARIANTS, broken
from webapp.services import vouchers
from webapp.services.benefits import batches, restoring, voiding
from webapp.services.benefits.batches import PlanBatch, StartBatch, UndoBatch
from webapp.services.benefits.restoring import RestoreVoided
from webapp.services.benefits.voiding import VoidBenefits
from webapp.services.vouchers import AddCodes, GenerateVouchers, MoveVoucher, TakeBackCodes, UploadCodes
from webapp.services.work import perform

LEASE = "0.6"
TO = 40


@pytest.fixture
def database_session(own_database: str) -> Iterator[Session]:
    engine = create_engine(own_database, **engine_options(own_database, threads=1))
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


@pytest.fixture
def start(own_database: str) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a process that runs jobs on this test's database; none outlives the test."""
    made: list[subprocess.Popen[str]] = []

    def start(module: str = "counting", *more: str) -> subprocess.Popen[str]:
        command = tied(sys.executable, "-m", f"tests.support.{module}", own_database, LEASE, *more)
        made.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        return made[-1]

    yield start
    for process in made:
        process.kill()
        process.communicate()


def queue(session: Session, number: int, to: int = TO) -> list[int]:
    jobs = [
        Job(kind="count", title=f"Count {n}", arguments={"to": to}, total=to, created_at=NOW, created_by="Ann")
        for n in range(number)
    ]
    session.add_all(jobs)
    session.commit()
    return [job.id for job in jobs]


def counted(session: Session, job_id: int) -> tuple[JobStatus, str]:
    session.rollback()
    job = session.scalars(select(Job).where(Job.id == job_id).execution_options(populate_existing=True)).one()
    assert job.result_file_id is not None, f"{job.status}: {job.error}"
    return job.status, b"".join(files.read(session, job.result_file_id)).decode()


def whole(to: int = TO) -> str:
    return "".join(f"{number}\n" for number in range(1, to + 1))


def _killed_again_and_again(start, repeat):
    """Jobs go on in one process after the other, each killed at a random moment, and the last one ends them."""
    for _ in range(repeat(4, 60)):
        process = start("draining", str(A_STEP))
        for _ in range(random.randint(1, 6)):  # noqa: S311
            if not process.stdout.readline():
                break
        process.kill()
        process.wait()
    assert start("draining", str(A_STEP)).wait(timeout=240) == 0


def test_a_job_killed_at_random_moments_ends_as_if_nothing_had_happened(database_session, start, repeat):
    [job_id] = queue(database_session, 1, to=TO * repeat(1, 10))
    kills = repeat(4, 60)
    for _ in range(kills):
        process = start()
        assert process.stdout is not None
        for _ in range(random.randint(1, 6)):  # noqa: S311
            if not process.stdout.readline():
                break
        process.kill()
        process.wait()
    assert start().wait(timeout=120) == 0
    assert counted(database_session, job_id) == (JobStatus.DONE, whole(TO * repeat(1, 10)))


def test_several_processes_run_every_job_once(database_session, start, repeat):
    ids = queue(database_session, repeat(8, 60), to=5)
    processes = [start() for _ in range(3)]
    began = Counter[str]()
    for process in processes:
        out, _ = process.communicate(timeout=240)
        assert process.returncode == 0
        began.update(line for line in out.splitlines() if line.startswith("began"))
    assert began == Counter(f"began {job_id}" for job_id in ids)
    assert all(counted(database_session, job_id) == (JobStatus.DONE, whole(5)) for job_id in ids)


def test_one_of_several_processes_may_die(database_session, start, repeat):
    ids = queue(database_session, repeat(6, 30), to=10)
    first, second = start(), start()
    assert first.stdout is not None
    assert second.stdout is not None
    reader = first if first.stdout.readline() else second
    reader.kill()
    other = second if reader is first else first
    other.communicate(timeout=240)
    assert all(counted(database_session, job_id) == (JobStatus.DONE, whole(10)) for job_id in ids)


PEOPLE, A_STEP = 600, 25


def test_a_batch_of_benefits_killed_at_random_moments_gives_everybody_one_code(database_session, start, repeat):
    session, made = database_session, Factories(database_session)
    site = made.site()
    kind = made.voucher_type(site_id=site.id)
    definition = made.benefit_definition(site_id=site.id, voucher_type_id=kind.id, force_allocation=True)
    session.add_all(Profile(external_id=f"M{number}", created_at=NOW, updated_at=NOW) for number in range(PEOPLE))
    session.commit()
    perform(session, SYSTEM, NOW, lambda work: vouchers.generate(work, GenerateVouchers(kind.id, PEOPLE), MINT))
    command = PlanBatch(definition_id=definition.id, audience=Audience.EVERYBODY)
    batch = perform(session, SYSTEM, NOW, lambda work: batches.plan(work, command))
    assert start("draining", str(A_STEP)).wait(timeout=120) == 0
    perform(session, SYSTEM, NOW, lambda work: batches.start(work, StartBatch(batch.id)))
    _killed_again_and_again(start, repeat)
    session.rollback()
    session.expire_all()
    assert (batch.status, batch.issued_count, batch.passed_count) == (BatchStatus.ISSUED, PEOPLE, 0)
    for column in (Benefit.id, Benefit.profile_id.distinct(), Benefit.voucher_id.distinct()):
        assert session.scalar(select(func.count(column))) == PEOPLE
    assert session.scalar(select(func.count(BenefitChange.id))) == PEOPLE
    assert (definition.total_global_created, kind.idle_count, kind.allocated_count) == (PEOPLE, 0, PEOPLE)
    assert {item.name: broken(session, item) for item in INVARIANTS if broken(session, item)} == {}


@pytest.fixture
def killed(database_session, start, repeat) -> Callable[[], None]:
    """Runs the jobs that wait in processes that are killed at random moments; every invariant holds at each of them."""
    session = database_session

    def run() -> None:
        for _ in range(repeat(2, 30)):
            process = start("draining", str(A_STEP))
            for _ in range(random.randint(1, 30)):  # noqa: S311
                if not process.stdout.readline():
                    break
            process.kill()
            process.wait()
            assert faults(session) == {}
            session.rollback()
        assert start("draining", str(A_STEP)).wait(timeout=240) == 0
        session.rollback()
        session.expire_all()

    return run


def test_a_batch_killed_while_it_looks_people_up_issues_and_undoes_deals_with_each_once(database_session, killed):
    """Whom it is for is looked up when it is checked and again on its day; both begin anew after a kill."""
    session, made = database_session, Factories(database_session)
    kind = made.voucher_type()
    definition = made.benefit_definition(site_id=kind.site_id, voucher_type_id=kind.id, force_allocation=True)
    session.add_all(Profile(external_id=f"M{number}", created_at=NOW, updated_at=NOW) for number in range(PEOPLE))
    session.commit()
    perform(session, SYSTEM, NOW, lambda work: vouchers.generate(work, GenerateVouchers(kind.id, PEOPLE), MINT))
    tomorrow = (NOW + timedelta(days=1)).date()
    plan = PlanBatch(definition_id=definition.id, audience=Audience.EVERYBODY, issued_on=tomorrow, on_the_day=True)
    batch = perform(session, SYSTEM, NOW, lambda work: batches.plan(work, plan))
    killed()
    assert (batch.status, batch.people_count, batch.expected_count) == (BatchStatus.CHECKED, PEOPLE, PEOPLE)
    perform(session, SYSTEM, NOW, lambda work: batches.start(work, StartBatch(batch.id)))
    gone = session.scalars(select(Profile)).first()
    gone.merged_into_id = gone.id + 1  # since the check
    session.commit()
    assert perform(session, SYSTEM, NOW + timedelta(days=2), batches.start_due) == 1
    killed()
    assert (batch.status, batch.people_count, batch.issued_count) == (BatchStatus.ISSUED, PEOPLE - 1, PEOPLE - 1)
    for column in (Benefit.id, Benefit.profile_id.distinct(), Benefit.voucher_id.distinct()):
        assert session.scalar(select(func.count(column))) == PEOPLE - 1
    perform(session, SYSTEM, NOW, lambda work: batches.undo(work, UndoBatch(batch.id)))
    killed()
    assert (batch.status, batch.voided_count, batch.left_count) == (BatchStatus.UNDONE, PEOPLE - 1, 0)
    assert (definition.total_global_voided, kind.cancelled_count) == (PEOPLE - 1, PEOPLE - 1)
    voided = select(func.count()).where(BenefitChange.move == "voided")
    assert session.scalar(voided) == PEOPLE - 1


def test_13_9_bulk_select_killed_at_random_moments_makes_each_void_once_and_restores_each(
    database_session, start, repeat
):
    session, made = database_session, Factories(database_session)
    kind = made.voucher_type()
    definition = made.benefit_definition(site_id=kind.site_id, voucher_type_id=kind.id, force_allocation=True)
    session.add_all(Profile(external_id=f"M{number}", created_at=NOW, updated_at=NOW) for number in range(PEOPLE))
    session.commit()
    perform(session, SYSTEM, NOW, lambda work: vouchers.generate(work, GenerateVouchers(kind.id, PEOPLE), MINT))
    plan = PlanBatch(definition_id=definition.id, audience=Audience.EVERYBODY)
    batch = perform(session, SYSTEM, NOW, lambda work: batches.plan(work, plan))
    assert start("draining", "4000").wait(timeout=120) == 0
    perform(session, SYSTEM, NOW, lambda work: batches.start(work, StartBatch(batch.id)))
    assert start("draining", "4000").wait(timeout=240) == 0
    command = VoidBenefits(None, Filter(batch_id=batch.id), PEOPLE, "issued to the wrong people")
    job = perform(session, SYSTEM, NOW, lambda work: voiding.start(work, command))
    _killed_again_and_again(start, repeat)
    session.rollback()
    session.expire_all()
    assert (job.status, job.message, job.done) == (JobStatus.DONE, f"{PEOPLE} made void.", PEOPLE)
    voided = select(func.count(BenefitChange.benefit_id.distinct()), func.count()).where(BenefitChange.move == "voided")
    assert tuple(session.execute(voided).one()) == (PEOPLE, PEOPLE)
    assert (definition.total_global_voided, kind.cancelled_count, kind.allocated_count) == (PEOPLE, PEOPLE, 0)
    told = session.scalars(select(AuditEntry.facts).where(AuditEntry.event == "benefits.voided")).one()
    assert (told["count"], told["left"]) == (PEOPLE, 0)
    assert {item.name: broken(session, item) for item in INVARIANTS if broken(session, item)} == {}
    again = perform(session, SYSTEM, job.finished_at, lambda work: restoring.start(work, RestoreVoided(job.id, None)))
    _killed_again_and_again(start, repeat)
    session.rollback()
    session.expire_all()
    assert (again.status, again.message, again.done) == (JobStatus.DONE, f"{PEOPLE} restored.", PEOPLE)
    assert (definition.total_global_voided, kind.cancelled_count, kind.allocated_count) == (0, 0, PEOPLE)
    assert {item.name: broken(session, item) for item in INVARIANTS if broken(session, item)} == {}


def test_ruling_11_an_upload_whose_taking_back_is_killed_at_random_moments_goes_but_for_what_is_held(
    database_session, killed
):
    session, made = database_session, Factories(database_session)
    kind = made.voucher_type()
    rows = [(number + 2, [f"KILLED-{number:05}"]) for number in range(PEOPLE)]
    command = UploadCodes(kind.id, "codes.csv", ("Code",), rows)
    batch = perform(session, SYSTEM, NOW, lambda work: vouchers.upload(work, command, MINT))
    perform(session, SYSTEM, NOW, lambda work: vouchers.add_uploaded(work, AddCodes(kind.id, batch.id), MINT))
    ids = session.scalars(select(Voucher.id).order_by(Voucher.id)).all()
    held = ids[::50]
    for number in held:
        perform(session, SYSTEM, NOW, lambda work, number=number: vouchers.cancel(work, MoveVoucher(number)))
    undo = TakeBackCodes(kind.id, batch.id)
    job = perform(session, SYSTEM, NOW, lambda work: vouchers.start_taking_back(work, undo))
    killed()
    gone = PEOPLE - len(held)
    assert (job.status, job.done) == (JobStatus.DONE, PEOPLE)
    assert job.message == f"{gone} taken back, {len(held)} stay; the file says why."
    assert session.scalars(select(Voucher.id).order_by(Voucher.id)).all() == held
    assert (batch.undo["gone"], [row[0] for row in batch.undo["left"]]) == (gone, held)
    assert (kind.idle_count, kind.cancelled_count) == (0, len(held))
    lines = b"".join(files.read(session, job.result_file_id)).decode().splitlines()
    assert [int(line.partition(",")[0]) for line in lines[1:]] == held
    told = session.scalars(select(AuditEntry.facts).where(AuditEntry.event == "vouchers.taken-back")).one()
    assert (told["count"], told["left"]) == (gone, len(held))
    assert faults(session) == {}
