"""One cell of a file of rewards: what it says, or why it cannot be read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from webapp.domain import definition_cells
from webapp.domain.benefit_dates import LAST_YEAR
from webapp.domain.definition_cells import paragraph
from webapp.domain.errors import Refused
from webapp.domain.identity import RESERVED_NAMES, handle
from webapp.domain.import_kinds import Cell, Column
from webapp.domain.import_rows import FIRST_YEAR, clean, end_fault, parsed_moment, shown
from webapp.domain.rewards import MOST_MINOR, MOST_OF_ONE, MOST_PRIZES

LONGEST_TITLE = 120
_MIDNIGHT = re.compile("(?<=[0-9]{4}-[0-9]{2}-[0-9]{2})[T ]00:00(:00)?$")
# The days of those years, wherever on earth they begin and end.
_EARLIEST, _LATEST = datetime(FIRST_YEAR - 1, 12, 31, tzinfo=UTC), datetime(LAST_YEAR + 1, 1, 2, tzinfo=UTC)


def _name(text: str, _column: Column, _zone: ZoneInfo) -> str:
    plain = handle(text, "")
    if plain != text.lower():
        such = f", such as {plain}" if plain else ""
        raise _refused(f"«{shown(text)}» cannot be the name of a reward; use small letters, digits and dashes{such}.")
    if plain in RESERVED_NAMES:
        raise _refused(f"«{plain}» is a word of our own addresses; choose another name, such as {plain}-2.")
    return plain


def _bound(text: str, column: Column, zone: ZoneInfo) -> date | datetime:
    """A day of the site, which only the row names, or an instant. Workbooks tell a day as its midnight without a zone."""
    text = _MIDNIGHT.sub("", text)
    if len(text) == len("2026-03-31"):
        found: date = definition_cells.READERS[Cell.DAY](text, column, zone)
        return found
    moment = parsed_moment(text, zone)
    if moment is None:
        raise _refused(end_fault(text, zone))
    if not _EARLIEST <= moment <= _LATEST:
        raise _refused(f"«{shown(text)}» is outside the years {FIRST_YEAR} to {LAST_YEAR}.")
    return moment.replace(microsecond=0)


def _prizes(text: str, _column: Column, _zone: ZoneInfo) -> list[dict[str, Any]] | None:
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise _refused(f'«{shown(text)}» is no list of prizes such as [{{"title": "Mug", "quantity": 2}}].')
    if len(listed) > MOST_PRIZES:
        raise _refused(f"The list has {len(listed):,} prizes; at most {MOST_PRIZES:,} can be kept.")
    return [_prize(number, one) for number, one in enumerate(listed, 1)] or None


def _prize(number: int, told: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(told.keys() - {"title", "quantity", "value_minor"})
    if unknown:
        raise _refused(f"Prize {number:,} tells «{shown(unknown[0])}»; it can tell title, quantity and value_minor.")
    title, value = told.get("title"), told.get("value_minor")
    title = line(title) if isinstance(title, str) else ""
    if not title:
        raise _refused(f"Prize {number:,} has no title; write what it is, or leave it out.")
    if len(title) > LONGEST_TITLE:
        raise _refused(
            f"The title of prize {number:,} has {len(title):,} characters; at most {LONGEST_TITLE} can be kept."
        )
    quantity = 1 if told.get("quantity") is None else told["quantity"]
    if not _within(quantity, 1, MOST_OF_ONE):
        raise _refused(f"The quantity of prize {number:,} is not a whole number from 1 to {MOST_OF_ONE:,}.")
    if value is not None and not _within(value, 0, MOST_MINOR):
        raise _refused(f"The value_minor of prize {number:,} is not a whole number from 0 to {MOST_MINOR:,}.")
    return {"title": title, "quantity": quantity, "value_minor": value}


def line(text: str) -> str:
    """One line as the form keeps it: what no page may hold is taken out, blanks of every width stay."""
    plain = paragraph(text)
    is_tidy = "\n" not in plain and "".join(plain.split()) == "".join(clean(plain).split())
    return plain if is_tidy else clean(plain)


def _text(text: str, _column: Column, _zone: ZoneInfo) -> str:
    return line(text)


def _within(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _refused(sentence: str) -> Refused:
    return Refused("import.cell", sentence)


READERS: dict[Cell, Callable[[str, Column, ZoneInfo], Any]] = {
    Cell.NAME: _name,
    Cell.LINE: _text,
    Cell.BOUND: _bound,
    Cell.PRIZES: _prizes,
}
