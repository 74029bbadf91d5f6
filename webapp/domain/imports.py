"""What an upload can be, when it may be applied, and which column of a file means what."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from webapp.domain.import_columns import COLUMNS, NAME_PEOPLE, ROWS, Column, ImportKind
from webapp.domain.verdicts import Reason, Verdict, all_of


class ImportStatus(StrEnum):
    """uploaded → checking → checked → applying → done; refused when the file as a whole cannot be read.

    Discarded: thrown away before anything of it was imported.
    """

    UPLOADED = "uploaded"
    CHECKING = "checking"
    CHECKED = "checked"
    APPLYING = "applying"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    DISCARDED = "discarded"


class ImportContract(StrEnum):
    """What happens to the good rows when there are bad ones."""

    ALL_OR_NOTHING = "all-or-nothing"
    GOOD_ROWS = "good-rows"


class Outcome(StrEnum):
    """What a row that is not imported is."""

    BAD = "bad"
    DUPLICATE = "duplicate"


# What we put behind the columns of a rejects file; read over when it comes back.
REJECT_HEADINGS = ("Line", "Column", "Reason")
_OTHER_HEADINGS = ("Rejected line", "Rejected column", "Rejected reason")  # where the file has one of those itself
Mapped = dict[str, str]


def target(kind: ImportKind) -> str:
    """What rows of this kind go into, where it is no reward: «People», «Groups» …"""
    return ROWS[kind][1].capitalize()


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known of a file after it was read from end to end without a fault."""

    encoding: str
    headings: tuple[str, ...]
    record_count: int
    line_count: int


def heading_key(heading: str) -> str:
    """A heading as it is compared: letters and digits only, folded."""
    folded = unicodedata.normalize("NFKC", heading).casefold()
    return re.sub(r"[\W_]+", "", folded)


def heading_hash(headings: Sequence[str]) -> str:
    """The name under which a choice of columns is remembered for files with these headings, and for their rejects."""
    keys = (heading_key(heading) for heading in original_headings(headings))
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()


def guess(columns: Sequence[Column], headings: Sequence[str]) -> Mapped:
    """Our column → the file's heading, wherever a heading is one of the usual names; each is used once."""
    keys = {heading_key(heading): heading for heading in reversed(headings)}
    found: Mapped = {}
    for column in columns:
        names = (heading_key(column.heading), heading_key(column.name), *column.synonyms)
        heading = next((keys[name] for name in names if name in keys), None)
        if heading is not None and heading not in found.values():
            found[column.name] = heading
    return found


def usable(columns: Sequence[Column], mapping: Mapping[str, str], headings: Sequence[str]) -> Mapped:
    """The part of a remembered or typed mapping that this file can serve, as it spells its headings."""
    known = {column.name for column in columns}
    spelt = {heading_key(heading): heading for heading in reversed(headings)} | {each: each for each in headings}
    found = {name: spelt.get(heading, spelt.get(heading_key(heading))) for name, heading in mapping.items()}
    return {name: heading for name, heading in found.items() if name in known and heading is not None}


# By which columns rows may name people: all of them, and those of a file of people.
_NAMING = (("external_id", "email"), ("external_id", "email", "identities", "created_at"))


