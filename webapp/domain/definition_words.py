"""A benefit definition in sentences: the live summary, the dated notices of sample people, what stands in the way of publishing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from webapp.domain.benefit_claims import ReclaimEvery
from webapp.domain.benefit_dates import Lead, PeriodType, Validity, due_at, expires_at, skipped_time
from webapp.domain.benefit_definitions import NOTICES, PERIOD_WORDS, DefinitionTerms, instant
from webapp.domain.benefits import BenefitFacts, BenefitType
from webapp.domain.notices import NoticeKind, left_out

TYPE_WORDS = {BenefitType.OTHER: "A benefit", BenefitType.EVENT: "An event", BenefitType.VALUE: "A benefit of value"}
AT_ONCE = "sent at once"
QUIET_FROM, QUIET_UNTIL = 21, 8  # hours of the evening and the morning between which nobody likes to be told


def valid_for(validity: Validity, zone: str) -> str:
    """How long a benefit is valid, in a few words: «30 days», «until 30 June 2026», «without end»."""
    count, kind = validity.period, validity.period_type
    if kind is PeriodType.ABSOLUTE_DATE and validity.absolute_expiry:
        words = f"until {validity.absolute_expiry:%-d %B %Y}"
    elif count is None:
        words = "" if validity.end_at else "without end"
    elif kind in (PeriodType.ABSOLUTE_WEEK, PeriodType.ABSOLUTE_MONTH):
        words = _to_the_end(kind, count)
    else:
        unit = PERIOD_WORDS[kind]
        words = "the day of issue only" if count == 0 else f"{count:,} {unit[:-1] if count == 1 else unit}"
    if validity.end_at is None:
        return words
    cap = f"until {validity.end_at.astimezone(ZoneInfo(zone)):%-d %B %Y}"
    return f"{words}, {cap} at the latest" if words else cap


def _to_the_end(kind: PeriodType, count: int) -> str:
    is_week = kind is PeriodType.ABSOLUTE_WEEK
    unit, last = ("week", "Sunday") if is_week else ("month", "last day")
    if count == 0:
        return f"until the {last} of the {unit} of issue"
    return f"until the {last} of the {unit} {count:,} {unit if count == 1 else unit + 's'} later"


def in_words(terms: DefinitionTerms, zone: str, conditions: Mapping[str, str] | None = None) -> list[str]:
    """What these terms come to, one sentence for each thing that is decided. ``conditions`` are in words, by field."""
    return [sentence for sentence in _sentences(terms, zone, conditions or {}) if sentence]


def _sentences(terms: DefinitionTerms, zone: str, conditions: Mapping[str, str]) -> Iterator[str]:
    worth = f", worth {terms.value_minor / 100:,.2f} {terms.currency}".rstrip() if terms.value_minor is not None else ""
    yield f"{TYPE_WORDS.get(terms.type, f'A {terms.type}')} called «{terms.name or '…'}»{worth}."
    yield f"Valid {valid_for(terms.validity(zone), zone)}; days end at 23:59:59 {zone}."
    yield _uses(terms)
    yield _codes(terms)
    yield from _claims(terms, zone, conditions)
    yield _seen(conditions)
    yield _staff(terms)
    yield _notices(terms)


def _uses(terms: DefinitionTerms) -> str:
    each = "as often as one likes" if terms.max_redemptions is None else _times(terms.max_redemptions)
    overall = (
        "" if terms.max_global_redemptions is None else f", {_times(terms.max_global_redemptions)} over all benefits"
    )
    person = "" if terms.max_per_profile is None else f" One person may get {terms.max_per_profile:,} at most."
    return f"Each benefit can be redeemed {each}{overall}.{person}"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def _codes(terms: DefinitionTerms) -> str:
    if terms.voucher_type_id is None:
        shared = [code for code in (terms.redeem_code_pos, terms.redeem_code_online) if code]
        return f"Everybody uses the code {' or '.join(shared)}." if shared else ""
    if terms.force_allocation:
        return "Each benefit takes a code of its own from the voucher type; without one nothing is issued."
    return "Each benefit takes a code of its own from the voucher type while there are any."


def _claims(terms: DefinitionTerms, zone: str, conditions: Mapping[str, str]) -> Iterator[str]:
    if not terms.is_claimable:
        yield "It cannot be claimed, only issued." if terms.is_assignable else "It can be neither claimed nor issued."
        return
    who = conditions.get("claim_condition") or "everyone"
    start, end = terms.claim_period_start_at, terms.claim_period_end_at
    window = f"{f' from {start:%-d %B %Y %H:%M}' if start else ''}{f' until {end:%-d %B %Y %H:%M}' if end else ''}"
    yield f"It can be claimed{window or ' at any time'}{f' ({zone})' if window else ''} by: {who}."
    if not terms.is_reclaimable:
        yield "One person claims it once."
        return
    often = "again" if terms.reclaim_every is ReclaimEvery.NONE else f"once a {terms.reclaim_every}"
    used = ", when the one before is used or has expired" if terms.reclaim_requires_used else ""
    yield f"One person may claim it {often}{used}."


def _seen(conditions: Mapping[str, str]) -> str:
    who = conditions.get("view_condition")
    return f"It is shown only to: {who}." if who else ""


def _staff(terms: DefinitionTerms) -> str:
    may = [
        words
        for holds, words in (
            (terms.is_assignable, "issue it"),
            (terms.is_extendable, "extend it once"),
            (terms.is_reassignable, "hand it over to somebody else"),
        )
        if holds
    ]
    holder = " Holders may redeem it themselves." if terms.allow_user_redeem else ""
    return f"Staff may {_listed(may)}.{holder}" if may else f"Staff may only redeem it.{holder}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _notices(terms: DefinitionTerms) -> str:
    found = [f"{title.lower()}: {lead_words(kind, terms)}" for kind, title in NOTICES.items() if terms.lead(kind)]
    return f"Notices – {'; '.join(found)}." if found else "No notice is planned."


def lead_words(kind: str, terms: DefinitionTerms) -> str:
    """«14 days before expiry at 09:00»."""
    lead = terms.lead(kind)
    if lead is None:
        return "none"
    anchor = "issue" if kind == "issue" else "expiry"
    count = abs(lead.days)
    day = f"the day of {anchor}" if not count else f"{count} {'day' if count == 1 else 'days'} {'before' if lead.days < 0 else 'after'} {anchor}"  # fmt: skip
    hour = "at the same time of day" if lead.hour is None else f"at {lead.hour:02}:00"
    return f"{day} {hour}" + (f", {lead.earlier} h earlier" if lead.earlier else "")


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice of a sample person: its title, when it is due, and why it is left out or odd, if so."""

    title: str
    due_at: datetime | None
    remark: str = ""

    @property
    def is_odd(self) -> bool:
        """Whether staff should look at it: it is left out, or comes when nobody expects it."""
        return self.remark not in ("", AT_ONCE)


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample person of the dated strip: issued when, where, valid until when, told when.

    ``problem`` says why nobody can be issued one at that time; nobody is told anything then.
    """

    words: str
    zone: str
    issued_at: datetime
    expires_at: datetime | None
    notices: tuple[Notice, ...]
    problem: str = ""


def samples(terms: DefinitionTerms, zone: str, now: datetime) -> list[Sample]:
    """Three people: issued now, issued a week ago, and issued in a month to somebody on the other side of the world."""
    far = "Pacific/Auckland" if zone != "Pacific/Auckland" else "Europe/London"
    people = (
        ("Issued now", zone, now),
        ("Issued a week ago", zone, now - timedelta(days=7)),
        (f"Issued in 30 days, in {far}", far, now + timedelta(days=30)),
    )
    return [_sample(words, where, at, terms, terms.validity(zone), now) for words, where, at in people]


def _sample(
    words: str, zone: str, issued: datetime, terms: DefinitionTerms, validity: Validity, now: datetime
) -> Sample:
    ends = expires_at(validity, issued, zone)
    if ends is not None and ends < issued:
        return Sample(words, zone, issued, ends, (), "not any more: the last day is over by then")
    notices = []
    facts = BenefitFacts(issued_at=issued, expires_at=ends, zone=zone)
    for kind, title in NOTICES.items():
        if (lead := terms.lead(kind)) is None:
            continue
        due = due_at(lead, issued if kind == "issue" else ends, zone)
        notices.append(Notice(title, due, _remark(NoticeKind(kind), lead, due, facts, min(issued, now))))
    return Sample(words, zone, issued, ends, tuple(notices))


def _remark(kind: NoticeKind, lead: Lead, due: datetime | None, facts: BenefitFacts, planned_at: datetime) -> str:
    """What staff should know of a notice that is planned with the issue: benefits.md 8.4, peers.md feature 21."""
    if due is None:
        return "left out: it never expires"
    if skip := left_out(kind, due, facts, planned_at):
        return f"left out: {skip}"
    if kind is NoticeKind.ISSUE and due <= facts.issued_at:
        is_quiet = lead.hour is not None and _is_quiet(due, facts.zone)
        return f"{AT_ONCE}; who gets it earlier in the day is told in quiet hours" if is_quiet else AT_ONCE
    anchor = facts.issued_at if kind is NoticeKind.ISSUE else facts.expires_at
    skipped = skipped_time(lead, anchor, facts.zone) if anchor else None
    is_over = kind is not NoticeKind.ISSUE and facts.expires_at is not None and due > facts.expires_at
    remarks = (
        "after expiry: only a win-back makes sense then" if is_over else "",
        f"clocks go forward and skip {skipped:%H:%M} on that day" if skipped else "",
        f"in quiet hours, {QUIET_FROM}:00 to {QUIET_UNTIL:02}:00" if _is_quiet(due, facts.zone) else "",
    )
    return "; ".join(filter(None, remarks))


def _is_quiet(due: datetime, zone: str) -> bool:
    """Whether people should not be disturbed at that local time."""
    return not QUIET_UNTIL <= due.astimezone(ZoneInfo(zone)).hour < QUIET_FROM


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the list before publishing: what is looked at, whether it is well, and what to do when it is not."""

    title: str
    ok: bool
    sentence: str = ""
    stops: bool = False


