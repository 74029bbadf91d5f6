"""What a reward is, which state follows which, and why an act on it is refused (rewards.md 2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from webapp.domain.protocol.declarations import MAX_PLACES
from webapp.domain.verdicts import Reason, Verdict, all_of

MOST_PRIZES, MOST_OF_ONE, MOST_RESERVES, MOST_VOUCHERS = 100, 10_000, 1_000, 100
MOST_MINOR = 99_999_999_999  # the dearest prize, in hundredths
LONGEST_TERMS, LONGEST_NOTES, LONGEST_WAIT = 20_000, 5_000, 525_600
TRUSTED_WAIT = 10  # minutes in which the fingerprint can get to people outside (draws.md 3.3)


class RewardKind(StrEnum):
    GIVEAWAY = "giveaway"
    COMPETITION = "competition"
    PRIZE_DRAW = "prize_draw"
    GIFT_VOUCHERS = "gift_vouchers"
    POINTS_BUCKET = "points_bucket"


class RewardStatus(StrEnum):
    """The seed's status; its codes are empty, a, e and f."""

    DRAFT = "draft"
    ACTIVE = "active"
    EXPIRED = "expired"
    FULFILLED = "fulfilled"

    @property
    def code(self) -> str:
        return "" if self is RewardStatus.DRAFT else self.value[0]


@dataclass(frozen=True, slots=True)
class PrizeFacts:
    """One prize in its place; ``value_minor`` is in hundredths, None when no value is stated."""

    handle: str
    title: str
    quantity: int
    value_minor: int | None = None


@dataclass(frozen=True, slots=True)
class RewardFacts:
    """What the rules need to know about a reward. ``ends_at`` is exclusive; None is unbounded on that side."""

    kind: RewardKind
    status: RewardStatus
    title: str
    starts_at: datetime | None
    ends_at: datetime | None
    prizes: tuple[PrizeFacts, ...]
    reserve_count: int
    entry_count: int
    one_per_recipient: bool = False
    witnessed_value: str = ""

    @property
    def slot_count(self) -> int:
        return sum(prize.quantity for prize in self.prizes)


def default_reserves(slot_count: int) -> int:
    """Reserves drawn with the winners unless changed: as many as slots, at least three (product.md ruling 8).

    Never more than can be asked for.
    """
    return min(max(3, slot_count), MOST_RESERVES)


def in_words(
    prizes: Sequence[tuple[str, int]],
    days: tuple[date | None, date | None],
    reserve_count: int | None,
    *,
    zone: str,
    one_per_recipient: bool,
    min_wait_minutes: int,
) -> list[str]:
    """What a draw with these terms will be, one sentence for each thing an editor decides.

    ``prizes`` are titles with quantities in order, ``days`` the first and the last day, both included.
    """
    first, last = days
    slots = sum(quantity for _, quantity in prizes)
    listed = ", then ".join(f"{quantity:,} × {title}" for title, quantity in prizes)
    reserves = default_reserves(slots) if reserve_count is None else reserve_count
    since = f"from {first:%A %d %B %Y}, 00:00" if first else "from the moment it is opened"
    until = f"until {last:%A %d %B %Y}, 23:59:59 {zone}" if last else "until somebody closes it"
    return [
        f"{slots:,} to win: {listed}." if prizes else "Nothing to win yet: name at least one prize.",
        f"{reserves:,} reserves are drawn with the winners and follow in order.",
        f"Entries count {since}, {until}.",
        "The first entry of a person takes part."
        if one_per_recipient
        else "A person may take part with several entries.",
        f"At least {min_wait_minutes:,} minutes lie between seal and draw."
        + ("" if min_wait_minutes >= TRUSTED_WAIT else " The record will say «Recorded»."),
    ]


def may_span(bounds: tuple[datetime | None, datetime | None], days: tuple[date | None, date | None]) -> Verdict:
    """Whether it can last from the one instant until the other; ``days`` are what was typed of them."""
    starts_at, ends_at = bounds
    return all_of(
        Reason(
            "reward.ends_first",
            f"The last day ({days[1]}) lies before the first day ({days[0]}); choose a later one.",
            "ends_at",
        )
        if starts_at and ends_at and ends_at <= starts_at
        else None
    )


def may_give(slot_count: int, reserve_count: int) -> Verdict:
    """Whether so many prizes and reserves fit one draw."""
    return all_of(
        Reason(
            "reward.places",
            f"Prizes and reserves together are at most {MAX_PLACES:,}; these are {slot_count:,} prizes.",
            "prizes",
        )
        if slot_count + reserve_count > MAX_PLACES
        else None
    )


def may_edit(reward: RewardFacts) -> Verdict:
    """Terms of a draw can change while it is a draft: entrants rely on what was open to them."""
    return all_of(
        None
        if reward.status is RewardStatus.DRAFT
        else Reason(
            "reward.not_draft",
            f"«{reward.title}» is {reward.status}; its prizes, dates and rules were fixed when it opened for entries.",
        )
    )


def may_delete(reward: RewardFacts) -> Verdict:
    """A draft alone can go: nobody has entered it, and nothing of it was shown."""
    return all_of(
        None
        if reward.status is RewardStatus.DRAFT
        else Reason(
            "reward.not_draft", f"«{reward.title}» is {reward.status}; what was open for entries stays on record."
        )
    )


def may_open(reward: RewardFacts) -> Verdict:
    """draft → active (K20): everything an entrant relies on is there."""
    return all_of(
        None
        if reward.status is RewardStatus.DRAFT
        else Reason("reward.not_draft", f"«{reward.title}» is already {reward.status}; only a draft can be opened."),
        None
        if reward.kind is not RewardKind.PRIZE_DRAW or reward.prizes
        else Reason("reward.no_prizes", "Add at least one prize: a draw without prizes has nothing to draw."),
    )


def may_enter(reward: RewardFacts) -> Verdict:
    """Whether entries may be added: while it is active. When each was made is judged by ``within_window``."""
    return all_of(
        None
        if reward.status is RewardStatus.ACTIVE
        else Reason(
            "reward.not_open",
            f"«{reward.title}» is {reward.status}; entries are added while it is active."
            + (" Open it for entries first." if reward.status is RewardStatus.DRAFT else ""),
        )
    )


def within_window(reward: RewardFacts, at: datetime) -> bool:
    """Whether an entry made at ``at`` lies in the entry window: start inclusive, end exclusive."""
    return (reward.starts_at is None or at >= reward.starts_at) and (reward.ends_at is None or at < reward.ends_at)


def may_close(reward: RewardFacts) -> Verdict:
    """active → expired: by the clock at the end date, or by staff before it."""
    return all_of(
        None
        if reward.status is RewardStatus.ACTIVE
        else Reason("reward.not_open", f"«{reward.title}» is {reward.status}; only an active reward can be closed.")
    )
