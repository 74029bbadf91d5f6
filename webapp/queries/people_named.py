"""People whose name, e-mail, member id or phone begins as it was typed: the condition, and the newest of them.

A list has the newest first, and what begins so stands together in another order. Whoever fits is gathered through the
indexes; of too many the next one is never far, and a walk from the newest on meets them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, or_, select, union_all
from sqlalchemy.orm import Session

from webapp.domain.profiles import digits, fold
from webapp.models import Profile
from webapp.queries.matching import Text, begins, newest_of

MOST = 20_000  # ways in which somebody fits, that are gathered
FEW = 10_000  # the same of people whose entries, memberships and the like are looked for
_SHORTEST_PHONE = 3


def matches(search: str) -> ColumnElement[bool]:
    """Whether a person's name (either way round), e-mail, member id or phone begins with ``search``."""
    return or_(*(begins(key, beginning) for key, beginning in _ways(search)))


def _ways(search: str) -> Iterator[tuple[Text, str]]:
    folded, phone, typed = fold(search), digits(search), search.strip()
    yield Profile.search_text, folded
    yield Profile.name_key, folded
    yield Profile.email_key, folded
    for number in dict.fromkeys((typed, typed.upper())):
        yield Profile.external_id, number
    if len(phone) >= _SHORTEST_PHONE:
        yield Profile.phone_key, phone


def newest(session: Session, search: str, before: int | None, size: int, most: int | None = None) -> list[int] | None:
    """The ids of the newest ``size`` who match, of those before an id; None for more than ``most`` ways to find them all.

    Merged and erased rows are among them.
    """
    ways = [select(Profile.id).where(begins(*way)) for way in _ways(search)]
    return newest_of(session, ways, before, size, MOST if most is None else most)


def first(search: str, size: int) -> CompoundSelect[*tuple[Any, ...]]:
    """The ids of the first ``size`` who match in each way, in the order of what they are found by."""
    ways = ((select(Profile.id).where(begins(*way)).order_by(way[0]).limit(size).subquery()) for way in _ways(search))
    return union_all(*(select(way.c.id) for way in ways))


def few(session: Session, search: str) -> list[int] | None:
    """Everybody who matches; None for many, whom a list of what people have is full of."""
    return newest(session, search, None, FEW, FEW)
