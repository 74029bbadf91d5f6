"""People found on the sites they entered, through copies of their keys that stand behind each site."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    false,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from webapp.models import Entry, Profile, ProfileIdentity, ProfileTerm, Reward, SitePerson, SiteTerm
from webapp.queries import asked
from webapp.queries.asked import Asked
from webapp.queries.found_people import FoundPerson, hit, ranked
from webapp.queries.matching import Text, aside
from webapp.queries.prepared import Prepared

_LAST = "\U0010ffff"
_ASKED: dict[str, Any] = {"site": Integer, "low": String, "rank": Integer}

# Where the copy of each key stands behind the sites its owner entered, and which rows of that table are of its kind.
_COPIES: dict[Any, tuple[Any, Any]] = {
    Profile.external_id: (SitePerson.external_id, true()),
    Profile.email_key: (SitePerson.email_key, true()),
    Profile.phone_key: (SitePerson.phone_key, true()),
    Profile.search_text: (SitePerson.search_text, true()),
    Profile.name_key: (SitePerson.name_key, true()),
    ProfileTerm.term: (SiteTerm.term, SiteTerm.is_identity.is_(false())),
    ProfileIdentity.identifier: (SiteTerm.term, SiteTerm.is_identity.is_(true())),
}


def people(
    session: Session, scope: frozenset[int], ways: Iterable[tuple[int, Text, str]], size: int
) -> list[FoundPerson]:
    """Who entered on one of the sites and is found in one of these ways, each of which has its rank."""
    given: dict[Any, list[tuple[int, str, int]]] = {key: [] for key in _COPIES}
    for rank, key, prefix in ways:
        given[key] += [(site, prefix, rank) for site in sorted(scope)]
    database, told = session.get_bind().dialect.name, dict[str, Any]()
    for place, rows in enumerate(given.values()):
        told |= asked.values(database, place, _ASKED, rows)
    return [FoundPerson(*row) for row in _at_sites(size).rows(session.connection(), **told)]


@cache
def _at_sites(size: int) -> Prepared:
    """``people`` as it is said to each database: putting it together anew would cost more than its answer."""
    copies = list(enumerate(_COPIES.values()))
    return Prepared(
        {
            name: ranked(union_all(*(_copied(write(place, _ASKED), *copy, size) for place, copy in copies)), size)
            for name, write in asked.SAID.items()
        }
    )


def _copied(told: Asked, copy: Any, is_kind: ColumnElement[bool], size: int) -> Any:
    """Of one site a few rows of each beginning, which stand side by side in one index.

    Who may be seen is asked of the entries once more: nobody is shown because a copy is not what it should be.
    """
    site, low, rank = told.columns.values()
    few = select(copy.class_.profile_id.label("value")).where(copy.class_.site_id == site, is_kind)
    few = few.where(copy >= low, copy < low.concat(_LAST)).order_by(copy)
    ids = told.each(few.limit(literal_column(str(size + 1))))
    entered = select(Entry.number).join(Reward, Reward.id == Entry.reward_id).limit(literal_column("1"))
    entered = entered.where(Entry.profile_id == Profile.id, Reward.site_id == site)
    # No ``exists``: PostgreSQL would make a join of it and walk through everybody who entered there.
    is_there = entered.correlate(Profile, told.table).scalar_subquery().is_not(None)
    is_there |= _as_merged(site, told.table).is_not(None)
    found = hit(rank).select_from(told.table.join(ids, true()).join(Profile, Profile.id == ids.c.value))
    return found.where(Profile.erased_at.is_(None), is_there)


def _as_merged(site: Any, told: Any) -> Any:
    """An entry on the site by somebody who was merged into the person: a sealed draw keeps it with the old row."""
    other = aliased(Profile)
    entered = select(Entry.number).join(Reward, Reward.id == Entry.reward_id).join(other, other.id == Entry.profile_id)
    # The site is asked last: begun there, the walk would be through everybody who entered.
    entered = entered.where(other.merged_into_id == Profile.id, aside(Reward.site_id == site)).limit(
        literal_column("1")
    )
    return entered.correlate(Profile, told).scalar_subquery()
