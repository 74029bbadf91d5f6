"""Lists that leave as files: who must say why, how a file is marked, and cells no spreadsheet runs (P20)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from webapp.domain.import_kinds import ImportKind
from webapp.domain.verdicts import Reason, Verdict, all_of


class Media(StrEnum):
    """What kind of file a list leaves as."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"  # on the command line alone


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that can be exported. ``is_personal``: it tells of people, so a reason is asked for.

    ``comes_back``: what an import takes its file for; None where no import takes it.
    """

    kind: str  # names the file and the record of it
    rows: str  # what its rows are called
    is_personal: bool = False
    comes_back: ImportKind | None = None


LISTINGS: dict[str, Listing] = {
    listing.kind: listing
    for listing in (
        Listing("profiles", "people", is_personal=True, comes_back=ImportKind.PROFILES),
        Listing("facts", "further facts of people", comes_back=ImportKind.FACTS),
        Listing("organisations", "organisations", comes_back=ImportKind.ORGANISATIONS),
        Listing("organisation-types", "organisation types", comes_back=ImportKind.ORGANISATION_TYPES),
        Listing("groups", "groups", comes_back=ImportKind.GROUPS),
        Listing("memberships", "memberships", is_personal=True, comes_back=ImportKind.MEMBERSHIPS),
        Listing("modules", "modules", comes_back=ImportKind.MODULES),
        Listing("completions", "completions", is_personal=True, comes_back=ImportKind.COMPLETIONS),
        Listing("tiers", "tiers", comes_back=ImportKind.TIERS),
        Listing("locations", "locations", comes_back=ImportKind.LOCATIONS),
        Listing("sites", "sites", comes_back=ImportKind.SITES),
        Listing("staff", "members of staff", is_personal=True),
        Listing("benefit-definitions", "benefit definitions", comes_back=ImportKind.DEFINITIONS),
        Listing("benefits", "benefits", is_personal=True),
        Listing("targets", "targets"),
        Listing("rewards", "rewards", comes_back=ImportKind.REWARDS),
        Listing("entries", "entries", is_personal=True, comes_back=ImportKind.ENTRIES),
        Listing("drawn-rewards", "rewards with winners"),
        Listing("winners", "winners and reserves", is_personal=True),
        Listing("voucher-types", "voucher types"),
        Listing("vouchers", "vouchers", is_personal=True),
        Listing("imports", "imports"),
        Listing("exports", "exports", is_personal=True),
        Listing("jobs", "jobs"),
        Listing("notifications", "messages", is_personal=True),
        Listing("audit", "entries of the audit log", is_personal=True),
    )
}
MARK = "exported"  # the last column of every file: which export it is of, so that a copy can be traced
SHORTEST_REASON, LONGEST_REASON = 8, 300


def may_export(listing: Listing, reason: str) -> Verdict:
    """Whether the list may leave for this reason: one that tells of people needs one worth reading later."""
    missing = SHORTEST_REASON - len(reason.strip())
    return all_of(
        Reason(
            "export.reason",
            f"This list tells of people, so the log must say what it is for, in at least {SHORTEST_REASON} letters; "
            f"{len(reason.strip())} were written.",
            "reason",
        )
        if listing.is_personal and missing > 0
        else None
    )


def mark(number: int, name: str, at: datetime) -> str:
    """What the column ``MARK`` says on every row: «export 12, Ann Able, 2026-03-02T09:00:00Z»."""
    return f"export {number}, {name}, {moment(at)}"


# A spreadsheet takes these, or their full-width twins, for the start of a formula or drops them.
_LIVE = "=+\\-@\t\r\0＝＋－＠"
_GUARDED = re.compile(f"'+[{_LIVE}]")
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_LEADS = frozenset("=+-@\t\r\0'＝＋－＠")
_NUMBERS = frozenset({int, float, type(None)})
_TEXTS = frozenset({str, type(None)})


def guard(text: str) -> str:
    """``text`` with an apostrophe in front when a spreadsheet would take it for a formula; plain numbers stay."""
    first = text[:1]
    if first not in _LEADS:
        return text
    is_harmless = not _GUARDED.match(text) if first == "'" else first == "-" and _NUMBER.fullmatch(text)
    return text if is_harmless else f"'{text}"


def unguard(text: str) -> str:
    """Takes the apostrophe of ``guard`` away again, so that a file of ours can come back as it was."""
    return text[1:] if text[:1] == "'" and _GUARDED.match(text) else text


def cell(value: object) -> str:
    """One value as an export shows it: our own numbers as they are, nothing as nothing, text guarded."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment(value)
    return str(value) if isinstance(value, int | float) else guard(str(value))


def moment(at: datetime) -> str:
    """ISO 8601 in UTC, as imports read it back."""
    return f"{at.astimezone(UTC).isoformat()[:-6]}Z"


def column(values: Sequence[object]) -> Sequence[object]:
    """``cell`` for many values of one column at once; whole columns of text or numbers cost next to nothing."""
    kinds = set(map(type, values))
    if kinds <= _NUMBERS:  # the writer of a table writes numbers as they are and nothing as nothing
        return values
    if kinds <= _TEXTS:
        return [guard(text) if text and text[0] in _LEADS else text for text in values]  # type: ignore[index, arg-type]
    return [cell(value) for value in values]
