"""When a benefit expires, what extending makes of it, and when its notices are due (benefits.md 6.1, 6.2, 8.2).

Days are local days of the benefit's zone and end at 23:59:59; instants are UTC. ``expires_at`` is the last second on
which a benefit can be redeemed, so that it still counts at that very instant.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from webapp.domain.errors import Refused
from webapp.domain.timing import day_ends, day_starts

LAST_YEAR = 2200  # nothing of ours is dated beyond it
_SECOND = timedelta(seconds=1)
Days = tuple[date | None, date | None]  # the first and the last local day somebody asks for
BY_TERMS: Days = (None, None)  # from now on, as long as the terms say


class PeriodType(StrEnum):
    """What a definition's ``period`` counts; an absolute one ends on a day that does not depend on the day of issue alone."""

    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"
    ABSOLUTE_DATE = "absolute_date"
    ABSOLUTE_WEEK = "absolute_week"
    ABSOLUTE_MONTH = "absolute_month"


@dataclass(frozen=True, slots=True)
class Validity:
    """How long benefits of a definition are valid. Without ``period`` and ``end_at`` they never expire.

    ``absolute_expiry`` is the last day of the type absolute_date, whatever ``period`` says.
    """

    period: int | None
    period_type: PeriodType = PeriodType.DAYS
    absolute_expiry: date | None = None
    end_at: datetime | None = None


def end_of_day(day: date, zone: str) -> datetime:
    """The last second of the local ``day``, in UTC, also on a day that is an hour longer or shorter."""
    ends = day_ends(day, zone)
    if ends is None:
        raise AssertionError("a day has an end")
    return ends - _SECOND


def expires_at(
    validity: Validity,
    issued_at: datetime,
    zone: str,
    *,
    chosen: datetime | date | None = None,
    code_until: datetime | None = None,
) -> datetime | None:
    """The last instant of a benefit issued at ``issued_at`` in ``zone``; None when it never expires.

    ``chosen`` is an expiry given with the issue: an instant, or a day that counts to its end. It takes the place of the
    period; the end of the definition and ``code_until``, the end of the code taken, cap it all the same (6.1, 6.4).
    """
    found = _chosen(chosen, zone) if chosen is not None else _computed(validity, issued_at, zone)
    ends = [one for one in (found, validity.end_at, code_until) if one is not None]
    return min(ends) if ends else None


def span(
    validity: Validity, now: datetime, zone: str, *, issued_on: date | None = None, expires_on: date | None = None
) -> tuple[datetime, datetime | None]:
    """Since when and until when a benefit given at ``now`` is good; the end may come out before the beginning.

    ``issued_on`` is its first local day: today's begins now, another at its start. ``expires_on`` is its last one, and
    takes the place of the period.
    """
    today = now.astimezone(ZoneInfo(zone)).date()
    since = now if issued_on in (None, today) else day_starts(issued_on, zone)
    if since is None:
        raise AssertionError("a day begins")
    return since, expires_at(validity, since, zone, chosen=expires_on)


def _chosen(chosen: datetime | date, zone: str) -> datetime:
    return chosen.astimezone(UTC) if isinstance(chosen, datetime) else end_of_day(chosen, zone)


def _computed(validity: Validity, issued_at: datetime, zone: str) -> datetime | None:
    last = last_day(validity, issued_at.astimezone(ZoneInfo(zone)).date())
    return None if last is None else end_of_day(last, zone)


def last_day(validity: Validity, issued: date) -> date | None:
    """The last local day of a benefit issued on the local day ``issued``; None when no period says one.

    Months and years go to the same day, or to the last day of a month that is too short: a month from 31 January is
    28 February. Weeks of absolute_week are ISO weeks and end on Sunday.
    """
    count, kind = validity.period, validity.period_type
    if kind is PeriodType.ABSOLUTE_DATE:
        return validity.absolute_expiry
    if count is None:
        return None
    if kind in (PeriodType.DAYS, PeriodType.WEEKS):
        return _days_later(issued, count * (7 if kind is PeriodType.WEEKS else 1))
    if kind is PeriodType.ABSOLUTE_WEEK:
        return _days_later(issued, 7 - issued.isoweekday() + 7 * count)
    months = count * 12 if kind is PeriodType.YEARS else count
    return _months_later(issued, months, last=kind is PeriodType.ABSOLUTE_MONTH)


def _days_later(day: date, count: int) -> date:
    return date.fromordinal(min(day.toordinal() + count, date(LAST_YEAR, 12, 31).toordinal()))


