"""One box over everything: people by any word of their name and in spite of a slip; the rest is in `found_things`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Select,
    String,
    case,
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
from webapp.domain.profiles import digits, fold
from webapp.models import (
    Entry,
    NameSlip,
    Profile,
    ProfileIdentity,
    ProfileTerm,
    Reward,
)
from webapp.queries.matching import Text, among, begins

SHOWN = 10  # of each kind
_LAST = "\U0010ffff"
_CORRECTIONS = 12  # words a mistyped one may mean
_COMBINATIONS = 60
_MOST_WORDS = 4
_SHORTEST_NUMBER = 3
_PHONE = frozenset("0123456789 +()-./")
_WALKED = 1_000  # people of one beginning
_FEW = 5_000  # entries of sites
Scope = frozenset[int] | None
Way = tuple[Text, str]  # a column that people are found by, and how it must begin


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """A person who fits; the lower ``rank``, the closer."""

    id: int
    external_id: str | None
    first_name: str
    last_name: str
    email: str
    phone: str
    rank: int

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class FoundThing:
    """Something else that fits; ``name`` is its part of the address, ``detail`` says more about it."""

    kind: str
    id: int
    name: str
    title: str
    detail: str


def people(session: Session, scope: Scope, text: str, *, size: int = SHOWN) -> list[FoundPerson]:
    """Who is known by ``text`` or by what begins with it; when nobody is, who would be but for one slip.

    One more than ``size`` when there are further ones. One statement, three when nobody fits as it is written; up to
    three more for who sees some sites only.
    """
    return _exact(session, scope, text, size) or _near(session, scope, text, size)


def _exact(session: Session, scope: Scope, text: str, size: int) -> list[FoundPerson]:
    folded = fold(text)
    if not folded:
        return []
    ways = list(_ways(text, folded))
    if scope is None:
        return _people(session, union_all(*(_everywhere(way, rank, size) for rank, way in enumerate(ways))), size)
    if _few_entered(session, scope):
        return _people(session, union_all(*_passing(_entrants(scope), dict(enumerate(ways)), size)), size)
    # Of a hundred thousand people with an «a» perhaps a thousand were on the site: only so many are looked at one by one.
    found = _people(session, union_all(*(_there(way, rank, scope, size) for rank, way in enumerate(ways))), size)
    if len(found) > size or not (wide := _wide(session, ways)):
        return found
    rest = {rank: ways[rank] for rank in wide}
    walked = [_there(way, rank, scope, size) for rank, way in enumerate(ways) if rank not in rest]
    return _people(session, union_all(*walked, *_passing(_entrants(scope), rest, size)), size)


def _entrants(scope: frozenset[int]) -> CTE:
    """Who entered on one of the sites."""
    entered = select(Entry.profile_id.label("id")).join(Reward, Reward.id == Entry.reward_id)
    return entered.where(Reward.site_id.in_(scope)).distinct().cte("entrants")


def _few_entered(session: Session, scope: frozenset[int]) -> bool:
    """Whether so few entered on these sites that a look at each of them is quicker than a walk through a beginning."""
    entered = select(Entry.number).join(Reward, Reward.id == Entry.reward_id).where(Reward.site_id.in_(scope))
    count = session.scalar(select(func.count()).select_from(entered.limit(_FEW + 1).subquery()))
    return (count or 0) <= _FEW


def _owner(key: Text) -> InstrumentedAttribute[int]:
    """Which column of the table of ``key`` says whose it is."""
    source = {ProfileTerm.term: ProfileTerm.profile_id, ProfileIdentity.identifier: ProfileIdentity.profile_id}
    return source.get(cast(Any, key), Profile.id)


def _everywhere(way: Way, rank: int, size: int) -> Select[int, int]:
    key, prefix = way
    found = _hit(rank).where(begins(key, prefix), Profile.erased_at.is_(None))
    if (owner := _owner(key)) is not Profile.id:
        found = found.join_from(owner.class_, Profile, Profile.id == owner)
    return select(found.order_by(key).limit(size + 1).subquery())


def _there(way: Way, rank: int, scope: frozenset[int], size: int) -> Select[int, int]:
    """As ``_everywhere``, of the first people of that beginning those who entered on one of the sites.

    They come in that order, so nobody is looked at once enough are found; asked for an order, SQLite would look at all.
    """
    key, prefix = way
    first = select(_owner(key).label("id"), key.label("key")).where(begins(key, prefix)).order_by(key).limit(_WALKED)
    walked = first.subquery()
    found = _hit(rank).join_from(walked, Profile, Profile.id == walked.c.id)
    found = found.where(Profile.erased_at.is_(None), *_visible(scope))
    return select(found.limit(size + 1).subquery())


def _passing(people: FromClause, ways: Mapping[int, Way], size: int) -> list[Select[int, int]]:
    """As ``_everywhere``, of these ``people`` only, who pass by once for each table: that needs no index of beginnings."""
    parts = []
    for owner in (Profile.id, ProfileIdentity.profile_id, ProfileTerm.profile_id):
        fits = {rank: begins(_seen(key), prefix) for rank, (key, prefix) in ways.items() if _owner(key) is owner}
        if not fits:
            continue
        rank = case(*((fit, rank) for rank, fit in sorted(fits.items()))).label("rank")
        found = select(func.coalesce(Profile.merged_into_id, Profile.id).label("id"), rank)
        found = found.join_from(people, Profile, Profile.id == people.c.id)
        if owner is not Profile.id:
            found = found.join(owner.class_, owner == people.c.id)
        found = found.where(or_(*fits.values()), Profile.erased_at.is_(None))
        parts.append(select(found.order_by(rank, Profile.search_text).limit(size + 1).subquery()))
    return parts


def _seen(key: Text) -> Text:
    """``key`` as a value that no index is asked for."""
    return cast(Text, key.concat(""))


def _hit(rank: int) -> Select[int, int]:
    return select(func.coalesce(Profile.merged_into_id, Profile.id).label("id"), literal(rank).label("rank"))


def _wide(session: Session, ways: Sequence[Way]) -> list[int]:
    """The places of those ``ways`` that more people are found by than are looked at one by one."""
    first = [select(_owner(key)).where(begins(key, prefix)).limit(_WALKED + 1).subquery() for key, prefix in ways]
    counts = session.execute(select(*(select(func.count()).select_from(one).scalar_subquery() for one in first))).one()
    return [rank for rank, count in enumerate(counts) if count > _WALKED]


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
    plain = " ".join(rules.words(text))
    for order in dict.fromkeys((folded, *_turned(folded))):
        yield Profile.search_text, order
        yield Profile.name_key, order
    for order in dict.fromkeys(part for part in (plain, *_turned(plain)) if part):
        yield ProfileTerm.term, order


def _turned(text: str) -> list[str]:
    """«berg zo» for «zo berg»: either name may be typed first, and the last one only begun."""
    first, _, last = text.partition(" ")
    return [f"{last} {first}"] if last and " " not in last else []


def _near(session: Session, scope: Scope, text: str, size: int) -> list[FoundPerson]:
    typed = rules.words(text)
    if not typed or len(typed) > _MOST_WORDS or any(sign.isdigit() or sign == "@" for sign in text):
        return []
    meant = corrections(session, typed)
    if not any(meant.values()):
        return []
    choices = [meant.get(word) or [word] for word in typed]
    names = [" ".join(words) for words in islice(product(*choices), _COMBINATIONS)]
    names += [other for name in names for other in _turned(name)]
    parts = []
    for key, owner in _NAMES:
        lows = _listed(session, names)
        found = _hit(0)
        if owner is ProfileTerm.profile_id:
            found = found.join_from(ProfileTerm, Profile, Profile.id == owner)
        found = found.where(Profile.erased_at.is_(None), *_visible(scope))
        low = lows.c.value if _is_sqlite(session) else collate(lows.c.value, "C")
        if _is_sqlite(session):
            fits = (key >= low) & (key < low.concat(_LAST))
            parts.append(select(found.join(lows, fits).limit(size + 1).subquery()))
        else:
            # A few rows of each name by themselves: PostgreSQL would take a join on ranges for a walk through everybody.
            each = found.where(key >= low, key < low.concat(_LAST)).order_by(key).limit(size + 1)
            few = each.correlate(lows).lateral()
            parts.append(select(few.c.id, few.c.rank).select_from(lows.join(few, true())))
    return _people(session, union_all(*parts), size)


_NAMES: tuple[tuple[Any, Any], ...] = (
    (Profile.search_text, Profile.id),
    (Profile.name_key, Profile.id),
    (ProfileTerm.term, ProfileTerm.profile_id),
)


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


def _people(session: Session, found: CompoundSelect[Any], size: int) -> list[FoundPerson]:
    hits = found.subquery()
    best = select(hits.c.id, func.min(hits.c.rank).label("rank")).group_by(hits.c.id).subquery()
    columns: list[Any] = [getattr(Profile, name) for name in FoundPerson.__dataclass_fields__ if name != "rank"]
    columns.append(best.c.rank)
    statement = (
        select(*columns)
        .join(best, best.c.id == Profile.id)
        .order_by(best.c.rank, Profile.search_text, Profile.id)
        .limit(size + 1)
    )
    return [FoundPerson(*row) for row in session.execute(statement)]


def _visible(scope: Scope) -> list[ColumnElement[bool]]:
    """People belong to the account; whoever may see some sites only sees those who entered there."""
    if scope is None:
        return []
    there = (
        select(Entry.number)
        .join(Reward, Reward.id == Entry.reward_id)
        .where(Entry.profile_id == Profile.id, Reward.site_id.in_(scope))
        .limit(1)
        .scalar_subquery()
    )
    # No ``exists``: PostgreSQL would make a join of it and walk through everybody who entered there.
    return [there.is_not(None)]


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
