"""A file of codes that others made: which column is what, what a row says or why it is bad, and how it is taken back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from webapp.domain import vouchers as rules
from webapp.domain.errors import Refused
from webapp.domain.exports import unguard
from webapp.domain.import_rows import FIRST_YEAR, clean, parsed_moment, shown, wrong_length
from webapp.domain.imports import heading_key
from webapp.domain.timing import day_ends, day_starts
from webapp.domain.verdicts import Reason, Verdict, all_of
from webapp.domain.voucher_codes import masked, normalise
from webapp.domain.vouchers import VoucherStatus

MOST_ROWS = 10_000
MOST_SHOWN = 200  # problems that are kept and shown
COLUMNS = {
    "code": ("code", "vouchercode", "couponcode"),
    "valid_from": ("validfrom", "from", "startson"),
    "valid_until": ("validuntil", "validto", "until", "expires", "expireson"),
    "member_id": ("memberid", "reservedfor", "externalid"),
    "value": ("value", "amount"),
}
# A workbook writes a day as its first instant.
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T00:00:00)?")
_AMOUNT = re.compile(r"([0-9]{1,9})(?:[.,]([0-9]{1,2}))?")
Problem = tuple[int, str, str]  # physical line, the code masked, the reason


@dataclass(frozen=True, slots=True)
class GivenCode:
    """A good row: good from ``valid_from`` on and before ``valid_until``, kept for ``member_id`` unless that is empty."""

    line: int
    code: str
    valid_from: datetime | None
    valid_until: datetime | None
    member_id: str
    value_minor: int | None


def columns_of(headings: Sequence[str]) -> dict[str, int]:
    """Where each of our columns stands; ``Refused`` without one of codes, or when two headings mean the same."""
    found: dict[str, int] = {}
    for place, heading in enumerate(headings):
        name = next((name for name, words in COLUMNS.items() if heading_key(heading) in words), None)
        if name in found:
            raise Refused(
                "upload.column_twice",
                f"«{shown(headings[found[name]])}» and «{shown(heading)}» mean the same; keep one of them.",
                "file",
            )
        if name is not None:
            found[name] = place
    if "code" not in found:
        raise Refused(
            "upload.no_code",
            f"No column is called «Code»; the file has: {shown(', '.join(headings))}.",
            "file",
        )
    return found


def require_size(count: int) -> None:
    """``Refused`` for more rows than one upload may have."""
    if count > MOST_ROWS:
        raise Refused(
            "upload.many", f"The file has {count:,} rows; at most {MOST_ROWS:,} are taken at once, so split it.", "file"
        )


@dataclass(slots=True)
class CodeRules:
    """Judges the rows of one file: days are those of ``zone``, ``currency`` is that of the voucher type."""

    headings: Sequence[str]
    zone: str
    currency: str
    now: datetime
    _at: dict[str, int] = field(init=False)
    _lines: dict[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._at = columns_of(self.headings)

    def judge(self, line: int, values: Sequence[str]) -> GivenCode:
        """The row; raises ``Refused`` with what is wrong with it, a code met before in the file with ``upload.twice``."""
        if len(values) != len(self.headings):
            raise Refused("upload.row", wrong_length(values, len(self.headings)).reason)
        cells = {name: clean(unguard(values[place])) for name, place in self._at.items()}
        if not cells["code"]:
            raise Refused("upload.empty", "The row has no code.")
        code = rules.uploaded_code(cells["code"])
        first = self._lines.setdefault(normalise(code), line)
        if first != line:
            raise Refused("upload.twice", f"The code stands on line {first:,} already.")
        return GivenCode(
            line, code, *self._span(cells), _member(cells.get("member_id", "")), self._value(cells.get("value", ""))
        )

    def _span(self, cells: dict[str, str]) -> tuple[datetime | None, datetime | None]:
        since = self._moment(cells.get("valid_from", ""), is_end=False)
        until = self._moment(cells.get("valid_until", ""), is_end=True)
        if until is not None and until <= self.now:
            raise Refused("upload.over", f"«{cells['valid_until']}» is over, so nobody could be given the code.")
        if since and until and until <= since:
            raise Refused(
                "upload.span", f"It would end («{cells['valid_until']}») before it begins («{cells['valid_from']}»)."
            )
        return since, until

    def _moment(self, text: str, *, is_end: bool) -> datetime | None:
        """A local day, the last of which counts whole, or a moment with its time."""
        if not text:
            return None
        moment = parsed_moment(text, ZoneInfo(self.zone))
        if found := _DAY.fullmatch(text):
            moment = self._bound(found[1], is_end=is_end)
        if moment is None or not FIRST_YEAR <= moment.year <= rules.LAST_YEAR:
            raise Refused("upload.moment", f"«{shown(text)}» is not a day such as 2026-03-31, nor a moment.")
        return moment

    def _bound(self, text: str, *, is_end: bool) -> datetime | None:
        try:
            day = date.fromisoformat(text)
            return day_ends(day, self.zone) if is_end else day_starts(day, self.zone)
        except (ValueError, OverflowError):
            return None

    def _value(self, text: str) -> int | None:
        if not text:
            return None
        found = _AMOUNT.fullmatch(text)
        if not found:
            raise Refused("upload.value", f"«{shown(text)}» is not an amount such as 25 or 25.00.")
        if not self.currency:
            raise Refused(
                "upload.currency", "The voucher type has no currency; choose one there before codes have values."
            )
        return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))


def _member(text: str) -> str:
    if len(text) > 64:
        raise Refused("upload.member", f"The member id has {len(text):,} characters; at most 64 are possible.")
    return text


def last_four(code: str) -> str:
    """What lists show of a code: its last four signs, and never more than half of it."""
    return masked(code)[4:]


def problem(line: int, code: str, reason: str) -> Problem:
    """A row that is left out, as it is kept: the code itself is not."""
    return line, masked(code) if len(code) >= rules.SHORTEST_CODE else "", reason


@dataclass(frozen=True, slots=True)
class UploadFacts:
    """What became of a file of codes: how many were ``added``, whether it is or was taken back."""

    name: str
    added: int
    undoing: bool = False
    undone: bool = False

    @classmethod
    def of(cls, upload: Mapping[str, Any], made: int) -> UploadFacts:
        """From what a batch keeps of its upload, and how many codes it made."""
        undo = upload.get("undo", {})
        return cls(upload["name"], made, undoing=undo.get("job_id") is not None, undone="at" in undo)


def may_take_back(upload: UploadFacts) -> Verdict:
    """What a file brought into a voucher type can be taken back, once (product.md ruling 11)."""
    if upload.undone:
        return all_of(Reason("upload.undone", f"{upload.name} has been taken back already."))
    if upload.undoing:
        return all_of(Reason("upload.undoing", f"{upload.name} is being taken back at this moment."))
    words = f"No code of {upload.name} was added, so there is nothing to take back."
    return all_of(None if upload.added else Reason("upload.not_added", words))


@dataclass(frozen=True, slots=True)
class CodeTraces:
    """Where a code that is not untouched stands, whether it was printed, and whether it ever stood elsewhere."""

    status: VoucherStatus
    printed_count: int
    has_past: bool


_STAYS = {
    VoucherStatus.IDLE: "It was given to somebody or cancelled before; its log says more.",
    VoucherStatus.ALLOCATED: "It is allocated to somebody.",
    VoucherStatus.PENDING: "It is allocated to somebody, and pending at a till.",
    VoucherStatus.REDEEMED: "It is redeemed.",
    VoucherStatus.CANCELLED: "It is cancelled.",
}


def why_it_stays(code: CodeTraces) -> str:
    """Why a code is not taken away with the others of its file."""
    if code.status is VoucherStatus.IDLE and code.printed_count:
        return "It was printed."
    if code.status is VoucherStatus.IDLE and not code.has_past:
        return "It was shown in full, so somebody may know it."
    return _STAYS[code.status]
