"""Chooses the idle codes that go out next: a person's reserved ones, then those that end soonest, then the lowest ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, case, literal, or_, select

from webapp.models import Voucher
from webapp.queries.matching import among_ids
from webapp.queries.voucher_pool import able
from webapp.services.work import Work


class Found(NamedTuple):
    """An idle code: when it ends by itself, and its own value where it has one."""

    id: int
    expires_at: datetime | None
    value_minor: int | None


def pick(work: Work, voucher_type_id: int, profile_id: int, count: int) -> list[Found]:
    """Up to ``count`` codes a person can be given now, in the order of benefits.md 6.4."""
    theirs = reserved(work, voucher_type_id, [profile_id])[profile_id][:count]
    return theirs + free(work, voucher_type_id, count - len(theirs))


def reserved(work: Work, voucher_type_id: int, people: Sequence[int]) -> defaultdict[int, list[Found]]:
    """The codes kept for each of ``people``, those that end soonest first."""
    unending = case((Voucher.expires_at.is_(None), 1), else_=0)
    statement = (
        select(Voucher.reserved_for_id, *_FOUND)
        .where(
            Voucher.voucher_type_id == voucher_type_id,
            *able(work.now),
            or_(Voucher.expires_at.is_(None), Voucher.expires_at > work.now),
            among_ids(work.session, Voucher.reserved_for_id, people),
        )
        .order_by(unending, Voucher.expires_at, Voucher.id)
        .with_for_update(skip_locked=True)  # SQLite has no row locks and needs none: the writer is alone
    )
    found: defaultdict[int, list[Found]] = defaultdict(list)
    for person, number, expires_at, value_minor in work.session.execute(statement):
        if person is not None:
            found[person].append(Found(number, expires_at, value_minor))
    return found


def free(work: Work, voucher_type_id: int, count: int) -> list[Found]:
    """Up to ``count`` codes kept for nobody: those that end, soonest first, then those that never do by themselves.

    They are two questions, because each has an index that gives its rows in order, however large the pool.
    """
    found: list[Found] = []
    for condition, order in (
        (Voucher.expires_at > work.now, (Voucher.expires_at, Voucher.id)),
        (Voucher.expires_at.is_(None), (Voucher.id,)),
    ):
        if count > len(found):
            statement = (
                select(*_FOUND)
                .where(
                    Voucher.voucher_type_id == voucher_type_id,
                    *able(work.now),
                    Voucher.reserved_for_id.is_(None),
                    condition,
                )
                .order_by(*order)
                .limit(count - len(found))
                .with_for_update(skip_locked=True)
            )
            found += [Found(*row) for row in work.session.execute(statement)]
    return found


def capped(ends_at: datetime | None) -> ColumnElement[datetime | None]:
    """``ends_at``, or the end the code has by itself when that is sooner."""
    if ends_at is None:
        return Voucher.expires_at.expression
    end = literal(ends_at, Voucher.expires_at.type)
    return case((Voucher.expires_at < end, Voucher.expires_at), else_=end)


_FOUND = (Voucher.id, Voucher.expires_at, Voucher.value_minor)
