"""Issues one benefit to one person, or lets a person claim one; the gates are those of benefits.md 5.3."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import true

from webapp.domain import benefit_dates, sites
from webapp.domain import benefits as rules
from webapp.domain.audit import Event
from webapp.domain.benefit_claims import ReclaimEvery, period
from webapp.domain.benefits import verdict
from webapp.domain.errors import Refused
from webapp.domain.identity import Reach, Where
from webapp.domain.redemptions import BenefitMove, BenefitSource
from webapp.models import Benefit, BenefitChange, BenefitDefinition, Profile, Site
from webapp.queries import benefit_gates as gates
from webapp.queries import benefits as read
from webapp.queries import reaches
from webapp.services import notices
from webapp.services.benefits import codes, counting, redeeming
from webapp.services.vouchers import Mint
from webapp.services.work import Work

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueBenefit:
    """``issued_on`` and ``expires_on`` are local days of ``zone``; without them it is issued now and ends by its terms.

    ``zone`` empty is the person's, or the site's when the person has none. ``value_minor`` None is the definition's.
    """

    definition_id: int
    profile_id: int
    mint: Mint
    issued_on: date | None = None
    expires_on: date | None = None
    zone: str = ""
    redeem_code_pos: str = ""
    redeem_code_online: str = ""
    value_minor: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimBenefit:
    """A person takes a benefit; with ``count`` that many of it are redeemed in the same transaction.

    ``where`` is how far whoever lets them claim may go.
    """

    definition_id: int
    profile_id: int
    mint: Mint
    zone: str = ""
    count: int = 0
    receipt: str = ""
    location_id: int | None = None
    where: Where = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a benefit would be: since when, until when, in which zone."""

    zone: str
    issued_at: datetime
    expires_at: datetime | None


def issue(work: Work, command: IssueBenefit) -> Benefit:
    """Give a person one benefit. ``Refused`` with the code of the first gate that is shut; then nothing is written."""
    counted = counting.issued(work, command.definition_id, is_claim=False, guard=counting.is_open(work.now))
    found, site = known(work, command.definition_id)
    person = _person(work, command.profile_id)
    zone = zone_of(command.zone, person, site)
    stands = gates.standing(work.session, found.id, person.id, work.now)
    days = (command.issued_on, command.expires_on)
    verdict(gates.to_issue(found, stands, work.now, zone, days=days)).require()
    if not counted:
        raise AssertionError("an open gate stands behind a refused count")
    made = planned(found, zone, work.now, issued_on=command.issued_on, expires_on=command.expires_on)
    return _make(work, found, made, command)


def claim(work: Work, command: ClaimBenefit) -> Benefit:
    """Take a benefit for a person who asks for it, every gate in order; and redeem it at once when ``count`` says so.

    A second claim that may not stand is kept out by a unique key too. A redemption that is refused leaves no benefit.
    """
    counting.issued(work, command.definition_id, is_claim=True, guard=true())
    found, site = known(work, command.definition_id)
    person = _person(work, command.profile_id)
    if isinstance(command.where, Reach) and not reaches.may_hold(work.session, command.where, person.id, site.id):
        raise unknown_person()
    zone = zone_of(command.zone, person, site)
    stands = gates.standing(work.session, found.id, person.id, work.now)
    told = gates.condition(work.session, found, person.id, work.now, zone)
    verdict(gates.to_claim(found, stands, told, work.now, zone)).require()
    benefit = _make(work, found, planned(found, zone, work.now), command)
    if command.count:
        wanted = redeeming.RedeemBenefit(
            benefit.id, receipt=command.receipt, count=command.count, location_id=command.location_id
        )
        redeeming.redeem(work, wanted)
    return benefit


def planned(
    definition: BenefitDefinition,
    zone: str,
    now: datetime,
    *,
    issued_on: date | None = None,
    expires_on: date | None = None,
) -> Plan:
    """What a benefit issued like this would be; a code out of a pool may end it sooner. ``Refused`` on its field."""
    issued_at, expires_at = benefit_dates.span(
        definition.validity, now, zone, issued_on=issued_on, expires_on=expires_on
    )
    if expires_at is not None and expires_at < issued_at:
        raise Refused(
            "expires_before_issue",
            f"It would end on {rules.told(expires_at, zone)}, before it begins on {rules.told(issued_at, zone)}; "
            "choose an earlier first day or a later last one.",
            "expires_on" if expires_on else "issued_on",
        )
    return Plan(zone, issued_at, expires_at)


def capped(plan: Plan, code_until: datetime | None) -> Plan:
    """The plan with a code that is over at ``code_until``, which may end it sooner (benefits.md 6.4)."""
    if code_until is None:
        return plan
    last = code_until - _SECOND
    if last < plan.issued_at:
        raise Refused(
            "expires_before_issue",
            f"Its code ends on {rules.told(last, plan.zone)}, before it begins on "
            f"{rules.told(plan.issued_at, plan.zone)}; choose an earlier first day, or add codes that last longer.",
            "issued_on",
        )
    return replace(plan, expires_at=min(plan.expires_at or last, last))


