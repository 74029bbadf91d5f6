"""The states of a draw and who may move it on (draws.md 3.1, 3.3); the bytes themselves are in ``protocol``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from webapp.domain.rewards import TRUSTED_WAIT
from webapp.domain.verdicts import Reason, Verdict, all_of

SMALL_DRAW = 100_000  # entries sealed or drawn inside the request; more becomes a job (draws.md 3.8)


class DrawState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    SEALED = "sealed"
    DRAWN = "drawn"


class Assurance(StrEnum):
    """How much a stranger may believe (draws.md 3.3)."""

    RECORDED = "Recorded"
    WITNESSED = "Witnessed"


@dataclass(frozen=True, slots=True)
class DrawFacts:
    """What the rules need to know about a draw."""

    title: str
    state: DrawState
    entry_count: int
    eligible_count: int
    is_reviewed: bool
    sealed_at: datetime | None = None
    sealed_by_id: int | None = None
    not_before: datetime | None = None


def _in_state(draw: DrawFacts, state: DrawState, act: str) -> Reason | None:
    if draw.state is state:
        return None
    return Reason(f"draw.not_{state}", f"The draw of «{draw.title}» is {draw.state}; it must be {state} to {act}.")


def may_review(draw: DrawFacts) -> Verdict:
    """Exclusions are found and changed between closing and sealing only."""
    return all_of(_in_state(draw, DrawState.CLOSED, "review its entries"))


def may_seal(draw: DrawFacts) -> Verdict:
    """closed → sealed: reviewed, and at least one entry takes part (draws.md 3.1)."""
    return all_of(
        _in_state(draw, DrawState.CLOSED, "seal it"),
        None
        if draw.is_reviewed
        else Reason("draw.not_reviewed", "Review the exclusions first: the seal fixes them for good."),
        None
        if draw.eligible_count > 0
        else Reason(
            "draw.no_eligible",
            f"None of the {draw.entry_count:,} entries takes part, so there is nobody to draw. "
            "Take an exclusion back or add entries to a new draw.",
        ),
    )


def may_draw(draw: DrawFacts, staff_id: int | None, now: datetime, *, is_small_team: bool) -> Verdict:
    """sealed → drawn: by somebody other than the sealer, not before the time the seal names."""
    early = draw.not_before is not None and now < draw.not_before
    backwards = draw.sealed_at is not None and now < draw.sealed_at
    same = staff_id is None or staff_id == draw.sealed_by_id
    return all_of(
        _in_state(draw, DrawState.SEALED, "draw it"),
        Reason(
            "draw.same_person",
            "You sealed this draw, so somebody else must enter the value and draw: sign in as a draw supervisor."
            if staff_id is not None
            else "A draw is made by a person: sign in as a draw supervisor.",
        )
        if same and not is_small_team
        else None,
        Reason(
            "draw.clock_back",
            f"This machine's clock says {now:%Y-%m-%d %H:%M:%S} UTC, which is before the seal "
            f"({draw.sealed_at:%Y-%m-%d %H:%M:%S} UTC). Put the clock right, then draw.",
        )
        if backwards
        else Reason(
            "draw.too_early",
            f"The seal names {draw.not_before:%Y-%m-%d %H:%M:%S} UTC as the earliest time to draw; "
            f"it is {now:%Y-%m-%d %H:%M:%S} UTC now.",
        )
        if early
        else None,
    )


def assurance(wait_minutes: int, *, witness: str, held_fingerprint: bool) -> Assurance:
    """Witnessed only if an independent person held the fingerprint at least ten minutes before giving the value."""
    if wait_minutes >= TRUSTED_WAIT and witness and held_fingerprint:
        return Assurance.WITNESSED
    return Assurance.RECORDED


def not_before(sealed_at: datetime, wait_minutes: int) -> datetime:
    """The earliest instant of the draw, to the whole second, as the seal writes it."""
    return sealed_at.replace(microsecond=0) + timedelta(minutes=wait_minutes)
