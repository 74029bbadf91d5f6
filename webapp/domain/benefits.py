"""What a benefit is at an instant, and what may be done with it: every gate with its code and its sentence (benefits.md 5).

Nothing of a state is stored but the stamps; ``state`` computes it from them and from the ledger's net count. Each act has
a table of gates in the order of benefits.md 5.3: the first that is shut is the refusal, and the whole table answers
«why not». Gates explain; limits are held by the guarded updates of the services.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from webapp.domain.benefit_dates import BY_TERMS, Days, why_over
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


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of an act: what must hold, in words, and the reason when it does not.

    ``seen`` is the value that was looked at, ``event`` what it comes from, ``needed`` the value it takes to pass, and
    ``turns_at`` the instant from which a gate that is shut opens by itself, where time alone opens it.
    """

    words: str
    reason: Reason | None
    seen: str = ""
    event: str = ""
    needed: str = ""
    turns_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.reason is None


def verdict(gates: Iterable[Gate]) -> Verdict:
    """The verdict of a table of gates: its first reason is the refusal."""
    return all_of(*(gate.reason for gate in gates))


@dataclass(frozen=True, slots=True)
class Look:
    """What a gate looked at: the fields of ``Gate`` by the same names."""

    seen: str = ""
    needed: str = ""
    event: str = ""
    turns_at: datetime | None = None


def _gate(
    words: str, shut: object, code: str, sentence: str, field: str | None = None, look: Look | None = None
) -> Gate:
    at = look or Look()
    reason = Reason(code, sentence, field) if shut else None
    return Gate(words, reason, at.seen, at.event, at.needed, at.turns_at if shut else None)


def kept(gates: Iterable[Gate], zone: str) -> list[list[str]]:
    """A table of gates as it is kept with a refusal: words, sentence against it, seen, event, needed, when it opens."""
    return [
        [gate.words, gate.reason.message if gate.reason else "", gate.seen, gate.event, gate.needed, told(gate.turns_at, zone)]
        for gate in gates
    ]  # fmt: skip


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


def _flag(definition: DefinitionFacts, zone: str, seen: str, needed: str) -> Look:
    """Something that the definition says, and since when it says it."""
    saved = definition.saved_at
    return Look(seen, needed, f"the definition as saved on {told(saved, zone)}" if saved else "the definition")


def _clock(now: datetime, zone: str, why: str, *, since: datetime | None = None, until: datetime | None = None) -> Look:
    """The instant that is asked about, and the bound it must keep to, with what sets it; a beginning comes by itself."""
    bound = f"from {told(since, zone)} on" if since else f"until {told(until, zone)}" if until else ""
    needed = f"{bound}, {why}" if bound else "any time"
    return Look(told(now, zone), needed, "the instant asked about", since)


def _counted(used: int, most: int | None, needed: str, event: str = "") -> Look:
    """A counter and its limit."""
    if most is None:
        return Look(f"{used:,}, without a limit", "no limit", event)
    return Look(f"{used:,} of {most:,}", needed, event)


def _not_archived(definition: DefinitionFacts, zone: str) -> Gate:
    sentence = f"{definition.name} is archived; nothing is issued or claimed from it. Restore it first."
    look = _flag(definition, zone, "archived" if definition.is_archived else "in use", "in use")
    return _gate("the definition is in use", definition.is_archived, "archived", sentence, look=look)


def _not_ended(definition: DefinitionFacts, now: datetime, zone: str) -> Gate:
    ended = definition.end_at is not None and now > definition.end_at
    sentence = f"{definition.name} ended on {told(definition.end_at, zone)}; a later end would open it again."
    look = _clock(now, zone, "the end of the definition", until=definition.end_at)
    return _gate("the definition has not ended", ended, "ended", sentence, look=look)


def _not_over(definition: DefinitionFacts, now: datetime, zone: str, days: Days = BY_TERMS) -> Gate:
    sentence = why_over(definition.name, definition.last_day, now, zone, days)
    last = definition.last_day
    needed = f"until {last:%-d %B %Y}, its fixed last day" if last else "any day"
    seen = f"{days[0] or now.astimezone(ZoneInfo(zone)).date():%-d %B %Y}"
    look = Look(seen, needed, "the day it would begin")
    return _gate("its fixed last day is not over", sentence, "expires_before_issue", sentence, "issued_on", look)


def _code_there(definition: DefinitionFacts) -> Gate:
    none_left = definition.force_allocation and not definition.codes_left
    sentence = f"{definition.name} needs a code for each benefit and none is left; add codes to its voucher type."
    left = definition.codes_left
    seen = "no pool of codes" if left is None else f"{left:,} left"
    look = Look(
        seen, "1 at least" if definition.force_allocation else "none", "" if left is None else "its voucher type"
    )
    return _gate("a code is left, where each needs one", none_left, "no_codes_left", sentence, look=look)


