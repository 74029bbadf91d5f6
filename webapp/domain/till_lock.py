"""When the till locks, and the PIN that opens it again (reliability.md 6.2)."""

from __future__ import annotations

from datetime import datetime, timedelta

from webapp.domain.verdicts import Reason, Verdict, all_of

LOCKED_AFTER = timedelta(minutes=5)
SEEN_EVERY = timedelta(seconds=5)  # customers follow one another: not every request writes
WRONG_PROOFS = 5  # in a row, then the session ends
SHORTEST, LONGEST = 4, 8
_RUNS = ("01234567890", "09876543210")


def is_locked(last_at: datetime | None, now: datetime) -> bool:
    """Whether nobody used the till for five minutes; one of which no use is known is locked."""
    return last_at is None or now - last_at >= LOCKED_AFTER


def may_use_pin(pin: str) -> Verdict:
    """Four to eight digits that are not the first ones to try; the sentences never repeat the digits."""
    return all_of(
        Reason("pin.shape", _shape(pin), "pin_code")
        if not (pin.isascii() and pin.isdigit() and SHORTEST <= len(pin) <= LONGEST)
        else Reason(
            "pin.plain",
            "Many people choose this PIN, so it is tried first. Choose digits that are not all alike, not in a row "
            "and not the same few again and again.",
            "pin_code",
        )
        if _is_plain(pin)
        else None,
    )


def _shape(pin: str) -> str:
    seen = "other signs than digits" if not (pin.isascii() and pin.isdigit()) else f"{len(pin):,} digits"
    return f"The PIN has {seen}; use {SHORTEST} to {LONGEST} digits and nothing else."


def _is_plain(pin: str) -> bool:
    again = any(pin == (pin[:size] * LONGEST)[: len(pin)] for size in range(1, len(pin) // 2 + 1))
    return again or any(pin in run for run in _RUNS)
