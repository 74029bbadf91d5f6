"""Codes committed by our own road against the bare driver inserting the same rows: `python -m tests.bench.codes [--memory] [COUNT]`."""

from __future__ import annotations

import os
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, create_engine, insert, select
from sqlalchemy.orm import Session

from webapp.adapters import schema
from webapp.adapters.engines import _PRAGMAS, engine_options
from webapp.domain import voucher_codes as codes
from webapp.domain.identity import SYSTEM
from webapp.models import Site, VoucherBatch, VoucherType
from webapp.queries import vouchers as read
from webapp.services import vouchers
from webapp.services.vouchers import GenerateVouchers, Mint
from webapp.services.work import perform

MINT = Mint(vouchers.code_key("bench"), os.urandom)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
Values = tuple[object, ...]
COLUMNS = "voucher_type_id, batch_id, code, code_hash, last_four, status, printed_count"
INSERT = f"INSERT INTO vouchers ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"


def new_database(folder: Path, name: str) -> str:
    """A migrated database with one site and one voucher type."""
    url = f"sqlite:///{folder / name}.db"
    engine = create_engine(url, **engine_options(url, 1))
    schema.upgrade(engine)
    with Session(engine) as session:
        session.execute(
            insert(Site).values(name="a", title="A", organiser="A", timezone="Europe/London", created_at=NOW)
        )
        session.execute(insert(VoucherType).values(site_id=1, code="A", title="A", created_at=NOW))
        session.commit()
    engine.dispose()
    return url


def warmed(url: str) -> Engine:
    """An engine that has made one code before, as that of a server has."""
    engine = create_engine(url, **engine_options(url, 1))
    ours(engine, 1)
    return engine


def ours(engine: Engine, count: int) -> None:
    """What a person gets: batch row, counters, fingerprint, audit; in chunks of 10,000, each its own commit."""
    with Session(engine, expire_on_commit=False) as session:
        command = GenerateVouchers(1, count)
        batch = perform(session, SYSTEM, NOW, lambda work: vouchers.generate(work, command, MINT))
        if count > vouchers.CHUNK:
            for rows in perform(session, SYSTEM, NOW, lambda work: vouchers.drawn(work, batch.id, MINT)):
                perform(session, SYSTEM, NOW, partial(vouchers.add, batch_id=batch.id, rows=rows))
            sha256 = read.fingerprint(session, batch.id)
            perform(session, SYSTEM, NOW, lambda work: vouchers.finish(work, batch.id, sha256))
        made = session.scalar(select(VoucherBatch.made).order_by(VoucherBatch.id.desc()).limit(1))
        assert made == count


def rows_of(url: str) -> list[Values]:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return connection.execute(f"SELECT {COLUMNS} FROM vouchers ORDER BY id").fetchall()


def connect(url: str) -> sqlite3.Connection:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    connection.executemany(
        "INSERT INTO voucher_batches (voucher_type_id, wanted, made, sha256, created_at) VALUES (1, 0, 0, '', ?)",
        [(str(NOW),)] * 2,
    )
    return connection


def bare(url: str, rows: list[Values]) -> None:
    """the driver's executemany of the same rows in one commit."""
    with closing(connect(url)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(INSERT, rows)
        connection.execute("COMMIT")


def index_after_load(url: str, rows: list[Values]) -> None:
    """the driver's executemany of the same rows without an index, and all indexes built at the end."""
    with closing(connect(url)) as connection:
        indexes = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'vouchers' AND sql IS NOT NULL"
        ).fetchall()
        connection.execute("BEGIN IMMEDIATE")
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.execute("ALTER TABLE vouchers RENAME TO old")
        connection.execute(
            "CREATE TABLE vouchers (id INTEGER PRIMARY KEY AUTOINCREMENT, voucher_type_id INTEGER NOT NULL"
            " REFERENCES voucher_types (id), batch_id INTEGER NOT NULL REFERENCES voucher_batches (id),"
            " code VARCHAR(64) NOT NULL, code_hash VARCHAR(64) NOT NULL, last_four VARCHAR(4) NOT NULL,"
            " status VARCHAR(32) NOT NULL, profile_id INTEGER, winner_id INTEGER, winner_place INTEGER,"
            " allocated_at DATETIME, expires_at DATETIME, printed_count INTEGER NOT NULL)"
        )
        connection.executemany(INSERT, rows)
        connection.execute("CREATE UNIQUE INDEX one ON vouchers (code_hash)")
        for _, sql in indexes:
            connection.execute(sql)
        connection.execute("COMMIT")


def draw(count: int) -> None:
    """What no road can spare: drawing the codes and hashing them."""
    for made in codes.code_batches(os.urandom, count):
        codes.code_hashes(MINT.key, made)


def measured(act: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock and of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - wall, time.process_time() - cpu


def compare(folder: Path, count: int, floor: Callable[[str, list[Values]], None], rounds: int) -> None:
    """Our road, the floor and the drawing in turn, so that what else the machine does falls on all three."""
    seen: dict[str, list[tuple[float, float]]] = {"ours": [], "floor": [], "drawing": []}
    for number in range(rounds):
        url, other = new_database(folder, f"ours-{count}-{number}"), new_database(folder, f"floor-{count}-{number}")
        engine = warmed(url)
        seen["ours"].append(measured(partial(ours, engine, count)))
        engine.dispose()
        seen["floor"].append(measured(partial(floor, other, rows_of(url))))
        seen["drawing"].append(measured(partial(draw, count)))
        for used in (url, other):
            Path(used.removeprefix("sqlite:///")).unlink()
    wall = {name: statistics.median(one[0] for one in times) for name, times in seen.items()}
    cpu = {name: statistics.median(one[1] for one in times) for name, times in seen.items()}
    print(f"{count:,} codes, median of {rounds}; the floor is {floor.__doc__}")
    for name in seen:
        print(f"  {name:<8} {wall[name]:8.3f} s {cpu[name]:8.3f} CPU-s")
    both = cpu["floor"] + cpu["drawing"]
    print(
        f"  ours is {wall['ours'] / wall['floor']:.2f} x the floor ({cpu['ours'] / cpu['floor']:.2f} x in CPU), "
        f"{cpu['ours'] / both:.2f} x floor and drawing together in CPU"
    )


def memory(folder: Path, count: int) -> None:
    """What this process takes at most, beyond what it had after the first code."""
    engine = warmed(new_database(folder, "memory"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ours(engine, count)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    engine.dispose()
    print(f"{count:,} codes: at most {(peak - before) / 1024:.0f} MiB above the base, SQLite's cache included")


def main() -> None:
    count = int(sys.argv[-1]) if sys.argv[-1].isdigit() else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        if "--memory" in sys.argv:
            memory(Path(name), count)
            return
        compare(Path(name), 10_000, bare, 5)
        compare(Path(name), count, index_after_load, 3)


if __name__ == "__main__":
    main()
