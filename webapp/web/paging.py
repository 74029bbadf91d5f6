"""Reads page positions and searches from the address; nonsense is no position, never an error."""

from __future__ import annotations

from datetime import date

from flask import request

from webapp.domain.import_rows import clean
from webapp.domain.timing import listed_day
from webapp.queries.matching import MOST_COUNTED

MOST = 2**31 - 1


def number(name: str) -> int | None:
    """A row id or entry number from the query string, or None."""
    text = request.args.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST))):
        return None
    return min(int(text), MOST)


def counted(count: int) -> str:
    """A number on a tab, where counting stops at a thousand."""
    return f"{count:,}" if count <= MOST_COUNTED else f"{MOST_COUNTED:,}+"


def text(name: str, most: int = 120) -> str:
    """One line from the query string without invisible signs, which no text of ours has and PostgreSQL takes none of."""
    return clean(request.args.get(name, ""))[:most]


def day(name: str) -> date | None:
    """A day from the query string, or None."""
    return listed_day(request.args.get(name, ""))
