"""How a message leaves: its states and the waits between tries (reliability.md section 9)."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum


class OutboxStatus(StrEnum):
    QUEUED = "queued"
    CLAIMED = "claimed"
    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"
    SKIPPED = "skipped"


_WAITS = (1, 5, 15, 60)
_LAST = timedelta(hours=24)


def next_try(attempts: int) -> timedelta | None:
    """How long to wait after failed try number ``attempts`` (from 1): 1, 5, 15, 60 minutes, then hourly to 24 hours.

    None when the message has been tried for a day and is to be shown as failed.
    """
    if attempts <= len(_WAITS):
        return timedelta(minutes=_WAITS[attempts - 1])
    spent = timedelta(minutes=sum(_WAITS)) + timedelta(hours=attempts - len(_WAITS))
    return timedelta(hours=1) if spent <= _LAST else None
