"""Voucher states and the moves between them, what a type and its codes may be called, and when a voucher ends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from webapp.domain.errors import Conflict, Refused
from webapp.domain.verdicts import Reason, Verdict, all_of
from webapp.domain.voucher_codes import normalise

LONGEST_CODE = 64
SHORTEST_CODE = 4
MOST_DAYS = 36_525  # a hundred years
LAST_YEAR = 9_000  # leaves every zone room before the calendar ends


class VoucherStatus(StrEnum):
    """Where a voucher stands; the letter is what files carry (rewards.md section 1.2)."""

    IDLE = "idle"
    ALLOCATED = "allocated"
    PENDING = "pending"
    REDEEMED = "redeemed"
    CANCELLED = "cancelled"

    @property
    def letter(self) -> str:
        """I, A, P, R or C."""
        return self.value[0].upper()

    @classmethod
    def from_letter(cls, letter: str) -> VoucherStatus:
        """The state of a letter in a file, in either case; raises ``Refused`` for another letter."""
        for status in cls:
            if status.letter == letter.strip().upper():
                return status
        raise Refused("voucher.letter", f"«{letter}» is not a voucher status; use I, A, P, R or C.", "status")


_IDLE, _ALLOCATED, _PENDING, _REDEEMED, _CANCELLED = VoucherStatus


class Move(StrEnum):
    """What can be done to a voucher."""

    ALLOCATE = "allocate"
    HOLD = "hold"
    REDEEM = "redeem"
    LET_GO = "let_go"
    REVERSE = "reverse"
    CANCEL = "cancel"
    REACTIVATE = "reactivate"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Step:
    """The states a move starts from, the one it ends in, and whether it must say why."""

    sources: frozenset[VoucherStatus]
    target: VoucherStatus
    needs_reason: bool = False
    done: str = ""  # the move as a participle: «cannot be …»


STEPS: dict[Move, Step] = {
    Move.ALLOCATE: Step(frozenset({_IDLE}), _ALLOCATED, done="allocated"),
    Move.HOLD: Step(frozenset({_ALLOCATED}), _PENDING, done="held"),
    Move.REDEEM: Step(frozenset({_ALLOCATED, _PENDING}), _REDEEMED, done="redeemed"),
    Move.LET_GO: Step(frozenset({_PENDING}), _ALLOCATED, done="let go"),
    Move.REVERSE: Step(frozenset({_REDEEMED}), _ALLOCATED, needs_reason=True, done="reversed"),
    Move.CANCEL: Step(frozenset({_IDLE, _ALLOCATED, _PENDING}), _CANCELLED, done="cancelled"),
    Move.REACTIVATE: Step(frozenset({_CANCELLED}), _ALLOCATED, needs_reason=True, done="reactivated"),
    # Back to stock: only for a code nobody has seen, which the caller knows.
    Move.RELEASE: Step(frozenset({_ALLOCATED, _CANCELLED}), _IDLE, needs_reason=True, done="released"),
}


def may_move(status: VoucherStatus, move: Move, reason: str | None = None) -> Verdict:
    """Whether a voucher in ``status`` may make ``move`` (K131, K132); ``reason`` None asks about the state only."""
    return all_of(_wrong_state(status, move), _no_reason(move, reason))


def after(status: VoucherStatus, move: Move, reason: str = "") -> VoucherStatus:
    """The state after the move; ``Conflict`` when the state forbids it, ``Refused`` when the reason is missing."""
    if wrong := _wrong_state(status, move):
        raise Conflict(wrong.code, wrong.message, wrong.field)
    may_move(status, move, reason).require()
    return STEPS[move].target


def is_expired(expires_at: datetime | None, now: datetime) -> bool:
    """Whether the voucher's last local day is over; ``expires_at`` is the first instant after it."""
    return expires_at is not None and now >= expires_at


def expires_at(
    allocated_at: datetime, valid_for_days: int | None, static_expiry: date | None, zone: tzinfo
) -> datetime | None:
    """The first UTC instant at which the voucher is no longer good; None when it never ends (K130).

    The last day is the local day of ``allocated_at`` plus ``valid_for_days``, or ``static_expiry``, whichever comes
    first; it is good to 23:59:59 of that day in ``zone``, so this is the local midnight that follows, however long the
    day is (product.md ruling 3, rewards.md section 6 row 43).
    """
    last_days = [] if static_expiry is None else [static_expiry]
    if valid_for_days is not None:
        last_days.append(allocated_at.astimezone(zone).date() + timedelta(days=checked_days(valid_for_days)))
    return end_of_day(min(last_days), zone) if last_days else None


def end_of_day(day: date, zone: tzinfo) -> datetime:
    """The UTC instant at which the local ``day`` is over; the first instant after the gap where midnight is skipped."""
    if day.year > LAST_YEAR:
        raise Refused(
            "voucher.expiry_far", f"The year {day.year} is too far away; choose an earlier date.", "static_expiry"
        )
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


def checked_days(days: int) -> int:
    """``days`` when a voucher can be valid that long; ``Refused`` otherwise (rewards.md section 6 row 5)."""
    if 1 <= days <= MOST_DAYS:
        return days
    raise Refused("voucher.days", f"Valid for {days:,} days is not possible; use 1 to {MOST_DAYS:,}.", "valid_for_days")


def type_code(text: str) -> str:
    """A voucher type's code: 1 to 64 letters, digits and dashes; ``Refused`` otherwise (K128)."""
    if re.fullmatch(r"[A-Za-z0-9-]{1,64}", text):
        return text
    raise Refused(
        "voucher_type.code",
        f"«{text}» cannot be a code; use up to 64 letters, digits and dashes, without spaces.",
        "code",
    )


def uploaded_code(text: str) -> str:
    """A code from a file, with single spaces and none around it; ``Refused`` unless 4 to 64 printable ASCII characters.

    Spaces and dashes do not count when codes are compared, so at least four other characters must remain.
    """
    code = " ".join(text.split())
    if len(normalise(code)) >= SHORTEST_CODE and len(code) <= LONGEST_CODE and code.isascii() and code.isprintable():
        return code
    raise Refused(
        "voucher.code",
        f"«{text}» cannot be a voucher code; use {SHORTEST_CODE} to {LONGEST_CODE} unaccented letters, digits and signs.",
        "code",
    )


def _wrong_state(status: VoucherStatus, move: Move) -> Reason | None:
    step = STEPS[move]
    if status in step.sources:
        return None
    wanted = " or ".join(source for source in VoucherStatus if source in step.sources)
    return Reason(
        f"voucher.{status}", f"This voucher is {status} and cannot be {step.done}; only {wanted} vouchers can."
    )


def _no_reason(move: Move, reason: str | None) -> Reason | None:
    if reason is None or reason.strip() or not STEPS[move].needs_reason:
        return None
    return Reason("voucher.reason", f"Say why the voucher is to be {STEPS[move].done}.", "reason")
