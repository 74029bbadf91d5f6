"""One row of an upload: a draft that can be imported, or everything that is wrong with it."""

from __future__ import annotations

import re
import unicodedata
from calendar import month_name, monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import itemgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from webapp.domain import exports, profiles
from webapp.domain.entries import MAX_TICKETS
from webapp.domain.plurals import plural

FIRST_YEAR = 2000
LENGTHS = {
    "external_id": 64,
    "first_name": 120,
    "last_name": 120,
    "phone": 40,
    "postcode": 20,
    "store": 64,
    "receipt": 64,
}
_PICKED = (*LENGTHS, "email", "entered_at", "tickets")
_SHORTEST_LIMIT = min(LENGTHS.values())
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
_CLOCK = re.compile("[0-9]{2}:[0-9]{2}(?::[0-9]{2})?")
_SHORT_YEAR = re.compile(r"[0-9]{1,2}[-./ ][0-9]{1,2}[-./ ][0-9]{2}(?:[ T,].*)?", re.DOTALL)
_DAY_ONLY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"0*[0-9]{1,7}")
# Control signs, marks that change the writing direction, and halves of a sign that lost the other half.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_SHOWN = 60


class Draft(NamedTuple):
    """A good row. ``email_key`` is empty without a usable address; ``entered_at`` is UTC."""

    line: int
    external_id: str
    email: str
    email_key: str
    first_name: str
    last_name: str
    phone: str
    postcode: str
    store: str
    entered_at: datetime
    receipt: str
    tickets: int


class Fault(NamedTuple):
    """One thing wrong with a row: our column (empty for the row as a whole), the value seen, one sentence."""

    column: str
    value: str
    reason: str


def clean(text: str) -> str:
    """One line of text: trimmed, NFC, line ends as blanks, invisible signs taken out."""
    if text.isprintable():  # then none of those signs is in it
        return text.strip() if text.isascii() else unicodedata.normalize("NFC", text).strip()
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    return " ".join(text.split())


def shown(text: str) -> str:
    """A value as a sentence quotes it: one line, cut when long."""
    text = clean(text)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


@dataclass(slots=True)
class RowRules:
    """Judges rows of one file: which value stands where, in which ``zone`` a bare time is read, and what «now» is.

    ``now`` is the moment of the upload, so that a check and an import of the same file always agree.
    """

    headings: Sequence[str]
    mapping: Mapping[str, str]
    zone: str
    now: datetime
    cleaned: int = 0
    _at: dict[str, int] = field(init=False)
    _pick: Callable[[Sequence[str]], Sequence[str]] = field(init=False)
    _zone: ZoneInfo = field(init=False)
    _domains: dict[str, bool] = field(init=False, default_factory=dict)
    _faults: list[Fault] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._at = {name: self.headings.index(heading) for name, heading in self.mapping.items()}
        nowhere = len(self.headings)  # one empty cell is put behind the row for what the file does not tell
        self._pick = itemgetter(*(self._at.get(name, nowhere) for name in _PICKED))
        self._zone = ZoneInfo(self.zone)

    def judge(self, line: int, values: Sequence[str]) -> Draft | list[Fault]:
        """The draft of a good row, or all its faults. ``values`` are the cells as they stand in the file."""
        self._faults = []
        if len(values) != len(self.headings):
            return [wrong_length(values, len(self.headings))]
        picked = self._pick(self._prepared(values))
        external_id, first_name, last_name, phone, postcode, store, receipt, email, moment, tickets = picked
        if max(map(len, picked[: len(LENGTHS)])) > _SHORTEST_LIMIT:
            self._check_lengths(picked)
        if email and not self._is_address(email):
            self._check_named(external_id, email)
            email = ""
        elif not email:
            self._check_named(external_id, "")
        key = profiles.email_key(email) if email else ""
        person = (line, external_id, email, key, first_name, last_name, phone, postcode)
        # What ``Draft(…)`` does, without its own function of Python in between.
        draft = tuple.__new__(Draft, (*person, store, self._moment(moment), receipt, self._tickets(tickets)))
        return self._faults or draft

    def _prepared(self, values: Sequence[str]) -> list[str]:
        """The cells trimmed, NFC, without invisible signs and our own guard; most rows need one look as a whole."""
        whole = "".join(values)
        if not whole.isprintable():
            return self._cleaned(values)
        if "'" in whole:
            values = [exports.unguard(value) for value in values]
        if not whole.isascii() and not unicodedata.is_normalized("NFC", whole):
            values = [unicodedata.normalize("NFC", value) for value in values]
        if " " in whole:  # the one blank that is printable
            values = [value.strip() for value in values]
        return [*values, ""]

    def _cleaned(self, values: Sequence[str]) -> list[str]:
        found = [clean(exports.unguard(value)) for value in values]
        self.cleaned += sum(not value.isprintable() for value in values)
        for name in ("entered_at", "tickets"):  # these are read as they stand: nothing is mended in a number
            if name in self._at:
                found[self._at[name]] = values[self._at[name]].strip()
        return [*found, ""]

    def _fault(self, column: str, value: str, reason: str) -> None:
        self._faults.append(Fault(column, value, reason))

    def _check_lengths(self, picked: Sequence[str]) -> None:
        for (name, length), text in zip(LENGTHS.items(), picked, strict=False):
            if len(text) > length:
                self._fault(name, text, f"The value has {len(text):,} characters; at most {length} can be kept.")

    def _is_address(self, text: str) -> bool:
        if not text.isascii():
            return profiles.is_address(text)
        local, _, domain = text.rpartition("@")
        known = self._domains.get(domain)
        if known is None:
            # Files repeat a few thousand domains; judging each once is what keeps a million rows quick.
            known = self._domains[domain] = profiles.is_address(f"a@{domain}")
        return known and len(text) <= profiles.LONGEST_ADDRESS and profiles.is_local(local)

    def _check_named(self, external_id: str, typed: str) -> None:
        """Somebody must be named: by a member id when there is no address, or what stands there is none."""
        if external_id:
            return
        if typed:
            reason = f"«{shown(typed)}» is not an e-mail address and the row has no member id, so nobody is named."
            self._fault("email", shown(typed), reason)
        else:
            column = "email" if "email" in self._at else "external_id"
            self._fault(column, "", "The row has neither a member id nor an e-mail, so nobody is named.")

    def _tickets(self, text: str) -> int:
        if text == "1" or "tickets" not in self._at:
            return 1
        number = int(text) if _NUMBER.fullmatch(text) else 0
        if not 1 <= number <= MAX_TICKETS:
            typed = shown(text)
            seen = f"«{typed}» is not" if typed else "The value is empty; it must be"
            self._fault("tickets", typed, f"{seen} a whole number from 1 to {MAX_TICKETS:,} in the digits 0 to 9.")
        return number

    def _moment(self, text: str) -> datetime:
        moment = parsed_moment(text, self._zone)
        if moment is not None and moment.year >= FIRST_YEAR and moment <= self.now:
            return moment
        self._fault("entered_at", shown(text), moment_fault(text, self._zone, self.now))
        return self.now


