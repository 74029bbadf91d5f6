"""Tiers, locations, types and sites in bulk: the rows of a file, put beside what is there, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from sqlalchemy import Table, delete, select, update
from sqlalchemy.exc import IntegrityError

from webapp.domain.table_rows import TableDraft
from webapp.models import Base, ImportChange
from webapp.services import bulk
from webapp.services.table_kinds import before, run_sql
from webapp.services.work import Work

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlainTable:
    """One table whose rows a file names by one column ``key``.

    ``values`` gives the columns a row says something about, ``empty`` those of a new one it does not; ``prepare`` is called
    before the changes, given as pairs of row and new values, are written; ``finish`` with each row changed and its old ones.
    """

    model: Any
    key: str
    values: Callable[[Work, Mapping[str, Any]], Values]
    empty: Values
    prepare: Callable[[Work, Sequence[tuple[Any, Values]]], None] | None = None
    finish: Callable[[Work, Any, Values], None] | None = None


def put(work: Work, table: PlainTable, drafts: Sequence[TableDraft], run_id: int) -> tuple[int, int]:
    """Create or change rows in one batch; gives (created, changed). The same rows again change nothing.

    An ``ImportChange`` is written for each row written, with an empty ``before`` for one that is new.
    """
    there = _there(work, table, drafts)
    fresh: list[tuple[Base, Values]] = []
    changed: list[tuple[Any, Values]] = []
    for draft in drafts:
        said = table.values(work, draft.values)
        row = there.get(draft.key[0])
        if row is None:
            stamps = {
                name: said.get(name) or work.now for name in ("created_at", "updated_at") if hasattr(table.model, name)
            }
            fresh.append((table.model(**(table.empty | said | {table.key: draft.key[0]} | stamps)), said))
        elif after := {
            name: value for name, value in said.items() if name != "created_at" and getattr(row, name) != value
        }:
            changed.append((row, after))
    notes = [(row, {name: getattr(row, name) for name in after}, after) for row, after in changed]
    if table.prepare:
        table.prepare(work, changed)
    for row, after in changed:
        become(work, row, after)
    work.session.flush()
    work.session.add_all(row for row, _ in fresh)
    work.session.flush()
    lines = [
        (row.id, _plain(old), _plain(new)) for row, old, new in [*((row, {}, said) for row, said in fresh), *notes]
    ]
    names = ("subject_id", "before", "after")
    bulk.insert_rows(work.session, cast(Table, ImportChange.__table__), names, lines, {"run_id": run_id})
    if table.finish:
        for row, old, _ in notes:
            table.finish(work, row, old)
    return len(fresh), len(notes)


def _there(work: Work, table: PlainTable, drafts: Sequence[TableDraft]) -> dict[str, Any]:
    column = getattr(table.model, table.key)
    wanted = select(table.model).where(column.in_([draft.key[0] for draft in drafts]))
    rows = work.session.scalars(wanted.execution_options(populate_existing=True))
    return {getattr(row, table.key): row for row in rows}


def become(work: Work, row: Any, values: Mapping[str, Any]) -> None:
    """Give a row other values."""
    for name, value in values.items():
        setattr(row, name, value)
    row.version += 1
    if hasattr(row, "updated_at"):
        row.updated_at = work.now


def _plain(values: Mapping[str, Any]) -> Values:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


def take_back(work: Work, table: PlainTable, change: ImportChange) -> str:
    """A new row goes unless anything refers to it; a changed one becomes what it was unless somebody changed it since."""
    found = work.session.get(table.model, change.subject_id, populate_existing=True)
    if found is None:
        return ""
    called = f"«{found.title}» ({getattr(found, table.key)})"
    after = {name: value for name, value in change.after.items() if name != "created_at"}
    if _plain({name: getattr(found, name) for name in after}) != after:
        return f"{called} was changed since."
    model = table.model
    try:
        with work.session.begin_nested():
            if change.before:
                values = before(change) | {"version": model.version + 1}
                run_sql(work, update(model).where(model.id == found.id).values(values))
                if table.finish:
                    table.finish(work, found, change.after)
            else:
                run_sql(work, delete(model).where(model.id == found.id))
    except IntegrityError:
        return f"{called} is used, or what it had is another's now."
    work.session.expunge(found)
    return ""
