"""How long it takes to link and to verify a long audit log: `python -m tests.bench.audit [--entries N] [--database postgresql]`."""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import cast

from sqlalchemy import Table, create_engine, insert
from sqlalchemy.orm import Session

from tests.bench.pages import database
from tests.support.clock import NOW
from webapp.adapters import schema
from webapp.adapters.engines import engine_options
from webapp.domain.audit import Event
from webapp.jobs import audit as job
from webapp.models import AuditEntry
from webapp.services import audit

MANY, CHUNK = 1_000_000, 10_000
GOAL = 60.0  # seconds to verify a million entries (reliability.md P23)


def fill(session: Session, count: int) -> None:
    """Entries of a busy programme: changes of people with what was and what is."""
    for first in range(0, count, CHUNK):
        rows = [
            {
                "at": NOW + timedelta(seconds=number),
                "actor": "Ann Able",
                "staff_id": None,
                "address": "198.51.100.7",
                "event": Event.PROFILE_CHANGED,
                "subject": f"profiles:{number % 90_000 + 1}",
                "site_id": None,
                "facts": {
                    "person": number % 90_000 + 1,
                    "changes": f"phone from 0{number} to 0{number + 1}, tier to gold",
                },
            }
            for number in range(first, min(first + CHUNK, count))
        ]
        session.execute(insert(cast(Table, AuditEntry.__table__)), rows)
        session.commit()


def timed(name: str, count: int, act: Callable[[], object]) -> None:
    wall, processor = time.perf_counter(), time.process_time()
    act()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{name:<8} {wall:>7.1f} s {processor:>7.1f} s of the processor {count / processor:>9,.0f}/CPU s {most:>6} MiB"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=MANY)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, database(asked.database, Path(folder)) as url:
        engine = create_engine(url, **engine_options(url, 1))
        schema.upgrade(engine)
        with Session(engine) as session:
            fill(session, asked.entries)
        timed("link", asked.entries, lambda: job.run_due(lambda: Session(engine)))
        with Session(engine) as session:
            timed("verify", asked.entries, lambda: audit.verify(session))
        engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
