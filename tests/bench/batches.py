"""Benefits a second that a batch issues, against the driver's bare inserts of them: ``python -m tests.bench.batches [URL]``.

With codes of their own, and with codes out of a pool; undoing them as well.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, insert
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from webapp.adapters import clock, collector, randomness, schema
from webapp.adapters.engines import engine_options
from webapp.domain.benefit_batches import Audience, BatchStatus
from webapp.domain.identity import SYSTEM
from webapp.jobs import registry
from webapp.jobs.runner import Runner
from webapp.models import BenefitDefinition, BenefitDefinitionVersion, Profile, Site, VoucherType
from webapp.queries import benefit_batches as read
from webapp.services import vouchers
from webapp.services.benefits import batches
from webapp.services.benefits.batches import PlanBatch, StartBatch, UndoBatch
from webapp.services.vouchers import GenerateVouchers, Mint
from webapp.services.work import perform

PEOPLE = 50_000
ZONES = ("Europe/London", "Australia/Melbourne", "Europe/Dublin", "")
NOW = clock.now()


def fill(session: Session, *, with_pool: bool) -> int:
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
    rows = [
        {"external_id": f"M{n}", "zone": ZONES[n % len(ZONES)], "created_at": NOW, "updated_at": NOW}
        for n in range(PEOPLE)
    ]
    session.execute(insert(Profile), rows)
    session.commit()
    if kind:
        mint = Mint(b"0" * 32, randomness.entropy)
        perform(session, SYSTEM, NOW, lambda work: vouchers.generate(work, GenerateVouchers(kind.id, PEOPLE), mint))
    return definition.id


@contextmanager
def timed(times: dict[str, float], name: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    times[name] = time.perf_counter() - began


def measure(engine: Engine, *, with_pool: bool) -> dict[str, float]:
    """Seconds of the check, of issuing and of undoing, and of the bare inserts of what was written."""

    def sessions() -> Session:
        return Session(engine, expire_on_commit=False)

    def drain() -> None:
        Runner(sessions, registry.kinds()).drain()

    times: dict[str, float] = {}
    schema.upgrade(engine)
    with sessions() as session:
        definition_id = fill(session, with_pool=with_pool)
        drain()
        collector.settle()
        command = PlanBatch(definition_id=definition_id, audience=Audience.EVERYBODY)
        with timed(times, "check"):
            batch = perform(session, SYSTEM, clock.now(), lambda work: batches.plan(work, command))
            drain()
        with timed(times, "issue"):
            perform(session, SYSTEM, clock.now(), lambda work: batches.start(work, StartBatch(batch.id)))
            drain()
        session.rollback()
        assert read.get(session, batch.id).issued_count == PEOPLE
        times["bare"] = bare(engine)
        with timed(times, "undo"):
            perform(session, SYSTEM, clock.now(), lambda work: batches.undo(work, UndoBatch(batch.id)))
            drain()
        session.rollback()
        assert read.get(session, batch.id).status is BatchStatus.UNDONE
    schema.downgrade(engine)
    return times


def bare(engine: Engine) -> float:
    """The driver's executemany of the benefits and their history into tables with the same columns and indexes."""
    raw = engine.raw_connection()
    cursor = raw.cursor()
    is_sqlite = engine.dialect.name == "sqlite"
    mark, spent = "?" if is_sqlite else "%s", 0.0
    for table in ("benefits", "benefit_changes"):
        cursor.execute(f"select * from {table}")
        rows = cursor.fetchall()
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
        marks = ", ".join([mark] * len(rows[0]))
        began = time.perf_counter()
        for at in range(0, len(rows), 4_000):
            if is_sqlite:
                cursor.execute("begin immediate")
            cursor.executemany(f"insert into floor_{table} values ({marks})", rows[at : at + 4_000])
            raw.commit()
        spent += time.perf_counter() - began
        cursor.execute(f"drop table floor_{table}")
        raw.commit()
    raw.close()
    return spent


def main(url: str = "") -> None:
    """Print a line for each way codes come about."""
    print(f"{PEOPLE:,} benefits   {'check s':>8} {'issue s':>8} {'benefits/s':>11} {'ratio':>6} {'undo s':>7}")
    with tempfile.TemporaryDirectory() as folder:
        for with_pool in (False, True):
            place = url or f"sqlite:///{Path(folder) / f'{with_pool}.db'}"
            engine = create_engine(place, **engine_options(place, 2))
            found = measure(engine, with_pool=with_pool)
            engine.dispose()
            print(
                f"{'out of a pool' if with_pool else 'their own codes':16} {found['check']:8.2f} {found['issue']:8.2f}"
                f" {PEOPLE / found['issue']:11,.0f} {found['issue'] / found['bare']:6.2f} {found['undo']:7.2f}"
            )


if __name__ == "__main__":
    main(*sys.argv[1:2])
