"""Local days and the UTC instants that bound them; a day ends at 23:59:59 local (product.md ruling 3)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_FIRST_YEAR, _LAST_YEAR = 2000, 2200


def day_starts(day: date | None, zone: str) -> datetime | None:
    """The UTC instant at which the local ``day`` begins; the first instant after a gap at midnight."""
    if day is None:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def day_ends(day: date | None, zone: str) -> datetime | None:
    """The exclusive UTC instant at which the local ``day`` is over: the next local midnight (rewards.md 6, row 4)."""
    return None if day is None else day_starts(day + timedelta(days=1), zone)


def listed_day(text: str) -> date | None:
    """A day that a list is narrowed by, as fields for dates write it, within two centuries; None for anything else."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if _FIRST_YEAR <= found.year < _LAST_YEAR else None


def first_day(starts_at: datetime | None, zone: str) -> date | None:
    """The local day that begins at ``starts_at``: what was typed."""
    return None if starts_at is None else starts_at.astimezone(ZoneInfo(zone)).date()


def last_day(ends_at: datetime | None, zone: str) -> date | None:
    """The last local day before the exclusive ``ends_at``: what was typed (K35)."""
    return None if ends_at is None else (ends_at - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()
