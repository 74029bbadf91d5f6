"""What an entry in a draw can be, and why one does not take part (draws.md 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from webapp.domain.protocol.entries import MAX_TICKETS_PER_ENTRY as MAX_TICKETS
from webapp.domain.protocol.entries import Status as EntryStatus
from webapp.domain.rewards import RewardFacts

__all__ = ["MAX_TICKETS", "WORDS", "EntryFacts", "EntryStatus", "ReviewRules", "exclusion", "staff_reason"]

WORDS: dict[EntryStatus, str] = {
    EntryStatus.OK: "Takes part",
    EntryStatus.STAFF: "Staff",
    EntryStatus.PREVIOUS_WINNER: "Previous winner",
    EntryStatus.DUPLICATE: "Duplicate",
    EntryStatus.HOUSEHOLD: "Same household",
    EntryStatus.OVER_LIMIT: "Over the limit",
    EntryStatus.INELIGIBLE: "Not eligible",
    EntryStatus.WITHDRAWN: "Withdrawn",
    EntryStatus.LATE: "Outside the dates",
    EntryStatus.TEST: "Test entry",
}


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """What the eligibility review knows of one entry."""

    email_key: str | None
    entered_at: datetime
    is_first_of_person: bool
    has_won_before: bool


@dataclass(frozen=True, slots=True)
class ReviewRules:
    """What the review excludes, in its order: the first rule that fits gives the reason."""

    reward: RewardFacts
    staff_domains: frozenset[str]
    staff_emails: frozenset[str]
    exclude_previous_winners: bool


def staff_reason(email_key: str | None, rules: ReviewRules) -> str:
    """Why this address counts as staff, or an empty text. People who run a draw may not enter it (draws.md 2, T11)."""
    if not email_key:
        return ""
    if email_key in rules.staff_emails:
        return "The e-mail belongs to a member of staff."
    domain = email_key.rpartition("@")[2]
    return f"The e-mail is on the staff domain {domain}." if domain in rules.staff_domains else ""


def exclusion(entry: EntryFacts, rules: ReviewRules) -> tuple[EntryStatus, str]:
    """The status an entry gets at the review, with the reason in words; ``ok`` and no words when it takes part."""
    start, end = rules.reward.starts_at, rules.reward.ends_at
    staff = staff_reason(entry.email_key, rules)
    checks = (
        (bool(staff), EntryStatus.STAFF, staff),
        (
            rules.exclude_previous_winners and entry.has_won_before,
            EntryStatus.PREVIOUS_WINNER,
            "The person has won an earlier draw of this site.",
        ),
        (
            end is not None and entry.entered_at >= end,
            EntryStatus.LATE,
            "Entered after the draw had closed for entries.",
        ),
        (
            start is not None and entry.entered_at < start,
            EntryStatus.INELIGIBLE,
            "Entered before the draw had opened for entries.",
        ),
        (
            rules.reward.one_per_recipient and not entry.is_first_of_person,
            EntryStatus.DUPLICATE,
            "One entry per person: an earlier entry of this person takes part.",
        ),
    )
    return next(((status, reason) for found, status, reason in checks if found), (EntryStatus.OK, ""))
