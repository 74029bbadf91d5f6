"""People found on the sites they entered, through copies of their keys that stand behind each site."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Select,
    String,
    bindparam,
    collate,
    column,
    false,
    func,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from webapp.models import Entry, Profile, ProfileIdentity, ProfileTerm, Reward, SitePerson, SiteTerm
from webapp.queries.found_people import FoundPerson, hit, ranked
from webapp.queries.matching import Text, aside
from webapp.queries.prepared import Prepared

_LAST = "\U0010ffff"

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
    asked: dict[Any, list[tuple[int, str, int]]] = {key: [] for key in _COPIES}
    for rank, key, prefix in ways:
        asked[key] += [(site, prefix, rank) for site in sorted(scope)]
    values: dict[str, Any] = {}
    for place, rows in enumerate(asked.values()):
        if session.get_bind().dialect.name == "sqlite":
            values[f"asked_{place}"] = json.dumps(rows, ensure_ascii=False)
        else:
            values |= {f"{name}_{place}": [row[at] for row in rows] for at, name in enumerate(("site", "low", "rank"))}
    return [FoundPerson(*row) for row in _at_sites(size).rows(session.connection(), **values)]


@cache
def _at_sites(size: int) -> Prepared:
    """``people`` as it is said to each database: putting it together anew would cost more than its answer."""
    copies = list(enumerate(_COPIES.values()))
    said = {"sqlite": _from_list, "postgresql": _from_arrays}
    return Prepared(
        {
            name: ranked(union_all(*(_copied(place, *copy, size, write) for place, copy in copies)), size)
            for name, write in said.items()
        }
    )


class _Asked(NamedTuple):
    """A table of what is asked for, its columns, and what joins a few rows of its own to each row of it."""

    table: Any
    site: Any
    low: Any
    rank: Any
    each: Callable[[Select[Any]], Any]


def _copied(place: int, copy: Any, is_kind: ColumnElement[bool], size: int, write: Callable[[int], _Asked]) -> Any:
    """Of one site a few rows of each beginning, which stand side by side in one index.

    Who may be seen is asked of the entries once more: nobody is shown because a copy is not what it should be.
    """
    asked = write(place)
    few = select(copy.class_.profile_id.label("value")).where(copy.class_.site_id == asked.site, is_kind)
    few = few.where(copy >= asked.low, copy < asked.low.concat(_LAST)).order_by(copy)
    ids = asked.each(few.limit(literal_column(str(size + 1))))
    entered = select(Entry.number).join(Reward, Reward.id == Entry.reward_id).limit(literal_column("1"))
    entered = entered.where(Entry.profile_id == Profile.id, Reward.site_id == asked.site)
    # No ``exists``: PostgreSQL would make a join of it and walk through everybody who entered there.
    is_there = entered.correlate(Profile, asked.table).scalar_subquery().is_not(None)
    is_there |= _as_merged(asked.site, asked.table).is_not(None)
    found = hit(asked.rank).select_from(asked.table.join(ids, true()).join(Profile, Profile.id == ids.c.value))
    return found.where(Profile.erased_at.is_(None), is_there)


def _as_merged(site: Any, asked: Any) -> Any:
    """An entry on the site by somebody who was merged into the person: a sealed draw keeps it with the old row."""
    other = aliased(Profile)
    entered = select(Entry.number).join(Reward, Reward.id == Entry.reward_id).join(other, other.id == Entry.profile_id)
    # The site is asked last: begun there, the walk would be through everybody who entered.
    entered = entered.where(other.merged_into_id == Profile.id, aside(Reward.site_id == site)).limit(
        literal_column("1")
    )
    return entered.correlate(Profile, asked).scalar_subquery()


def _from_list(place: int) -> _Asked:
    """SQLite joins rows that are other ones for each row as a list only."""
    given = bindparam(f"asked_{place}", type_=String)
    table = func.json_each(given).table_valued(column("value", String), name="asked")

    def each(few: Select[Any]) -> Any:
        some = few.correlate(table).subquery()
        listed = select(func.json_group_array(some.c.value)).scalar_subquery()
        return func.json_each(listed).table_valued(column("value", Integer), joins_implicitly=True, name="few")

    site, low, rank = (func.json_extract(table.c.value, f"$[{at}]") for at in range(3))
    return _Asked(table, site, low, rank, each)


def _from_arrays(place: int) -> _Asked:
    """PostgreSQL is not shown how much is asked for: of a hundred beginnings it would rather walk through everybody."""
    kinds: dict[str, Any] = {"site": Integer, "low": String, "rank": Integer}
    given: list[Any] = [
        select(bindparam(f"{name}_{place}", type_=ARRAY(kind))).scalar_subquery() for name, kind in kinds.items()
    ]
    columns: Any = [column(name, kind) for name, kind in kinds.items()]
    table = func.unnest(*given).table_valued(*columns).render_derived(name="asked")

    def each(few: Select[Any]) -> Any:
        return few.correlate(table).lateral()

    return _Asked(table, table.c.site, collate(table.c.low, "C"), table.c.rank, each)