def may_check(kind: ImportKind, mapping: Mapping[str, str]) -> Verdict:
    """Whether these columns are enough to read rows from: somebody, and for an entry a moment."""
    twice = sorted({heading for heading in mapping.values() if list(mapping.values()).count(heading) > 1})
    missing = next((column for column in COLUMNS[kind] if column.is_needed and not mapping.get(column.name)), None)
    return all_of(
        Reason(
            "import.no_column",
            f"No column holds «{missing.heading}», which every one of the {ROWS[kind][1]} needs; choose it.",
            missing.name,
        )
        if missing
        else None,
        None
        if kind not in NAME_PEOPLE or any(mapping.get(name) for name in _NAMING[kind is ImportKind.PROFILES])
        else Reason(
            "import.no_person",
            "No column tells who a row belongs to; choose the column of the member id, of the e-mail, or both.",
            "external_id",
        ),
        None
        if kind is not ImportKind.ENTRIES or mapping.get("entered_at")
        else Reason(
            "import.no_moment",
            "No column tells when an entry was made; choose the column of that moment.",
            "entered_at",
        ),
        Reason("import.column_twice", f"The column «{twice[0]}» is chosen twice; choose it for one thing.")
        if twice
        else None,
    )


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the rules need to know about an upload."""

    status: ImportStatus
    contract: ImportContract
    good: int
    bad: int
    file: str = "The file"
    written: int = 0
    undoing: bool = False
    undone: bool = False
    in_part: bool = False  # some of it was taken back, whether that goes on or stopped


_BUSY = {
    ImportStatus.CHECKING: "is being checked",
    ImportStatus.APPLYING: "is being imported",
    ImportStatus.DONE: "has been imported",
    ImportStatus.REFUSED: "could not be read",
    ImportStatus.UPLOADED: "has not been checked yet",
    ImportStatus.CHECKED: "has been checked",
    ImportStatus.CANCELLED: "was stopped halfway",
    ImportStatus.DISCARDED: "was thrown away",
}
CHECKABLE = (ImportStatus.UPLOADED, ImportStatus.CHECKED)
APPLICABLE = (ImportStatus.CHECKED, ImportStatus.CANCELLED)
DISCARDABLE = CHECKABLE


def may_choose_columns(run: RunFacts) -> Verdict:
    """Columns can be chosen, again too, until the import has begun."""
    return all_of(
        None
        if run.status in CHECKABLE
        else Reason("import.not_checkable", f"{run.file} {_BUSY[run.status]}; its columns can no longer be chosen.")
    )


def may_apply(run: RunFacts) -> Verdict:
    """checked → applying, under the contract chosen (P12); what was stopped halfway can go on, unless it is taken back."""
    if run.undone or run.undoing:
        return _taken_back(run)
    if run.in_part:
        words = f"A part of {run.file} has been taken back. Take back the rest, then upload the file again."
        return all_of(Reason("import.undone_in_part", words))
    return all_of(
        None
        if run.status in APPLICABLE
        else Reason("import.not_checked", f"{run.file} {_BUSY[run.status]}; it is imported once, after its check."),
        Reason(
            "import.bad_rows",
            f"All or nothing was chosen and {run.bad:,} of the rows {'is' if run.bad == 1 else 'are'} bad, so nothing is"
            " imported. Mend the file and upload it again, or choose to import the good rows.",
            "contract",
        )
        if run.status in APPLICABLE and run.contract is ImportContract.ALL_OR_NOTHING and run.bad
        else None,
        Reason("import.nothing_good", "There is no good row to import; the rejects file tells why.")
        if run.status in APPLICABLE and not run.good
        else None,
    )


def may_cancel(run: RunFacts) -> Verdict:
    """A check or an import can be stopped while it goes on."""
    return all_of(
        None
        if run.status in (ImportStatus.CHECKING, ImportStatus.APPLYING)
        else Reason("import.not_running", f"{run.file} {_BUSY[run.status]}; there is nothing to stop.")
    )


def may_discard(run: RunFacts) -> Verdict:
    """An upload can be thrown away while it waits for somebody, and nothing of it was imported."""
    return all_of(
        None
        if run.status in DISCARDABLE
        else Reason(
            "import.not_waiting",
            f"{run.file} {_BUSY[run.status]}; only an upload that waits for its columns or its import is thrown away.",
        )
    )


def _taken_back(run: RunFacts) -> Verdict:
    return all_of(
        Reason("import.undone", f"The import of {run.file} has been taken back already.")
        if run.undone
        else Reason("import.undoing", f"{run.file} is being taken back at this moment.")
    )


UNDOABLE = (ImportStatus.DONE, ImportStatus.CANCELLED)


def may_undo(run: RunFacts) -> Verdict:
    """What an import wrote can be taken back, once (product.md ruling 11)."""
    if run.undone or run.undoing:
        return _taken_back(run)
    return all_of(
        Reason("import.not_applied", f"{run.file} {_BUSY[run.status]}; there is nothing to take back.")
        if run.status not in UNDOABLE or not run.written
        else None,
    )


def without_sample(findings: dict[str, Any]) -> dict[str, Any]:
    """The first good rows are shown until it is decided what becomes of them; then nobody needs them twice."""
    return findings | {"sample": []} if findings.get("sample") else findings


def reject_headings(headings: Sequence[str]) -> tuple[str, ...]:
    """The headings of the rejects file of a file with ``headings``; they never collide."""
    own = original_headings(headings)
    is_taken = {heading.casefold() for heading in REJECT_HEADINGS} & {heading.casefold() for heading in own}
    return (*own, *(_OTHER_HEADINGS if is_taken else REJECT_HEADINGS))


def original_headings(headings: Sequence[str]) -> tuple[str, ...]:
    """The headings without the three we added when the file is a rejects file that comes back."""
    return tuple(headings[:-3] if tuple(headings[-3:]) in (REJECT_HEADINGS, _OTHER_HEADINGS) else headings)
