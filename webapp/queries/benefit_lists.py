"""Lists of benefits: narrowed, in an order that never wavers, and a page of them from where the last one ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, literal, select, true, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from webapp.domain.benefit_lists import MOST_COUNTED, USUAL, Dates, Order
from webapp.domain.benefits import BenefitState
from webapp.domain.redemptions import BenefitSource
from webapp.domain.sites import starts_anywhere
from webapp.models import Benefit, BenefitDefinition, Profile
from webapp.queries.benefits import BenefitRow, Scope, is_in, lines, rows
from webapp.queries.matching import among, among_ids
from webapp.queries.profiles import matches

Moment = InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]
_DATES: Mapping[str, Moment] = {
    "issued": Benefit.issued_at,
    "claimed": Benefit.claimed_at,
    "ends": Benefit.expires_at,
    "extended": Benefit.extended_at,
}
_COLUMNS: Mapping[str, Moment] = {"issued_at": Benefit.issued_at, "expires_at": Benefit.expires_at}


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of benefits is narrowed to; ``dates`` by the names of ``domain.benefit_lists.DATES``."""

    definition_id: int | None = None
    state: BenefitState | None = None
    source: BenefitSource | None = None
    search: str = ""
    batch_id: int | None = None
    dates: Mapping[str, Dates] = field(default_factory=dict)
    ids: tuple[int, ...] | None = None  # those ticked


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: its last benefit, and the date the list is ordered by if that has one."""

    id: int
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One page of a list: in which order, after which place, and how long."""

    order: Order = Order.NEWEST
    after: Place | None = None
    size: int = USUAL


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a list that one index holds in order: those with the date, or those without."""

    conditions: list[ColumnElement[bool]]
    order: list[ColumnElement[Any]]


def page(session: Session, scope: Scope, narrow: Filter, now: datetime, turn: Turn | None = None) -> list[BenefitRow]:
    """Benefits as ``turn`` asks for them, one more than its size when there is a further page."""
    turn = turn or Turn()
    found: list[BenefitRow] = []
    wanted = rows().where(*matching(session, scope, narrow, now))
    for part in parts(turn.order, turn.after):
        statement = wanted.where(*part.conditions).order_by(*part.order).limit(turn.size + 1 - len(found))
        found += lines(session, statement)
        if len(found) > turn.size:
            break
    return found


@dataclass(frozen=True, slots=True)
class Tally:
    """How many benefits match, how many of them are void, and how many were redeemed at least in part."""

    count: int
    void: int
    used: int


def tally(session: Session, scope: Scope, narrow: Filter, now: datetime) -> Tally:
    """The whole list in numbers, to the last one."""
    wanted = _joined(
        select(
            func.count(),
            func.count(Benefit.voided_at),
            func.count(case((and_(Benefit.voided_at.is_(None), Benefit.redeemed_count > 0), 1))),
        )
    )
    return Tally(*session.execute(wanted.where(*matching(session, scope, narrow, now))).one())


def how_many(session: Session, scope: Scope, narrow: Filter, now: datetime, most: int = MOST_COUNTED) -> int:
    """How many benefits match; none is counted beyond ``most`` + 1."""
    wanted = _joined(select(Benefit.id)).where(*matching(session, scope, narrow, now)).limit(most + 1)
    return session.scalar(select(func.count()).select_from(wanted.subquery())) or 0


def ids(session: Session, scope: Scope, narrow: Filter, now: datetime) -> list[int]:
    """Every benefit that matches, in the order of the ids."""
    wanted = _joined(select(Benefit.id)).where(*matching(session, scope, narrow, now))
    return list(session.scalars(wanted.order_by(Benefit.id)))


def _joined(wanted: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """With what ``matching`` may ask about."""
    held = wanted.join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
    return held.join(Profile, Profile.id == Benefit.profile_id)


def place_of(row: BenefitRow, order: Order) -> Place:
    """Where a page ends whose last line this is."""
    dates = {"issued_at": row.facts.issued_at, "expires_at": row.facts.expires_at}
    return Place(row.id, dates.get(order.column))


def parts(order: Order, after: Place | None = None) -> list[Part]:
    """The list in stretches, from ``after`` on: what never ends comes after every end, and first on the way down."""
    column = _COLUMNS.get(order.column)
    if column is None:
        return [_part([], [Benefit.id], order, [after.id] if after else [])]
    without = _part([column.is_(None)], [Benefit.id], order, [after.id] if after and after.at is None else [])
    dated = _part(
        [column.is_not(None)], [column, Benefit.id], order, [after.at, after.id] if after and after.at else []
    )
    if column is Benefit.issued_at:  # it is never empty
        return [dated]
    both = [without, dated] if order.is_down else [dated, without]
    is_past_first = after is not None and (after.at is not None) is order.is_down
    return both[1:] if is_past_first else both


def _part(conditions: list[ColumnElement[bool]], keys: list[Any], order: Order, after: list[Any]) -> Part:
    if after:
        mine = tuple_(*keys)
        last = tuple_(*(literal(value, key.type) for value, key in zip(after, keys, strict=True)))
        conditions = [*conditions, mine < last if order.is_down else mine > last]
    return Part(conditions, [key.desc() if order.is_down else key.asc() for key in keys])


def matching(session: Session, scope: Scope, narrow: Filter, now: datetime) -> list[ColumnElement[bool]]:
    """What narrows a list of benefits, joined to their definitions and holders."""
    conditions = list(_plain(narrow))
    if narrow.ids is not None:
        conditions.append(among_ids(session, Benefit.id, narrow.ids))
    if scope is not None:
        conditions.append(BenefitDefinition.site_id.in_(scope))
    if narrow.state is not None:
        conditions.append(is_in(narrow.state, now))
    for name, asked in narrow.dates.items():
        conditions += _dated(session, _DATES[name], asked)
    if narrow.search:
        conditions.append(matches(narrow.search))
    return conditions


def _plain(narrow: Filter) -> Iterator[ColumnElement[bool]]:
    if narrow.definition_id is not None:
        yield Benefit.definition_id == narrow.definition_id
    if narrow.batch_id is not None:
        yield Benefit.batch_id == narrow.batch_id
    if narrow.source is not None:
        yield Benefit.source == narrow.source


def _dated(session: Session, column: Moment, asked: Dates) -> Iterator[ColumnElement[bool]]:
    if asked.is_there is not None:
        yield column.is_not(None) if asked.is_there else column.is_(None)
    if asked.first is not None:
        yield _begun(session, column, asked.first)
    if asked.last is not None:
        yield _not_begun(session, column, asked.last + timedelta(days=1))


def _begun(session: Session, column: Moment, day: date) -> ColumnElement[bool]:
    """Whether ``day`` had begun by then where the benefit counts its days; zones are asked only within a day's span."""
    starts = starts_anywhere(day)
    first, last = starts[0][0], starts[-1][0]
    by_zone = ((among(session, Benefit.zone, zones), column >= at) for at, zones in starts)
    return and_(column >= first, case((column >= last, true()), *by_zone, else_=false()))


def _not_begun(session: Session, column: Moment, day: date) -> ColumnElement[bool]:
    starts = starts_anywhere(day)
    first, last = starts[0][0], starts[-1][0]
    by_zone = ((among(session, Benefit.zone, zones), column < at) for at, zones in starts)
    return and_(column < last, case((column < first, true()), *by_zone, else_=false()))
