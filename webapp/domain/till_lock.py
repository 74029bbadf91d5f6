"""When the till locks, and the PIN that opens it again (reliability.md 6.2)."""

from __future__ import annotations

from datetime import datetime, timedelta

from webapp.domain.verdicts import Reason, Verdict, all_of

LOCKED_AFTER = timedelta(minutes=5)
SEEN_EVERY = timedelta(seconds=5)  # customers follow one another: not every request writes
WRONG_PROOFS = 5  # in a row, then the session ends
SHORTEST, LONGEST = 4, 8
_RUNS = ("0123456789", "9876543210")


def is_locked(last_at: datetime | None, now: datetime) -> bool:
    """Whether the till was left alone for five minutes; one that was not open yet is not locked."""
    return last_at is not None and now - last_at >= LOCKED_AFTER


def may_use_pin(pin: str) -> Verdict:
    """Four to eight digits that are not the first ones to try."""
    is_made_of_digits = pin.isascii() and pin.isdigit()
    is_long_enough = SHORTEST <= len(pin) <= LONGEST
    is_plain = len(set(pin)) == 1 or any(pin in run for run in _RUNS)
    return all_of(
        None
        if is_made_of_digits and is_long_enough
        else Reason("pin.shape", f"A PIN has {SHORTEST} to {LONGEST} digits and nothing else.", "pin"),
        Reason(
            "pin.plain", "Everybody tries this PIN first; choose digits that are not all alike and not in a row.", "pin"
        )
        if is_made_of_digits and is_long_enough and is_plain
        else None,
    )
