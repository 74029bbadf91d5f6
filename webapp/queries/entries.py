"""Reads of entries: which receipts a reward has, lists with their tabs, and the export."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from webapp.domain.entries import EntryStatus
from webapp.models import Entry, Profile
from webapp.queries import people_named
from webapp.queries.exports import flow
from webapp.queries.matching import among, among_ids, aside, begins, newest_of

PAGE = 50
MOST_COUNTED = 1_000
_LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One line of the list of entries."""

    number: int
    profile_id: int
    external_id: str | None
    first_name: str
    last_name: str
    email: str
    tickets: int
    status: EntryStatus
    reason: str
    receipt: str | None
    entered_at: datetime
    store: str

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


_LISTED: list[Any] = [
    Entry.number,
    Entry.profile_id,
    Profile.external_id,
    Profile.first_name,
    Profile.last_name,
    Profile.email,
    Entry.tickets,
    Entry.status,
    Entry.reason,
    Entry.receipt,
    Entry.entered_at,
    Entry.store,
]


def numbers(session: Session, reward_id: int, receipts: Collection[str]) -> dict[str, int]:
    """Which of ``receipts`` the reward has already, and under which entry number."""
    if not receipts:
        return {}
    statement = select(Entry.receipt, Entry.number).where(
        Entry.reward_id == reward_id, among(session, Entry.receipt, receipts)
    )
    return {str(receipt): number for receipt, number in session.execute(statement)}


def page(
    session: Session,
    reward_id: int,
    *,
    search: str = "",
    status: EntryStatus | None = None,
    before: int | None = None,
    size: int = PAGE,
) -> list[EntryRow]:
    """Entries, the newest first, one more than ``size`` when there are further ones; ``before`` is a number.

    ``search`` finds an entry number, the beginning of a receipt, or a person as ``people_named.matches`` does.
    """
    shown = _shown(reward_id, search, status)
    if search and (numbers := _newest(session, reward_id, search, status, before, size + 1)) is not None:
        shown = [Entry.reward_id == reward_id, Entry.number.in_(numbers)]
    statement = (
        select(*_LISTED)
        .join(Profile, Profile.id == Entry.profile_id)
        .where(*shown)
        .order_by(Entry.number.desc())
        .limit(size + 1)
    )
    if before is not None:
        statement = statement.where(Entry.number < before)
    return [EntryRow(*row) for row in session.execute(statement)]


def _newest(
    session: Session, reward_id: int, search: str, status: EntryStatus | None, before: int | None, size: int
) -> list[int] | None:
    """The numbers of the next entries that match, found through the indexes; None when a walk meets them soon."""
    people = people_named.few(session, search)
    if people is None:
        return None
    ways = [*_ways(search), among_ids(session, Entry.profile_id, people)]
    shown = _shown(reward_id, "", status)
    return newest_of(
        session, [select(Entry.number).where(*shown, way) for way in ways], before, size, people_named.MOST
    )


def _shown(reward_id: int, search: str, status: EntryStatus | None) -> list[ColumnElement[bool]]:
    """Which entries the list shows, and its export has."""
    shown = [Entry.reward_id == reward_id]
    if search:
        shown.append(_found(search))
    if status is not None:
        shown.append(Entry.status == status)
    return shown


def _found(search: str) -> ColumnElement[bool]:
    return aside(or_(*_ways(search), people_named.matches(search)))


def _ways(search: str) -> Iterator[ColumnElement[bool]]:
    """By what an entry itself is found."""
    typed = search.strip()
    for receipt in dict.fromkeys((typed, typed.upper())):
        yield begins(Entry.receipt, receipt)
    text = typed.replace(",", "")
    if text.isascii() and text.isdigit() and int(text) <= _LARGEST:
        yield Entry.number == int(text)


def counts(session: Session, reward_id: int) -> dict[EntryStatus, int]:
    """How many entries there are in each status, in one statement; never counted beyond ``MOST_COUNTED`` + 1."""
    parts = []
    for status in EntryStatus:
        few = (
            select(literal(1).label("one"))
            .where(Entry.reward_id == reward_id, Entry.status == status)
            .limit(MOST_COUNTED + 1)
            .subquery()
        )
        parts.append(select(literal(str(status)), func.count()).select_from(few))
    return {EntryStatus(status): count for status, count in session.execute(union_all(*parts))}


EXPORT = (
    "number",
    "external_id",
    "first_name",
    "last_name",
    "email",
    "tickets",
    "status",
    "reason",
    "receipt",
    "entered_at",
    "store",
)


def stream(
    session: Session,
    reward_id: int,
    status: EntryStatus | None = None,
    search: str = "",
    *,
    as_listed: bool = False,
) -> Iterator[tuple[object, ...]]:
    """Entries in the order of their numbers, as ``EXPORT`` names it, holding a few rows at a time (K88).

    ``as_listed`` gives them as ``page`` does, the newest first.
    """
    columns: list[Any] = [Profile.__dict__.get(name) or Entry.__dict__[name] for name in EXPORT]
    statement = (
        select(*columns)
        .join(Profile, Profile.id == Entry.profile_id)
        .where(*_shown(reward_id, search, status))
        .order_by(Entry.number.desc() if as_listed else Entry.number)
    )
    yield from (tuple(row) for row in flow(session, statement))
