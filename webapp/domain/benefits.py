"""What a benefit is at an instant, and what may be done with it: every gate with its code and its sentence (benefits.md 5).

Nothing of a state is stored but the stamps; ``state`` computes it from them and from the ledger's net count. Each act has
a table of gates in the order of benefits.md 5.3: the first that is shut is the refusal, and the whole table answers
«why not». Gates explain; limits are held by the guarded updates of the services.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from webapp.domain.verdicts import Reason, Verdict, all_of

REVERSAL_WINDOW = timedelta(minutes=10)
VOID_WINDOW = timedelta(minutes=10)  # in which voiding can be undone


class BenefitState(StrEnum):
    """What a benefit is now; of several that hold the first one here is shown."""

    VOID = "void"
    REDEEMED = "redeemed"
    EXPIRED = "expired"
    SCHEDULED = "scheduled"
    PARTLY_REDEEMED = "partly redeemed"
    ACTIVE = "active"


class BenefitType(StrEnum):
    """What sort of thing a benefit is; reports and lists go by it."""

    DISCOUNT = "discount"
    VALUE = "value"
    COMPETITION = "competition"
    EVENT = "event"
    GIFT = "gift"
    VOUCHER = "voucher"
    BONUS = "bonus"
    OTHER = "other"


class DefinitionState(StrEnum):
    """What a definition is now; archived goes before everything."""

    ARCHIVED = "archived"
    ENDED = "ended"
    DRAFT = "draft"
    LIVE = "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionFacts:
    """What the gates need of a definition. ``codes_left`` is None without a pool; caps are None when there is none."""

    name: str
    is_published: bool = True
    is_archived: bool = False
    stops_redemptions: bool = False
    is_assignable: bool = True
    is_claimable: bool = False
    is_extendable: bool = False
    is_reassignable: bool = False
    allow_user_redeem: bool = False
    force_allocation: bool = False
    codes_left: int | None = None
    end_at: datetime | None = None
    claim_period_start_at: datetime | None = None
    claim_period_end_at: datetime | None = None
    max_global_redemptions: int | None = None
    total_global_redemptions: int = 0
    max_per_profile: int | None = None

    @property
    def global_left(self) -> int | None:
        """How many redemptions are left over all benefits; None when there is no cap, never below 0."""
        cap = self.max_global_redemptions
        return None if cap is None else max(0, cap - self.total_global_redemptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class BenefitFacts:
    """What the gates need of one benefit: its stamps, what it may be redeemed, and the net count of its ledger."""

    issued_at: datetime
    zone: str
    expires_at: datetime | None = None
    voided_at: datetime | None = None
    extended_at: datetime | None = None
    max_redemptions: int | None = None
    redeemed: int = 0

    @property
    def redemptions_left(self) -> int | None:
        """How many redemptions are left of it; None is unlimited, never below 0."""
        return None if self.max_redemptions is None else max(0, self.max_redemptions - self.redeemed)


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of an act: what must hold, in words, and the reason when it does not."""

    words: str
    reason: Reason | None

    @property
    def is_open(self) -> bool:
        return self.reason is None


def verdict(gates: Iterable[Gate]) -> Verdict:
    """The verdict of a table of gates: its first reason is the refusal."""
    return all_of(*(gate.reason for gate in gates))


def _gate(words: str, shut: object, code: str, sentence: str, field: str | None = None) -> Gate:
    return Gate(words, Reason(code, sentence, field) if shut else None)


def definition_state(definition: DefinitionFacts, now: datetime) -> DefinitionState:
    """draft → live → ended; archived goes before all (benefits.md 5.1)."""
    if definition.is_archived:
        return DefinitionState.ARCHIVED
    if definition.end_at is not None and now > definition.end_at:
        return DefinitionState.ENDED
    return DefinitionState.LIVE if definition.is_published else DefinitionState.DRAFT


def state(benefit: BenefitFacts, now: datetime) -> BenefitState:
    """What the benefit is at ``now``, in the order of benefits.md 5.2: void, redeemed, expired, scheduled, partly, active."""
    is_past = benefit.expires_at is not None and now > benefit.expires_at
    found = (
        (benefit.voided_at is not None, BenefitState.VOID),
        (benefit.redemptions_left == 0, BenefitState.REDEEMED),
        (is_past, BenefitState.EXPIRED),
        (now < benefit.issued_at, BenefitState.SCHEDULED),
        (benefit.redeemed > 0, BenefitState.PARTLY_REDEEMED),
    )
    return next((state for holds, state in found if holds), BenefitState.ACTIVE)


def told(moment: datetime | None, zone: str) -> str:
    """An instant as a refusal names it, with its zone."""
    return "" if moment is None else f"{moment.astimezone(ZoneInfo(zone)):%-d %B %Y %H:%M} ({zone})"


