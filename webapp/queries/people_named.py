"""People whose name, e-mail, member id or phone begins as it was typed: the condition, and the newest of them.

A list has the newest first, and what begins so stands together in another order. Whoever fits is gathered through the
indexes; of too many the next one is never far, and a walk from the newest on meets them.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from webapp.domain.profiles import digits, fold
from webapp.models import Profile
from webapp.queries.matching import begins

MOST = 20_000  # ways in which somebody fits, that are gathered
_SHORTEST_PHONE = 3


def matches(search: str) -> ColumnElement[bool]:
    """Whether a person's name (either way round), e-mail, member id or phone begins with ``search``."""
    return or_(*_ways(search))


def _ways(search: str) -> Iterator[ColumnElement[bool]]:
    folded, phone, typed = fold(search), digits(search), search.strip()
    yield begins(Profile.search_text, folded)
    yield begins(Profile.name_key, folded)
    yield begins(Profile.email_key, folded)
    for number in dict.fromkeys((typed, typed.upper())):
        yield begins(Profile.external_id, number)
    if len(phone) >= _SHORTEST_PHONE:
        yield begins(Profile.phone_key, phone)


def newest(session: Session, search: str, before: int | None, size: int) -> list[int] | None:
    """The ids of the newest ``size`` who match, of those before an id; None when they are more than ``MOST`` in all.

    Merged and erased rows are among them.
    """
    gathered = [select(Profile.id.label("value")).where(way).limit(MOST + 1).subquery() for way in _ways(search)]
    found = union_all(*(select(some.c.value) for some in gathered)).cte("found")
    wanted = select(found.c.value).distinct().order_by(found.c.value.desc()).limit(size)
    if before is not None:
        wanted = wanted.where(found.c.value < before)
    number = select(func.count().label("value")).select_from(found)
    told = union_all(
        select(literal("who").label("what"), wanted.subquery().c.value),
        select(literal("number"), number.subquery().c.value),
    )
    rows = session.execute(told).all()
    if any(row.what == "number" and row.value > MOST for row in rows):
        return None
    return sorted((row.value for row in rows if row.what == "who"), reverse=True)
