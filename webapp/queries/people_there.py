"""People as staff of some sites see them: those who entered there, and those who hold a benefit there."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, true, union_all
from sqlalchemy.orm import Session, aliased

from webapp.models import Benefit, BenefitDefinition, Entry, Profile, Reward, SitePerson
from webapp.queries.found_people import hit
from webapp.queries.matching import Text, aside, begins

FEW = 10_000  # entrants and benefits of sites whose people are gathered for a list; among more the next are never far
LOOKED_AT = 200  # of those whose key begins so: who of them holds a benefit there is asked of each
Scope = frozenset[int]


def is_there(scope: Scope) -> ColumnElement[bool]:
    """Whether a person entered on one of these sites, or holds a benefit there.

    No ``exists``: PostgreSQL would first look for everybody of whom that is so, before it looks at the first person.
    """
    other = aliased(Profile)
    rewards = Reward.id == Entry.reward_id
    entered = select(Entry.number).join(Reward, rewards).where(Entry.profile_id == Profile.id)
    # A sealed draw keeps entries with rows that were merged since.
    merged = select(Entry.number).join(Reward, rewards).join(other, other.id == Entry.profile_id)
    merged = merged.where(other.merged_into_id == Profile.id)
    on_site = aside(Reward.site_id.in_(scope))
    ways = [entered.where(on_site), merged.where(on_site), _held(scope, Profile.id)]
    return or_(*(way.limit(1).correlate(Profile).scalar_subquery().is_not(None) for way in ways))


def _held(scope: Scope, profile_id: Any) -> Select[Any]:
    held = select(Benefit.id).join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
    return held.where(Benefit.profile_id == profile_id, aside(BenefitDefinition.site_id.in_(scope)))


def few(session: Session, scope: Scope) -> list[int] | None:
    """Everybody on these sites, the newest first, when they are few: a walk through all people would hardly meet them.

    None for many, who are met all the time.
    """
    entrants = select(SitePerson.profile_id.label("value")).where(SitePerson.site_id.in_(scope)).limit(FEW + 1)
    some = union_all(select(entrants.subquery()), _holders(session, scope, FEW + 1)).limit(FEW + 1)
    found = list(session.scalars(some))
    return sorted(set(found), reverse=True) if len(found) <= FEW else None


def holders(session: Session, scope: Scope | None) -> list[int] | None:
    """Everybody who holds a benefit on these sites, or anywhere, when they are few; None for many."""
    found = list(session.scalars(_holders(session, scope, FEW + 1).limit(FEW + 1)))
    return sorted(set(found)) if len(found) <= FEW else None


def _holders(session: Session, scope: Scope | None, most: int) -> Select[Any]:
    """Who holds benefits there, with each of them; PostgreSQL is told to take one definition after the other."""
    if scope is None:
        return select(Benefit.profile_id.label("value")).limit(most)
    theirs = select(BenefitDefinition.id).where(BenefitDefinition.site_id.in_(scope))
    if session.get_bind().dialect.name == "sqlite":
        held = select(Benefit.profile_id.label("value")).where(Benefit.definition_id.in_(theirs)).limit(most)
        return select(held.subquery())
    definitions = theirs.subquery()
    each = select(Benefit.profile_id.label("value")).where(Benefit.definition_id == definitions.c.id)
    each_one = each.order_by(Benefit.id).limit(most).correlate(definitions).lateral()
    return select(each_one.c.value).select_from(definitions.join(each_one, true()))


def holding(scope: Scope, key: Text, owner: Any, prefix: str, rank: int, size: int) -> Select[Any]:
    """Of the first of those whose ``key`` begins so, who holds a benefit there.

    That is everybody where a name, an id or an address was typed nearly in full. Of a beginning that is common some only:
    who entered is found by any, through ``site_search``.
    """
    first = select(owner.label("value")).where(begins(key, prefix)).order_by(key).limit(LOOKED_AT).subquery()
    whose = func.coalesce(Profile.merged_into_id, Profile.id)
    held = _held(scope, whose).limit(1).correlate(Profile).scalar_subquery().is_not(None)
    found = hit(literal(rank)).join(first, first.c.value == Profile.id)
    found = found.where(Profile.erased_at.is_(None), held)
    return select(found.limit(size + 1).subquery())
