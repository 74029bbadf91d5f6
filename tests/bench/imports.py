"""Rows a second from a file to committed entries, with audit and rejects, against the bare driver: `python -m tests.bench.imports [DATABASE_URL]`.

Our road is everything a person gets: reading the file once to refuse it as a whole, keeping it, the check with
its problems and its rejects file, and the import. The floor is the driver's executemany of the very rows that
came of it into tables of the same shape, in the same process right after; memory is that of a process of its own.
An empty migrated database can be named; else SQLite files in a temporary folder are used.
"""

from __future__ import annotations

import itertools
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from webapp.adapters import clock, collector, schema, spreadsheets
from webapp.adapters.engines import engine_options
from webapp.domain.identity import SYSTEM
from webapp.domain.imports import ImportContract, ImportStatus
from webapp.domain.rewards import RewardKind, RewardStatus
from webapp.jobs import registry
from webapp.jobs.runner import Runner
from webapp.models import ImportRun, Reward, Site
from webapp.services import imports
from webapp.services.imports import ApplyImport, ChooseColumns, IncomingFile, UploadEntries
from webapp.services.work import perform

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SIZES = (50_000, 1_000_000)
ROUNDS = 3
HEAD = "Member ID,First name,Surname,E-mail,Mobile,Postcode,Store,Entered at,Receipt,Entries\n"
GOAL = 10_000  # rows a second


def lines(count: int) -> Iterator[str]:
    """Eight in ten rows bring a new person; one in a hundred is bad, one in two hundred a repeat."""
    yield HEAD
    for n in range(count):
        person = n - n // 5
        receipt = f"R{n - 100 if n % 200 == 199 else n:09}"
        tickets = "none" if n % 100 == 50 else "1"
        yield (
            f"M{person:07},Søren,Bergström-{person},soren.{person}@mail{person % 50}.example,04{person:08},2{n % 1000:03},"
            f"SYD{n % 20:02},2026-0{1 + n % 2}-1{n % 9}T1{n % 9}:2{n % 9}:00+10:00,{receipt},{tickets}\n"
        )


def fresh(engine: Engine) -> int:
    """A reward that takes entries; gives its id."""
    with Session(engine) as session:
        site = Site(name="a", title="A", organiser="A", timezone="Australia/Sydney", created_at=NOW)
        session.add(site)
        session.flush()
        kind, status = RewardKind.PRIZE_DRAW, RewardStatus.ACTIVE
        reward = Reward(site_id=site.id, kind=kind, title="A", name="a", status=status, created_at=NOW)
        session.add(reward)
        session.commit()
        return reward.id


def ours(engine: Engine, reward_id: int, path: Path) -> dict[str, float]:
    """The whole road; seconds on the clock for each stretch of it."""

    def sessions() -> Session:
        return Session(engine, expire_on_commit=False)

    times = {"begin": time.perf_counter()}
    with path.open("rb") as stream, sessions() as session:
        file = IncomingFile(path.name, spreadsheets.survey(stream, path.name), spreadsheets.Pieces(stream))
        run = perform(session, SYSTEM, clock.now(), lambda work: imports.upload(work, UploadEntries(reward_id, file)))
        places = imports.positions(run.mapping, run.headings)
        perform(session, SYSTEM, clock.now(), lambda work: imports.choose_columns(work, ChooseColumns(run.id, places)))
        times["upload"] = time.perf_counter()
        Runner(sessions, registry.kinds()).drain()
        times["check"] = time.perf_counter()
        command = ApplyImport(run.id, ImportContract.GOOD_ROWS)
        perform(session, SYSTEM, clock.now(), lambda work: imports.apply(work, command))
        Runner(sessions, registry.kinds()).drain()
        times["import"] = time.perf_counter()
        session.rollback()
        session.expire_all()
        assert session.get_one(ImportRun, run.id).status is ImportStatus.DONE
    marks = list(times.values())
    return dict(zip(list(times)[1:], [after - before for before, after in itertools.pairwise(marks)], strict=True))


