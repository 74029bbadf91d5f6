"""One box over everything: people by any word of their name and in spite of a slip; the rest is in `found_things`."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    String,
    collate,
    column,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from webapp.domain import search as rules
from webapp.domain.identity import Reach, Where
from webapp.domain.profiles import digits, fold
from webapp.models import (
    NameSlip,
    Profile,
    ProfileIdentity,
    ProfileTerm,
)
from webapp.queries import member_search, organisation_search, people_there, reaches, site_search
from webapp.queries.found_people import FoundPerson, hit, ranked
from webapp.queries.matching import Text, among, begins
from webapp.queries.reaches import Parts

SHOWN = 10  # of each kind
_LAST = "\U0010ffff"
_CORRECTIONS = 12  # words a mistyped one may mean
_COMBINATIONS = 60
_MOST_WORDS = 4
_SHORTEST_NUMBER = 3
_PHONE = frozenset("0123456789 +()-./")
Scope = frozenset[int] | None
Way = tuple[Text, str]  # a column that people are found by, and how it must begin
Ranked = tuple[int, Text, str]  # the same with its rank


@dataclass(frozen=True, slots=True)
class FoundThing:
    """Something else that fits; ``name`` is its part of the address, ``detail`` says more about it."""

    kind: str
    id: int
    name: str
    title: str
    detail: str


def people(session: Session, scope: Where, text: str, *, size: int = SHOWN) -> list[FoundPerson]:
    """Who is known by ``text`` or by what begins with it; when nobody is, who would be but for one slip.

    One more than ``size`` when there are further ones. One statement, three when nobody fits as it is written; within
    organisations a few more.
    """
    within: Parts | Scope = reaches.parts(session, scope) if isinstance(scope, Reach) else scope
    return _exact(session, within, text, size) or _near(session, within, text, size)


def _exact(session: Session, scope: Parts | Scope, text: str, size: int) -> list[FoundPerson]:
    folded = fold(text)
    if not folded or scope == frozenset():
        return []
    ways = list(_ways(text, folded))
    asked = [(rank, *way) for rank, way in enumerate(ways)]
    if isinstance(scope, Parts):
        found = _reached(
            session,
            scope,
            asked,
            lambda theirs: [_everywhere(way, rank, size, theirs) for rank, way in enumerate(ways)],
            size,
        )
        whole = scope.where.sites
        return _best((*found, *_holders(session, whole, asked, size)), size) if whole else found
    if scope is not None:
        entrants = site_search.people(session, scope, asked, size)
        return _best((*entrants, *_holders(session, scope, asked, size)), size)
    return _people(session, [_everywhere(way, rank, size) for rank, way in enumerate(ways)], size)


def _owner(key: Text) -> InstrumentedAttribute[int]:
    """Which column of the table of ``key`` says whose it is."""
    source = {ProfileTerm.term: ProfileTerm.profile_id, ProfileIdentity.identifier: ProfileIdentity.profile_id}
    return source.get(cast(Any, key), Profile.id)


def _reached(
    session: Session,
    within: Parts,
    ways: Sequence[Ranked],
    walk: Callable[[ColumnElement[bool]], Sequence[Select[Any]]],
    size: int,
) -> list[FoundPerson]:
    """Within organisations: few people are looked at one by one; among many the walk leaves out the others."""
    if within.people is not None:
        found = member_search.people(session, within.people, ways, size)
    elif within.is_gathered:
        found = organisation_search.people(session, within.roots, ways, size, reaches.SOME)
    else:
        who = func.coalesce(Profile.merged_into_id, Profile.id)
        found = _people(session, walk(within.holds(who)), size)
    if not (sites := within.where.sites):
        return found
    return _best((*found, *site_search.people(session, sites, ways, size)), size)


def _holders(session: Session, scope: frozenset[int], ways: Sequence[Ranked], size: int) -> list[FoundPerson]:
    """Who holds a benefit on one of the sites, whether they entered there or not."""
    parts = [people_there.holding(scope, key, _owner(key), prefix, rank, size) for rank, key, prefix in ways]
    return _people(session, parts, size)


def _best(found: Iterable[FoundPerson], size: int) -> list[FoundPerson]:
    """Each once, as close as they fit anywhere."""
    best: dict[int, FoundPerson] = {}
    for person in found:
        if person.id not in best or person.rank < best[person.id].rank:
            best[person.id] = person
    return sorted(best.values(), key=lambda person: (person.rank, fold(person.full_name), person.id))[: size + 1]


def _everywhere(way: Way, rank: int, size: int, *more: ColumnElement[bool]) -> Select[Any]:
    key, prefix = way
    found = hit(literal(rank)).where(begins(key, prefix), Profile.erased_at.is_(None), *more)
    if (owner := _owner(key)) is not Profile.id:
        found = found.join_from(owner.class_, Profile, Profile.id == owner)
    return select(found.order_by(key).limit(size + 1).subquery())


def _ways(text: str, folded: str) -> Iterator[Way]:
    """Column and beginning, the closest first: ids and addresses before names."""
    typed = " ".join(text.split())
    yield Profile.external_id, typed
    for other in sorted({typed.upper(), typed.lower()} - {typed}):
        yield Profile.external_id, other
    yield ProfileIdentity.identifier, typed
    if " " not in folded:
        yield Profile.email_key, folded
    if set(typed) <= _PHONE and len(number := digits(typed)) >= _SHORTEST_NUMBER:
        yield Profile.phone_key, number
        yield ProfileTerm.term, number
        return
    # «N-1002» is no «n»: what is left without its numbers is somebody else.
    plain = "" if any(sign.isdigit() for sign in text) else " ".join(rules.words(text))
    for order in dict.fromkeys((folded, *_turned(folded))):
        yield Profile.search_text, order
        yield Profile.name_key, order
    address = "" if " " in folded else folded  # one that somebody else answers to is a term as it is written
    for order in dict.fromkeys(part for part in (address, plain, *_turned(plain)) if part):
        yield ProfileTerm.term, order


def _turned(text: str) -> list[str]:
    """«berg zo» for «zo berg»: either name may be typed first, and the last one only begun."""
    first, _, last = text.partition(" ")
    return [f"{last} {first}"] if last and " " not in last else []


def _near(session: Session, scope: Parts | Scope, text: str, size: int) -> list[FoundPerson]:
    typed = rules.words(text)
    if (
        scope == frozenset()
        or not typed
        or len(typed) > _MOST_WORDS
        or any(sign.isdigit() or sign == "@" for sign in text)
    ):
        return []
    meant = corrections(session, typed)
    if not any(meant.values()):
        return []
    choices = [meant.get(word) or [word] for word in typed]
    names = [" ".join(words) for words in islice(product(*choices), _COMBINATIONS)]
    names += [other for name in names for other in _turned(name)]
    ways: list[Ranked] = [(0, key, name) for key in _NAMES for name in names]
    if isinstance(scope, Parts):
        return _reached(
            session,
            scope,
            ways,
            lambda theirs: [_named(session, key, names, size, theirs) for key in _NAMES],
            size,
        )
    if scope is not None:
        return site_search.people(session, scope, ways, size)
    return _people(session, [_named(session, key, names, size) for key in _NAMES], size)


def _named(session: Session, key: Any, names: Collection[str], size: int, *more: ColumnElement[bool]) -> Select[Any]:
    """Who is found by ``key`` as one of ``names``."""
    found = hit(literal(0)).where(Profile.erased_at.is_(None), *more)
    if (owner := _owner(key)) is not Profile.id:
        found = found.join_from(owner.class_, Profile, Profile.id == owner)
    lows = _listed(session, names)
    if _is_sqlite(session):
        fits = (key >= lows.c.value) & (key < lows.c.value.concat(_LAST))
        return select(found.join(lows, fits).limit(size + 1).subquery())
    # A few rows of each name by themselves: PostgreSQL would take a join on ranges for a walk through everybody.
    low = collate(lows.c.value, "C")
    each = found.where(key >= low, key < low.concat(_LAST)).order_by(key).limit(size + 1)
    few = each.correlate(lows).lateral()
    return select(few.c.id, few.c.rank).select_from(lows.join(few, true()))


_NAMES: tuple[Any, ...] = (Profile.search_text, Profile.name_key, ProfileTerm.term)


def corrections(session: Session, typed: Sequence[str]) -> dict[str, list[str]]:
    """The words of people's names that each typed word may mean, itself first when there is such a word."""
    long = [word for word in typed if rules.SHORTEST <= len(word) <= rules.LONGEST]
    parts = {slip for word in long for slip in rules.slips(word)}
    if not parts:
        return {}
    rows = session.execute(select(NameSlip.word).where(NameSlip.slip.in_(sorted(parts))).distinct().limit(2_000))
    known = sorted(rows.scalars())
    found = {}
    for word in long:
        near = [one for one in known if rules.is_near(word, one)]
        found[word] = sorted(near, key=lambda one, word=word: (one != word, one))[:_CORRECTIONS]  # type: ignore[misc]
    return found


