"""The figures of one benefit definition: counted by the database, three statements for however many benefits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session

from webapp.domain import benefit_figures as rules
from webapp.domain.benefit_figures import WITHIN, Cohort, Stages, Week
from webapp.domain.redemptions import RedemptionKind
from webapp.models import Benefit, BenefitDefinition, Redemption
from webapp.queries.matching import seconds_between

MOST = 20_000  # benefits whose first redemption is looked up: the newest ones
_DAY = 86_400
_STANDS = Benefit.voided_at.is_(None)
_USED = Benefit.redeemed_count > 0


@dataclass(frozen=True, slots=True)
class Cohorts:
    """Months of issue, oldest first; ``is_cut`` when only the newest ``MOST`` benefits were counted."""

    months: list[Cohort]
    is_cut: bool


def stages(session: Session, definition: BenefitDefinition, now: datetime) -> Stages:
    """How far the benefits of a definition came by ``now``; those apart from them come from its totals."""
    counted = select(
        func.count(),
        func.count(Benefit.claimed_at),
        _count(_USED),
        _count(and_(~_USED, Benefit.expires_at < now)),
    ).where(Benefit.definition_id == definition.id, _STANDS, Benefit.issued_at <= now)
    issued, claimed, redeemed, expired = session.execute(counted).one()
    void = definition.total_global_voided
    return Stages(issued, claimed, redeemed, expired, definition.total_global_created - void - issued, void)


def cohorts(session: Session, definition_id: int, now: datetime, zone: str) -> Cohorts:
    """The benefits of the last months by their month of issue, local to ``zone``, and how soon they were redeemed."""
    firsts = rules.months(now, zone)
    starts = [rules.begins(month, zone) for month in firsts]
    newest = _newest(definition_id, starts[0], now).subquery()
    taken = seconds_between(session, newest.c.first_used_at, newest.c.issued_at)
    stands = newest.c.voided_at.is_(None)
    month = _place(newest.c.issued_at, starts[1:])
    counted = select(
        month,
        _count(stands),
        _count(~stands),
        _count(and_(stands, newest.c.redeemed_count > 0)),
        *(_count(and_(stands, taken <= days * _DAY)) for days in WITHIN),
    ).group_by(month)
    found = {row[0]: row[1:] for row in session.execute(counted)}
    months = [_cohort(firsts[place], found.get(place)) for place in range(len(firsts))]
    looked_at = sum(one.issued + one.void for one in months)
    return Cohorts(_from_first(months), is_cut=looked_at >= MOST)


def _newest(definition_id: int, since: datetime, now: datetime) -> Select[Any]:
    """When each was issued, and first redeemed by a line of the ledger that did not come back as a whole."""
    used = select(func.min(Redemption.at)).where(
        Redemption.benefit_id == Benefit.id,
        Redemption.kind == RedemptionKind.REDEEM,
        Redemption.id.not_in(_came_back()),
    )
    first = case((_USED, used.correlate(Benefit).scalar_subquery()))
    return (
        select(Benefit.issued_at, Benefit.voided_at, Benefit.redeemed_count, first.label("first_used_at"))
        .where(Benefit.definition_id == definition_id, Benefit.issued_at >= since, Benefit.issued_at <= now)
        .order_by(Benefit.id.desc())
        .limit(MOST)
    )


def _came_back() -> Select[Any]:
    """Redemptions of which nothing stands any more; few, and asked for once, whatever the statistics of the table say."""
    back, original = Redemption.__table__.alias("back"), Redemption.__table__.alias("original")
    return (
        select(back.c.original_id)
        .join(original, original.c.id == back.c.original_id)
        .group_by(back.c.original_id, original.c.count)
        .having(func.sum(back.c.count) >= original.c.count)
    )


def _cohort(month: Any, row: Sequence[int] | None) -> Cohort:
    if row is None:
        return Cohort(month, within=dict.fromkeys(WITHIN, 0))
    issued, void, redeemed, *within = row
    return Cohort(month, issued, void, redeemed, dict(zip(WITHIN, within, strict=True)))


def _from_first(months: list[Cohort]) -> list[Cohort]:
    """Without the empty months before the first benefit."""
    first = next((place for place, one in enumerate(months) if one.issued or one.void), len(months))
    return months[first:]


def ending(session: Session, definition_id: int, now: datetime, zone: str) -> list[Week]:
    """Benefits nobody redeemed anything of, by the week in which they ended or will end."""
    weeks = rules.weeks(now, zone)
    edges = rules.edges(weeks, now, zone)
    week = _place(Benefit.expires_at, edges[1:-1])
    counted = select(week, func.count()).where(
        Benefit.definition_id == definition_id,
        _STANDS,
        ~_USED,
        Benefit.expires_at >= edges[0],
        Benefit.expires_at < edges[-1],
    )
    found: dict[int, int] = {row[0]: row[1] for row in session.execute(counted.group_by(week))}
    return [replace(one, count=found.get(place, 0)) for place, one in enumerate(weeks)]


def _count(test: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((test, 1)))


def _place(column: Any, edges: Sequence[datetime]) -> ColumnElement[int]:
    """In which of the stretches between ``edges`` an instant lies: 0 before the first of them."""
    return case(*((column < edge, place) for place, edge in enumerate(edges)), else_=len(edges)).label("place")
