"""People found within organisations of many people but not of most: those are gathered, and the indexes of keys walked.

An index tells whose each key is, so that of all the others who are passed on the way no row is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Integer,
    String,
    and_,
    any_,
    bindparam,
    column,
    func,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from webapp.models import Membership, Organisation, Profile, ProfileIdentity, ProfileTerm
from webapp.queries import asked
from webapp.queries.asked import Asked
from webapp.queries.found_people import FoundPerson, hit, ranked
from webapp.queries.matching import LAST, Text, aside
from webapp.queries.prepared import Prepared
from webapp.queries.reaches import people_of

_ASKED: dict[str, Any] = {"low": String, "rank": Integer}
_OWNERS: dict[Any, Any] = {
    Profile.external_id: Profile.id,
    Profile.email_key: Profile.id,
    Profile.phone_key: Profile.id,
    Profile.search_text: Profile.id,
    Profile.name_key: Profile.id,
    ProfileTerm.term: ProfileTerm.profile_id,
    ProfileIdentity.identifier: ProfileIdentity.profile_id,
}
KEYS = tuple(_OWNERS)


def people(
    session: Session, roots: Iterable[int], ways: Iterable[tuple[int, Text, str]], size: int, most: int
) -> list[FoundPerson]:
    """Who belongs below one of the roots and is found in one of these ways, each of which has its rank.

    No more than ``most`` memberships are gathered: call it where there are no more.
    """
    given: dict[Any, list[tuple[str, int]]] = {key: [] for key in _OWNERS}
    for rank, key, prefix in ways:
        given[key].append((prefix, rank))
    database, listed = session.get_bind().dialect.name, sorted(set(roots))
    told: dict[str, Any] = {"roots": json.dumps(listed) if database == "sqlite" else listed, "most": most}
    for place, rows in enumerate(given.values()):
        told |= asked.values(database, place, _ASKED, rows)
    return [FoundPerson(*row) for row in _within(size).rows(session.connection(), **told)]


@cache
def _within(size: int) -> Prepared:
    """``people`` as it is said to each database: putting it together anew would cost more than its answer."""
    return Prepared({name: ranked(union_all(*_walks(name, size)), size) for name in asked.SAID})


def _walks(database: str, size: int) -> list[Any]:
    theirs = _theirs(database)
    return [
        _walk(asked.SAID[database](place, _ASKED), key, owner, theirs, _is_there(database), size)
        for place, (key, owner) in enumerate(_OWNERS.items())
    ]


def _walk(told: Asked, key: Any, owner: Any, theirs: CTE, is_there: ColumnElement[bool], size: int) -> Any:
    """The first few of them along the index of ``key``, for each beginning.

    Whether somebody belongs there is asked of the memberships once more: that is decided in one place only.
    """
    low, rank = told.columns.values()
    few = select(owner.label("value")).where(key >= low, key < low.concat(LAST))
    few = few.where(aside(owner.in_(select(theirs.c.id)))).order_by(key)
    ids = told.each(few.limit(literal_column(str(size + 1))))
    found = hit(rank).select_from(told.table.join(ids, true()).join(Profile, Profile.id == ids.c.value))
    return found.where(Profile.erased_at.is_(None), is_there)


def _theirs(database: str) -> CTE:
    """Who belongs there, and the rows merged into them; PostgreSQL must know that these are few enough to keep."""
    place, root = aliased(Organisation), aliased(Organisation)
    places = select(place.id).join(root, _is_below(place, root)).where(_is_asked(database, root.id)).distinct()
    members = people_of(database, places, bindparam("most", type_=Integer)).cte("members")
    merged = select(Profile.id).where(Profile.merged_into_id.in_(select(members.c.profile_id)))
    return union_all(select(members.c.profile_id.label("id")), merged).cte("theirs")


def _is_there(database: str) -> ColumnElement[bool]:
    inside, place, root = aliased(Membership), aliased(Organisation), aliased(Organisation)
    wanted = select(inside.id).join(place, place.id == inside.organisation_id).join(root, _is_below(place, root))
    wanted = wanted.where(inside.profile_id == func.coalesce(Profile.merged_into_id, Profile.id))
    wanted = wanted.where(_is_asked(database, root.id)).limit(literal_column("1"))
    return wanted.correlate(Profile).scalar_subquery().is_not(None)


def _is_below(place: Any, root: Any) -> ColumnElement[bool]:
    return and_(place.path >= root.path, place.path < root.path.concat(LAST))


def _is_asked(database: str, number: Any) -> ColumnElement[bool]:
    if database == "sqlite":
        listed = func.json_each(bindparam("roots", type_=String)).table_valued(column("value", Integer))
        return number.in_(select(listed.c.value))  # type: ignore[no-any-return]
    return number == any_(bindparam("roots", type_=ARRAY(Integer)))  # type: ignore[no-any-return]