def gate_of_limit(definition: DefinitionFacts, held: int) -> Gate:
    """Whether a person who holds so many, void ones apart, may get one more (product.md ruling 4)."""
    most = definition.max_per_profile
    often = "once" if held == 1 else f"{held} times"
    return _gate(
        "the person has not got the most they may get",
        most is not None and held >= most,
        "profile_limit_reached",
        f"This person has got {definition.name} {often}; {most} is the most for one person.",
        look=_counted(held, most, f"fewer than {most}", "benefits held that are not void"),
    )


def gates_to_issue(
    definition: DefinitionFacts, now: datetime, zone: str, *, held: int = 0, days: Days = BY_TERMS
) -> tuple[Gate, ...]:
    """What must hold for staff, a file or a rule to issue; ``held`` counts what the person ever got, void ones apart."""
    issuing = "can be issued" if definition.is_assignable else "cannot be issued"
    return (
        _not_archived(definition, zone),
        _gate(
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
    again: Look = Look()


def gates_to_claim(definition: DefinitionFacts, person: ClaimFacts, now: datetime, zone: str) -> tuple[Gate, ...]:
    """What must hold to claim, in the order of benefits.md 5.3."""
    start, end = definition.claim_period_start_at, definition.claim_period_end_at
    name = definition.name
    return (
        _gate(
            "it can be claimed",
            not definition.is_claimable,
            "not_claimable",
            f"{name} cannot be claimed, only issued.",
            look=_flag(definition, zone, "can be claimed" if definition.is_claimable else "only issued", "can be claimed"),
        ),
        _gate(
            "it is published",
            not definition.is_published,
            "not_published",
            f"{name} is a draft; publish it before anybody claims it.",
            look=_flag(definition, zone, "published" if definition.is_published else "a draft", "published"),
        ),
        _not_archived(definition, zone),
        _gate(
            "claiming has begun",
            start is not None and now < start,
            "claim_not_open",
            f"{name} can be claimed from {told(start, zone)} on.",
            look=_clock(now, zone, "the beginning of claiming", since=start),
        ),
        _gate(
            "claiming has not closed",
            end is not None and now > end,
            "claim_closed",
            f"Claiming {name} closed on {told(end, zone)}.",
            look=_clock(now, zone, "the end of claiming", until=end),
        ),
        _not_ended(definition, now, zone),
        _not_over(definition, now, zone),
        _gate(
            "the person meets the condition",
            not person.matches,
            "condition_not_met",
            f"This person does not meet the condition of {name}; the table shows which part.",
            look=Look("met" if person.matches else "not met", "met", "what is known of the person"),
        ),
        _gate(
            "the person may claim it again",
            person.why_not_again,
            "already_claimed",
            person.why_not_again,
            look=person.again,
        ),
        gate_of_limit(definition, person.held),
        _code_there(definition),
        _gate(
            "redemptions are left over all",
            definition.global_left == 0,
            "sold_out",
            f"All {definition.max_global_redemptions:,} redemptions of {name} are used up." if definition.max_global_redemptions is not None else "",
            look=_overall(definition, 1),
        ),
    )  # fmt: skip


def _overall(definition: DefinitionFacts, count: int) -> Look:
    most, used = definition.max_global_redemptions, definition.total_global_redemptions
    return _counted(used, most, f"{count:,} left at least", "the ledger of all its benefits")


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
        _gate(
            "it is not void",
            benefit.voided_at,
            "void",
            f"It was made void on {void}.",
            look=Look("void" if void else "not void", "not void", f"made void on {void}" if void else ""),
        ),
        _gate(
            "redeeming it is not stopped",
            stopped,
            "archived",
            f"{definition.name} is archived and its redemptions were stopped with it.",
            look=_flag(definition, zone, "stopped" if stopped else "not stopped", "not stopped"),
        ),
        _gate(
            "it has begun",
            now < benefit.issued_at,
            "not_started",
            f"It can be used from {told(benefit.issued_at, zone)} on.",
            look=_clock(now, zone, "when it begins", since=benefit.issued_at),
        ),
        _gate(
            "it has not expired",
            benefit.expires_at is not None and now > benefit.expires_at,
            "expired",
            f"It expired on {told(benefit.expires_at, zone)}.",
            look=_clock(
                now, zone, f"as extended on {extended}" if extended else "when it ends", until=benefit.expires_at
            ),
        ),
        _gate(
            "enough redemptions of it are left",
            left is not None and count > left,
            "no_redemptions_left",
            f"{_times(count)} were asked for and {left} of {benefit.max_redemptions} are left."
            if left
            else f"All {benefit.max_redemptions} of its redemptions are used.",
            "count",
            _counted(benefit.redeemed, benefit.max_redemptions, f"{count:,} left at least", last_use or "its ledger"),
        ),
        _gate(
            "enough redemptions are left over all",
            overall is not None and count > overall,
            "global_limit_reached",
            f"{definition.name} may be redeemed {definition.max_global_redemptions} times over all; {overall} are left.",
            look=_overall(definition, count),
        ),
        _gate(
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
