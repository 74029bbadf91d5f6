"""What is written of a benefit: where it came from, what happened to it, the ledger's lines and the till's receipts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from webapp.domain.benefits import BenefitState
from webapp.domain.verdicts import Reason, Verdict, all_of
from webapp.domain.voucher_codes import ALPHABET, RandomBytes, normalise

RECEIPT = 4  # signs; it is read out, so it tells receipts of a day apart, not those of a year
UNDO_WINDOW = timedelta(seconds=60)  # in which the till takes back a slip without a reason (peers.md feature 17)
MOST_AT_ONCE = 1_000
WRONG_CODES = 10  # within a minute, of one person at the till (reliability.md P18)


class BenefitSource(StrEnum):
    """How a benefit came about."""

    STAFF = "staff"
    CLAIM = "claim"


class RedemptionKind(StrEnum):
    """A line of the ledger: taken, given back in part or in whole, or taken back as a slip."""

    REDEEM = "redeem"
    RETURN = "return"
    REVERSAL = "reversal"


class BenefitMove(StrEnum):
    """What happens to a benefit besides the ledger; the line of its history."""

    ISSUED = "issued"
    CLAIMED = "claimed"
    EXTENDED = "extended"
    EXTENSION_UNDONE = "extension undone"
    EXPIRY_SET = "expiry set"
    REASSIGNED = "reassigned"
    VOIDED = "voided"
    RESTORED = "restored"
    EXPIRED = "expired"
    PRINTED = "printed"
    RELEASED = "released"


# The moves after which a benefit ends at another time.
MOVES_END = (BenefitMove.EXTENDED, BenefitMove.EXTENSION_UNDONE, BenefitMove.EXPIRY_SET)


def receipt(random_bytes: RandomBytes) -> str:
    """Four signs of the alphabet that cannot be misread."""
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in random_bytes(RECEIPT))


def looks_like_receipt(text: str) -> bool:
    """Whether ``text`` may be a receipt of the till as a person typed it."""
    found = normalise(text)
    return len(found) == RECEIPT and set(found) <= set(ALPHABET)


@dataclass(frozen=True, slots=True)
class LastUse:
    """The latest redemption that stands: what a lost race is told."""

    at: datetime
    by: str
    place: str
    receipt: str

    def words(self, zone: str) -> str:
        """«Used on 2 March 2026 14:02:11 (Europe/London) at Till 3 by Mo Ann (receipt K7QD).»"""
        local = f"{self.at.astimezone(ZoneInfo(zone)):%-d %B %Y %H:%M:%S} ({zone})"
        place = f" at {self.place}" if self.place else ""
        return f"Used on {local}{place} by {self.by} (receipt {self.receipt})."


def may_undo(redeemed_at: datetime, now: datetime, *, is_own: bool) -> Verdict:
    """Whether the till takes back a redemption without a reason: one's own, for a minute."""
    late = now - redeemed_at > UNDO_WINDOW
    return all_of(
        None if is_own else Reason("not_own", "Somebody else redeemed it; reverse it on the page of the benefit."),
        Reason("undo_window_passed", "A minute has passed; reverse it on the page of the benefit, with a reason.")
        if late
        else None,
    )


# What a state means at the till, before any sentence: the big word.
VERDICTS = {
    BenefitState.VOID: "Void",
    BenefitState.REDEEMED: "Already used",
    BenefitState.EXPIRED: "Expired",
    BenefitState.SCHEDULED: "Not yet",
    BenefitState.PARTLY_REDEEMED: "Good",
    BenefitState.ACTIVE: "Good",
}
