"""How quick an export of people is beside the floor: `python -m tests.bench.exports [--people N] [--database postgresql]`.

The floor is `csv.writer` over the bare rows of the driver, read in the same run. Both are timed by the processor's clock
too, and the highest memory before and after is printed: it must not grow with the number of people.
"""

from __future__ import annotations

import argparse
import csv
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Table, create_engine, insert
from sqlalchemy.orm import Session

from tests.bench.pages import database
from tests.support.clock import NOW
from webapp.adapters import schema, spreadsheets
from webapp.adapters.engines import engine_options
from webapp.domain.people import Gender
from webapp.models import Location, Profile, ProfileIdentity, Tier
from webapp.queries import profiles as read

MANY, CHUNK = 1_000_000, 10_000
GOAL = 50_000  # rows a second
COLUMNS = (
    "id, external_id, title, first_name, last_name, email, phone, home_phone, zone, birth_day, birth_month, birth_year,"
    " gender, joined_at, created_at, updated_at, tags, statuses, consents, attributes, tier_id, joined_location_id,"
    " preferred_location_id"
)


def person(number: int, *, is_full: bool) -> dict[str, object]:
    """Somebody with a name, an address and a phone; with everything else there is to know, too."""
    at = NOW - timedelta(minutes=number % 500_000)
    row: dict[str, object] = {
        "external_id": f"M{number:07}",
        "first_name": "Ann-Marie",
        "last_name": f"Able{number % 9_999}",
        "email": f"ann.{number}@mail{number % 50}.example",
        "email_key": f"ann.{number}@mail{number % 50}.example",
        "phone": f"+447{number:09}",
        "created_at": at,
        "updated_at": at,
        "title": "",
        "home_phone": "",
        "zone": "",
        "gender": Gender.UNKNOWN,
        "birth_day": None,
        "birth_month": None,
        "birth_year": None,
        "joined_at": None,
        "tier_id": None,
        "joined_location_id": None,
        "tags": [],
        "statuses": [],
        "consents": {},
        "attributes": {},
    }
    if is_full:
        row |= {
            "title": "Dr",
            "home_phone": f"020{number:08}",
            "zone": "Europe/London",
            "gender": Gender.FEMALE,
            "birth_day": number % 28 + 1,
            "birth_month": number % 12 + 1,
            "birth_year": 1950 + number % 50,
            "joined_at": at,
            "tier_id": number % 3 + 1,
            "joined_location_id": number % 100 + 1,
            "tags": ["regular", "vip"],
            "statuses": ["active"],
            "consents": {"email_promo": True, "sms_promo": False},
            "attributes": {"postcode": "YO22 4HQ", "shoe": number % 12},
        }
    return row


def fill(session: Session, count: int, *, is_full: bool) -> None:
    """``count`` people; every tenth of the full ones is known elsewhere too."""
    at = {"created_at": NOW}
    session.execute(insert(Tier), [{"name": f"t{n}", "title": f"T{n}", "rank": n} | at for n in (1, 2, 3)])
    places = [{"external_id": f"L{n}", "title": f"Shop {n}", "search_text": f"shop {n}"} for n in range(1, 101)]
    session.execute(insert(Location), [place | at | {"updated_at": NOW} for place in places])
    for first in range(1, count + 1, CHUNK):
        numbers = range(first, min(first + CHUNK, count + 1))
        session.execute(insert(cast(Table, Profile.__table__)), [person(number, is_full=is_full) for number in numbers])
        known = [{"profile_id": number, "system": "till", "identifier": f"T{number}"} | at for number in numbers]
        if is_full:
            session.execute(insert(cast(Table, ProfileIdentity.__table__)), known[::10])
        session.commit()


class Sink:
    """Forgets what it is given."""

    def write(self, data: str | bytes) -> int:
        return len(data)


def bare(connection: Connection) -> None:
    """The floor: the driver's rows as they come, written by the standard library."""
    driver: Any = connection.connection.driver_connection
    cursor = driver.cursor(name="bare") if connection.dialect.name == "postgresql" else driver.cursor()
    cursor.execute(f"select {COLUMNS} from profiles order by id desc")
    writer = csv.writer(Sink())
    while rows := cursor.fetchmany(2_000):
        writer.writerows(rows)
    cursor.close()


def exported(connection: Connection) -> None:
    with Session(connection) as session:
        drain(spreadsheets.csv_stream(read.EXPORT, read.stream(session)))


def streamed(connection: Connection) -> None:
    with Session(connection) as session:
        for _ in read.stream(session):
            pass


def drain(pieces: Iterable[bytes]) -> None:
    sink = Sink()
    for piece in pieces:
        sink.write(piece)


def timed(act: Callable[[Connection], None], connection: Connection) -> tuple[float, float]:
    """Seconds by the wall and of the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    act(connection)
    return time.perf_counter() - wall, time.process_time() - processor


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=MANY)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--plain", action="store_true", help="people of whom only name, address and phone are known")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, database(asked.database, Path(folder)) as url:
        engine = create_engine(url, **engine_options(url, 1))
        schema.upgrade(engine)
        with Session(engine) as session:
            fill(session, asked.people, is_full=not asked.plain)
        with engine.connect() as connection:
            print(f"{'':<12} {'rows/s':>9} {'rows/CPU s':>11} {'× floor':>8} {'MiB':>6}")
            floor = 0.0
            for name, act in {"floor": bare, "stream": streamed, "CSV": exported}.items():
                wall, processor = timed(act, connection)
                floor = floor or processor
                most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
                rates = f"{asked.people / wall:>9,.0f} {asked.people / processor:>11,.0f}"
                print(f"{name:<12} {rates} {processor / floor:>8.2f} {most:>6}")
                connection.rollback()
        engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
