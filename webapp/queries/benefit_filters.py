"""What a list of benefits is narrowed to, as conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from sqlalchemy import ColumnElement, and_, case, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from webapp.domain.benefit_lists import Dates
from webapp.domain.benefits import BenefitState
from webapp.domain.redemptions import BenefitSource
from webapp.domain.sites import starts_anywhere
from webapp.models import Benefit, BenefitDefinition
from webapp.queries.benefits import Scope, is_in
from webapp.queries.matching import among_ids, by_key, keyed
from webapp.queries.people_named import matches

Moment = InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]
DATES: Mapping[str, Moment] = {
    "issued": Benefit.issued_at,
    "claimed": Benefit.claimed_at,
    "ends": Benefit.expires_at,
    "extended": Benefit.extended_at,
}
_EVER = datetime(1, 1, 1, tzinfo=UTC)  # SQLite finds «not null» along an index only as something that is greater


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
        conditions += dated(session, DATES[name], asked)
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


def dated(session: Session, column: Moment, asked: Dates) -> Iterator[ColumnElement[bool]]:
    """What is asked of one date."""
    if asked.is_there is not None:
        yield column >= _EVER if asked.is_there else column.is_(None)
    if asked.first is not None:
        yield _begun(session, column, asked.first)
    if asked.last is not None:
        yield _not_begun(session, column, asked.last + timedelta(days=1))


def _begun(session: Session, column: Moment, day: date) -> ColumnElement[bool]:
    """Whether ``day`` had begun by then where the benefit counts its days; its zone is asked within a day's span only."""
    first, last, starts = _starts(day)
    here = by_key(session, starts, Benefit.zone)
    return and_(column >= first, case((column >= last, true()), else_=column >= here))


def _not_begun(session: Session, column: Moment, day: date) -> ColumnElement[bool]:
    first, last, starts = _starts(day)
    here = by_key(session, starts, Benefit.zone)
    return and_(column < last, case((column < first, true()), else_=column < here))


@lru_cache(256)
def _starts(day: date) -> tuple[datetime, datetime, str]:
    """Where ``day`` begins first and last, and where it begins in each zone."""
    starts = starts_anywhere(day)
    return starts[0][0], starts[-1][0], keyed({zone: at for at, zones in starts for zone in zones})
