"""Benefits that were extended together, and when that can be taken back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from webapp.domain.benefits import BenefitFacts
from webapp.domain.redemptions import BenefitMove
from webapp.domain.verdicts import Reason, Verdict, all_of

WINDOW = timedelta(minutes=10)
SINCE = {
    BenefitMove.RESTORED: "It was made void since, and restored.",
    BenefitMove.VOIDED: "It was made void since.",
    BenefitMove.REASSIGNED: "It was handed over since.",
    BenefitMove.EXPIRY_SET: "Its end was set otherwise since.",
}


@dataclass(frozen=True, slots=True)
class Extended:
    """What an extension made of one benefit: when, its end since then, and how often it had been redeemed."""

    at: datetime
    until: datetime
    redeemed: int


def may_take_back(at: datetime, by: str, undone_at: datetime | None, now: datetime, *, is_allowed: bool) -> Verdict:
    """Whether an extension of several can be taken back: once, within ten minutes, by whoever made it or may override."""
    return all_of(
        Reason("extension.undone", "This extension has been taken back already.") if undone_at else None,
        Reason(
            "extension.late",
            "It was made more than 10 minutes ago, so it stays; somebody who may override sets another end of single benefits.",
        )
        if not undone_at and now - at > WINDOW
        else None,
        None
        if is_allowed
        else Reason("not_own", f"{by} extended them; they, or whoever may set the end, can take that back."),
    )


def why_it_stays(benefit: BenefitFacts, then: Extended, moves: Collection[BenefitMove], *, has_expired: bool) -> str:
    """Why one of them keeps its later end: it was used or changed since; empty when nothing is in the way."""
    if benefit.voided_at is not None:
        return SINCE[BenefitMove.VOIDED]
    if since := next((words for move, words in SINCE.items() if move in moves), ""):
        return since
    if benefit.redeemed != then.redeemed:
        return "It was redeemed since, or some of it came back."
    if has_expired:
        return "It expired since, and its history says so."
    is_same = (benefit.expires_at, benefit.extended_at) == (then.until, then.at)
    return "" if is_same else "Somebody changed it since."
