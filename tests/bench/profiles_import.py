"""Rows a second from a file to committed people, against the bare driver: `python -m tests.bench.profiles_import [ROWS] [DATABASE_URL]`.

Every row has fourteen columns, each of another kind; the check judges all of them, and the import writes the people with
what they are found by. Then the same file comes again and must change nothing: that is the way of rows that are known.
The floor is the driver's executemany of the very rows that came of it into a table of the same shape. Seconds are those
of the clock, and of all processors in this process and in the one that reads beside it.
"""

from __future__ import annotations

import itertools
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.orm import Session

from webapp.adapters import clock, schema, spreadsheets
from webapp.adapters.engines import engine_options
from webapp.domain.identity import SYSTEM
from webapp.domain.import_columns import ImportKind
from webapp.domain.imports import ImportContract, ImportStatus
from webapp.jobs import registry
from webapp.jobs.runner import Runner
from webapp.models import ImportRun, Profile, Tier
from webapp.services import imports
from webapp.services.imports import ApplyImport, ChooseColumns, IncomingFile, UploadRows
from webapp.services.work import perform

HEAD = (
    "Member ID,First name,Surname,E-mail,Mobile,Postcode,birth_day,birth_month,birth_year,gender,tier,tags,consents,"
    "joined_at\n"
)
GOAL = 10_000  # rows a second


def lines(count: int) -> Iterator[str]:
    """One row in a hundred is bad."""
    yield HEAD
    for n in range(count):
        gender = "robot" if n % 100 == 50 else ("female", "male", "")[n % 3]
        yield (
            f"M{n * 7919 % 10_000_019:08},Søren,Bergström-{n % 20_000},soren.{n}@mail{n % 50}.example,04{n:08},2{n % 1000:03},"
            f'{n % 28 + 1},{n % 12 + 1},{1950 + n % 50},{gender},{("gold", "")[n % 2]},"vip, {n % 7}",'
            f'"email_promo={("yes", "no")[n % 2]}, sms_promo=no",20{10 + n % 15}-0{n % 9 + 1}-1{n % 9}\n'
        )


def spent() -> tuple[float, float]:
    """Seconds of the clock, and of processors."""
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return time.perf_counter(), own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def ours(engine: Engine, path: Path) -> dict[str, tuple[float, float]]:
    """The whole road; seconds for each stretch of it."""

    def sessions() -> Session:
        return Session(engine, expire_on_commit=False)

    marks = {"begin": spent()}
    with path.open("rb") as stream, sessions() as session:
        file = IncomingFile(path.name, spreadsheets.survey(stream, path.name), spreadsheets.Pieces(stream))
        upload = UploadRows(ImportKind.PROFILES, file)
        run = perform(session, SYSTEM, clock.now(), lambda work: imports.upload_rows(work, upload))
        command = ChooseColumns(run.id, imports.positions(run.mapping, run.headings))
        perform(session, SYSTEM, clock.now(), lambda work: imports.choose_columns(work, command))
        marks["upload"] = spent()
        Runner(sessions, registry.kinds()).drain()
        marks["check"] = spent()
        go = ApplyImport(run.id, ImportContract.GOOD_ROWS)
        perform(session, SYSTEM, clock.now(), lambda work: imports.apply(work, go))
        Runner(sessions, registry.kinds()).drain()
        marks["import"] = spent()
        session.rollback()
        session.expire_all()
        assert session.get_one(ImportRun, run.id).status is ImportStatus.DONE
    names, values = list(marks), list(marks.values())
    pairs = itertools.pairwise(values)
    return {
        name: (after[0] - before[0], after[1] - before[1])
        for name, (before, after) in zip(names[1:], pairs, strict=True)
    }


def bare(engine: Engine) -> tuple[float, float]:
    """The driver's executemany of the people that came of it, 2,000 a commit, with every index of the table."""
    raw = engine.raw_connection()
    cursor = raw.cursor()
    is_sqlite = engine.dialect.name == "sqlite"
    cursor.execute("select * from profiles order by id")
    rows = cursor.fetchall()
    if is_sqlite:
        cursor.execute(
            "select sql from sqlite_master where tbl_name = 'profiles' and type in ('table', 'index') and sql is not null"
        )
        made = [
            sql.replace("profiles", "floor_profiles").replace("INDEX ix_", "INDEX ix2_") for (sql,) in cursor.fetchall()
        ]
    else:
        made = ["create table floor_profiles (like profiles including all)"]
        rows = [tuple(json.dumps(value) if isinstance(value, dict | list) else value for value in row) for row in rows]
    for sql in made:
        cursor.execute(sql)
    raw.commit()
    begun = spent()
    marks = ", ".join(["?" if is_sqlite else "%s"] * len(rows[0]))
    for at in range(0, len(rows), 2_000):
        if is_sqlite:
            cursor.execute("begin immediate")
        cursor.executemany(f"insert into floor_profiles values ({marks})", rows[at : at + 2_000])
        raw.commit()
    ended = spent()
    raw.close()
    return ended[0] - begun[0], ended[1] - begun[1]


def main(count: int, url: str = "") -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "people.csv"
        with path.open("w", encoding="utf-8") as out:
            out.writelines(lines(count))
        address = url or f"sqlite:///{name}/bench.db"
        engine = create_engine(address, **engine_options(address, 2))
        schema.upgrade(engine)
        with Session(engine) as session:
            session.add(Tier(name="gold", title="Gold", rank=1, created_at=datetime.now(UTC)))
            session.commit()
        found = {"new": ours(engine, path)}
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        found["known"] = ours(engine, path)
        with Session(engine) as session:
            people = session.scalar(select(func.count()).select_from(Profile)) or 0
        floor = bare(engine)
        for what, stretches in found.items():
            total = sum(clock for clock, _ in stretches.values())
            told = ", ".join(
                f"{stretch} {clock:.1f} s ({cpu:.1f} s of processor)" for stretch, (clock, cpu) in stretches.items()
            )
            print(
                f"{what}: {told}; {count / total:,.0f} rows/s in all, {count / stretches['import'][0]:,.0f} rows/s written"
            )
        wrote = found["new"]["import"]
        print(
            f"floor: {floor[0]:.1f} s ({floor[1]:.1f} s of processor) for {people:,} people; ours is {wrote[0] / floor[0]:.1f} times that, {wrote[1] / floor[1]:.1f} times in processor seconds"
        )
        print(f"peak memory of this process: {peak:,} MiB; goal: {GOAL:,} rows a second")
        engine.dispose()


if __name__ == "__main__":
    _, *given = sys.argv
    main(int(given[0]) if given else 1_000_000, *given[1:])
