"""What is asked for as a table: any number of beginnings in one statement, each with a few rows of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, Integer, Select, String, bindparam, collate, column, func, select

Kinds = Mapping[str, Any]  # the columns of such a table, each with its type


class Asked(NamedTuple):
    """A table of what is asked for, its columns by name, and what joins a few rows of its own to each row of it."""

    table: Any
    columns: Mapping[str, Any]
    each: Callable[[Select[Any]], Any]


def values(database: str, place: int, kinds: Kinds, rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """The values of the table's parameters, for each database in its own words; ``place`` tells tables apart."""
    if database == "sqlite":
        return {f"asked_{place}": json.dumps(rows, ensure_ascii=False)}
    return {f"{name}_{place}": [row[at] for row in rows] for at, name in enumerate(kinds)}


def from_list(place: int, kinds: Kinds) -> Asked:
    """SQLite joins rows that are other ones for each row as a list only."""
    given = bindparam(f"asked_{place}", type_=String)
    table = func.json_each(given).table_valued(column("value", String), name="asked")

    def each(few: Select[Any]) -> Any:
        some = few.correlate(table).subquery()
        listed = select(func.json_group_array(some.c.value)).scalar_subquery()
        return func.json_each(listed).table_valued(column("value", Integer), joins_implicitly=True, name="few")

    return Asked(table, {name: func.json_extract(table.c.value, f"$[{at}]") for at, name in enumerate(kinds)}, each)


def from_arrays(place: int, kinds: Kinds) -> Asked:
    """PostgreSQL is not shown how much is asked for: of a hundred beginnings it would rather walk through everybody."""
    given: list[Any] = [
        select(bindparam(f"{name}_{place}", type_=ARRAY(kind))).scalar_subquery() for name, kind in kinds.items()
    ]
    columns: Any = [column(name, kind) for name, kind in kinds.items()]
    table = func.unnest(*given).table_valued(*columns).render_derived(name="asked")

    def each(few: Select[Any]) -> Any:
        return few.correlate(table).lateral()

    return Asked(table, {name: _plain(table.c[name], kind) for name, kind in kinds.items()}, each)


def _plain(given: Any, kind: Any) -> Any:
    return collate(given, "C") if kind is String else given


SAID = {"sqlite": from_list, "postgresql": from_arrays}
