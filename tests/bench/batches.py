"""Benefits a second that a batch issues, against the driver's bare inserts of them: ``python -m tests.bench.batches``.

With codes of their own, and with codes out of a pool; undoing them as well. ``--people 1000000`` is as many as one batch
takes. Memory is the most this process ever had; the longest step is how long a till may have to wait for the database.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, insert, text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from webapp.adapters import clock, collector, randomness, schema
from webapp.adapters.engines import engine_options
from webapp.domain.benefit_batches import Audience, BatchStatus
from webapp.domain.identity import SYSTEM
from webapp.jobs import registry
from webapp.jobs.runner import Runner
from webapp.jobs.running import RunningJob
from webapp.models import BenefitDefinition, BenefitDefinitionVersion, Profile, Site, VoucherType
from webapp.queries import benefit_batches as read
from webapp.services import vouchers
from webapp.services.benefits import batches
from webapp.services.benefits.batches import PlanBatch, StartBatch, UndoBatch
from webapp.services.vouchers import GenerateVouchers, Mint
from webapp.services.work import perform

PEOPLE, AT_ONCE = 50_000, 10_000
ZONES = ("Europe/London", "Australia/Melbourne", "Europe/Dublin", "")
NOW = clock.now()


def fill(session: Session, people: int, *, with_pool: bool) -> int:
    """People, and a definition to issue; gives its id."""
    site = Site(name="a", title="A", organiser="A", timezone="Europe/London", created_at=NOW)
    session.add(site)
    session.flush()
    kind = None
    if with_pool:
        kind = VoucherType(site_id=site.id, code="B", title="B", created_at=NOW)
        session.add(kind)
        session.flush()
    definition = BenefitDefinition(
        site_id=site.id, name="D", handle="d", period=30, max_redemptions=1, created_at=NOW, updated_at=NOW,
        voucher_type_id=kind.id if kind else None, force_allocation=with_pool,
    )  # fmt: skip
    session.add(definition)
    session.flush()
    terms: dict[str, Any] = {"name": "D"}
    session.add(BenefitDefinitionVersion(definition_id=definition.id, number=1, terms=terms, at=NOW, by="A"))
    for start in range(0, people, AT_ONCE):
        rows = [
            {"external_id": f"M{n}", "zone": ZONES[n % len(ZONES)], "created_at": NOW, "updated_at": NOW}
            for n in range(start, min(start + AT_ONCE, people))
        ]
        session.execute(insert(Profile), rows)
        session.commit()
    if kind:
        mint = Mint(b"0" * 32, randomness.entropy)
        perform(session, SYSTEM, NOW, lambda work: vouchers.generate(work, GenerateVouchers(kind.id, people), mint))
    return definition.id


@contextmanager
def watched() -> Iterator[list[float]]:
    """Seconds of each transaction of a job."""
    seen: list[float] = []
    step = RunningJob.step

    def timed_step(job: RunningJob, *args: Any, **more: Any) -> Any:
        began = time.perf_counter()
        result = step(job, *args, **more)
        seen.append(time.perf_counter() - began)
        return result

    setattr(RunningJob, "step", timed_step)  # noqa: B010
    yield seen
    setattr(RunningJob, "step", step)  # noqa: B010


@contextmanager
def timed(times: dict[str, float], name: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    times[name] = time.perf_counter() - began


def measure(engine: Engine, people: int, *, with_pool: bool) -> dict[str, float]:
    """Seconds of the check, of issuing and of undoing, and of the bare inserts of what was written; the most memory."""

    def sessions() -> Session:
        return Session(engine, expire_on_commit=False)

    def drain() -> None:
        Runner(sessions, registry.kinds()).drain()

    times: dict[str, float] = {}
    schema.upgrade(engine)
    with sessions() as session, watched() as steps:
        definition_id = fill(session, people, with_pool=with_pool)
        drain()
        collector.settle()
        steps.clear()
        command = PlanBatch(definition_id=definition_id, audience=Audience.EVERYBODY)
        with timed(times, "check"):
            batch = perform(session, SYSTEM, clock.now(), lambda work: batches.plan(work, command))
            drain()
        with timed(times, "issue"):
            perform(session, SYSTEM, clock.now(), lambda work: batches.start(work, StartBatch(batch.id)))
            drain()
        session.rollback()
        assert read.get(session, batch.id).issued_count == people
        session.rollback()
        times["bare"] = bare(engine)
        with timed(times, "undo"):
            perform(session, SYSTEM, clock.now(), lambda work: batches.undo(work, UndoBatch(batch.id)))
            drain()
        session.rollback()
        assert read.get(session, batch.id).status is BatchStatus.UNDONE
        times |= {"longest": max(steps), "MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    schema.downgrade(engine)
    return times


def bare(engine: Engine) -> float:
    """The driver's executemany of the benefits and their history into tables with the same columns and indexes."""
    raw = engine.raw_connection()
    cursor = raw.cursor()
    is_sqlite = engine.dialect.name == "sqlite"
    mark, spent = "?" if is_sqlite else "%s", 0.0
    for table in ("benefits", "benefit_changes"):
        if is_sqlite:
            wanted = (
                "select sql from sqlite_master where tbl_name = ? and type in ('table', 'index') and sql is not null"
            )
            cursor.execute(wanted, (table,))
            made = [sql.replace(table, f"floor_{table}").replace("uq_", "uq2_") for (sql,) in cursor.fetchall()]
            made = [sql.replace("INDEX ix_", "INDEX ix2_") for sql in made]
        else:
            made = [f"create table floor_{table} (like {table} including all)"]
        for sql in made:
            cursor.execute(sql)
        raw.commit()
        for rows in pieces(engine, table):
            marks = ", ".join([mark] * len(rows[0]))
            began = time.perf_counter()
            if is_sqlite:
                cursor.execute("begin immediate")
            cursor.executemany(f"insert into floor_{table} values ({marks})", rows)
            raw.commit()
            spent += time.perf_counter() - began
        cursor.execute(f"drop table floor_{table}")
        raw.commit()
    raw.close()
    return spent


def pieces(engine: Engine, table: str) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a table as the driver gives them, 4,000 at a time."""
    last = 0
    while True:
        with engine.connect() as connection:
            wanted = text(f"select * from {table} where id > :last order by id limit 4000")
            rows = [tuple(row) for row in connection.execute(wanted, {"last": last})]
        if not rows:
            return
        last = rows[-1][0]
        yield rows


def main() -> int:
    """Print a line for each way codes come about."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?", default="", help="an empty database; else SQLite files in a temporary folder")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--codes", choices=["own", "pool"], help="measure one of the two ways")
    asked = parser.parse_args()
    heads = f"{'check s':>8} {'issue s':>8} {'benefits/s':>11} {'ratio':>6} {'undo s':>7} {'MiB':>5} {'longest s':>10}"
    print(f"{f'{asked.people:,} benefits':18} {heads}")
    with tempfile.TemporaryDirectory() as folder:
        for way in [asked.codes] if asked.codes else ["own", "pool"]:
            place = asked.url or f"sqlite:///{Path(folder) / f'{way}.db'}"
            engine = create_engine(place, **engine_options(place, 2))
            found = measure(engine, asked.people, with_pool=way == "pool")
            engine.dispose()
            print(
                f"{'out of a pool' if way == 'pool' else 'their own codes':18} {found['check']:8.2f} {found['issue']:8.2f}"
                f" {asked.people / found['issue']:11,.0f} {found['issue'] / found['bare']:6.2f} {found['undo']:7.2f}"
                f" {found['MiB']:5.0f} {found['longest']:10.2f}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
