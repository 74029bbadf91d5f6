"""Lists of benefits: narrowed, in an order that never wavers, and a page of them from where the last one ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, not_, select, tuple_
from sqlalchemy.orm import Session

from webapp.domain.benefit_lists import MOST_COUNTED, USUAL, Dates, Order
from webapp.domain.benefits import BenefitState
from webapp.models import Benefit
from webapp.queries.benefit_filters import DATES, Filter, Moment, dated, matching
from webapp.queries.benefit_ways import Way, joined, narrowest, together
from webapp.queries.benefits import BenefitRow, Scope, lines, rows
from webapp.queries.matching import among_ids, aside

_COLUMNS: Mapping[str, Moment] = {"issued_at": Benefit.issued_at, "expires_at": Benefit.expires_at}
_NAMES = {"issued_at": "issued", "expires_at": "ends"}
# What an index has in front of the order of the list.
_FRONTS: Mapping[str, tuple[str, ...]] = {"id": ("batch_id", "definition_id", "source")}
_FRONT = ("definition_id",)
Conditions = list[ColumnElement[bool]]
Wanted = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Patience:
    """How many benefits are looked at in the order of the list, and how many others then at most, to be put in order."""

    walked: int
    few: int


# Walking and sorting by turns: where one of them is short, the other does not take much longer. Where a filter leaves
# many, a walk that meets none of them has begun at the wrong end.
TURNS = (Patience(5_000, 20_000), Patience(50_000, 250_000))


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

    conditions: Conditions
    keys: Sequence[Any]
    is_down: bool
    is_dated: bool | None = None  # whether these have the date of the order; None where the order is by no such date

    @property
    def order(self) -> list[ColumnElement[Any]]:
        return [key.desc() if self.is_down else key.asc() for key in self.keys]

    @property
    def sorted(self) -> list[ColumnElement[Any]]:
        """The same order, as one that no index is looked for to have it."""
        keys = [func.coalesce(key, key) for key in self.keys]
        return [key.desc() if self.is_down else key.asc() for key in keys]

    def until(self, last: Sequence[Any]) -> ColumnElement[bool]:
        """Whether a benefit comes before the one with these keys, or is that one."""
        mine, theirs = tuple_(*self.keys), _values(self.keys, last)
        is_past: ColumnElement[bool] = mine < theirs if self.is_down else mine > theirs
        return not_(is_past)


def page(session: Session, scope: Scope, narrow: Filter, now: datetime, turn: Turn | None = None) -> list[BenefitRow]:
    """Benefits as ``turn`` asks for them, one more than its size when there is a further page."""
    turn = turn or Turn()
    listing = Listing(session, scope, narrow, now, turn.order)
    found: list[BenefitRow] = []
    for part in listing.parts(turn.after):
        found += listing.some(part, turn.size + 1 - len(found))
        if len(found) > turn.size:
            break
    return found


@dataclass
class Listing:
    """A narrowed list in its order, and the ways to read it without a look at every benefit there is."""

    session: Session
    scope: Scope
    narrow: Filter
    now: datetime
    order: Order
    _walked: int = 0  # benefits among which there was not a page of them
    _ways: dict[Patience, Way | None] = field(default_factory=dict)

    def parts(self, after: Place | None = None) -> Iterator[Part]:
        """The list in stretches, without those in which nothing can be."""
        ends = self.narrow.dates.get("ends")
        if ends is None and self.narrow.state is BenefitState.EXPIRED:
            ends = Dates(is_there=True)
        for part in parts(self.order, after):
            if ends is None or part.is_dated is None or part.is_dated is (ends.is_there is not False):
                yield part

    def some(self, part: Part, most: int) -> list[BenefitRow]:
        """The first of a stretch: by a walk while that is short, else out of the few that a filter leaves."""
        for turn in () if self._is_exact else TURNS:
            if turn.walked > self._walked:
                last = self._walked_to(part, turn.walked)
                near = self._lines(self.walked(rows(), part, last), most)
                if last is None or len(near) == most:
                    return near
                self._walked = turn.walked
            if way := self._way(turn):
                return self._lines(self.led(rows(), part, way, most), most)
        return self._lines(self.walked(rows(), part), most)

    def read(self, wanted: Wanted, part: Part) -> Wanted:
        """The whole of a stretch in order."""
        way = None if self._is_exact else self._way(TURNS[-1])
        return self.led(wanted, part, way) if way else self.walked(wanted, part)

    def walked(self, wanted: Wanted, part: Part, last: Sequence[Any] | None = None) -> Wanted:
        """A walk in the order of the list, to ``last`` or to the end."""
        ahead, rest = self._front
        until = [] if last is None else [part.until(last)]
        asked = map(aside, matching(self.session, self.scope, rest, self.now))
        return wanted.where(*ahead, *part.conditions, *until, *asked).order_by(*part.order)

    def led(self, wanted: Wanted, part: Part, way: Way, most: int | None = None) -> Wanted:
        """What a way leads to, put in order."""
        parts = (one.order_by(*part.sorted).limit(most) for one in way.ids(self.session, self.now, part.conditions))
        ids = list(self.session.scalars(together([one.subquery().select() for one in parts])))
        return wanted.where(among_ids(self.session, Benefit.id, ids)).order_by(*part.sorted)

    def _way(self, turn: Patience) -> Way | None:
        """The way to the fewest benefits, if they are few."""
        if turn not in self._ways:
            way, count = narrowest(self.session, self.scope, self.narrow, self.now, turn.few)
            self._ways[turn] = way if count <= turn.few else None
        return self._ways[turn]

    @cached_property
    def _front(self) -> tuple[Conditions, Filter]:
        """What an index answers that has the list in its order, and what is then still to be asked."""
        names = _FRONTS.get(self.order.column, _FRONT)
        name = next((name for name in names if getattr(self.narrow, name) is not None), None)
        changes: dict[str, Any] = {name: None} if name else {}
        ahead = [getattr(Benefit, name) == getattr(self.narrow, name)] if name else []
        dates, own = dict(self.narrow.dates), _NAMES.get(self.order.column, "")
        if asked := dates.pop(own, None):
            ahead += dated(self.session, DATES[own], asked)
        return ahead, replace(self.narrow, **changes, dates=dates)

    @property
    def _is_exact(self) -> bool:
        """Whether a walk meets nothing but what is wanted."""
        return self.scope is None and self._front[1] == Filter()

    def _walked_to(self, part: Part, many: int) -> Sequence[Any] | None:
        """The keys of the benefit where a walk ends for now; None when the stretch ends sooner."""
        wanted = select(*part.keys).where(*self._front[0], *part.conditions).order_by(*part.order)
        return self.session.execute(wanted.offset(many).limit(1)).one_or_none()

    def _lines(self, wanted: Wanted, most: int) -> list[BenefitRow]:
        return lines(self.session, wanted.limit(most))


@dataclass(frozen=True, slots=True)
class Tally:
    """How many benefits match, how many of them are void, and how many were redeemed at least in part."""

    count: int
    void: int
    used: int


def tally(session: Session, scope: Scope, narrow: Filter, now: datetime) -> Tally:
    """The whole list in numbers, to the last one."""
    wanted = select(
        func.count(Benefit.id),
        func.count(Benefit.voided_at),
        func.count(case((and_(Benefit.voided_at.is_(None), Benefit.redeemed_count > 0), 1))),
    )
    wanted = joined(wanted, scope, narrow)
    return Tally(*session.execute(wanted.where(*matching(session, scope, narrow, now))).one())


def how_many(session: Session, scope: Scope, narrow: Filter, now: datetime, most: int = MOST_COUNTED) -> int:
    """How many benefits match; none is counted beyond ``most`` + 1."""
    way, _count = narrowest(session, scope, narrow, now, most)
    plain = joined(select(Benefit.id), scope, narrow).where(*map(aside, matching(session, scope, narrow, now)))
    wanted = together(way.ids(session, now) if way else [plain]).limit(most + 1)
    return session.scalar(select(func.count()).select_from(wanted.subquery())) or 0


def ids(session: Session, scope: Scope, narrow: Filter, now: datetime) -> list[int]:
    """Every benefit that matches, in the order of the ids."""
    wanted = joined(select(Benefit.id), scope, narrow).where(*matching(session, scope, narrow, now))
    return list(session.scalars(wanted.order_by(Benefit.id)))


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
    with_it = _part(
        [column.is_not(None)], [column, Benefit.id], order, [after.at, after.id] if after and after.at else []
    )
    if column is Benefit.issued_at:  # it is never empty
        return [with_it]
    without, with_it = replace(without, is_dated=False), replace(with_it, is_dated=True)
    both = [without, with_it] if order.is_down else [with_it, without]
    is_past_first = after is not None and (after.at is not None) is order.is_down
    return both[1:] if is_past_first else both


def _part(conditions: list[ColumnElement[bool]], keys: list[Any], order: Order, after: list[Any]) -> Part:
    if after:
        mine, last = tuple_(*keys), _values(keys, after)
        conditions = [*conditions, mine < last if order.is_down else mine > last]
    return Part(conditions, keys, order.is_down)


def _values(keys: Sequence[Any], values: Sequence[Any]) -> Any:
    return tuple_(*(literal(value, key.type) for value, key in zip(values, keys, strict=True)))
