"""One row of an upload: a draft that can be imported, or everything that is wrong with it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from webapp.domain import exports, profiles
from webapp.domain.entries import MAX_TICKETS

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
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
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
    if text.isascii() and text.isprintable():
        return text.strip()
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    return " ".join(text.split()) if not text.isprintable() else text.strip()


def shown(text: str) -> str:
    """A value as a sentence quotes it: one line, cut when long."""
    text = clean(text)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


@dataclass(slots=True)
class RowRules:
    """Judges rows of one file: which value stands where, in which ``zone`` a bare time is read, and what «now» is.

    ``now`` is the moment of the upload, so that a check and an import of the same file always agree.
    ``with_entry`` is False for a file of people.
    """

    headings: Sequence[str]
    mapping: Mapping[str, str]
    zone: str
    now: datetime
    with_entry: bool = True
    cleaned: int = 0
    _at: dict[str, int] = field(init=False)
    _zone: ZoneInfo = field(init=False)
    _domains: dict[str, bool] = field(init=False, default_factory=dict)
    _faults: list[Fault] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._at = {name: self.headings.index(heading) for name, heading in self.mapping.items()}
        self._zone = ZoneInfo(self.zone)

    def judge(self, line: int, values: Sequence[str]) -> Draft | list[Fault]:
        """The draft of a good row, or all its faults. ``values`` are the cells as they stand in the file."""
        self._faults = []
        if len(values) != len(self.headings):
            return [self._wrong_length(values)]
        external_id = self._text(values, "external_id")
        email = self._address(values)
        if not external_id and not email:
            self._nobody(values)
        draft = Draft(
            line,
            external_id,
            email,
            profiles.email_key(email) if email else "",
            self._text(values, "first_name"),
            self._text(values, "last_name"),
            self._text(values, "phone"),
            self._text(values, "postcode"),
            self._text(values, "store"),
            self._moment(values) if self.with_entry else self.now,
            self._text(values, "receipt"),
            self._tickets(values) if self.with_entry else 1,
        )
        return self._faults or draft

    def _wrong_length(self, values: Sequence[str]) -> Fault:
        wanted, got = len(self.headings), len(values)
        hint = "a delimiter inside a value needs quotation marks" if got > wanted else "some are missing at its end"
        return Fault("", f"{got} values", f"The row has {got} values where the heading has {wanted}: {hint}.")

    def _fault(self, column: str, value: str, reason: str) -> None:
        self._faults.append(Fault(column, value, reason))

    def _text(self, values: Sequence[str], name: str) -> str:
        at = self._at.get(name)
        if at is None:
            return ""
        raw = values[at]
        if not raw:
            return ""
        if raw[0] == "'":
            raw = exports.unguard(raw)
        text = raw.strip() if raw.isascii() and raw.isprintable() else self._cleaned(raw)
        if len(text) > LENGTHS[name]:
            self._fault(name, raw, f"The value has {len(text):,} characters; at most {LENGTHS[name]} can be kept.")
        return text

    def _cleaned(self, raw: str) -> str:
        if not raw.isprintable():
            self.cleaned += 1
        return clean(raw)

    def _address(self, values: Sequence[str]) -> str:
        """The e-mail as written, or an empty text when it is no address."""
        at = self._at.get("email")
        text = clean(exports.unguard(values[at])) if at is not None else ""
        if not text:
            return ""
        if not text.isascii():
            return text if profiles.is_address(text) else ""
        local, _, domain = text.rpartition("@")
        known = self._domains.get(domain)
        if known is None:
            # Files repeat a few thousand domains; judging each once is what keeps a million rows quick.
            known = self._domains[domain] = profiles.is_address(f"a@{domain}")
        return text if known and len(text) <= profiles.LONGEST_ADDRESS and profiles.is_local(local) else ""

    def _nobody(self, values: Sequence[str]) -> None:
        at = self._at.get("email")
        typed = shown(values[at]) if at is not None else ""
        if typed:
            self._fault(
                "email", typed, f"«{typed}» is not an e-mail address and the row has no member id, so nobody is named."
            )
        else:
            column = "email" if at is not None else "external_id"
            self._fault(column, "", "The row has neither a member id nor an e-mail, so nobody is named.")

    def _tickets(self, values: Sequence[str]) -> int:
        at = self._at.get("tickets")
        if at is None:
            return 1
        raw = values[at]
        number = int(raw) if _NUMBER.fullmatch(raw) else self._number(raw)
        if not 1 <= number <= MAX_TICKETS:
            typed = shown(raw)
            seen = f"«{typed}» is not" if typed else "The value is empty; it must be"
            self._fault("tickets", typed, f"{seen} a whole number from 1 to {MAX_TICKETS:,} in the digits 0 to 9.")
        return number

    @staticmethod
    def _number(raw: str) -> int:
        text = raw.strip()
        return int(text) if _NUMBER.fullmatch(text) else 0

    def _moment(self, values: Sequence[str]) -> datetime:
        raw = values[self._at["entered_at"]].strip()
        moment = self._parsed(raw) if _MOMENT.fullmatch(raw) else None
        if moment is None:
            self._fault("entered_at", shown(raw), _not_a_moment(shown(raw)))
            return self.now
        if moment > self.now:
            said = f"{self.now:%Y-%m-%d %H:%M} UTC"
            self._fault(
                "entered_at", shown(raw), f"«{shown(raw)}» lies in the future: the file was uploaded at {said}."
            )
        elif moment.year < FIRST_YEAR:
            self._fault("entered_at", shown(raw), f"«{shown(raw)}» lies before the year {FIRST_YEAR}.")
        return moment

    def _parsed(self, raw: str) -> datetime | None:
        try:
            moment = datetime.fromisoformat(raw.upper().replace(",", "."))
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=self._zone)
            return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            return None


def _not_a_moment(typed: str) -> str:
    if not typed:
        return "The value is empty; write when the entry was made, such as 2026-03-31T18:05:00+01:00."
    if _SHORT_YEAR.fullmatch(typed):
        return f"«{typed}» has a year of two digits; write the year in full, such as 2026-03-31T18:05:00."
    if _DAY_ONLY.fullmatch(typed):
        return f"«{typed}» has no time of day; write it as {typed}T18:05:00."
    return f"«{typed}» is not an ISO date and time such as 2026-03-31T18:05:00+01:00."