def _not_archived(definition: DefinitionFacts) -> Gate:
    sentence = f"{definition.name} is archived; nothing is issued or claimed from it. Restore it first."
    return _gate("the definition is in use", definition.is_archived, "archived", sentence)


def _not_ended(definition: DefinitionFacts, now: datetime, zone: str) -> Gate:
    ended = definition.end_at is not None and now > definition.end_at
    sentence = f"{definition.name} ended on {told(definition.end_at, zone)}; a later end would open it again."
    return _gate("the definition has not ended", ended, "ended", sentence)


def _code_there(definition: DefinitionFacts) -> Gate:
    none_left = definition.force_allocation and not definition.codes_left
    sentence = f"{definition.name} needs a code for each benefit and none is left; add codes to its voucher type."
    return _gate("a code is left, where each needs one", none_left, "no_codes_left", sentence)


def gate_of_limit(definition: DefinitionFacts, held: int) -> Gate:
    """Whether a person who holds so many, void ones apart, may get one more (product.md ruling 4)."""
    most = definition.max_per_profile
    often = "once" if held == 1 else f"{held} times"
    return _gate(
        "the person has not got the most they may get",
        most is not None and held >= most,
        "profile_limit_reached",
        f"This person has got {definition.name} {often}; {most} is the most for one person.",
    )


