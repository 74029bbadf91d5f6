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
from webapp.queries.exports import flow
from webapp.queries.matching import among, begins
from webapp.queries.people_named import matches

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
    statement = (
        select(*_LISTED)
        .join(Profile, Profile.id == Entry.profile_id)
        .where(*_shown(reward_id, search, status))
        .order_by(Entry.number.desc())
        .limit(size + 1)
    )
    if before is not None:
        statement = statement.where(Entry.number < before)
    return [EntryRow(*row) for row in session.execute(statement)]


def _shown(reward_id: int, search: str, status: EntryStatus | None) -> list[ColumnElement[bool]]:
    """Which entries the list shows, and its export has."""
    shown = [Entry.reward_id == reward_id]
    if search:
        shown.append(_found(search))
    if status is not None:
        shown.append(Entry.status == status)
    return shown


def _found(search: str) -> ColumnElement[bool]:
    text = search.strip().replace(",", "")
    people = Entry.profile_id.in_(select(Profile.id).where(matches(search)))
    ways = [begins(Entry.receipt, search.strip()), begins(Entry.receipt, search.strip().upper()), people]
    if text.isascii() and text.isdigit() and int(text) <= _LARGEST:
        ways.append(Entry.number == int(text))
    return or_(*ways)


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
