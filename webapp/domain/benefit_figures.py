"""What became of the benefits of a definition, in figures: its stages, its months of issue, the weeks in which they end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from webapp.domain.timing import day_ends, day_starts

MONTHS = 12
WEEKS = 12  # on either side of now
WITHIN = (7, 30, 90)  # days after issue
_WEEK = timedelta(days=7)
_MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Stages:
    """How many benefits came how far. Void ones and those that have not begun are counted apart, in no stage."""

    issued: int = 0
    claimed: int = 0  # of those issued
    redeemed: int = 0  # of those issued, at least once
    expired: int = 0  # of those issued, ended with nothing redeemed
    scheduled: int = 0
    void: int = 0

    @property
    def open(self) -> int:
        """Still good, with nothing redeemed so far."""
        return self.issued - self.redeemed - self.expired

    @property
    def all(self) -> int:
        return self.issued + self.scheduled + self.void


@dataclass(frozen=True, slots=True)
class Cohort:
    """The benefits of one month of issue: how many, how many are void, and how soon they were redeemed for the first time."""

    month: date
    issued: int = 0
    void: int = 0
    redeemed: int = 0
    within: Mapping[int, int] = field(default_factory=dict)  # days after issue → how many were redeemed by then

    def share(self, days: int | None = None) -> float:
        """Per cent of those issued that were redeemed within ``days``; by now when None."""
        return share(self.redeemed if days is None else self.within.get(days, 0), self.issued)

    def is_over(self, days: int, now: datetime, zone: str) -> bool:
        """Whether ``days`` have passed for every benefit of the month, so that the share moves no more."""
        last = following(self.month) - timedelta(days=1)
        ends = day_ends(last + timedelta(days=days), zone)
        return ends is not None and ends <= now


@dataclass(frozen=True, slots=True)
class Week:
    """Seven local days from ``first`` on, as far as they lie on this side of now; unused benefits that end in them."""

    first: date
    is_past: bool
    count: int = 0


def share(part: int, whole: int) -> float:
    """Per cent with one decimal; of nothing it is 0."""
    return round(100 * part / whole, 1) if whole else 0.0


def following(month: date) -> date:
    """The first day of the month after."""
    return date(month.year + month.month // _MONTHS_A_YEAR, month.month % _MONTHS_A_YEAR + 1, 1)


def months(now: datetime, zone: str, count: int = MONTHS) -> list[date]:
    """First days of the local months up to the one of ``now``, oldest first."""
    today = now.astimezone(ZoneInfo(zone)).date()
    number = today.year * _MONTHS_A_YEAR + today.month - count
    return [date(one // _MONTHS_A_YEAR, one % _MONTHS_A_YEAR + 1, 1) for one in range(number, number + count)]


def weeks(now: datetime, zone: str, count: int = WEEKS) -> list[Week]:
    """``count`` weeks up to now, oldest first, then ``count`` from now on; today is the last day of one and the first of the next."""
    today = now.astimezone(ZoneInfo(zone)).date()
    past = [Week(today - _WEEK * number + timedelta(days=1), is_past=True) for number in range(count, 0, -1)]
    return past + [Week(today + _WEEK * number, is_past=False) for number in range(count)]


def edges(weeks: list[Week], now: datetime, zone: str) -> list[datetime]:
    """The UTC instants at which the weeks begin, and the one at which the last of them is over; the middle one is ``now``."""
    first = next(number for number, week in enumerate(weeks) if not week.is_past)
    starts = [now if number == first else begins(week.first, zone) for number, week in enumerate(weeks)]
    return [*starts, begins(weeks[-1].first + _WEEK, zone)]


def begins(day: date, zone: str) -> datetime:
    """The UTC instant at which a local day begins."""
    found = day_starts(day, zone)
    if found is None:
        raise AssertionError("a day begins")
    return found