def readiness(definition: Any, now: datetime, zone: str) -> list[Check]:
    """What somebody should look at before the definition goes live; ``stops`` means it cannot until that is mended.

    ``definition`` has the attributes of a row of ``benefit_definitions``, ``zone`` is that of its site.
    """
    facts = definition.facts
    start, end = definition.claim_period_start_at, definition.claim_period_end_at
    has_ended = facts.end_at is not None and facts.end_at < now
    last_day = facts.last_day
    is_over = last_day is not None and last_day < now.astimezone(ZoneInfo(zone)).date()
    is_closed = facts.is_claimable and end is not None and end < now
    no_codes = facts.force_allocation and not facts.codes_left
    few = facts.codes_left is not None and facts.max_global_redemptions is not None and facts.codes_left < facts.max_global_redemptions  # fmt: skip
    text = definition.redeem_instructions_store or definition.redeem_instructions_online
    textless = ", ".join(
        title.lower()
        for kind, title in NOTICES.items()
        if definition.lead(kind) and getattr(definition, f"{kind}_target_id") is None
    )
    return [
        Check("It is in use", not facts.is_archived, "It is archived; restore it first.", stops=True),
        Check("It can be got", facts.is_assignable or facts.is_claimable, "Nobody could get it: allow issuing or claiming.", stops=True),
        Check("It has not ended", not has_ended, "Its last day is over; choose a later one.", stops=True),
        Check("Its benefits do not end at once", not is_over, f"Its benefits end on {last_day:%-d %B %Y}, which is over; choose a later fixed last day." if last_day else "", stops=True),
        Check("Claiming is not over", not is_closed, "Its claim window is over; choose a later end.", stops=True),
        Check("There are codes", not no_codes, "Each benefit needs a code and none is left; make codes for its voucher type.", stops=True),
        Check("Codes for every redemption", not few, f"{facts.codes_left or 0:,} codes are left for {facts.max_global_redemptions or 0:,} redemptions."),
        Check("People read what it is", bool(definition.short_description), "There is no short description; a list would show the name alone."),
        Check("People read how to use it", bool(text), "There are no instructions to redeem, neither in a shop nor online."),
        Check("Terms are written", bool(definition.terms_conditions), "There are no terms and conditions."),
        Check("Somebody is told", definition.lead("issue") is not None, "No notice goes out when it is issued."),
        Check("Every notice has a text", not textless, f"There is no target for: {textless}. Nothing is sent until one is chosen.", stops=True),
        Check("The window fits", not (start and facts.end_at and start > facts.end_at), "Claiming would open after the definition has ended."),
    ]  # fmt: skip


def window(terms: DefinitionTerms, zone: str) -> tuple[datetime | None, datetime | None]:
    """The claim window as instants."""
    return instant(terms.claim_period_start_at, zone), instant(terms.claim_period_end_at, zone)
