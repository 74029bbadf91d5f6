"""How a list of benefits comes to the few that a filter leaves without a look at all the others.

Each filter has an index of its own. Which filter leaves the fewest is found by counting along these, to a bound; the
benefits it leaves are then looked at one by one and put in order. Where none leaves few, the first page of a walk in
the order of the list is soon full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, TextClause, func, select, text, union_all
from sqlalchemy.orm import Session

from webapp.domain.benefits import BenefitState
from webapp.models import Benefit, BenefitDefinition, Profile
from webapp.models.benefits import IN_USE, UNUSED, USED_UP, VOID
from webapp.queries.benefit_filters import DATES, Filter, dated, matching
from webapp.queries.benefits import Scope
from webapp.queries.matching import among_ids, aside
from webapp.queries.people_named import matches

FEW_PEOPLE = 20_000  # whose benefits are looked for
Conditions = list[ColumnElement[bool] | TextClause]


@dataclass(frozen=True, slots=True)
class Way:
    """What an index leads to, in stretches, and what is then still to be asked of each benefit."""

    stretches: Sequence[Conditions]
    scope: Scope
    narrow: Filter

    def ids(self, session: Session, now: datetime, further: Sequence[ColumnElement[bool]] = ()) -> list[Select[int]]:
        """The benefits that are left, stretch by stretch, if they are ``further`` as well."""
        wanted = joined(select(Benefit.id), self.scope, self.narrow)
        wanted = wanted.where(*map(aside, [*matching(session, self.scope, self.narrow, now), *further]))
        return [wanted.where(*stretch) for stretch in self.stretches]


def joined(wanted: Select[*tuple[Any, ...]], scope: Scope, narrow: Filter) -> Select[*tuple[Any, ...]]:
    """With what ``matching`` asks about."""
    if scope is not None:
        wanted = wanted.join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
    if narrow.search:
        wanted = wanted.join(Profile, Profile.id == Benefit.profile_id)
    return wanted


def narrowest(session: Session, scope: Scope, narrow: Filter, now: datetime, most: int) -> tuple[Way | None, int]:
    """The way to the fewest benefits, and to how many it leads; none is counted beyond ``most`` + 1."""
    found = list(_ways(session, scope, narrow, now))
    if not found:
        return None, most + 1
    parts = [together([select(Benefit.id).where(*stretch) for stretch in way.stretches]) for way in found]
    counted = (select(func.count()).select_from(part.limit(most + 1).subquery()).scalar_subquery() for part in parts)
    counts = session.execute(select(*counted)).one()
    at = min(range(len(found)), key=counts.__getitem__)
    return found[at], counts[at]


def together(parts: Sequence[Any]) -> Any:
    """One after the other."""
    return parts[0] if len(parts) == 1 else union_all(*parts)


def _ways(session: Session, scope: Scope, narrow: Filter, now: datetime) -> Iterator[Way]:
    if scope is not None:
        # Asked beforehand: PostgreSQL knows of these very ones how many benefits they have.
        theirs = list(session.scalars(select(BenefitDefinition.id).where(BenefitDefinition.site_id.in_(scope))))
        yield Way([[among_ids(session, Benefit.definition_id, theirs)]], None, narrow)
    if narrow.ids is not None:
        yield Way([[among_ids(session, Benefit.id, narrow.ids)]], scope, replace(narrow, ids=None))
    for column in (Benefit.definition_id, Benefit.batch_id, Benefit.source):
        if (wanted := getattr(narrow, column.key)) is not None:
            without: dict[str, Any] = {column.key: None}
            yield Way([[column == wanted]], scope, replace(narrow, **without))
    if narrow.state is not None:
        yield _in_state(scope, narrow, narrow.state, now)
    for name, asked in narrow.dates.items():
        others = {other: dates for other, dates in narrow.dates.items() if other != name}
        yield Way([list(dated(session, DATES[name], asked))], scope, replace(narrow, dates=others))
    if narrow.search:
        yield from _of_people(session, scope, narrow)


def _in_state(scope: Scope, narrow: Filter, state: BenefitState, now: datetime) -> Way:
    """What ``queries.benefits.is_in`` says, in the words of the indexes."""
    past, endless = Benefit.expires_at < now, Benefit.expires_at.is_(None)
    begun, lasting = Benefit.issued_at <= now, Benefit.expires_at >= now
    if state is BenefitState.SCHEDULED:
        return Way([[Benefit.issued_at > now]], scope, narrow)
    stretches: dict[BenefitState, list[tuple[str, Conditions]]] = {
        BenefitState.VOID: [(VOID, [])],
        BenefitState.REDEEMED: [(USED_UP, [])],
        BenefitState.EXPIRED: [(UNUSED, [past]), (IN_USE, [past])],
        BenefitState.PARTLY_REDEEMED: [(IN_USE, [begun, endless]), (IN_USE, [begun, lasting])],
        BenefitState.ACTIVE: [(UNUSED, [begun, endless]), (UNUSED, [begun, lasting])],
    }
    conditions: list[Conditions] = [[text(words), *others] for words, others in stretches[state]]
    return Way(conditions, scope, replace(narrow, state=None))


def _of_people(session: Session, scope: Scope, narrow: Filter) -> Iterator[Way]:
    wanted = select(Profile.id).where(matches(narrow.search)).limit(FEW_PEOPLE + 1)
    people = list(session.scalars(wanted))
    if len(people) <= FEW_PEOPLE:
        yield Way([[among_ids(session, Benefit.profile_id, people)]], scope, replace(narrow, search=""))