def wrong_length(values: Sequence[str], wanted: int) -> Fault:
    """Why a row with more or fewer values than the heading is bad."""
    got = plural(len(values), "value")
    hint = "a delimiter inside a value needs quotation marks" if len(values) > wanted else "some are missing at its end"
    return Fault("", got, f"The row has {got} where the heading has {wanted}: {hint}.")


def parsed_moment(text: str, zone: ZoneInfo) -> datetime | None:
    """The ISO moment in UTC, read in ``zone`` when it names none; None when it is none."""
    if not _MOMENT.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text.upper() if text[-1] == "z" else text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def moment_fault(text: str, zone: ZoneInfo, now: datetime) -> str:
    """Why ``text`` cannot be the moment of something that has happened by ``now``; empty when it can."""
    moment, typed = parsed_moment(text, zone), shown(text)
    if moment is None:
        return _not_a_moment(typed)
    if moment > now:
        return f"«{typed}» lies in the future: the file was uploaded at {now:%Y-%m-%d %H:%M} UTC."
    return (
        f"«{typed}» lies before the year {FIRST_YEAR}, the first of which a moment can be kept."
        if moment.year < FIRST_YEAR
        else ""
    )


def end_fault(text: str, zone: ZoneInfo) -> str:
    """Why ``text`` cannot be the moment at which something ends, past or to come; empty when it can."""
    return "" if parsed_moment(text, zone) else _not_a_moment(shown(text))


def _not_a_moment(typed: str) -> str:
    if not typed:
        return "The value is empty; write when the entry was made, such as 2026-03-31T18:05:00+01:00."
    if _SHORT_YEAR.fullmatch(typed):
        return f"«{typed}» has a year of two digits; write the year in full, such as 2026-03-31T18:05:00."
    if _DAY_ONLY.fullmatch(typed):
        return day_fault(typed) or f"«{typed}» has no time of day; write it as {typed}T18:05:00."
    if _MOMENT.fullmatch(typed):
        return day_fault(typed) or _time_fault(typed)
    return f"«{typed}» is not an ISO date and time such as 2026-03-31T18:05:00+01:00."


def day_fault(typed: str) -> str:
    """Why the calendar has no day as ``typed``, which is written as an ISO day or moment, begins with; empty when it has."""
    year, month, day = (int(part) for part in typed[:10].split("-"))
    if not year:
        return f"«{typed}» is in no year: the first is 0001."
    if not 1 <= month <= 12:
        return f"«{typed}» is in no month: there are the months 01 to 12, not {month:02}."
    last = monthrange(year, month)[1]
    told = f"{month_name[month]} {year} has the days 01 to {last}, not {day:02}"
    return "" if 1 <= day <= last else f"«{typed}» is no day of the calendar: {told}."


def _time_fault(typed: str) -> str:
    """The same of a moment whose day there is."""
    try:
        datetime.fromisoformat(typed[:10] + "T" + "".join(_CLOCK.findall(typed[11:])[:1]))
    except ValueError:
        return f"«{typed}» has a time of day there is not: the hours are 00 to 23, minutes and seconds 00 to 59."
    try:
        datetime.fromisoformat(typed.upper())
    except ValueError:
        return f"«{typed}» is as far from UTC as no place: write an offset from -23:59 to +23:59."
    return f"«{typed}» lies outside the years 0001 to 9999 in UTC."
