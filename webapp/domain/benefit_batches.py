"""A batch issues one benefit each to many people: who they are, when it may start, who is passed over and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from webapp.domain.errors import Refused
from webapp.domain.import_kinds import Column
from webapp.domain.import_rows import clean, shown
from webapp.domain.imports import guess
from webapp.domain.notices import NoticeKind
from webapp.domain.person_columns import PERSON_COLUMNS
from webapp.domain.verdicts import Reason, Verdict, all_of

MOST = 1_000_000  # people one batch is for
MOST_LISTED = 500  # lines typed at once; a file takes more (benefits.md 13.2)
MOST_SHOWN = 100  # bad lines, and benefits left alone, that a batch keeps for its page
ALONE = 500  # benefits one person may issue by themself; above it needs a second one (reliability.md 6.1)


_NAMES = ("external_id", "email")
_YES = frozenset({"1", "yes", "true", "y", "x"})
# What a file from another system says of what that system has sent (benefits.md 8.4).
_TOLD = {
    "has_notified_issue": Column("has_notified_issue", "Told of the issue", ("hasnotifiedissue", "notifiedissue")),
    "has_notified_expiry": Column("has_notified_expiry", "Told of the end", ("hasnotifiedexpiry", "notifiedexpiry")),
}


class Audience(StrEnum):
    """How the people of a batch are named."""

    LIST = "list"
    GROUP = "group"
    CONDITION = "condition"
    FILE = "file"
    EVERYBODY = "everybody"


AUDIENCE_WORDS = {
    Audience.LIST: "People I name",
    Audience.GROUP: "The members of a group",
    Audience.CONDITION: "Everybody who meets a condition",
    Audience.FILE: "The people of a file",
    Audience.EVERYBODY: "Everybody, without exception",
}


AUDIENCE_TOLD = {
    Audience.LIST: "people by name",
    Audience.GROUP: "the members of a group",
    Audience.CONDITION: "everybody who meets a condition",
    Audience.FILE: "the people of a file",
    Audience.EVERYBODY: "everybody, without exception",
}  # as the audit log says it


class BatchStatus(StrEnum):
    """checking → checked → (waiting →) issuing → issued → undoing → undone; stopped can go on, refused cannot."""

    CHECKING = "checking"
    CHECKED = "checked"
    WAITING = "waiting"
    ISSUING = "issuing"
    STOPPED = "stopped"
    ISSUED = "issued"
    UNDOING = "undoing"
    UNDONE = "undone"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


STARTABLE = (BatchStatus.CHECKED, BatchStatus.STOPPED)
WITHDRAWABLE = (BatchStatus.CHECKED, BatchStatus.WAITING, BatchStatus.STOPPED)
UNDOABLE = (BatchStatus.ISSUED, BatchStatus.STOPPED)
MOVING = (BatchStatus.CHECKING, BatchStatus.ISSUING, BatchStatus.UNDOING)


class PassedOver(StrEnum):
    """Why a person of the batch gets none."""

    HOLDS = "holds"
    LIMIT = "limit"
    GONE = "gone"


PASSED_OVER_WORDS = {
    PassedOver.HOLDS: "Holds this benefit already, and the batch leaves such people out.",
    PassedOver.LIMIT: "Has as many of this benefit as one person may have.",
    PassedOver.GONE: "Was merged or erased since the batch was checked.",
}


@dataclass(frozen=True, slots=True)
class BatchFacts:
    """What decides what may be done with a batch: the accounts that planned it and that let it issue, among others."""

    status: BatchStatus
    on_the_day: bool
    people: int
    issued: int
    planned_by_id: int | None
    started_by_id: int | None = None


@dataclass(frozen=True, slots=True)
class NamedLine:
    """One line of a list: where it stands, and the member id or e-mail on it."""

    line: int
    value: str


def listed(text: str) -> list[NamedLine]:
    """The lines of a list that name somebody; a comma or semicolon ends a line too. ``Refused`` for none or too many."""
    parts = [
        NamedLine(number, value)
        for number, line in enumerate(text.splitlines(), 1)
        for piece in line.replace(";", ",").split(",")
        if (value := clean(piece))
    ]
    if not parts:
        raise Refused("batch.nobody", "Name at least one person: a member id or e-mail on each line.", "listed")
    if len(parts) > MOST_LISTED:
        raise Refused(
            "batch.too_many",
            f"The list names {len(parts):,} people; it takes {MOST_LISTED:,}. Put them into a file and choose that.",
            "listed",
        )
    return parts


def checked_size(people: int) -> int:
    """How many people a batch is for, when it is not for too many; ``Refused`` with what would help."""
    if people > MOST:
        raise Refused(
            "batch.too_large",
            f"It is for more than {MOST:,} people, and one batch takes no more. Narrow whom it is for, such as by a "
            "condition, and plan several.",
        )
    return people


def may_plan(audience: Audience, *, on_the_day: bool, issued_on: date | None, today: date) -> Verdict:
    """Whether the choices fit one another; ``today`` is the day at the definition's site."""
    named = audience in (Audience.LIST, Audience.FILE)
    return all_of(
        Reason(
            "batch.on_the_day",
            "People who are named stay the same until the day; a group, a condition or everybody can be looked up on it.",
            "on_the_day",
        )
        if on_the_day and named
        else None,
        Reason(
            "batch.day_needed", f"Choose a first day after today, {today:%-d %B %Y}, to evaluate on it.", "issued_on"
        )
        if on_the_day and (issued_on is None or issued_on <= today)
        else None,
    )


