"""What a benefit is at an instant, and what may be done with it: every gate with its code and its sentence (benefits.md 5).

Nothing of a state is stored but the stamps; ``state`` computes it from them and from the ledger's net count. Each act has
a table of gates in the order of benefits.md 5.3: the first that is shut is the refusal, and the whole table answers
«why not». Gates explain; limits are held by the guarded updates of the services.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from webapp.domain import gates
from webapp.domain.benefit_dates import BY_TERMS, Days, why_over
from webapp.domain.verdicts import Reason, Verdict, all_of

REVERSAL_WINDOW = timedelta(minutes=10)
# The words in which benefits are judged and told of.
Gate = gates.Gate
Look = gates.Look
kept, told, verdict = gates.kept, gates.told, gates.verdict


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
    last_day: date | None = None  # on which all its benefits end; None where the day of issue decides
    claim_period_start_at: datetime | None = None
    claim_period_end_at: datetime | None = None
    max_global_redemptions: int | None = None
    total_global_redemptions: int = 0
    max_per_profile: int | None = None
    saved_at: datetime | None = None

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


def _flag(definition: DefinitionFacts, zone: str, seen: str, needed: str) -> Look:
    """Something that the definition says, and since when it says it."""
    saved = definition.saved_at
    return Look(seen, needed, f"the definition as saved on {told(saved, zone)}" if saved else "the definition")


def _not_archived(definition: DefinitionFacts, zone: str) -> Gate:
    sentence = f"{definition.name} is archived; nothing is issued or claimed from it. Restore it first."
    look = _flag(definition, zone, "archived" if definition.is_archived else "in use", "in use")
    return gates.gate("the definition is in use", definition.is_archived, "archived", sentence, look=look)


def _not_ended(definition: DefinitionFacts, now: datetime, zone: str) -> Gate:
    ended = definition.end_at is not None and now > definition.end_at
    sentence = f"{definition.name} ended on {told(definition.end_at, zone)}; a later end would open it again."
    look = gates.clock(now, zone, "the end of the definition", until=definition.end_at)
    return gates.gate("the definition has not ended", ended, "ended", sentence, look=look)


def _not_over(definition: DefinitionFacts, now: datetime, zone: str, days: Days = BY_TERMS) -> Gate:
    sentence = why_over(definition.name, definition.last_day, now, zone, days)
    last = definition.last_day
    needed = f"until {last:%-d %B %Y}, its fixed last day" if last else "any day"
    seen = f"{days[0] or now.astimezone(ZoneInfo(zone)).date():%-d %B %Y}"
    look = Look(seen, needed, "the day it would begin")
    return gates.gate("its fixed last day is not over", sentence, "expires_before_issue", sentence, "issued_on", look)


def _code_there(definition: DefinitionFacts) -> Gate:
    none_left = definition.force_allocation and not definition.codes_left
    sentence = f"{definition.name} needs a code for each benefit and none is left; add codes to its voucher type."
    left = definition.codes_left
    seen = "no pool of codes" if left is None else f"{left:,} left"
    look = Look(
        seen, "1 at least" if definition.force_allocation else "none", "" if left is None else "its voucher type"
    )
    return gates.gate("a code is left, where each needs one", none_left, "no_codes_left", sentence, look=look)


def gate_of_limit(definition: DefinitionFacts, held: int) -> Gate:
    """Whether a person who holds so many, void ones apart, may get one more (product.md ruling 4)."""
    most = definition.max_per_profile
    often = "once" if held == 1 else f"{held} times"
    return gates.gate(
        "the person has not got the most they may get",
        most is not None and held >= most,
        "profile_limit_reached",
        f"This person has got {definition.name} {often}; {most} is the most for one person.",
        look=gates.counted(held, most, f"fewer than {most}", "benefits held that are not void"),
    )


def gates_to_issue(
    definition: DefinitionFacts, now: datetime, zone: str, *, held: int = 0, days: Days = BY_TERMS
) -> tuple[Gate, ...]:
    """What must hold for staff, a file or a rule to issue; ``held`` counts what the person ever got, void ones apart."""
    issuing = "can be issued" if definition.is_assignable else "cannot be issued"
    return (
        _not_archived(definition, zone),
        gates.gate(
            "the definition may be issued",
            not definition.is_assignable,
            "not_assignable",
            f"{definition.name} cannot be issued by staff, files or rules; it can only be claimed, where it is claimable.",
            look=_flag(definition, zone, issuing, "can be issued"),
        ),
        _not_ended(definition, now, zone),
        _not_over(definition, now, zone, days),
        gate_of_limit(definition, held),
        _code_there(definition),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFacts:
    """What the gates need of the person who claims: whether the condition holds, and why an earlier claim stands in the way.

    ``again`` is what was looked at for that.
    """

    matches: bool = True
    why_not_again: str = ""
    held: int = 0
    again: Look | None = None


def gates_to_claim(definition: DefinitionFacts, person: ClaimFacts, now: datetime, zone: str) -> tuple[Gate, ...]:
    """What must hold to claim, in the order of benefits.md 5.3."""
    start, end = definition.claim_period_start_at, definition.claim_period_end_at
    name = definition.name
    return (
        gates.gate(
            "it can be claimed",
            not definition.is_claimable,
            "not_claimable",
            f"{name} cannot be claimed, only issued.",
            look=_flag(definition, zone, "can be claimed" if definition.is_claimable else "only issued", "can be claimed"),
        ),
        gates.gate(
            "it is published",
            not definition.is_published,
            "not_published",
            f"{name} is a draft; publish it before anybody claims it.",
            look=_flag(definition, zone, "published" if definition.is_published else "a draft", "published"),
        ),
        _not_archived(definition, zone),
        gates.gate(
            "claiming has begun",
            start is not None and now < start,
            "claim_not_open",
            f"{name} can be claimed from {told(start, zone)} on.",
            look=gates.clock(now, zone, "the beginning of claiming", since=start),
        ),
        gates.gate(
            "claiming has not closed",
            end is not None and now > end,
            "claim_closed",
            f"Claiming {name} closed on {told(end, zone)}.",
            look=gates.clock(now, zone, "the end of claiming", until=end),
        ),
        _not_ended(definition, now, zone),
        _not_over(definition, now, zone),
        gates.gate(
            "the person meets the condition",
            not person.matches,
            "condition_not_met",
            f"This person does not meet the condition of {name}; the table shows which part.",
            look=Look("met" if person.matches else "not met", "met", "what is known of the person"),
        ),
        gates.gate(
            "the person may claim it again",
            person.why_not_again,
            "already_claimed",
            person.why_not_again,
            look=person.again,
        ),
        gate_of_limit(definition, person.held),
        _code_there(definition),
        gates.gate(
            "redemptions are left over all",
            definition.global_left == 0,
            "sold_out",
            f"All {definition.max_global_redemptions:,} redemptions of {name} are used up." if definition.max_global_redemptions is not None else "",
            look=_overall(definition, 1),
        ),
    )  # fmt: skip


def _overall(definition: DefinitionFacts, count: int) -> Look:
    most, used = definition.max_global_redemptions, definition.total_global_redemptions
    return gates.counted(used, most, f"{count:,} left at least", "the ledger of all its benefits")


def gates_to_redeem(
    definition: DefinitionFacts,
    benefit: BenefitFacts,
    count: int,
    now: datetime,
    *,
    by_holder: bool = False,
    last_use: str = "",
) -> tuple[Gate, ...]:
    """What must hold to redeem ``count`` of a benefit; ``by_holder`` when the customer does it without staff.

    ``last_use`` tells the redemption that its counter comes from.
    """
    left, overall, zone = benefit.redemptions_left, definition.global_left, benefit.zone
    stopped = definition.is_archived and definition.stops_redemptions
    void, extended = told(benefit.voided_at, zone), told(benefit.extended_at, zone)
    return (
        gates.gate(
            "it is not void",
            benefit.voided_at,
            "void",
            f"It was made void on {void}.",
            look=Look("void" if void else "not void", "not void", f"made void on {void}" if void else ""),
        ),
        gates.gate(
            "redeeming it is not stopped",
            stopped,
            "archived",
            f"{definition.name} is archived and its redemptions were stopped with it.",
            look=_flag(definition, zone, "stopped" if stopped else "not stopped", "not stopped"),
        ),
        gates.gate(
            "it has begun",
            now < benefit.issued_at,
            "not_started",
            f"It can be used from {told(benefit.issued_at, zone)} on.",
            look=gates.clock(now, zone, "when it begins", since=benefit.issued_at),
        ),
        gates.gate(
            "it has not expired",
            benefit.expires_at is not None and now > benefit.expires_at,
            "expired",
            f"It expired on {told(benefit.expires_at, zone)}.",
            look=gates.clock(
                now, zone, f"as extended on {extended}" if extended else "when it ends", until=benefit.expires_at
            ),
        ),
        gates.gate(
            "enough redemptions of it are left",
            left is not None and count > left,
            "no_redemptions_left",
            _too_few(count, left, benefit.max_redemptions),
            "count",
            gates.counted(
                benefit.redeemed, benefit.max_redemptions, f"{count:,} left at least", last_use or "its ledger"
            ),
        ),
        gates.gate(
            "enough redemptions are left over all",
            overall is not None and count > overall,
            "global_limit_reached",
            f"{definition.name} may be redeemed {definition.max_global_redemptions} times over all; {overall} are left.",
            look=_overall(definition, count),
        ),
        gates.gate(
            "whoever redeems may",
            by_holder and not definition.allow_user_redeem,
            "self_redeem_not_allowed",
            f"{definition.name} is redeemed by staff only.",
            look=_flag(
                definition,
                zone,
                "the holder" if by_holder else "staff",
                "anybody" if definition.allow_user_redeem else "staff",
            ),
        ),
    )


def _too_few(count: int, left: int | None, most: int | None) -> str:
    if left:
        return f"{_times(count)} were asked for and {left} of {most} are left."
    return "Its only redemption is used." if most == 1 else f"All {most} of its redemptions are used."


def _times(count: int) -> str:
    return "One redemption" if count == 1 else f"{count} redemptions"


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
