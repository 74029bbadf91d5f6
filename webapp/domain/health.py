"""When a server may be sent people: the bounds of reliability.md section 10."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

HEARTBEAT_BY = timedelta(seconds=120)
MESSAGE_BY = timedelta(minutes=10)
LEAST_DISK = 500 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class HealthFacts:
    """What the database says of itself; ``heartbeat_at`` is the last sign of a scheduler anywhere."""

    revision: str | None
    heartbeat_at: datetime | None
    oldest_due_at: datetime | None
    failed_count: int = 0  # messages that nobody could deliver
    failed_since: datetime | None = None


def unready(facts: HealthFacts, now: datetime, *, head: str, free_bytes: int, sends_mail: bool) -> tuple[str, ...]:
    """Every reason not to send people here, as sentences; none when all is well.

    Messages that wait because nobody named a mail server are no reason: ``sends_mail`` is false then.
    """
    beat, oldest = facts.heartbeat_at, facts.oldest_due_at
    reasons = [
        f"The database is at schema {facts.revision or 'none'}, the program at {head}."
        if facts.revision != head
        else "",
        f"The scheduler was last heard of at {beat:%Y-%m-%d %H:%M:%S} UTC."
        if beat and now - beat > HEARTBEAT_BY
        else "",
        "" if beat else "The scheduler has never run.",
        f"A message has waited since {oldest:%Y-%m-%d %H:%M} UTC."
        if sends_mail and oldest and now - oldest > MESSAGE_BY
        else "",
        f"Only {free_bytes // 2**20} MB of disk are free." if free_bytes < LEAST_DISK else "",
    ]
    return tuple(reason for reason in reasons if reason)
