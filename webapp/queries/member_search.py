"""People found among a few who are known already: each of their rows is looked at once, and no index of names is walked."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ARRAY, Integer, Select, case, column, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from webapp.models import Profile, ProfileIdentity, ProfileTerm
from webapp.queries.found_people import FoundPerson, hit, ranked
from webapp.queries.matching import Text, among_ids, aside, begins

_OWNERS: dict[Any, Any] = {
    Profile: Profile.id,
    ProfileTerm: ProfileTerm.profile_id,
    ProfileIdentity: ProfileIdentity.profile_id,
}


def people(
    session: Session, ids: Collection[int], ways: Iterable[tuple[int, Text, str]], size: int
) -> list[FoundPerson]:
    """Who of these is found in one of these ways, each of which has its rank, the closest first. One statement."""
    asked: dict[Any, list[tuple[int, Text, str]]] = {}
    for rank, key, prefix in ways:
        asked.setdefault(key.class_, []).append((rank, key, prefix))
    if not ids or not asked:
        return []
    parts = []
    for model, rows in asked.items():
        owner = _OWNERS[model]
        fits = [(begins(key, prefix), rank) for rank, key, prefix in rows]
        ranks = {rank for _, rank in fits}
        best: Any = literal(ranks.pop()) if len(ranks) == 1 else case(*fits)
        found = hit(best).where(aside(or_(*(fit for fit, _ in fits))), Profile.erased_at.is_(None))
        parts.append(select(_of(session, found, model, owner, ids).subquery()))
    return [FoundPerson(*row) for row in session.execute(ranked(union_all(*parts), size))]


def _of(session: Session, found: Select[Any], model: Any, owner: Any, ids: Collection[int]) -> Select[Any]:
    """Those of ``found`` whose owner is one of ``ids``.

    PostgreSQL is not shown how many these are: of a thousand it would rather share the work, which takes longer.
    """
    if session.get_bind().dialect.name == "sqlite":
        found = found.where(among_ids(session, owner, ids))
        return found if model is Profile else found.join_from(model, Profile, Profile.id == owner)
    told = func.unnest(select(literal(list(ids), ARRAY(Integer))).scalar_subquery())
    each: Any = told.table_valued(column("id", Integer)).render_derived(name="each")
    source = each.join(model, owner == each.c.id)
    return found.select_from(source if model is Profile else source.join(Profile, Profile.id == owner))
