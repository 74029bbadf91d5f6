"""Whether the pools of definitions have a code that a person can be given (benefits.md 6.4, 13.7)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, case, exists, literal_column, or_, select
from sqlalchemy.orm import Session

from webapp.domain import vouchers as rules
from webapp.models import BenefitDefinition, Voucher, VoucherType


class Found(NamedTuple):
    """An idle code: when it ends by itself, and its own value where it has one."""

    id: int
    expires_at: datetime | None
    value_minor: int | None


_FOUND = (Voucher.id, Voucher.expires_at, Voucher.value_minor)


def able(at: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Codes that are idle and good already at ``at``."""
    # In these words, or SQLite does not use the index.
    return Voucher.status == literal_column("'idle'"), or_(Voucher.valid_from.is_(None), Voucher.valid_from <= at)


def reserved(voucher_type_id: int, at: datetime) -> Select[*tuple[Any, ...]]:
    """For whom a code is kept, then what ``Found`` says of it; good at ``at``, those that end soonest first."""
    unending = case((Voucher.expires_at.is_(None), 1), else_=0)
    good = (*able(at), or_(Voucher.expires_at.is_(None), Voucher.expires_at > at))
    wanted = select(Voucher.reserved_for_id, *_FOUND).where(Voucher.voucher_type_id == voucher_type_id, *good)
    return wanted.order_by(unending, Voucher.expires_at, Voucher.id)


def free(voucher_type_id: int, at: datetime) -> Iterator[Select[int, datetime | None, int | None]]:
    """Codes kept for nobody and good at ``at``: those that end, soonest first, then those that never do by themselves.

    They are two questions, because each has an index that gives its rows in order, however large the pool.
    """
    nobodys = (Voucher.voucher_type_id == voucher_type_id, *able(at), Voucher.reserved_for_id.is_(None))
    yield select(*_FOUND).where(*nobodys, Voucher.expires_at > at).order_by(Voucher.expires_at, Voucher.id)
    yield select(*_FOUND).where(*nobodys, Voucher.expires_at.is_(None)).order_by(Voucher.id)


def has_codes(session: Session, voucher_type_ids: Collection[int], profile_id: int, at: datetime) -> set[int]:
    """Those of the voucher types whose pool has a code for the person at ``at``, as codes stand now.

    A code kept for somebody else is none, nor is one that begins later or has ended. One statement for all.
    """
    theirs = (Voucher.voucher_type_id == VoucherType.id, *able(at))
    lasts = or_(Voucher.expires_at.is_(None), Voucher.expires_at > at)
    # Three questions, because each has an index that answers it however large the pool is.
    some = (
        exists().where(*theirs, Voucher.reserved_for_id == profile_id, lasts),
        exists().where(*theirs, Voucher.reserved_for_id.is_(None), Voucher.expires_at > at),
        exists().where(*theirs, Voucher.reserved_for_id.is_(None), Voucher.expires_at.is_(None)),
    )
    return set(session.scalars(select(VoucherType.id).where(VoucherType.id.in_(voucher_type_ids), or_(*some))))


def has_code(session: Session, definition: BenefitDefinition, profile_id: int, at: datetime, zone: str) -> bool | None:
    """Whether the pool of a definition that needs a code has one for the person at ``at``; None when it needs none."""
    kind = definition.voucher_type
    if kind is None or not definition.force_allocation:
        return None
    return not rules.is_expired(end_of(kind, at, zone), at) and bool(has_codes(session, [kind.id], profile_id, at))


def next_code(
    session: Session, definition: BenefitDefinition, profile_id: int, at: datetime, zone: str
) -> Found | None:
    """The code that would be given to the person for a benefit from ``at`` on, with the end it would have; None when none."""
    kind = definition.voucher_type
    if kind is None or rules.is_expired(end_of(kind, at, zone), at):
        return None
    theirs = reserved(kind.id, at).where(Voucher.reserved_for_id == profile_id).with_only_columns(*_FOUND)
    for statement in (theirs, *free(kind.id, at)):
        if row := session.execute(statement.limit(1)).one_or_none():
            found = Found(*row)
            return found._replace(expires_at=end_of(kind, at, zone, found.expires_at))
    return None


def first_end(session: Session, kind: VoucherType, at: datetime, zone: str) -> datetime | None:
    """When a code given out for ``at`` would be over at the earliest; None when none would ever be."""
    ending = select(Voucher.expires_at).where(Voucher.voucher_type_id == kind.id, *able(at), Voucher.expires_at > at)
    own = session.scalar(ending.order_by(Voucher.expires_at, Voucher.id).limit(1))
    return end_of(kind, at, zone, own)


def end_of(kind: VoucherType, at: datetime, zone: str, own: datetime | None = None) -> datetime | None:
    """The first instant after a code given out for ``at``, which ends at ``own`` by itself; None when it never ends."""
    by_type = rules.expires_at(at, kind.valid_for_days, kind.static_expiry_on, ZoneInfo(zone))
    return min(filter(None, (by_type, own)), default=None)
