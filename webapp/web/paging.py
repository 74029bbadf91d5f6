"""Reads page positions from the address; nonsense is no position, never an error."""

from __future__ import annotations

from flask import request

MOST = 2**31 - 1


def number(name: str) -> int | None:
    """A row id or entry number from the query string, or None."""
    text = request.args.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST))):
        return None
    return min(int(text), MOST)
