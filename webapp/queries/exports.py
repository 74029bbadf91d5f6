"""Reads of the exports that were taken, and a list walked to its end page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy import Executable, Row, select
from sqlalchemy.orm import Session

from webapp.models import ExportRun

PAGE = 50
WALKED = 1_000  # rows of a page when a list is walked


class _Numbered(Protocol):
    @property
    def id(self) -> int: ...


T = TypeVar("T", bound=_Numbered)


@dataclass(frozen=True, slots=True)
class TakenRow:
    """One line of the list of exports; ``row_count`` is None when the reader went away before the end."""

    id: int
    kind: str
    media: str
    filters: dict[str, Any]
    reason: str
    row_count: int | None
    created_at: datetime
    created_by: str


def page(session: Session, *, before: int | None = None, size: int = PAGE) -> list[TakenRow]:
    """Exports, the newest first, one more than ``size`` when there are further ones; ``before`` is the last id seen."""
    columns = [getattr(ExportRun, name) for name in TakenRow.__dataclass_fields__]
    statement = select(*columns).order_by(ExportRun.id.desc()).limit(size + 1)
    if before is not None:
        statement = statement.where(ExportRun.id < before)
    return [TakenRow(*row) for row in session.execute(statement)]


def walk(turn: Callable[[int | None], list[T]], size: int = WALKED) -> Iterator[T]:
    """Every row of a list: ``turn`` gives the page after the row with this id, one more than ``size`` if there is more."""
    last: int | None = None
    while rows := turn(last):
        yield from rows[:size]
        if len(rows) <= size:
            return
        last = rows[size - 1].id


def flow(session: Session, statement: Executable, size: int = WALKED) -> Iterator[Row[Any]]:
    """The rows of ``statement``, ``size`` in memory at a time; the database's cursor is closed however reading ends."""
    with session.connection().execute(statement.execution_options(yield_per=size)) as found:
        for part in found.partitions():
            yield from part


EXPORT = ("id", "kind", "media", "filters", "reason", "row_count", "created_at", "created_by")


def stream(session: Session) -> Iterator[tuple[object, ...]]:
    """Every export as ``EXPORT`` names it, the newest first."""
    for row in walk(lambda last: page(session, before=last, size=WALKED)):
        number, kind, media, filters, *rest = astuple(row)
        yield number, kind, media, ", ".join(f"{name}={value}" for name, value in filters.items()), *rest