def on_the_day(issued_at: datetime, now: datetime, zone: str) -> str:
    """What a refusal says of codes that are wanted for a day to come; empty for one that has begun."""
    return "" if issued_at <= now else f" that is good on {rules.told(issued_at, zone)}"


def zone_of(typed: str, person: Profile, site: Site) -> str:
    """The zone whose days count: the one typed, else the person's, else the site's; ``Refused`` for one that is none."""
    try:
        return sites.checked_zone(typed) if typed.strip() else person.zone or site.timezone
    except Refused as refusal:
        raise Refused(refusal.code, refusal.message, "zone") from refusal


def claim_key(definition: BenefitDefinition, profile_id: int, at: datetime, zone: str) -> str | None:
    """One value for all claims of which only one may stand; None where nothing but the rest of the rules forbids it."""
    if not definition.is_reclaimable:
        return f"{definition.id}:{profile_id}"
    if definition.reclaim_every is ReclaimEvery.NONE:
        return None
    return f"{definition.id}:{profile_id}:{'-'.join(map(str, period(definition.reclaim_every, at, zone)))}"


def known(work: Work, definition_id: int) -> tuple[BenefitDefinition, Site]:
    """The definition as it stands now, and its site; ``Refused`` on its field when there is none."""
    found = work.session.get(BenefitDefinition, definition_id, populate_existing=True)
    if found is None:
        raise Refused("definition.unknown", "There is no such definition; choose one of the list.", "definition_id")
    return found, work.session.get_one(Site, found.site_id)


def unknown_person() -> Refused:
    """What is said of somebody there is not, or who is none of one's business."""
    return Refused(
        "profile.unknown",
        "Nobody has this member id or e-mail. Find the person by name first, then use the id that stands there.",
        "person",
    )


def _person(work: Work, profile_id: int) -> Profile:
    person = work.session.get(Profile, profile_id, populate_existing=True)
    if person is None or person.erased_at is not None:
        raise Refused("profile.unknown", "There is no such person; look them up by member id or e-mail.", "profile_id")
    if person.merged_into_id is not None:
        raise Refused("profile.merged", "This row was merged into another person; issue to that person.", "profile_id")
    return person


def _make(work: Work, definition: BenefitDefinition, plan: Plan, command: IssueBenefit | ClaimBenefit) -> Benefit:
    """The row with its code, out of the pool where there is one; ``no_codes_left`` where each needs one."""
    taken = codes.take(work, definition, command.profile_id, plan.issued_at, plan.zone)
    if definition.force_allocation and taken is None:
        then = on_the_day(plan.issued_at, work.now, plan.zone)
        raise Refused(
            "no_codes_left",
            f"{definition.name} needs a code for each benefit and none is left{then}; add codes to its voucher type.",
        )
    if taken:
        plan = capped(plan, taken.until)
    given = command if isinstance(command, IssueBenefit) else None
    own = codes.own(definition, given.redeem_code_pos if given else "", command.mint, has_voucher=taken is not None)
    if own and (other := read.id_of_code(work.session, own)) is not None:
        raise Refused(
            "code_taken", f"Benefit {other} has this code already; each needs a code of its own.", "redeem_code_pos"
        )
    benefit = Benefit(
        definition_id=definition.id,
        terms_number=definition.terms_number,
        profile_id=command.profile_id,
        source=BenefitSource.STAFF if given else BenefitSource.CLAIM,
        zone=plan.zone,
        issued_at=plan.issued_at,
        claimed_at=None if given else work.now,
        claimed_by_id=None if given else command.profile_id,
        expires_at=plan.expires_at,
        max_redemptions=definition.max_redemptions,
        value_minor=_first(
            given.value_minor if given else None, taken.value_minor if taken else None, definition.value_minor
        ),
        currency=definition.currency or (taken.currency if taken else ""),
        redeem_code_pos=own,
        redeem_code_online=(given.redeem_code_online or None) if given else None,
        code_key=codes.key(own),
        claim_key=None if given else claim_key(definition, command.profile_id, work.now, plan.zone),
        voucher_id=taken.voucher_id if taken else None,
        created_at=work.now,
    )
    work.session.add(benefit)
    work.session.flush()
    notices.plan(work, benefit, definition)
    _tell(work, benefit, definition, given.note if given else "")
    return benefit


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)


def _tell(work: Work, benefit: Benefit, definition: BenefitDefinition, note: str) -> None:
    is_claim = benefit.source is BenefitSource.CLAIM
    move = BenefitMove.CLAIMED if is_claim else BenefitMove.ISSUED
    work.session.add(BenefitChange(benefit_id=benefit.id, move=move, at=work.now, by=work.actor.label, note=note))
    event = Event.BENEFIT_CLAIMED if is_claim else Event.BENEFIT_ISSUED
    work.record(
        event,
        benefit,
        definition.site_id,
        title=definition.name,
        person=benefit.profile_id,
        until=rules.told(benefit.expires_at, benefit.zone) or "no end",
    )
    if benefit.voucher_id is not None and (pool := definition.voucher_type) is not None:
        work.record(
            Event.BENEFIT_CODE_ALLOCATED,
            benefit,
            definition.site_id,
            pool=pool.title,
            title=definition.name,
            person=benefit.profile_id,
        )
