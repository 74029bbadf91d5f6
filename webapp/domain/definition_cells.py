"""One cell of a file of benefit definitions: what it says, or why it cannot be read."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from webapp.domain.benefit_dates import LAST_YEAR
from webapp.domain.benefit_definitions import handle_of, meta_of, tags_of
from webapp.domain.condition_reading import parse
from webapp.domain.errors import Refused
from webapp.domain.import_kinds import Cell, Column
from webapp.domain.import_rows import FIRST_YEAR, day_fault, end_fault, parsed_moment, shown

D = TypeVar("D", bound=date)
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_NUMBER, _DAY = re.compile("-?[0-9]{1,11}"), re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def paragraph(text: str) -> str:
    """Several lines of text as our forms keep them: trimmed, NFC, without signs that no page may hold."""
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    return _INVISIBLE.sub("", text).strip()


def _handle(text: str, _column: Column, _zone: ZoneInfo) -> str:
    return handle_of(text)


def _number(text: str, column: Column, _zone: ZoneInfo) -> int:
    least, most = column.within
    if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
        raise _refused(f"«{shown(text)}» is not a whole number from {least:,} to {most:,} in the digits 0 to 9.")
    return int(text)


def _hours(text: str, column: Column, zone: ZoneInfo) -> int | None:
    return _number(text, column, zone) or None


def _day(text: str, _column: Column, _zone: ZoneInfo) -> date:
    if not _DAY.fullmatch(text):
        raise _refused(f"«{shown(text)}» is not a day such as 2026-03-31.")
    if told := day_fault(text):
        raise _refused(told)
    return _within_years(date.fromisoformat(text), text)


def _instant(text: str, _column: Column, zone: ZoneInfo) -> datetime:
    found = parsed_moment(text, zone)
    if found is None:
        raise _refused(end_fault(text, zone))
    return _within_years(found.replace(microsecond=0), text)


def _within_years(found: D, text: str) -> D:
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise _refused(f"«{shown(text)}» is outside the years {FIRST_YEAR} to {LAST_YEAR}.")
    return found


def _tags(text: str, _column: Column, _zone: ZoneInfo) -> list[str] | None:
    """A list as our own files write it, or words with commas between them."""
    try:
        listed = json.loads(text) if text.startswith("[") else None
    except (ValueError, RecursionError):
        listed = None
    is_list = isinstance(listed, list) and all(isinstance(one, str) for one in listed)
    return tags_of(",".join(listed or ()) if is_list else text) or None


def _meta(text: str, _column: Column, _zone: ZoneInfo) -> dict[str, Any] | None:
    return meta_of(text) or None


def _condition(text: str, _column: Column, _zone: ZoneInfo) -> dict[str, Any] | None:
    return parse(text) or None


def _refused(sentence: str) -> Refused:
    return Refused("import.cell", sentence)


READERS: dict[Cell, Callable[[str, Column, ZoneInfo], Any]] = {
    Cell.HANDLE: _handle,
    Cell.NUMBER: _number,
    Cell.HOURS: _hours,
    Cell.DAY: _day,
    Cell.INSTANT: _instant,
    Cell.TAGS: _tags,
    Cell.META: _meta,
    Cell.CONDITION: _condition,
}
