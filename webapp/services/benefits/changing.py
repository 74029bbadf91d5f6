"""Extends, reassigns, voids and restores benefits, sets their expiry, and tells once that they expired."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, or_, select, text, true, update

from webapp.domain import benefit_acts, benefit_dates
from webapp.domain import benefits as rules
from webapp.domain.audit import Event
from webapp.domain.benefit_claims import Claim, why_not_back
from webapp.domain.benefits import verdict
from webapp.domain.errors import Conflict, Refused
from webapp.domain.notices import Skip
from webapp.domain.redemptions import BenefitMove
from webapp.domain.vouchers import VoucherStatus
from webapp.models import Benefit, BenefitChange, BenefitDefinition, Voucher
from webapp.models.benefits import NOT_TOLD
from webapp.queries import benefit_ends, benefit_traces, memberships
from webapp.queries import benefit_gates as gates
from webapp.queries import benefits as read
from webapp.services import notices
from webapp.services.benefits import codes, counting
from webapp.services.work import Work, changed_rows

SWEPT = 500  # told in one transaction
_SHORTEST_REASON = 3
# A claim that is void frees the person; the key it stood under is kept for undoing that.
FREED: dict[str, Any] = {"claim_key": None, "freed_claim_key": Benefit.claim_key}


@dataclass(frozen=True, slots=True)
class ExtendBenefit:
    """Either a number of calendar days or the last day, local to the benefit."""

    benefit_id: int
    extend_days: int | None = None
    extend_date: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class SetExpiry:
    """Another last day, sooner or later, whatever the terms say: with a reason (benefits.md 5.6)."""

    benefit_id: int
    expires_on: date
    reason: str


@dataclass(frozen=True, slots=True)
class ReassignBenefit:
    """``person`` is a member id or an e-mail; ``is_confirmed`` says that an earlier claim of theirs does not matter."""

    benefit_id: int
    person: str
    note: str = ""
    is_confirmed: bool = False


@dataclass(frozen=True, slots=True)
class VoidBenefit:
    """``reason`` stays in the record."""

    benefit_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class RestoreBenefit:
    """Undo voiding, within ten minutes."""

    benefit_id: int


@dataclass(frozen=True, slots=True)
class ReleaseCode:
    """``reason`` stands in its history and in the log of the code."""

    benefit_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class RevealBenefit:
    """Somebody looks at the whole code."""

    benefit_id: int


def extend(work: Work, command: ExtendBenefit) -> Benefit:
    """Once, by days or to a date; an expired benefit lives again (benefits.md 6.2)."""
    return extended(work, command)[0]


def extended(work: Work, command: ExtendBenefit) -> tuple[Benefit, datetime | None]:
    """The same; gives too when its code was over, where that lasts longer with it from now on."""
    benefit, definition = _both(work, command.benefit_id)
    verdict(benefit_acts.gates_to_extend(definition.facts, benefit.facts)).require()
    before = benefit.expires_at
    if before is None:
        raise AssertionError("a gate asks whether it expires")
    later = benefit_dates.extended(before, benefit.zone, days=command.extend_days, until=command.extend_date)
    _move_expiry(work, benefit, before, later, extended_at=work.now)
    code_over = codes.lengthen(work, benefit, later)
    moved = f"From {rules.told(before, benefit.zone)} to {rules.told(later, benefit.zone)}."
    note = _told_move(work, benefit, moved, command.note)
    notices.move(work, read.get(work.session, benefit.id), definition)
    _tell(work, benefit, BenefitMove.EXTENDED, note, ended_at=before)
    until = rules.told(later, benefit.zone)
    work.record(
        Event.BENEFIT_EXTENDED, benefit, definition.site_id, title=definition.name, person=benefit.profile_id, until=until
    )  # fmt: skip
    return read.get(work.session, benefit.id), code_over


def _told_move(work: Work, benefit: Benefit, moved: str, typed: str) -> str:
    """The note of a moved end: from when to when, what was typed, and what it lasts longer than."""
    benefit = read.get(work.session, benefit.id)
    outlasted = benefit_ends.of(work.session, [benefit.id])[benefit.id].outlasted(benefit.expires_at)
    stop = "." if outlasted and typed and typed[-1] not in ".!?" else ""
    return " ".join(filter(None, (moved, typed + stop, *outlasted)))


def set_expiry(work: Work, command: SetExpiry) -> Benefit:
    """Decide otherwise: another end, with a reason, for those who have the right to."""
    benefit, definition = _both(work, command.benefit_id)
    reason = checked_reason(command.reason)
    if benefit.voided_at is not None:
        raise Refused("void", f"It was made void on {rules.told(benefit.voided_at, benefit.zone)}.")
    ends = benefit_dates.end_of_day(command.expires_on, benefit.zone)
    if ends < benefit.issued_at:
        raise Refused(
            "expires_before_issue",
            f"It begins on {rules.told(benefit.issued_at, benefit.zone)}; choose that day or a later one.",
            "expires_on",
        )
    ended_at = benefit.expires_at
    _move_expiry(work, benefit, ended_at, ends, extended_at=benefit.extended_at)
    codes.lengthen(work, benefit, ends)
    until = rules.told(ends, benefit.zone)
    before = rules.told(ended_at, benefit.zone) or "no end"
    notices.move(work, read.get(work.session, benefit.id), definition)
    note = _told_move(work, benefit, f"From {before} to {until}.", reason)
    _tell(work, benefit, BenefitMove.EXPIRY_SET, note, ended_at=ended_at)
    work.record(
        Event.BENEFIT_EXPIRY_SET,
        benefit,
        definition.site_id,
        title=definition.name,
        person=benefit.profile_id,
        before=before,
        until=until,
        reason=reason,
    )
    return read.get(work.session, benefit.id)


def reassign(work: Work, command: ReassignBenefit) -> Benefit:
    """Hand a benefit over to another person; its redemptions stay with it, and both histories tell it.

    The limit for one person holds here too: whoever gives that person another one meanwhile waits.
    """
    benefit, definition = _both_held(work, command.benefit_id)
    found = memberships.person_named(work.session, command.person)
    if found is None or found.erased_at is not None:
        raise Refused("profile.unknown", f"Nobody has the member id or e-mail «{command.person[:60]}».", "person")
    person = found.id
    same = person == benefit.profile_id
    table = benefit_acts.gates_to_reassign(definition.facts, benefit.facts, is_same=same)
    first = next((gate.reason for gate in table if gate.reason), None)
    if first:
        raise Refused(first.code, first.message, "person" if first.field else None)
    stands = gates.standing(work.session, definition.id, person, work.now)
    most = rules.gate_of_limit(definition.facts, stands.held).reason
    if most:
        raise Refused(most.code, most.message, "person")
    claimed = stands.claims
    if claimed and not definition.is_reclaimable and not command.is_confirmed:
        raise Refused(
            "claimed_before",
            f"That person claimed {definition.name} on {rules.told(claimed[0].claimed_at, benefit.zone)}, and it can be "
            "claimed once. Tick the box if they are to have this one all the same.",
            "is_confirmed",
        )
    owner = benefit.profile_id
    moved = changed_rows(
        work.session,
        update(Benefit)
        .where(
            Benefit.id == benefit.id,
            Benefit.profile_id == owner,
            Benefit.voided_at.is_(None),
            or_(Benefit.max_redemptions.is_(None), Benefit.redeemed_count < Benefit.max_redemptions),
        )
        .values(profile_id=person),
    )
    if moved != 1:
        raise _overtaken()
    if benefit.voucher_id is not None:
        changed_rows(work.session, update(Voucher).where(Voucher.id == benefit.voucher_id).values(profile_id=person))
    notices.hand_over(work, read.get(work.session, benefit.id), definition)
    _tell(work, benefit, BenefitMove.REASSIGNED, command.note, profile_id=owner)
    work.record(
        Event.BENEFIT_REASSIGNED, benefit, definition.site_id, title=definition.name, before=owner, person=person
    )
    return read.get(work.session, benefit.id)


def void(work: Work, command: VoidBenefit) -> Benefit:
    """No till takes it any more; the record stays, and its code does not go back to the pool (benefits.md 5.8)."""
    reason = checked_reason(command.reason)
    benefit, definition = _both(work, command.benefit_id)
    counting.voided(work, definition.id, 1)
    moved = changed_rows(
        work.session,
        update(Benefit)
        .where(Benefit.id == benefit.id, Benefit.voided_at.is_(None))
        .values(voided_at=work.now, voided_by=work.actor.label, void_reason=reason, **FREED),
    )
    if moved != 1:
        raise Refused("void", f"It was made void on {rules.told(benefit.voided_at, benefit.zone)} already.")
    benefit = read.get(work.session, benefit.id)
    codes.follow(work, benefit, VoucherStatus.CANCELLED, f"benefit {benefit.id} void: {reason}")
    notices.cancel(work, benefit.id, Skip.VOID)
    _tell(work, benefit, BenefitMove.VOIDED, reason)
    work.record(
        Event.BENEFIT_VOIDED, benefit, definition.site_id, title=definition.name, person=benefit.profile_id, reason=reason
    )  # fmt: skip
    return benefit


def restore(work: Work, command: RestoreBenefit) -> Benefit:
    """Undo voiding within ten minutes: everything is as it was before, unless the person got too many since."""
    benefit, definition = _both_held(work, command.benefit_id)
    benefit_acts.may_unvoid(benefit.voided_at, work.now, benefit.zone).require()
    benefit = put_back(work, benefit, definition)
    work.record(
        Event.BENEFIT_RESTORED, benefit, definition.site_id, title=definition.name, person=benefit.profile_id
    )  # fmt: skip
    return benefit


def put_back(work: Work, benefit: Benefit, definition: BenefitDefinition) -> Benefit:
    """A void benefit of a definition whose row is held is as it was before; ``Refused`` when there is no room for it."""
    _require_room(work, benefit, definition)
    counting.voided(work, definition.id, -1)
    moved = changed_rows(
        work.session,
        update(Benefit)
        .where(Benefit.id == benefit.id, Benefit.voided_at == benefit.voided_at)
        .values(voided_at=None, voided_by="", void_reason="", claim_key=Benefit.freed_claim_key, freed_claim_key=None),
    )
    if moved != 1:
        raise _overtaken()
    benefit = read.get(work.session, benefit.id)
    used = benefit.facts.redemptions_left == 0
    codes.follow(work, benefit, VoucherStatus.REDEEMED if used else VoucherStatus.ALLOCATED, f"benefit {benefit.id}")
    notices.revive(work, benefit, definition, Skip.VOID)
    _tell(work, benefit, BenefitMove.RESTORED, "")
    return benefit


def release(work: Work, command: ReleaseCode) -> Benefit:
    """Put the code of a void benefit back into its pool, when nobody can know it; the benefit is without one then."""
    reason = checked_reason(command.reason)
    benefit, definition = _both(work, command.benefit_id)
    if benefit.voucher_id is None:
        raise Refused("no_code", "It holds no code out of a pool.")
    known = benefit_traces.of_code(work.session, benefit)
    benefit_acts.may_release(benefit.voided_at, work.now, benefit.zone, known).require()
    codes.release(work, benefit, f"benefit {benefit.id} released it: {reason}")
    _tell(work, benefit, BenefitMove.RELEASED, reason)
    work.record(
        Event.BENEFIT_RELEASED, benefit, definition.site_id, title=definition.name, person=benefit.profile_id, reason=reason
    )  # fmt: skip
    return read.get(work.session, benefit.id)


def reveal(work: Work, command: RevealBenefit) -> Benefit:
    """Leave the trace that somebody saw the whole code (product.md ruling 6); the page shows it afterwards."""
    benefit, definition = _both(work, command.benefit_id)
    work.record(
        Event.BENEFIT_REVEALED, benefit, definition.site_id, title=definition.name, person=benefit.profile_id
    )  # fmt: skip
    return benefit


def tell_expired(work: Work) -> int:
    """Write into the histories of up to 500 benefits that they expired, each once; gives how many.

    Nothing depends on it: a benefit is expired as soon as its last second is over, whoever looks.
    """
    due = (
        select(Benefit.id, Benefit.definition_id, Benefit.expires_at)
        .where(text(NOT_TOLD), Benefit.expires_at < work.now)
        .order_by(Benefit.expires_at)
        .limit(SWEPT)
        .with_for_update(skip_locked=True)
    )
    rows = work.session.execute(due).all()
    if not rows:
        return 0
    changed_rows(
        work.session, update(Benefit).where(Benefit.id.in_([row[0] for row in rows])).values(expiry_told_at=work.now)
    )
    line = {"move": BenefitMove.EXPIRED, "by": work.actor.label, "note": ""}
    work.session.execute(insert(BenefitChange), [line | {"benefit_id": row[0], "at": row[2]} for row in rows])
    by_definition: dict[int, int] = {}
    for _, definition_id, _ in rows:
        by_definition[definition_id] = by_definition.get(definition_id, 0) + 1
    for definition_id, count in sorted(by_definition.items()):
        definition = work.session.get_one(BenefitDefinition, definition_id)
        work.record(Event.BENEFITS_EXPIRED, definition, definition.site_id, title=definition.name, count=count)
    return len(rows)


def _both(work: Work, benefit_id: int) -> tuple[Benefit, BenefitDefinition]:
    benefit = read.get(work.session, benefit_id)
    return benefit, work.session.get_one(BenefitDefinition, benefit.definition_id, populate_existing=True)


def _both_held(work: Work, benefit_id: int) -> tuple[Benefit, BenefitDefinition]:
    """The same with the definition's row kept to the end: nobody gives anybody another one meanwhile."""
    counting.held(work, read.get(work.session, benefit_id).definition_id, true())
    return _both(work, benefit_id)


