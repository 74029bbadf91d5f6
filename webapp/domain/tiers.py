"""Tiers: ranks of the loyalty programme, one number each."""

from __future__ import annotations

from webapp.domain.errors import Conflict
from webapp.domain.verdicts import Reason, Verdict, all_of

HIGHEST = 1_000
_SHOWN = 60


def rank_taken(rank: int, title: str) -> Conflict:
    """Two tiers cannot stand at the same place."""
    return Conflict(
        "tier.rank", f"Rank {rank:,} is that of «{title[:_SHOWN]}» already; choose a number no other tier has.", "rank"
    )


def may_remove(title: str, *, is_held: bool) -> Verdict:
    """A tier goes only while nobody has it: nothing is deleted that anything refers to (product.md ruling 13)."""
    return all_of(
        Reason(
            "tier.held",
            f"People have the tier «{title[:_SHOWN]}». Give them another tier first, on their pages or with a file.",
        )
        if is_held
        else None
    )
