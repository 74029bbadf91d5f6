"""The stages of a winner and which follow which (draws.md 3.1 «awarding», K87)."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from webapp.domain.verdicts import Reason, Verdict, all_of


class Stage(StrEnum):
    RESERVE = "reserve"
    TO_CONTACT = "to-contact"
    NOTIFIED = "notified"
    ACCEPTED = "accepted"
    FULFILLED = "fulfilled"
    DECLINED = "declined"
    UNCLAIMED = "unclaimed"
    DISQUALIFIED = "disqualified"


WORDS: dict[Stage, str] = {
    Stage.RESERVE: "Reserve",
    Stage.TO_CONTACT: "To contact",
    Stage.NOTIFIED: "Waiting for an answer",
    Stage.ACCEPTED: "Accepted",
    Stage.FULFILLED: "Fulfilled",
    Stage.DECLINED: "Declined",
    Stage.UNCLAIMED: "Unclaimed",
    Stage.DISQUALIFIED: "Disqualified",
}

SHORTEST_REASON = 3  # characters
ANSWER_WITHIN = timedelta(days=7)  # after that somebody who was told and said nothing is asked again
LEFT = frozenset({Stage.DECLINED, Stage.UNCLAIMED, Stage.DISQUALIFIED})

_NEXT: dict[Stage, frozenset[Stage]] = {
    Stage.RESERVE: frozenset({Stage.TO_CONTACT}),
    Stage.TO_CONTACT: frozenset({Stage.NOTIFIED, Stage.ACCEPTED}) | LEFT,
    Stage.NOTIFIED: frozenset({Stage.ACCEPTED}) | LEFT,
    Stage.ACCEPTED: frozenset({Stage.FULFILLED}),
}


def comes_from(stage: Stage) -> frozenset[Stage]:
    """The stages from which a winner may come to ``stage``."""
    return frozenset(before for before, after in _NEXT.items() if stage in after)


def may_move(before: Stage, after: Stage, reason: str = "") -> Verdict:
    """Whether a winner may go from ``before`` to ``after``; leaving a slot needs a reason of three characters."""
    return all_of(
        None
        if after in _NEXT.get(before, frozenset())
        else Reason(
            "winner.wrong_stage",
            f"The winner is «{WORDS[before]}», so «{WORDS[after]}» cannot follow. Look at the card again: "
            "somebody may have moved it.",
        ),
        Reason("winner.no_reason", "Say why in a few words: the reason stays in the record of the draw.", "reason")
        if after in LEFT and len(reason.strip()) < SHORTEST_REASON
        else None,
    )