def _require_room(work: Work, benefit: Benefit, definition: BenefitDefinition) -> None:
    """``Refused`` when what the person got since it was made void would be too many with it."""
    if gates.come_since_void(work.session, benefit, Benefit.profile_id == benefit.profile_id):
        held = gates.standing(work.session, definition.id, benefit.profile_id, work.now).held
        most = rules.gate_of_limit(definition.facts, held).reason
        if most:
            raise Refused(most.code, most.message)
    if benefit.claimed_by_id is None or benefit.claimed_at is None:
        return
    since = gates.come_since_void(work.session, benefit, Benefit.claimed_by_id == benefit.claimed_by_id)
    if since:
        claims = gates.standing(work.session, definition.id, benefit.claimed_by_id, work.now).claims
        own = Claim(benefit.claimed_at, rules.state(replace(benefit.facts, voided_at=None), work.now))
        newer = [claim for claim in claims if claim.benefit_id in since]
        why = why_not_back(definition.reclaim, own, newer, benefit.zone)
        if why:
            raise Refused("already_claimed", why)


def _move_expiry(
    work: Work, benefit: Benefit, before: datetime | None, after: datetime, *, extended_at: datetime | None
) -> None:
    """Guarded by the expiry that was seen: two people who extend at once extend once."""
    same = Benefit.expires_at.is_(None) if before is None else Benefit.expires_at == before
    moved = changed_rows(
        work.session,
        update(Benefit)
        .where(Benefit.id == benefit.id, same, Benefit.voided_at.is_(None))
        .values(expires_at=after, extended_at=extended_at, expiry_told_at=None),
    )
    if moved != 1:
        raise _overtaken()


def _tell(work: Work, benefit: Benefit, move: BenefitMove, note: str, **before: Any) -> None:
    """Write a line of the history; ``before`` is whose it was, or when it ended."""
    line = BenefitChange(benefit_id=benefit.id, move=move, at=work.now, by=work.actor.label, note=note[:500], **before)
    work.session.add(line)


def checked_reason(typed: str) -> str:
    """What was typed as a reason, trimmed; ``Refused`` when it says nothing."""
    if len(typed.strip()) < _SHORTEST_REASON:
        raise Refused("reason", "Say why; the reason stays in the record.", "reason")
    return typed.strip()


def _overtaken() -> Conflict:
    return Conflict("overtaken", "Somebody changed this benefit a moment ago. Look at it again, then decide.")
