"""Reads of people: who an import already knows, lists, and everything about one person."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, String, and_, cast, func, or_, select, true, type_coerce
from sqlalchemy.orm import Session, aliased

from webapp.domain.errors import NotFound
from webapp.domain.identity import Reach, Where
from webapp.domain.person_lists import Identity, identities_text
from webapp.domain.profiles import Person
from webapp.models import (
    AttributeDefinition,
    Location,
    Profile,
    ProfileIdentity,
    Tier,
)
from webapp.queries import people_named, people_there, reaches
from webapp.queries.matching import among, among_ids, aside, iso

PAGE = 50
_JSON = json.JSONEncoder(ensure_ascii=False, sort_keys=True)
_POSTCODE_FIRST = re.compile(r'\{"postcode": "([^"\\]*)"(?:, ([^\\]*))?\}')
_PERSON: list[Any] = [
    Profile.id,
    Profile.external_id,
    Profile.email_key,
    Profile.first_name,
    Profile.last_name,
    Profile.email,
    Profile.phone,
    Profile.attributes,
    Profile.merged_into_id,
]
_FIRST, _NEXT = 300, 5_000  # people of whom is asked at once whether they are to be seen
_SHOWN = (Profile.merged_into_id.is_(None), Profile.erased_at.is_(None))


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """One line of the list of people."""

    id: int
    external_id: str | None
    first_name: str
    last_name: str
    email: str
    phone: str
    updated_at: datetime

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


_ROWS = select(*(getattr(Profile, name) for name in ProfileRow.__dataclass_fields__))


def known(session: Session, external_ids: Collection[str], email_keys: Collection[str]) -> list[Person]:
    """Everybody with one of these member ids or e-mail keys, and whoever they were merged into."""
    rows = _people(session, among(session, Profile.external_id, external_ids)) if external_ids else {}
    if email_keys:
        rows |= _people(session, among(session, Profile.email_key, email_keys))
    while missing := {target for _, target in rows.values() if target is not None and target not in rows}:
        rows |= _people(session, Profile.id.in_(missing))
    for person, target in rows.values():
        person.merged = rows[target][0] if target is not None else None
    return [person for person, _ in rows.values()]


def _people(session: Session, wanted: ColumnElement[bool]) -> dict[int, tuple[Person, int | None]]:
    found = {}
    for row in session.execute(select(*_PERSON).where(wanted)):
        *_, attributes, target = row
        person = Person(*row[:7])
        person.postcode = str(attributes.get("postcode", ""))
        found[row[0]] = (person, target)
    return found


def get(session: Session, profile_id: int, where: Where) -> Profile:
    """The person; ``NotFound`` for nobody, and for somebody whom ``where`` does not reach."""
    profile = session.scalars(select(Profile).where(Profile.id == profile_id, _visible(where))).one_or_none()
    if profile is None:
        raise NotFound("profile.not_found", "There is no such person.")
    return profile


def is_visible(session: Session, profile_id: int, where: Where) -> bool:
    """Whether ``where`` reaches the person."""
    return session.scalar(select(Profile.id).where(Profile.id == profile_id, _visible(where))) is not None


def definitions(session: Session, *, archived: bool = False) -> list[AttributeDefinition]:
    """The further facts people may have, by title; with ``archived`` those no form asks for any more too."""
    statement = select(AttributeDefinition).order_by(AttributeDefinition.title, AttributeDefinition.id)
    if not archived:
        statement = statement.where(AttributeDefinition.archived_at.is_(None))
    return list(session.scalars(statement))


def identities(session: Session, profile_id: int) -> list[ProfileIdentity]:
    """What other systems call the person, by system."""
    statement = select(ProfileIdentity).where(ProfileIdentity.profile_id == profile_id)
    return list(session.scalars(statement.order_by(ProfileIdentity.system, ProfileIdentity.identifier)))


def tiers(session: Session) -> list[tuple[str, str]]:
    """Name and title of every tier, the lowest first."""
    return [(row[0], row[1]) for row in session.execute(select(Tier.name, Tier.title).order_by(Tier.rank))]


def tier_name(session: Session, tier_id: int | None) -> str:
    """The name of a tier, as forms and files have it; empty for none."""
    return "" if tier_id is None else session.scalars(select(Tier.name).where(Tier.id == tier_id)).one()


def locations(session: Session, keep: Collection[int] = (), size: int = 500) -> list[tuple[int, str, str]]:
    """Id, id in files and title of locations that are open, and of those in ``keep``; the first ``size`` by title."""
    wanted = or_(Location.closed_at.is_(None), Location.id.in_(keep))
    # Those kept stand first, so that a list that is cut still has them.
    statement = select(Location.id, Location.external_id, Location.title).where(wanted)
    statement = statement.order_by(Location.id.not_in(keep), Location.title, Location.id).limit(size)
    return [(row[0], row[1], row[2]) for row in session.execute(statement)]


def holder(
    session: Session,
    where: Where,
    *,
    external_id: str = "",
    email_key: str = "",
    identities: Collection[tuple[str, str]] = (),
) -> Profile | None:
    """Who has this member id, answers to this address, or is known by one of these identities, within ``where``."""
    known = [
        and_(ProfileIdentity.system == system, ProfileIdentity.identifier == identifier)
        for system, identifier in identities
    ]
    ways: list[ColumnElement[bool]] = []
    if external_id:
        ways.append(Profile.external_id == external_id)
    if email_key:
        ways.append(Profile.email_key == email_key)
    if known:
        ways.append(Profile.id.in_(select(ProfileIdentity.profile_id).where(or_(*known))))
    if not ways:
        return None
    return session.scalars(select(Profile).where(or_(*ways), _visible(where)).limit(1)).first()


def _visible(where: Where) -> ColumnElement[bool]:
    """People belong to the account; whoever may see some sites only sees those who entered or hold a benefit there.

    Of an organisation its people are seen, whoever was merged into them too.
    """
    if not isinstance(where, Reach):
        return _there(where)
    theirs = reaches.member(where, func.coalesce(Profile.merged_into_id, Profile.id))
    return or_(_there(where.sites), theirs) if where.sites else theirs


def _there(scope: frozenset[int] | None) -> ColumnElement[bool]:
    return true() if scope is None else people_there.is_there(scope)


def page(
    session: Session, where: Where, *, search: str = "", before: int | None = None, size: int = PAGE
) -> list[ProfileRow]:
    """People, the newest first, one more than ``size`` when there are further ones; ``before`` is the last id seen."""
    if search:
        found = _of_named(session, where, search, before, size)
        if found is not None:
            return found
    if isinstance(where, Reach) and not where.sites and not search:
        within = reaches.parts(session, where, 0)
        newest = reaches.newest(session, within, *_SHOWN)
        if newest is not None:
            theirs = newest.subquery()
            statement = _ROWS.join(theirs, theirs.c.value == Profile.id).order_by(Profile.id.desc())
            told = reaches.newest_of(session, within, before, size + 1)
            return [ProfileRow(*row) for row in session.execute(statement, told)]
    if where is not None and not isinstance(where, Reach) and not search:
        ids = people_there.few(session, where)
        if ids is not None:
            return _of_few(session, ids, where, before, size)
    statement = _ROWS.where(*_listed(_seen(session, where), search)).order_by(Profile.id.desc()).limit(size + 1)
    if before is not None:
        statement = statement.where(Profile.id < before)
    return [ProfileRow(*row) for row in session.execute(statement)]


def _of_named(session: Session, where: Where, search: str, before: int | None, size: int) -> list[ProfileRow] | None:
    """The newest who match; None when they are best met on a walk through everybody: they are many, and not of few."""
    seen, few = _sees(session, where)
    if few is not None:
        return _shown(session, few, before, size, aside(people_named.matches(search)), seen)
    ids = people_named.newest(session, search, before, _FIRST)
    if not ids:
        return ids if ids is None else []
    found, step = _shown(session, among_ids(session, Profile.id, ids), before, size, seen), _FIRST
    while len(found) <= size and len(ids) == step:
        before, step = ids[-1], _NEXT
        ids = people_named.newest(session, search, before, step) or []
        found += _shown(session, among_ids(session, Profile.id, ids), before, size - len(found), seen)
    return found


def _sees(session: Session, where: Where) -> tuple[ColumnElement[bool], ColumnElement[bool] | None]:
    """Whether somebody is to be seen; and whether they are one of those gathered, where these are few."""
    if where is None:
        return true(), None
    if not isinstance(where, Reach):
        some = people_there.few(session, where)
        return _there(where), None if some is None else among_ids(session, Profile.id, some)
    within = reaches.parts(session, where)
    gathered = reaches.gathered(session, within)
    theirs = gathered if within.people is not None and gathered is not None else within.holds(Profile.id)
    return (or_(_there(where.sites), theirs), None) if where.sites else (theirs, gathered)


def _shown(
    session: Session, who: ColumnElement[bool], before: int | None, size: int, *more: ColumnElement[bool]
) -> list[ProfileRow]:
    """Of these people those of a list, the newest first."""
    statement = _ROWS.where(who, *_SHOWN, *more)
    if before is not None:
        statement = statement.where(Profile.id < before)
    return [ProfileRow(*row) for row in session.execute(statement.order_by(Profile.id.desc()).limit(size + 1))]


def _of_few(
    session: Session, ids: Sequence[int], scope: frozenset[int], before: int | None, size: int
) -> list[ProfileRow]:
    """The next of these people; who of them is to be shown is asked of some at a time."""
    found: list[ProfileRow] = []
    waiting = [number for number in ids if before is None or number < before]
    while waiting and len(found) <= size:
        some, waiting = waiting[: 2 * size], waiting[2 * size :]
        shown = _ROWS.where(among_ids(session, Profile.id, some), *_SHOWN, _there(scope)).order_by(Profile.id.desc())
        found += [ProfileRow(*row) for row in session.execute(shown)]
    return found[: size + 1]


def _seen(session: Session, where: Where) -> ColumnElement[bool]:
    """``_visible`` for a list."""
    if not isinstance(where, Reach):
        return _visible(where)
    theirs = reaches.people(session, where)
    return or_(_there(where.sites), theirs) if where.sites else theirs


def _listed(visible: ColumnElement[bool], search: str) -> list[ColumnElement[bool]]:
    """Which people a list shows, and its export has."""
    shown = [*_SHOWN, visible]
    return [*shown, people_named.matches(search)] if search else shown


def stream(
    session: Session, scope: frozenset[int] | None = None, search: str = "", *, as_listed: bool = False
) -> Iterator[tuple[object, ...]]:
    """Everybody who is not merged or erased, oldest first, as ``EXPORT`` names it, holding a few rows at a time.

    ``as_listed`` gives them as ``page`` does, the newest first.

    Lists are comma-separated; a consent is written «email_promo=yes»; ``attributes`` is JSON text by name without the
    postcode; ``identities`` are «system=identifier». JSON is read only where there is any.
    """
    joined, preferred = aliased(Location), aliased(Location)
    columns: list[Any] = [getattr(Profile, name) for name in _PLAIN]
    columns += [type_coerce(Profile.gender, String)]
    columns += [iso(session, getattr(Profile, name)) for name in _MOMENTS]
    columns += [Tier.name, joined.external_id, preferred.external_id]
    columns += [cast(getattr(Profile, name), String) for name in _PACKED]
    statement = (
        select(*columns)
        .outerjoin(Tier, Tier.id == Profile.tier_id)
        .outerjoin(joined, joined.id == Profile.joined_location_id)
        .outerjoin(preferred, preferred.id == Profile.preferred_location_id)
        .where(*_listed(_visible(scope), search))
        .order_by(Profile.id.desc() if as_listed else Profile.id)
    )
    with session.connection().execute(statement.execution_options(yield_per=_STREAMED)) as found:
        for part in found.partitions():
            yield from _in_words(part, _known_elsewhere(session, *sorted((part[0][0], part[-1][0]))))


def _in_words(part: Sequence[Row[Any]], known: Mapping[int, str]) -> Iterator[tuple[object, ...]]:
    """Rows of the database as rows of a file, column by column."""
    *plain, tags, statuses, consents, attributes = zip(*part, strict=True)
    facts = [_facts(text) for text in attributes]
    return zip(
        *plain,
        map(_words, tags),
        map(_words, statuses),
        map(_consents, consents),
        (postcode for postcode, _ in facts),
        (rest for _, rest in facts),
        [known.get(number, "") for number in plain[0]],
        strict=True,
    )


def _known_elsewhere(session: Session, first: int, last: int) -> dict[int, str]:
    """The identities of the people from ``first`` to ``last``, as an export writes them."""
    columns = (ProfileIdentity.system, ProfileIdentity.identifier, ProfileIdentity.is_active)
    wanted = select(ProfileIdentity.profile_id, *columns)
    rows = session.connection().execute(
        wanted.where(ProfileIdentity.profile_id.between(first, last)).order_by(ProfileIdentity.id)
    )
    found: dict[int, str] = {}
    for number, *identity in rows:
        line = identities_text([Identity(str(identity[0]), str(identity[1]), bool(identity[2]))])
        found[number] = f"{found[number]}, {line}" if number in found else line
    return found


def _facts(text: str) -> tuple[str, str]:
    """Postcode, and the other facts as JSON; most people have one or neither, which needs no reading of JSON."""
    if text == "{}":
        return "", ""
    if found := _POSTCODE_FIRST.fullmatch(text):
        return found[1], f"{{{found[2]}}}" if found[2] else ""
    facts = json.loads(text)
    postcode = str(facts.pop("postcode", ""))
    return postcode, _JSON.encode(facts) if facts else ""


@lru_cache(4_096)  # of a million people most have the same few lists
def _words(text: str) -> str:
    return ", ".join(json.loads(text))


@lru_cache(4_096)
def _consents(text: str) -> str:
    return ", ".join(f"{name}={'yes' if on else 'no'}" for name, on in json.loads(text).items())


_STREAMED = 2_000
_PLAIN = (
    "id",
    "external_id",
    "title",
    "first_name",
    "last_name",
    "email",
    "phone",
    "home_phone",
    "zone",
    "birth_day",
    "birth_month",
    "birth_year",
)
_MOMENTS = ("joined_at", "created_at", "updated_at")
_PACKED = ("tags", "statuses", "consents", "attributes")
EXPORT = (
    *_PLAIN,
    "gender",
    *_MOMENTS,
    "tier",
    "joined_location",
    "preferred_location",
    "tags",
    "statuses",
    "consents",
    "postcode",
    "attributes",
    "identities",
)