def _months_later(day: date, count: int, *, last: bool) -> date:
    years, month = divmod(day.month - 1 + count, 12)
    year = day.year + years
    if year > LAST_YEAR:
        return date(LAST_YEAR, 12, 31)
    longest = monthrange(year, month + 1)[1]
    return date(year, month + 1, longest if last else min(day.day, longest))


def why_over(name: str, fixed: date | None, now: datetime, zone: str, days: Days) -> str:
    """Why ``fixed``, the last day of all benefits called ``name``, lets none begin; empty when one can begin.

    A last day that is asked for takes its place.
    """
    first, last = days
    today = now.astimezone(ZoneInfo(zone)).date()
    begins = first or today
    if fixed is None or last is not None or begins <= fixed:
        return ""
    then = "that day is over" if begins <= today else f"this one would begin on {begins:%-d %B %Y}"
    return f"Benefits of {name} end on {fixed:%-d %B %Y}, and {then}; a later fixed last day would open it again."


def extended(expiry: datetime, zone: str, *, days: int | None = None, until: date | None = None) -> datetime:
    """A later expiry: ``days`` calendar days on at the same local time of day, or the end of the local day ``until``.

    Calendar days, because 14 times 24 hours is an hour off when clocks change in between. The end of the definition is
    no bound: to extend is to decide otherwise. Raises ``Refused`` for both or neither argument, and for no later expiry.
    """
    if (days is None) == (until is None):
        raise Refused("extend_args", "Give either a number of days or a date to extend to, not both and not neither.")
    if until is not None:
        later = end_of_day(until, zone)
    else:
        local = expiry.astimezone(ZoneInfo(zone))
        later = at_local(_days_later(local.date(), days or 0), local.time(), zone)
    if later <= expiry:
        field = "extend_date" if until is not None else "extend_days"
        raise Refused(
            "extend_backwards",
            f"It is valid until {_told(expiry, zone)} already; extending to {_told(later, zone)} would take time away.",
            field,
        )
    return later


def _told(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%-d %B %Y %H:%M:%S} ({zone})"


def at_local(day: date, clock: time, zone: str) -> datetime:
    """The instant of a local time, in UTC: the first of two when clocks go back, the end of the gap when they go forward."""
    local, where = datetime.combine(day, clock.replace(fold=0)), ZoneInfo(zone)
    found = local.replace(tzinfo=where).astimezone(UTC)
    if found.astimezone(where).replace(tzinfo=None) == local:
        return found
    # Between these two the clocks went forward; the offset before the gap puts the time behind it, and the other way round.
    before, after = local.replace(tzinfo=where, fold=1).astimezone(UTC), found
    offset = after.astimezone(where).utcoffset()
    while after - before > _SECOND:
        middle = before + timedelta(seconds=(after - before) // _SECOND // 2)
        if middle.astimezone(where).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after


@dataclass(frozen=True, slots=True)
class Lead:
    """When a notice is sent: ``days`` after its anchor, or before it when negative, at ``hour`` o'clock local.

    Without ``hour`` it is the anchor's own time of day. ``earlier`` hours are taken off in the end.
    """

    days: int
    hour: int | None = None
    earlier: int = 0


def due_at(lead: Lead | None, anchor: datetime | None, zone: str) -> datetime | None:
    """When a notice is due, in UTC; None without a lead, or without an anchor because the benefit never expires."""
    if lead is None or anchor is None:
        return None
    local = _wanted(lead, anchor, zone)
    return at_local(local.date(), local.time(), zone) - timedelta(hours=lead.earlier)


def _wanted(lead: Lead, anchor: datetime, zone: str) -> datetime:
    """The local time a notice is meant for, whether clocks show it on that day or not."""
    local = anchor.astimezone(ZoneInfo(zone))
    clock = local.time() if lead.hour is None else time(lead.hour)
    return datetime.combine(date.fromordinal(local.toordinal() + lead.days), clock)


def skipped_time(lead: Lead, anchor: datetime, zone: str) -> time | None:
    """The local time of a notice when clocks skip it on that day, so that it is sent later; None when they show it."""
    wanted = _wanted(lead, anchor, zone)
    shown = at_local(wanted.date(), wanted.time(), zone).astimezone(ZoneInfo(zone))
    return None if shown.replace(tzinfo=None, fold=0) == wanted.replace(fold=0) else wanted.time()
