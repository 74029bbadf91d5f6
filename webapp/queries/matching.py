"""What both databases are asked in their own words: how a text begins, being one of many, a moment as text."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    any_,
    cast,
    false,
    func,
    literal,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import InstrumentedAttribute, Session

from webapp.models.base import Utc

LAST = "\U0010ffff"
Text = InstrumentedAttribute[str] | InstrumentedAttribute[str | None]


def begins(column: Text, text: str) -> ColumnElement[bool]:
    """Whether ``column``, made with ``models.base.key``, begins with ``text``; no sign of it is a wildcard."""
    return and_(column >= text, column < text + LAST)


def among(session: Session, column: Text, values: Collection[str]) -> ColumnElement[bool]:
    """Whether ``column`` is one of ``values``, which travel as one parameter: a list of 2,000 costs a fifth."""
    if session.get_bind().dialect.name == "sqlite":
        listed = func.json_each(json.dumps(list(values), ensure_ascii=False)).table_valued("value")
        return column.in_(select(listed.c.value))
    return column == any_(literal(list(values), ARRAY(String)))


def among_ids(
    session: Session, column: InstrumentedAttribute[int] | InstrumentedAttribute[int | None], ids: Collection[int]
) -> ColumnElement[bool]:
    """Whether ``column`` is one of ``ids``, which travel as one parameter."""
    if session.get_bind().dialect.name == "sqlite":
        listed = func.json_each(json.dumps(list(ids))).table_valued("value")
        return column.in_(select(listed.c.value))
    return column == any_(literal(list(ids), ARRAY(Integer)))


def aside(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The same condition, as one that a database answers for a row it has: it looks for no index that may serve."""
    return func.coalesce(condition, false())


def keyed(moments: Mapping[str, datetime]) -> str:
    """What ``by_key`` looks into."""
    return json.dumps({name: f"{at:%Y-%m-%d %H:%M:%S.%f}" for name, at in moments.items()})


def by_key(session: Session, moments: str, key: Text) -> ColumnElement[datetime]:
    """The one of the ``keyed`` moments that ``key`` names, null where it names none; they travel as one parameter."""
    told = literal(moments)
    if session.get_bind().dialect.name == "sqlite":
        return func.json_extract(told, literal('$."') + key + '"', type_=Utc)
    read_once = select(cast(told, JSONB)).scalar_subquery()
    return cast(read_once[key].as_string().concat("Z"), Utc)


def has_word(session: Session, column: InstrumentedAttribute[str], text: str) -> ColumnElement[bool]:
    """Whether a later word of folded ``column`` begins with ``text``: a plain look through, four times as quick as LIKE."""
    look = func.instr if session.get_bind().dialect.name == "sqlite" else func.strpos
    return look(column, f" {text}") > 0


def newest_of(
    session: Session, parts: Sequence[Select[Any]], before: int | None, size: int, most: int
) -> list[int] | None:
    """The highest ``size`` of the numbers that ``parts`` find, of those below ``before``; one statement.

    Each part says one way to find some, through an index. None when they find more than ``most`` together.
    """
    limited = [part.limit(most + 1).subquery() for part in parts]
    every = union_all(*(select(next(iter(part.c)).label("value")) for part in limited)).subquery()
    found = select(every.c.value).limit(most + 1).cte("found")
    wanted = select(found.c.value).distinct().order_by(found.c.value.desc()).limit(size)
    if before is not None:
        wanted = wanted.where(found.c.value < before)
    number = select(func.count().label("value")).select_from(found)
    told = union_all(
        select(literal("wanted").label("what"), wanted.subquery().c.value),
        select(literal("number"), number.subquery().c.value),
    )
    rows = session.execute(told).all()
    if any(row.what == "number" and row.value > most for row in rows):
        return None
    return sorted((row.value for row in rows if row.what == "wanted"), reverse=True)


MOST_COUNTED = 1_000


def few(*parts: Select[Any]) -> Select[Any]:
    """How many rows each of ``parts`` has, in one statement; none is counted beyond ``MOST_COUNTED`` + 1.

    The number on a tab must not cost more than the list below it.
    """
    limited = (part.limit(MOST_COUNTED + 1).subquery() for part in parts)
    return select(*(select(func.count()).select_from(part).scalar_subquery() for part in limited))


def iso(session: Session, column: Any) -> ColumnElement[str]:
    """A moment as text, ISO 8601 in UTC: what an export needs, without an object in between for each of a million."""
    if session.get_bind().dialect.name == "sqlite":
        stored = func.replace(type_coerce(column, String), " ", "T")
    else:
        stored = func.to_char(func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS.US')
    return func.replace(stored, ".000000", "").concat("Z")


def seconds_between(session: Session, later: Any, earlier: Any) -> ColumnElement[int]:
    """Whole seconds from one moment to another; null when either is."""
    if session.get_bind().dialect.name == "sqlite":
        later, earlier = (type_coerce(one, String) for one in (later, earlier))
        return func.unixepoch(later, type_=Integer) - func.unixepoch(earlier, type_=Integer)
    return func.floor(func.extract("epoch", later - earlier), type_=Integer)
