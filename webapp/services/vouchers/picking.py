"""Chooses the idle codes that go out next: a person's reserved ones, then those that end soonest, then the lowest ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, case, literal

from webapp.models import Voucher
from webapp.queries import voucher_pool
from webapp.queries.matching import among_ids
from webapp.queries.voucher_pool import Found
from webapp.services.work import Work


def pick(work: Work, voucher_type_id: int, profile_id: int, count: int, *, at: datetime) -> list[Found]:
    """Up to ``count`` codes a person can be given that are good at ``at``, in the order of benefits.md 6.4."""
    theirs = reserved(work, voucher_type_id, [profile_id], at)[profile_id][:count]
    return theirs + free(work, voucher_type_id, count - len(theirs), at)


def reserved(work: Work, voucher_type_id: int, people: Sequence[int], at: datetime) -> defaultdict[int, list[Found]]:
    """The codes kept for each of ``people``, those that end soonest first."""
    statement = voucher_pool.reserved(voucher_type_id, at).where(
        among_ids(work.session, Voucher.reserved_for_id, people)
    )
    found: defaultdict[int, list[Found]] = defaultdict(list)
    # SQLite has no row locks and needs none: the writer is alone.
    for person, *code in work.session.execute(statement.with_for_update(skip_locked=True)):
        found[person].append(Found(*code))
    return found


def free(work: Work, voucher_type_id: int, count: int, at: datetime) -> list[Found]:
    """Up to ``count`` codes kept for nobody: those that end, soonest first, then those that never do by themselves."""
    found: list[Found] = []
    for statement in voucher_pool.free(voucher_type_id, at):
        if count > len(found):
            some = statement.limit(count - len(found)).with_for_update(skip_locked=True)
            found += [Found(*row) for row in work.session.execute(some)]
    return found


def capped(ends_at: datetime | None) -> ColumnElement[datetime | None]:
    """``ends_at``, or the end the code has by itself when that is sooner."""
    if ends_at is None:
        return Voucher.expires_at.expression
    end = literal(ends_at, Voucher.expires_at.type)
    return case((Voucher.expires_at < end, Voucher.expires_at), else_=end)