def needs_another(facts: BatchFacts, staff_id: int | None) -> bool:
    """Whether somebody other than ``staff_id`` must start it: it goes to more people than its planner issues to alone."""
    is_planner = staff_id is not None and staff_id == facts.planned_by_id
    return is_planner and facts.people > ALONE and facts.issued == 0


def another_words(facts: BatchFacts, planner: str) -> str:
    """Why somebody other than its planner must start it."""
    return f"{planner} planned it for {facts.people:,} people; above {ALONE:,} somebody else must start it."


def held_words(facts: BatchFacts, planner: str) -> str:
    """Why a batch stops whose people turned out to be more than the one who planned and started it issues to alone."""
    return (
        f"On its day it goes to {facts.people:,} people. {planner} planned it and started it too; above {ALONE:,} "
        "somebody else must start it."
    )


def may_start(facts: BatchFacts, staff_id: int | None) -> Verdict:
    """Whether this person may let the batch issue."""
    if facts.status not in STARTABLE:
        return all_of(Reason("batch.status", f"The batch is {facts.status}; only a checked or stopped one can start."))
    return all_of(
        Reason("batch.empty", "Nobody is left to issue it to; plan another batch.")
        if not facts.people and not facts.on_the_day
        else None,
        Reason(
            "batch.second_person",
            f"It goes to {facts.people:,} people. Above {ALONE:,} somebody other than who planned it must start it.",
        )
        if needs_another(facts, staff_id)
        else None,
    )


def may_withdraw(facts: BatchFacts) -> Verdict:
    """Whether a batch that has issued nothing can be given up."""
    if facts.status not in WITHDRAWABLE:
        return all_of(Reason("batch.status", f"The batch is {facts.status}; only one that waits can be withdrawn."))
    issued = f"It has issued {facts.issued:,} already; undo it instead."
    return all_of(Reason("batch.has_issued", issued) if facts.issued else None)


def may_undo(facts: BatchFacts) -> Verdict:
    """Whether what a batch issued can be taken back."""
    if facts.status not in UNDOABLE:
        return all_of(Reason("batch.status", f"The batch is {facts.status}; only one that has ended can be undone."))
    return all_of(None if facts.issued else Reason("batch.empty", "It issued nothing, so there is nothing to undo."))


def passed_over(held: int, *, excludes_holders: bool, most: int | None, is_there: bool) -> PassedOver | None:
    """Why a person who holds ``held`` of the definition gets none; None when they do."""
    if not is_there:
        return PassedOver.GONE
    if excludes_holders and held:
        return PassedOver.HOLDS
    return PassedOver.LIMIT if most is not None and held >= most else None


def columns_of(headings: Sequence[str]) -> dict[str, int]:
    """Where a file names people: our names of the columns and their places. ``Refused`` when it names nobody."""
    found = guess([column for column in PERSON_COLUMNS if column.name in _NAMES], headings)
    if not found:
        seen = ", ".join(f"«{shown(heading)}»" for heading in headings[:8])
        raise Refused(
            "batch.no_column",
            f"No column of the file names people; head one «Member id» or «E-mail». Its headings are {seen}.",
            "file",
        )
    found |= guess(list(_TOLD.values()), headings)
    return {name: list(headings).index(heading) for name, heading in found.items()}


def told(cells: Sequence[str], at: Mapping[str, int]) -> str:
    """What a line says its person was told before, as the batch keeps it: «issue», «expiry», «issue expiry» or nothing."""
    names = [name for name in _TOLD if name in at and cells[at[name]].lower() in _YES]
    return " ".join(name.removeprefix("has_notified_") for name in names)


def kinds_told(kept: str) -> frozenset[NoticeKind]:
    """The notices that need not be sent any more; who was told of the end is told no more of it, nor asked to extend."""
    words = kept.split()
    return frozenset(kind for kind in NoticeKind if ("issue" if kind is NoticeKind.ISSUE else "expiry") in words)
