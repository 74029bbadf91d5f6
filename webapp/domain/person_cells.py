"""One cell of a file of people: what it says, or why it cannot be read; and how our own files write lists."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from webapp.domain import people as rules
from webapp.domain import profiles, timing
from webapp.domain.errors import Refused
from webapp.domain.exports import unguard
from webapp.domain.import_rows import day_fault, end_fault, parsed_moment, shown
from webapp.domain.people import FIRST_BIRTH_YEAR, Gender
from webapp.domain.sites import checked_zone

LAST_YEAR = 2200
MOST_KEPT = 20_000  # different texts of one column whose reading is remembered
_BREAKS = re.compile(r"[\t-\r]+")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_WHOLE = re.compile("[0-9]{1,4}")
_INTEGER = re.compile("[+-]?[0-9]+")
_BIRTHS = {
    "birth_day": ("day", "1 to 31"),
    "birth_month": ("month", "1 to 12"),
    "birth_year": ("year", f"{FIRST_BIRTH_YEAR} to that of the upload"),
}
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_GENDERS = {gender.value: gender.value for gender in Gender} | {
    "f": Gender.FEMALE.value, "m": Gender.MALE.value, "witheld": Gender.WITHHELD.value, "unknown": Gender.UNKNOWN.value,
}  # fmt: skip


class Wrong(NamedTuple):
    """What a cell that cannot be read holds instead of a value: the text seen, and one sentence."""

    text: str
    reason: str


class Reader(dict[str, Any]):
    """Reads every different text of a column once; files repeat most of them."""

    def __init__(self, read: Callable[[str], Any]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, cell: str) -> Any:
        if len(self) >= MOST_KEPT:
            self.clear()
        text = tidy(unguard(cell))
        try:
            found = self._read(text)
        except Refused as refusal:
            found = Wrong(shown(text), refusal.message)
        self[cell] = found
        return found


def tidy(text: str) -> str:
    """One line of text as our forms keep it: trimmed, NFC, line ends as blanks, invisible signs taken out."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if not text.isprintable():
        text = _BREAKS.sub(" ", _INVISIBLE.sub("", text))
    return text.strip()


def tidied(cells: Sequence[str]) -> Sequence[str]:
    """The texts of a column; most need one look as a whole."""
    whole = "".join(cells)
    is_normal = whole.isascii() or unicodedata.is_normalized("NFC", whole)
    if is_normal and whole.isprintable() and "'" not in whole:
        return [cell.strip() for cell in cells] if " " in whole else cells
    return [tidy(unguard(cell)) for cell in cells]


def refused(reason: str) -> Refused:
    """Why one cell cannot be read."""
    return Refused("import.cell", reason)


def birth_part(text: str, name: str) -> int | None:
    """A day, month or year of birth, as ``name`` says; whether the three go together is seen later."""
    if text and not _WHOLE.fullmatch(text):
        noun, those = _BIRTHS[name]
        if _INTEGER.fullmatch(text):
            raise refused(f"«{shown(text)}» cannot be a {noun} of birth, which is one of {those}.")
        raise refused(
            f"«{shown(text)}» is not a whole number in the digits 0 to 9, as a {noun} of birth is: one of {those}."
        )
    return int(text) if text else None


def birthday(parts: tuple[int | None, int | None, int | None], today: date) -> str:
    """Why these cannot be the parts of one birthday; empty when they can."""
    try:
        rules.check_birth(*parts, today)
    except Refused as refusal:
        return refusal.message
    return ""


def gender(text: str) -> str:
    """As conditions name it, in any case, or its first letter; the bare value, which crosses between processes."""
    found = _GENDERS.get(text.casefold())
    if found is None:
        raise refused(f"«{shown(text)}» is none of: female, male, other, withheld.")
    return found


def zone(text: str) -> str:
    """A zone of the tz database in its own spelling."""
    return checked_zone(text) if text else ""


def moment(text: str, where: ZoneInfo) -> datetime | None:
    """An ISO moment in UTC, or the beginning of a day in ``where``; from 1900 to 2200."""
    if not text:
        return None
    found = parsed_moment(text, where)
    if found is None and _DAY.fullmatch(text):
        if told := day_fault(text):
            raise refused(told)
        found = _day_starts(date.fromisoformat(text), where)
    elif found is None:
        raise refused(_no_moment(text, where))
    if found is None or not FIRST_BIRTH_YEAR <= found.year <= LAST_YEAR:
        raise refused(
            f"«{shown(text)}» lies outside the years {FIRST_BIRTH_YEAR} to {LAST_YEAR} in UTC, which can be kept."
        )
    return found


def _day_starts(day: date, where: ZoneInfo) -> datetime | None:
    """When the day begins in ``where``; None for days at the ends of the calendar."""
    return timing.day_starts(day, where.key) if FIRST_BIRTH_YEAR <= day.year <= LAST_YEAR else None


def _no_moment(text: str, where: ZoneInfo) -> str:
    """Why a text that is no day is no moment either."""
    told = end_fault(text, where)
    return told.replace("an ISO date and time such as", "an ISO day or moment such as 2026-03-31 or")


def past(text: str, where: ZoneInfo, now: datetime) -> datetime | None:
    """The same, of something that has happened."""
    found = moment(text, where)
    if found is not None and found > now:
        raise refused(
            f"«{shown(text)}» lies in the future: the file was uploaded at {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC."
        )
    return found


def known(text: str, there: Mapping[str, int], noun: str) -> int | None:
    """The id of what is named; empty for nothing."""
    if text and text not in there:
        raise refused(f"There is no {noun} «{shown(text)}».")
    return there[text] if text else None


def are_addresses(texts: Sequence[str], domains: dict[str, bool]) -> bool:
    """Whether ``is_address`` holds for each of ``texts`` that is not empty, told by one look; False where it cannot be."""
    whole = "\n".join(filter(None, texts))
    if not whole or not whole.isascii() or not profiles.are_locals(whole):
        return not whole
    found = {text.rpartition("@")[2] for text in texts if text}
    return all(is_address(f"a@{domain}", domains) for domain in found) and (
        max(map(len, texts)) <= profiles.LONGEST_ADDRESS
    )


def is_address(text: str, domains: dict[str, bool]) -> bool:
    """Whether this is an e-mail address; ``domains`` remembers what was judged, as files repeat a few thousand."""
    if not text.isascii():
        return profiles.is_address(text)
    local, _, domain = text.rpartition("@")
    found = domains.get(domain)
    if found is None:
        found = domains[domain] = profiles.is_address(f"a@{domain}")
    return found and len(text) <= profiles.LONGEST_ADDRESS and profiles.is_local(local)