def bare(engine: Engine) -> float:
    """The driver's executemany of the rows that came of it, 2,000 a commit, into the same tables without triggers."""
    raw = engine.raw_connection()
    cursor = raw.cursor()
    is_sqlite = engine.dialect.name == "sqlite"
    mark = "?" if is_sqlite else "%s"
    spent = 0.0
    for table in ("profiles", "entries"):
        cursor.execute(f"select * from {table}")
        rows = cursor.fetchall()
        width = len(rows[0])
        if is_sqlite:
            cursor.execute(
                "select sql from sqlite_master where tbl_name = ? and type in ('table', 'index') and sql is not null",
                (table,),
            )
            made = [sql for (sql,) in cursor.fetchall()]
            made = [
                sql.replace(table, f"floor_{table}").replace("uq_", "uq2_").replace("INDEX ix_", "INDEX ix2_")
                for sql in made
            ]
        else:
            made = [f"create table floor_{table} (like {table} including all)"]
            rows = [
                tuple(json.dumps(value) if isinstance(value, dict | list) else value for value in row) for row in rows
            ]
        for sql in made:
            cursor.execute(sql)
        raw.commit()
        began = time.perf_counter()
        for at in range(0, len(rows), 2_000):
            if is_sqlite:
                cursor.execute("begin immediate")
            cursor.executemany(
                f"insert into floor_{table} values ({', '.join([mark] * width)})",
                rows[at : at + 2_000],
            )
            raw.commit()
        spent += time.perf_counter() - began
        cursor.execute(f"drop table floor_{table}")
        raw.commit()
    raw.close()
    return spent


def measure(url: str, path: Path, count: int) -> dict[str, Any]:
    """One size in this process: rows a second, the ratio to the floor, and how much memory the road needed."""
    engine = create_engine(url, **engine_options(url, 2))
    seen: list[tuple[dict[str, float], float]] = []
    peak = 0
    collector.settle()  # as a server and a command do
    for _ in range(ROUNDS if count < SIZES[-1] else 1):
        schema.upgrade(engine)
        reward_id = fresh(engine)
        stretches = ours(engine, reward_id, path)
        peak = peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        seen.append((stretches, bare(engine)))
        schema.downgrade(engine)
    engine.dispose()
    stretches, floor = sorted(seen, key=lambda one: sum(one[0].values()))[len(seen) // 2]
    total = statistics.median(sum(one[0].values()) for one in seen)
    return {
        "rows": count,
        "rate": count / total,
        "ratio": total / floor,
        "floor": count / floor,
        "peak": peak,
        **stretches,
    }


def alone(url: str, path: Path, count: int) -> dict[str, Any]:
    """The same in a process of its own, so that its peak memory is its own."""
    command = [sys.executable, "-m", "tests.bench.imports", url, str(path), str(count)]
    found: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    return found


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield f"{'rows':>9} {'upload s':>9} {'check s':>8} {'import s':>9} {'rows/s':>8} {'floor rows/s':>13} {'× floor':>8} {'peak MiB':>9}"
    for row in rows:
        yield (
            f"{row['rows']:>9,} {row['upload']:>9.2f} {row['check']:>8.2f} {row['import']:>9.2f} {row['rate']:>8,.0f}"
            f" {row['floor']:>13,.0f} {row['ratio']:>8.1f} {row['peak']:>9,}"
        )
    yield f"Goal: {GOAL:,} rows a second, and the same peak at both sizes."


def main(url: str = "") -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = []
        for count in SIZES:
            path = folder / f"entrants-{count}.csv"
            with path.open("w", encoding="utf-8") as out:
                out.writelines(lines(count))
            at = url or f"sqlite:///{folder / 'bench.db'}"
            rows.append(alone(at, path, count))
        print("\n".join(table(rows)))


if __name__ == "__main__":
    _, *given = sys.argv
    if len(given) == 3:
        print(json.dumps(measure(given[0], Path(given[1]), int(given[2]))))
    else:
        main(*given)