def gates_to_issue(definition: DefinitionFacts, now: datetime, zone: str, *, held: int = 0) -> tuple[Gate, ...]:
    """What must hold for staff, a file or a rule to issue; ``held`` counts what the person ever got, void ones apart."""
    return (
        _not_archived(definition),
        _gate(
            "the definition may be issued",
            not definition.is_assignable,
            "not_assignable",
            f"{definition.name} cannot be issued by staff, files or rules; it can only be claimed, where it is claimable.",
        ),
        _not_ended(definition, now, zone),
        gate_of_limit(definition, held),
        _code_there(definition),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFacts:
    """What the gates need of the person who claims: whether the condition holds, and why an earlier claim stands in the way."""

    matches: bool = True
    why_not_again: str = ""
    held: int = 0


def gates_to_claim(definition: DefinitionFacts, person: ClaimFacts, now: datetime, zone: str) -> tuple[Gate, ...]:
    """What must hold to claim, in the order of benefits.md 5.3."""
    start, end = definition.claim_period_start_at, definition.claim_period_end_at
    name = definition.name
    return (
        _gate("it can be claimed", not definition.is_claimable, "not_claimable", f"{name} cannot be claimed, only issued."),
        _gate(
            "it is published",
            not definition.is_published,
            "not_published",
            f"{name} is a draft; publish it before anybody claims it.",
        ),
        _not_archived(definition),
        _gate(
            "claiming has begun",
            start is not None and now < start,
            "claim_not_open",
            f"{name} can be claimed from {told(start, zone)} on.",
        ),
        _gate(
            "claiming has not closed", end is not None and now > end, "claim_closed", f"Claiming {name} closed on {told(end, zone)}."
        ),
        _not_ended(definition, now, zone),
        _gate(
            "the person meets the condition",
            not person.matches,
            "condition_not_met",
            f"This person does not meet the condition of {name}; the table shows which part.",
        ),
        _gate("the person may claim it again", person.why_not_again, "already_claimed", person.why_not_again),
        gate_of_limit(definition, person.held),
        _code_there(definition),
        _gate(
            "redemptions are left over all",
            definition.global_left == 0,
            "sold_out",
            f"All {definition.max_global_redemptions:,} redemptions of {name} are used up." if definition.max_global_redemptions is not None else "",
        ),
    )  # fmt: skip


def gates_to_redeem(
    definition: DefinitionFacts, benefit: BenefitFacts, count: int, now: datetime, *, by_holder: bool = False
) -> tuple[Gate, ...]:
    """What must hold to redeem ``count`` of a benefit; ``by_holder`` when the customer does it without staff."""
    left, overall, zone = benefit.redemptions_left, definition.global_left, benefit.zone
    return (
        _gate("it is not void", benefit.voided_at, "void", f"It was made void on {told(benefit.voided_at, zone)}."),
        _gate(
            "redeeming it is not stopped",
            definition.is_archived and definition.stops_redemptions,
            "archived",
            f"{definition.name} is archived and its redemptions were stopped with it.",
        ),
        _gate(
            "it has begun",
            now < benefit.issued_at,
            "not_started",
            f"It can be used from {told(benefit.issued_at, zone)} on.",
        ),
        _gate(
            "it has not expired",
            benefit.expires_at is not None and now > benefit.expires_at,
            "expired",
            f"It expired on {told(benefit.expires_at, zone)}.",
        ),
        _gate(
            "enough redemptions of it are left",
            left is not None and count > left,
            "no_redemptions_left",
            f"{_times(count)} were asked for and {left} of {benefit.max_redemptions} are left."
            if left
            else f"All {benefit.max_redemptions} of its redemptions are used.",
            "count",
        ),
        _gate(
            "enough redemptions are left over all",
            overall is not None and count > overall,
            "global_limit_reached",
            f"{definition.name} may be redeemed {definition.max_global_redemptions} times over all; {overall} are left.",
        ),
        _gate(
            "whoever redeems may",
            by_holder and not definition.allow_user_redeem,
            "self_redeem_not_allowed",
            f"{definition.name} is redeemed by staff only.",
        ),
    )


def _times(count: int) -> str:
    return "One redemption" if count == 1 else f"{count} redemptions"


def gates_to_extend(definition: DefinitionFacts, benefit: BenefitFacts) -> tuple[Gate, ...]:
    """What must hold to extend; an expired benefit can be, one that is used up cannot."""
    return (
        _gate(
            "it may be extended",
            not definition.is_extendable,
            "not_extendable",
            f"{definition.name} cannot be extended; its definition would have to allow it.",
        ),
        _gate("it is not void", benefit.voided_at, "void", f"It was made void on {told(benefit.voided_at, benefit.zone)}."),
        _gate("it can expire", benefit.expires_at is None, "never_expires", "It never expires, so there is nothing to extend."),
        _gate("it is not used up", benefit.redemptions_left == 0, "no_redemptions_left", "It is used up; there is nothing to extend."),
        _gate(
            "it has not been extended before",
            benefit.extended_at,
            "already_extended",
            f"It was extended on {told(benefit.extended_at, benefit.zone)}; a second time is an administrator's decision, with a reason.",
        ),
    )  # fmt: skip


def gates_to_reassign(definition: DefinitionFacts, benefit: BenefitFacts, *, is_same: bool) -> tuple[Gate, ...]:
    """What must hold to hand a benefit over to another person."""
    return (
        _gate(
            "it may be reassigned",
            not definition.is_reassignable,
            "not_reassignable",
            f"{definition.name} cannot go to another person; its definition would have to allow it.",
        ),
        _gate("it is not void", benefit.voided_at, "void", f"It was made void on {told(benefit.voided_at, benefit.zone)}."),
        _gate("it is not used up", benefit.redemptions_left == 0, "no_redemptions_left", "It is used up; there is nothing to hand over."),
        _gate("it goes to somebody else", is_same, "same_profile", "It belongs to this person already; choose another.", "profile"),
    )  # fmt: skip


def may_return(count: int, redeemed: int, returned: int) -> Verdict:
    """Whether ``count`` of a redemption can come back, of which ``returned`` have; at any time (benefits.md 6.5)."""
    left = redeemed - returned
    sentence = (
        f"{redeemed} were redeemed and {returned} have come back; {max(left, 0)} can still be returned, not {count}."
    )
    return all_of(Reason("nothing_to_return", sentence, "count") if count > left else None)


def may_reverse(redeemed_at: datetime, returned: int, now: datetime, zone: str) -> Verdict:
    """Whether a whole redemption can be reversed: within ten minutes, and nothing of it has come back."""
    is_late = now - redeemed_at > REVERSAL_WINDOW
    return all_of(
        Reason("already_reversed", "Something of this redemption has come back already; return the rest instead.")
        if returned
        else None,
        Reason(
            "reversal_window_passed",
            f"It was redeemed on {told(redeemed_at, zone)}, more than 10 minutes ago; return it instead.",
        )
        if is_late
        else None,
    )


def may_unvoid(voided_at: datetime | None, now: datetime, zone: str) -> Verdict:
    """Whether making it void can be undone: for ten minutes (benefits.md 5.8)."""
    if voided_at is None:
        return all_of(Reason("not_void", "It is not void; there is nothing to undo."))
    is_late = now - voided_at > VOID_WINDOW
    sentence = f"It was made void on {told(voided_at, zone)}, more than 10 minutes ago; issue a new one instead."
    return all_of(Reason("void_window_passed", sentence) if is_late else None)


def may_release(voided_at: datetime | None, now: datetime, zone: str, known: Sequence[str]) -> Verdict:
    """Whether the code of a void benefit goes back to its pool: only one that nobody can know (benefits.md 6.4).

    ``known`` says how it may have become known. While voiding can be undone the benefit may want it back.
    """
    if voided_at is None:
        return all_of(Reason("not_void", "Only the code of a void benefit can be released; make it void first."))
    last = told(voided_at + VOID_WINDOW, zone)
    return all_of(
        Reason("void_window", f"Making it void can be undone until {last}; its code can be released after that.")
        if now - voided_at <= VOID_WINDOW
        else None,
        Reason("code_known", f"Its code was {' and '.join(known)}, so somebody may know it; it stays spent.")
        if known
        else None,
    )
