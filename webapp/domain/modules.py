"""Modules of learning: how files name one, and when a completion lapses."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from webapp.domain.errors import Conflict, Refused
from webapp.domain.timing import day_ends
from webapp.domain.verdicts import Reason, Verdict, all_of

LONGEST_PATH = 200
MOST_UNITS = 1_000
_PATH = re.compile(r"(?:/[A-Za-z0-9](?:[A-Za-z0-9._-]{0,58}[A-Za-z0-9])?)+")
_SHOWN = 60


class LapseUnit(StrEnum):
    """In what the life of a completion is counted."""

    DAYS = "days"
    MONTHS = "months"
    YEARS = "years"


def checked_path(text: str) -> str:
    """«/p1/c1/m1»: parts of letters, digits, dots and dashes, each behind a slash; ``Refused`` otherwise."""
    path = text.strip().rstrip("/")
    if len(path) > LONGEST_PATH or not _PATH.fullmatch(path):
        raise Refused(
            "module.path",
            f"«{text.strip()[:_SHOWN]}» is not the path of a module; write it with slashes, such as /p1/c1/m1: letters, digits, "
            f"dots and dashes, at most {LONGEST_PATH} characters.",
            "path",
        )
    return path


def reference(site: str, path: str) -> str:
    """What files call a module: «club-nord:/p1/c1/m1»."""
    return f"{site}:{path}"


def parts(text: str) -> tuple[str, str]:
    """The name of the site and the path from «club-nord:/p1/c1/m1»; ``Refused`` when it is not written so (K43)."""
    site, colon, path = text.strip().partition(":")
    if not (site and colon):
        raise Refused(
            "module.reference",
            f"«{text.strip()[:_SHOWN]}» does not name a module; write the site, a colon and the path, such as "
            "club-nord:/p1/c1/m1.",
            "module",
        )
    return site, checked_path(path)


def lapses_at(completed_at: datetime, after: int | None, unit: LapseUnit, zone: str) -> datetime | None:
    """The exclusive UTC instant at which a completion lapses, None for never.

    It holds to the end of the local day ``after`` units later (product.md ruling 3): 30 days from 1 January end with
    31 January (K102). A month without that day ends with its last one: a month from 31 January is 28 February.
    """
    if after is None:
        return None
    day = completed_at.astimezone(ZoneInfo(zone)).date()
    if unit is LapseUnit.DAYS:
        return day_ends(day + timedelta(days=after), zone)
    return day_ends(_months_later(day, after * (12 if unit is LapseUnit.YEARS else 1)), zone)


def has_lapsed(ends_at: datetime | None, now: datetime) -> bool:
    """Whether a completion counts no more: computed from the clock, never stored (K45)."""
    return ends_at is not None and ends_at <= now


def lapse_in_words(after: int | None, unit: LapseUnit) -> str:
    """«12 months after it was completed», «never»."""
    if after is None:
        return "never"
    return f"{after:,} {unit[:-1] if after == 1 else unit} after it was completed"


def may_complete(title: str, *, is_archived: bool, completed_at: datetime, now: datetime) -> Verdict:
    """A completion is of a module in use, and not of a day to come."""
    return all_of(
        Reason(
            "module.archived",
            f"The module «{title[:_SHOWN]}» is archived, so no completion is recorded. Restore it first.",
        )
        if is_archived
        else None,
        Reason(
            "module.future",
            f"{completed_at:%Y-%m-%d %H:%M} UTC is still to come; a completion is recorded once it is made.",
            "completed_on",
        )
        if completed_at > now
        else None,
    )


def completed_already(person: str, title: str) -> Conflict:
    """One person completes a module once at one moment; again another day is another completion."""
    return Conflict(
        "module.completed",
        f"{person[:_SHOWN]} completed «{title[:_SHOWN]}» on this day already. Choose another day if it was done again.",
        "completed_on",
    )


def unknown(text: str) -> Refused:
    """No module is called so."""
    return Refused("module.unknown", f"There is no module «{text[:_SHOWN]}».", "module")


def checked_score(score: int | None) -> int | None:
    """Per cent; ``Refused`` outside 0 to 100."""
    if score is not None and not 0 <= score <= 100:
        raise Refused(
            "module.score", f"A score of {score:,} is no percentage; use 0 to 100 or leave it empty.", "score"
        )
    return score


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
