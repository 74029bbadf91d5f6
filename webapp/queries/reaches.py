"""How far grants within organisations go, as conditions: the people who belong there, and what they hold of a site.

A statement for somebody whose roles hold in all organisations is what it would be without this module.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    false,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from webapp.domain.errors import NotFound
from webapp.domain.identity import Reach, Where
from webapp.models import Benefit, BenefitDefinition, Membership, Organisation, Profile
from webapp.queries import asked
from webapp.queries.matching import LAST, among_ids, aside

FEW = 500  # people who are looked at one by one
SOME = 20_000  # people who are gathered as one set
FEW_PLACES = 50  # organisations that each of many people is asked for by name
_PLACES: dict[str, Any] = {"place": Integer}
_NEWEST = 2**31 - 1  # no id is higher


def only_parts(where: Where) -> Reach | None:
    """The reach of somebody whose every role is bound to organisations; None for anybody else."""
    return where if isinstance(where, Reach) and where.sites == frozenset() else None


def whole(where: Where) -> frozenset[int] | None:
    """The sites that are reached whole, whoever holds what there."""
    return where.sites if isinstance(where, Reach) else where


def touched(where: Where) -> frozenset[int] | None:
    """The sites of which anything is reached at all: what is of a site, and of nobody, is told on these."""
    if not isinstance(where, Reach):
        return where
    if any(site is None for site, _ in where.parts):
        return None
    return where.sites | {site for site, _ in where.parts if site is not None}


def holds(where: Where, site_id: Any, profile_id: Any) -> ColumnElement[bool]:
    """Whether something of a site that somebody holds is reached; both are columns."""
    if where is None:
        return true()
    if not isinstance(where, Reach):
        return _among(site_id, where)
    ways = [_among(site_id, where.sites)]
    roots: dict[int | None, list[int]] = {}
    for site, root in where.parts:
        roots.setdefault(site, []).append(root)
    for site, some in roots.items():
        ways.append(and_(_among(site_id, None if site is None else frozenset({site})), belongs(profile_id, some)))
    return or_(*ways)


def _among(site_id: Any, sites: frozenset[int] | None) -> ColumnElement[bool]:
    found: ColumnElement[bool] = true() if sites is None else site_id.in_(sites)
    return found


def member(where: Reach, profile_id: Any) -> ColumnElement[bool]:
    """Whether somebody belongs to an organisation of any part of ``where``."""
    return belongs(profile_id, [root for _, root in where.parts])


def belongs(profile_id: Any, roots: Iterable[int]) -> ColumnElement[bool]:
    """Whether somebody belongs to one of these organisations, or to one below them.

    No ``exists``: PostgreSQL would make a join of it and walk through everybody who belongs there.
    """
    inside, place = aliased(Membership), aliased(Organisation)
    wanted = select(inside.id).join(place, place.id == inside.organisation_id).limit(1)
    wanted = wanted.where(inside.profile_id == profile_id, _below(place, roots))
    return wanted.correlate_except(inside, place).scalar_subquery().is_not(None)


def places(where: Reach, organisation_id: Any) -> ColumnElement[bool]:
    """Whether a place is of no organisation, or of one within the parts of ``where``."""
    place = aliased(Organisation)
    wanted = select(place.id).where(_below(place, [root for _, root in where.parts]))
    return or_(organisation_id.is_(None), organisation_id.in_(wanted))


def _below(place: Any, roots: Iterable[int]) -> ColumnElement[bool]:
    """The path of an organisation names all above it, so that no root need be looked up."""
    return or_(false(), *(place.path.contains(f"/{root}/") for root in dict.fromkeys(roots)))


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a reach as they are looked through: who and which organisations they are, None for too many.

    ``is_gathered`` says that the people are ``SOME`` at most.
    """

    where: Reach
    people: list[int] | None
    organisations: list[int] | None
    is_gathered: bool

    @property
    def roots(self) -> list[int]:
        return list(dict.fromkeys(root for _, root in self.where.parts))

    def holds(self, profile_id: Any) -> ColumnElement[bool]:
        """``member`` for a walk through many people: no organisation is looked up for each of them."""
        inside = aliased(Membership)
        wanted = select(inside.id).where(inside.profile_id == profile_id, self._is_there(inside.organisation_id))
        return wanted.limit(1).correlate_except(inside).scalar_subquery().is_not(None)

    def _is_there(self, organisation_id: Any) -> ColumnElement[bool]:
        if self.organisations is None:
            return aside(organisation_id.in_(all_places(self.where)))
        found: ColumnElement[bool] = organisation_id.in_(self.organisations)
        return found


def parts(session: Session, where: Reach, few: int | None = None) -> Parts:
    """The people within the parts of ``where`` with the rows merged into them, and the organisations; one statement.

    ``few`` says how many people are few, if not ``FEW``; with none they are not asked for.
    """
    most = FEW if few is None else few
    database, everywhere = session.get_bind().dialect.name, all_places(where)
    places = everywhere.limit(FEW_PLACES + 1).subquery()
    beyond = people_of(database, everywhere, SOME + 1).offset(SOME).limit(1).subquery()
    kinds = [select(places.c.id, literal("place")), select(beyond.c.profile_id, literal("beyond"))]
    if most:
        theirs = people_of(database, everywhere, most + 1).cte("theirs")
        merged = select(Profile.id, literal("merged")).join(theirs, theirs.c.profile_id == Profile.merged_into_id)
        kinds += [select(theirs.c.profile_id, literal("person")), merged]
    rows = session.execute(union_all(*kinds))
    found: dict[str, list[int]] = {"person": [], "merged": [], "place": [], "beyond": []}
    for number, kind in rows:
        found[kind].append(number)
    people, some = found["person"], found["place"]
    return Parts(
        where,
        sorted({*people, *found["merged"]}) if most and len(people) <= most else None,
        some if len(some) <= FEW_PLACES else None,
        not found["beyond"],
    )


