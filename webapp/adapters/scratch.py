"""A private table store for the length of one job: what a check has seen so far, exact and off the heap."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType

from webapp.domain.profiles import Person

_SCHEMA = """
pragma journal_mode = off;
pragma synchronous = off;
pragma cache_size = -8192;
create table receipts (receipt text primary key, line integer) without rowid;
create table addresses (email_key text, line integer);
create table people (ref integer primary key, external_id text, email_key text, merged integer, is_used integer);
create index people_external_id on people (external_id);
create index people_email_key on people (email_key);
"""
_KEEP = "insert into people values (?, ?, ?, ?, ?)"
_RENEW = (
    "on conflict (ref) do update set external_id = excluded.external_id, email_key = excluded.email_key,"
    " merged = excluded.merged, is_used = max(is_used, excluded.is_used)"
)
_FIRST = -(1 << 62)  # counted upwards from here, so that the table grows at its end
_PEOPLE = "select ref, external_id, email_key, merged from people where"


class Scratch(AbstractContextManager["Scratch"]):
    """Backed by a temporary file that SQLite deletes by itself; memory stays at 8 MiB however long the input.

    People who are not in the database yet have negative ids here.
    """

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(_SCHEMA)
        self._db.execute("begin")
        self._last = _FIRST

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def receipts(self, wanted: Collection[str]) -> dict[str, int]:
        """Which of these were seen, and on which line."""
        found = self._db.execute(
            "select receipt, line from receipts where receipt in (select value from json_each(?))",
            (json.dumps(list(wanted), ensure_ascii=False),),
        )
        return dict(found.fetchall())

    def add_receipts(self, rows: Iterable[tuple[str, int]]) -> None:
        self._db.executemany("insert into receipts values (?, ?) on conflict do nothing", rows)

    def add_addresses(self, rows: Iterable[tuple[str, int]]) -> None:
        """Note addresses that may never be asked for; that takes a third of the time of ``add_receipts``."""
        self._db.executemany("insert into addresses values (?, ?)", rows)

    def index_addresses(self, mark: str) -> None:
        """Make those noted so far receipts, behind ``mark``; of one that was noted again the first line counts."""
        self._db.execute(
            "insert into receipts select ? || email_key, min(line) from addresses group by email_key on conflict do nothing",
            (mark,),
        )
        self._db.execute("delete from addresses")

    def overlay(
        self, known: Iterable[Person], external_ids: Collection[str], email_keys: Collection[str]
    ) -> list[Person]:
        """``known`` people as the rows so far have left them, and everybody new who bears one of these names."""
        people = {person.id: person for person in known}
        rows: dict[int, tuple[int, str | None, str | None, int | None]] = {}
        for column, values in (("external_id", external_ids), ("email_key", email_keys), ("ref", list(people))):
            rows |= self._rows(column, list(values))
        while missing := [row[3] for row in rows.values() if row[3] is not None and row[3] not in rows]:
            rows |= self._rows("ref", missing)
        for ref, external_id, email_key, _ in rows.values():
            people[ref] = Person(ref, external_id, email_key)
        for ref, _, _, merged in rows.values():
            people[ref].merged = people[merged] if merged is not None else None
        return list(people.values())

    def _rows(self, column: str, values: Sequence[object]) -> dict[int, tuple[int, str | None, str | None, int | None]]:
        query = f"{_PEOPLE} {column} in (select value from json_each(?))"  # noqa: S608 - three fixed names
        found = self._db.execute(query, (json.dumps(list(values), ensure_ascii=False),))
        return {row[0]: row for row in found}

    def keep(self, used: Iterable[Person], merged: Iterable[Person]) -> None:
        """Remember how people are now; ``used`` are those a row belongs to."""
        everybody = {id(person): (person, True) for person in used}
        for person in merged:
            everybody.setdefault(id(person), (person, False))
        new = [pair for pair in everybody.values() if pair[0].id is None]
        known = [pair for pair in everybody.values() if pair[0].id is not None]
        for person, _ in new:
            self._last += 1
            person.id = self._last
        self._db.executemany(_KEEP, map(_kept, new))
        self._db.executemany(f"{_KEEP} {_RENEW}", map(_kept, known))

    def people(self) -> tuple[int, int]:
        """How many people are new, and how many were known before."""
        found = self._db.execute(
            "select coalesce(sum(ref < 0), 0), coalesce(sum(ref > 0), 0) from people where merged is null and is_used"
        )
        new, known = found.fetchone()
        return int(new), int(known)


def _kept(pair: tuple[Person, bool]) -> tuple[int | None, str | None, str | None, int | None, bool]:
    person, is_used = pair
    return person.id, person.external_id, person.email_key, person.true.id if person.merged else None, is_used
