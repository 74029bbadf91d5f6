"""Text that begins with something, as a range that an index serves on both databases."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import InstrumentedAttribute

_LAST = "\U0010ffff"


def begins(column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None], text: str) -> ColumnElement[bool]:
    """Whether ``column``, made with ``models.base.key``, begins with ``text``; no sign of it is a wildcard."""
    return and_(column >= text, column < text + _LAST)