def _people(session: Session, found: Sequence[Select[Any]], size: int) -> list[FoundPerson]:
    return [FoundPerson(*row) for row in session.execute(ranked(union_all(*found), size))]


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def _listed(session: Session, values: Collection[str]) -> Any:
    """The values as a table with one column, ``value``."""
    if _is_sqlite(session):
        return func.json_each(json.dumps(list(values), ensure_ascii=False)).table_valued(column("value", String))
    return func.unnest(literal(list(values), ARRAY(String))).table_valued(column("value", String)).render_derived()


def known_words(session: Session, words: Collection[str]) -> set[str]:
    """Those of ``words`` that are words of people's names already."""
    wanted = select(NameSlip.word).where(among(session, NameSlip.slip, words), NameSlip.word == NameSlip.slip)
    return set(session.scalars(wanted))


def borne_by_nobody(session: Session, words: Iterable[str]) -> list[str]:
    """Those of ``words`` that no name of anybody holds: neither as its first word nor as a further one."""
    found = []
    for word in words:
        ways: list[tuple[InstrumentedAttribute[str], Any]] = [
            (Profile.search_text, Profile.id),
            (Profile.name_key, Profile.id),
            (ProfileTerm.term, ProfileTerm.profile_id),
        ]
        held = [select(literal(1)).select_from(owner.class_).where(_holds(key, word)).exists() for key, owner in ways]
        if not session.scalar(select(or_(*held))):
            found.append(word)
    return found


def _holds(key: InstrumentedAttribute[str], word: str) -> ColumnElement[bool]:
    return or_(key == word, begins(key, f"{word} "), begins(key, f"{word}-"))