def people_of(database: str, places: Select[Any], most: Any) -> Select[Any]:
    """Who belongs to these organisations, with each membership, but ``most`` of them.

    PostgreSQL is told to take one after the other: it would rather read all memberships until there are ``most``.
    """
    there = places.subquery()
    theirs = select(Membership.profile_id)
    if database == "sqlite":
        return theirs.join(there, there.c.id == Membership.organisation_id).limit(most)
    each = theirs.where(Membership.organisation_id == there.c.id).order_by(Membership.profile_id).limit(most)
    some = each.correlate(there).lateral()
    return select(some.c.profile_id).select_from(there.join(some, true())).limit(most)


def all_places(where: Reach) -> Select[Any]:
    """The ids of all organisations of any part of ``where``."""
    roots = dict.fromkeys(root for _, root in where.parts)
    return select(Organisation.id).where(or_(false(), *(_under(root) for root in roots)))


def _under(root_id: int) -> ColumnElement[bool]:
    """``_below`` in the words of the index on paths."""
    root = aliased(Organisation)
    path = select(root.path).where(root.id == root_id).correlate_except(root).scalar_subquery()
    return and_(Organisation.path >= path, Organisation.path < path.concat(LAST))


def gathered(session: Session, within: Parts) -> ColumnElement[bool] | None:
    """Whether a person is one of these, for a look at each of them; None for too many."""
    if within.people is not None:
        return among_ids(session, Profile.id, within.people)
    if not within.is_gathered:
        return None
    theirs = people_of(session.get_bind().dialect.name, all_places(within.where), SOME).subquery()
    return Profile.id.in_(select(theirs.c.profile_id))


def newest(session: Session, within: Parts, *shown: ColumnElement[bool]) -> Select[Any] | None:
    """The newest people there of whose rows ``shown`` holds, as ``value``; None for too many in too many places.

    Up to the id ``upto``, ``size`` of them; ``newest_of`` gives the values of the parameters. Of a few organisations
    each has its people in order; those of many are put in order where they can be gathered.
    """
    upto, size = bindparam("upto", type_=Integer), bindparam("size", type_=Integer)
    if within.organisations is not None:
        told = asked.SAID[session.get_bind().dialect.name](0, _PLACES)
        theirs = select(Membership.profile_id.label("value")).where(
            Membership.organisation_id == told.columns["place"],
            Membership.profile_id <= upto,
            _is_row(Membership.profile_id, Membership, shown),
        )
        few = told.each(theirs.distinct().order_by(Membership.profile_id.desc()).limit(size))
        found = select(few.c.value).select_from(told.table.join(few, true()))
    elif within.is_gathered:
        some = people_of(session.get_bind().dialect.name, all_places(within.where), SOME).subquery()
        inside = select(some.c.profile_id.label("value")).where(some.c.profile_id <= upto).distinct()
        ordered = inside.order_by(some.c.profile_id.desc()).subquery()
        found = select(ordered.c.value).where(_is_row(ordered.c.value, ordered, shown))
    else:
        return None
    return found.distinct().order_by(found.exported_columns.value.desc()).limit(size)


def newest_of(session: Session, within: Parts, before: int | None, size: int) -> dict[str, Any]:
    """What ``newest`` asks, of the people before an id or of all."""
    rows = [(place,) for place in within.organisations or ()]
    told = asked.values(session.get_bind().dialect.name, 0, _PLACES, rows) if within.organisations is not None else {}
    return {**told, "upto": _NEWEST if before is None else before - 1, "size": size}


def _is_row(profile_id: Any, source: Any, shown: Iterable[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Asked of each for itself: PostgreSQL might walk through everybody to join them."""
    row = select(Profile.id).where(Profile.id == profile_id, *shown).limit(1)
    return row.correlate(source).scalar_subquery().is_not(None)


def people(session: Session, where: Reach) -> ColumnElement[bool]:
    """Whether a row of people is within the parts of ``where``, for a list: few are named, of many each is asked."""
    found = parts(session, where)
    return found.holds(Profile.id) if found.people is None else among_ids(session, Profile.id, found.people)


def has_person(session: Session, where: Reach, profile_id: int) -> bool:
    """Whether the person, or whoever they were merged into, is within the parts of ``where``."""
    who = func.coalesce(Profile.merged_into_id, Profile.id)
    return session.scalar(select(Profile.id).where(Profile.id == profile_id, member(where, who))) is not None


def has_benefit(session: Session, where: Reach, benefit_id: int) -> bool:
    """Whether the benefit, as it stands in the database now, is reached."""
    wanted = select(Benefit.id).join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
    wanted = wanted.where(Benefit.id == benefit_id, holds(where, BenefitDefinition.site_id, Benefit.profile_id))
    return session.scalar(wanted) is not None


def may_hold(session: Session, where: Reach, profile_id: int, site_id: int) -> bool:
    """Whether something of the site would be reached if this person held it."""
    if site_id in where.sites:
        return True
    roots = [root for site, root in where.parts if site in (None, site_id)]
    return session.scalar(select(Profile.id).where(Profile.id == profile_id, belongs(Profile.id, roots))) is not None


def require_benefit(session: Session, where: Where, benefit_id: int, missing: NotFound) -> None:
    """For a verb, in its transaction: ``missing`` when ``where`` is bound to organisations and the benefit outside."""
    if isinstance(where, Reach) and not has_benefit(session, where, benefit_id):
        raise missing
