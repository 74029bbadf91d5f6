"""Redeems benefits and takes redemptions back: the limits decide first, the ledger's line is written with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Table, insert
from sqlalchemy.orm import make_transient_to_detached

from webapp.domain import benefits as rules
from webapp.domain import redemptions
from webapp.domain.audit import Event
from webapp.domain.benefits import verdict
from webapp.domain.errors import Conflict, DomainError, Refused
from webapp.domain.identity import Where
from webapp.domain.notices import Skip
from webapp.domain.permissions import Permission
from webapp.domain.redemptions import MOST_AT_ONCE, RedemptionKind
from webapp.domain.vouchers import VoucherStatus
from webapp.models import BenefitDefinition, Redemption, RedemptionAttempt
from webapp.queries import benefit_gates as gates
from webapp.queries import benefits as read
from webapp.queries import reaches
from webapp.queries import redemptions as read_ledger
from webapp.queries.prepared import Prepared
from webapp.services import notices
from webapp.services.benefits import codes, counting
from webapp.services.benefits.counting import Taken
from webapp.services.work import Work

# Put together once: a till must not wait for it.
_WRITE = Prepared(
    insert(Redemption).returning(Redemption.id),
    [column.key for column in cast(Table, Redemption.__table__).columns if column.key != "id"],
)


@dataclass(frozen=True, slots=True)
class RedeemBenefit:
    """``receipt`` is the till's own, four signs; ``receipt_ref`` the shop's number of the sale.

    ``where`` is how far whoever redeems may go: on these sites, on every one, or within organisations.
    """

    benefit_id: int
    receipt: str
    count: int = 1
    location_id: int | None = None
    receipt_ref: str = ""
    note: str = ""
    where: Where = None


@dataclass(frozen=True, slots=True)
class ReturnRedemption:
    """``count`` of a redemption come back, at any time."""

    redemption_id: int
    receipt: str
    count: int
    note: str = ""
    where: Where = None


@dataclass(frozen=True, slots=True)
class ReverseRedemption:
    """A whole redemption is taken back within ten minutes; ``note`` is why."""

    redemption_id: int
    receipt: str
    note: str
    where: Where = None


@dataclass(frozen=True, slots=True)
class UndoRedemption:
    """The till takes its own redemption back within a minute, without a reason."""

    redemption_id: int
    receipt: str
    where: Where = None


@dataclass(frozen=True, slots=True)
class NoteAttempt:
    """Something was scanned that nobody can redeem; ``typed`` its last signs."""

    reason: str
    message: str
    typed: str = ""
    benefit_id: int | None = None
    location_id: int | None = None


def redeem(work: Work, command: RedeemBenefit) -> Redemption:
    """Redeem ``count`` of a benefit, exactly within its own and the global limit (P1, P2).

    ``Refused`` with the first shut gate of benefits.md 5.3; one used up meanwhile says when, where and by whom.
    ``NotFound`` when there is no such benefit as far as ``where`` of the command goes.
    """
    line = _line_of(work, command)
    return _write(work, line, *_take(work, command, line))


def _line_of(work: Work, command: RedeemBenefit) -> dict[str, Any]:
    """What the ledger tells of a redemption, all but its worth."""
    return _line(work, RedemptionKind.REDEEM, command.count, command.receipt, command.note) | {
        "benefit_id": command.benefit_id,
        "location_id": command.location_id,
        "receipt_ref": command.receipt_ref,
        "original_id": None,
    }


def _take(work: Work, command: RedeemBenefit, line: Mapping[str, Any]) -> tuple[read.Owner, Taken]:
    """Move the counters; when they do not move, nothing has, and the refusal says why."""
    if not 1 <= command.count <= MOST_AT_ONCE:
        raise Refused("count", f"{command.count} cannot be redeemed; use 1 to {MOST_AT_ONCE:,}.", "count")
    found = counting.take(work, command.benefit_id, command.count, line)
    if found is None:
        raise _explained(work, command)
    owner, _ = found
    if not read.is_reached(work.session, owner, command.benefit_id, command.where):
        raise read.missing()
    return found


def _write(work: Work, told: Mapping[str, Any], owner: read.Owner, taken: Taken) -> Redemption:
    """The line of the ledger for what was taken, unless it is there, and what follows from it."""
    told = {**told, "value_minor": _worth(taken.value_minor, told["count"])}
    line = Redemption(**told, id=taken.line_id or _WRITE.one(work.connection, **told).id)
    make_transient_to_detached(line)
    work.session.add(line)
    if taken.is_used_up:
        if taken.voucher_id is not None:
            benefit = read.get(work.session, line.benefit_id)
            codes.follow(work, benefit, VoucherStatus.REDEEMED, f"benefit {benefit.id}, receipt {line.receipt}")
        notices.cancel(work, line.benefit_id, Skip.REDEEMED)
    _tell(work, Event.BENEFIT_REDEEMED, owner, line, line.receipt_ref or "no receipt of the shop")
    return line


def attempt(work: Work, command: RedeemBenefit) -> Redemption | RedemptionAttempt:
    """Redeem, or keep what was refused with its reason and the whole table; either way one transaction."""
    try:
        line = _line_of(work, command)
        owner, taken = _take(work, command, line)
        may_fail = taken.is_used_up and taken.voucher_id is not None
        return (_write_last if may_fail else _write)(work, line, owner, taken)
    except DomainError as refusal:
        if refusal.code == "benefit.unknown":
            raise
        told = NoteAttempt(
            refusal.code, refusal.message, benefit_id=command.benefit_id, location_id=command.location_id
        )
        return note(work, told, field=refusal.field or "", count=command.count)


def _write_last(work: Work, told: Mapping[str, Any], owner: read.Owner, taken: Taken) -> Redemption:
    """As ``_write`` of what used up a benefit with a code: that may refuse to follow, and the counters go back then."""
    try:
        with work.session.begin_nested():
            return _write(work, told, owner, taken)
    except DomainError:
        counting.give(work, owner.definition_id, told["benefit_id"], told["count"])
        raise


def note(work: Work, command: NoteAttempt, *, field: str = "", count: int = 1) -> RedemptionAttempt:
    """Keep what was refused; of a benefit with everything that was looked at."""
    table: list[list[str]] = []
    if command.benefit_id is not None:
        zone = read.get(work.session, command.benefit_id).zone
        table = rules.kept(gates.to_redeem(work.session, command.benefit_id, work.now, count=max(1, count)), zone)
    row = RedemptionAttempt(
        at=work.now,
        by=work.actor.label,
        staff_id=work.actor.staff_id,
        benefit_id=command.benefit_id,
        location_id=command.location_id,
        typed=command.typed,
        reason=command.reason[:40],
        message=command.message[:500],
        field=field[:40],
        gates=table,
    )
    work.session.add(row)
    work.session.flush()
    return row


def _explained(work: Work, command: RedeemBenefit) -> DomainError:
    """Why the counters did not move, from what stands now (never the other way round)."""
    read.owner(work.session, command.benefit_id, command.where)
    found = verdict(gates.to_redeem(work.session, command.benefit_id, work.now, count=command.count))
    if found.ok:
        return Conflict("overtaken", "Somebody changed this benefit a moment ago. Look at it again, then decide.")
    reason = found.reasons[0]
    message = reason.message
    benefit = read.get(work.session, command.benefit_id)
    if reason.code == "no_redemptions_left" and (last := read_ledger.last_use(work.session, benefit.id)):
        message = f"{last.words(benefit.zone)} {message}"
    return Refused(reason.code, message, reason.field)


def give_back(work: Work, command: ReturnRedemption) -> Redemption:
    """A part or all of a redemption comes back; after expiry too. ``nothing_to_return`` when it did already."""
    original = _original(work, command.redemption_id, command.where)
    if not 1 <= command.count <= MOST_AT_ONCE:
        raise Refused("count", f"{command.count} cannot come back; use 1 to {original.count:,}.", "count")
    line = _come_back(work, original, RedemptionKind.RETURN, command.count, command.receipt, command.note)
    owner = read.owner(work.session, original.benefit_id)
    _tell(work, Event.BENEFIT_RETURNED, owner, line, command.note or "no reason")
    return line


def reverse(work: Work, command: ReverseRedemption) -> Redemption:
    """Take a whole redemption back within ten minutes. Who may not change benefits reverses their own only."""
    original = _original(work, command.redemption_id, command.where)
    benefit = read.get(work.session, original.benefit_id)
    definition = work.session.get_one(BenefitDefinition, benefit.definition_id)
    is_own = original.staff_id is not None and original.staff_id == work.actor.staff_id
    if not (is_own or work.actor.may(Permission.BENEFITS_CHANGE, definition.site_id)):
        raise Refused("not_own", f"{original.by} redeemed it; they, or whoever changes benefits, can reverse it.")
    if not command.note.strip():
        raise Refused("reason", "Say why it is reversed; the ledger keeps it.", "note")
    return _reverse(work, original, command.receipt, command.note)


def undo(work: Work, command: UndoRedemption) -> Redemption:
    """The slip of a moment ago: one's own redemption, within a minute (peers.md feature 17)."""
    original = _original(work, command.redemption_id, command.where)
    is_own = original.staff_id == work.actor.staff_id
    redemptions.may_undo(original.at, work.now, is_own=is_own).require()
    return _reverse(work, original, command.receipt, "Undone at the till")


def _reverse(work: Work, original: Redemption, receipt: str, note: str) -> Redemption:
    line = _come_back(work, original, RedemptionKind.REVERSAL, original.count, receipt, note)
    _tell(work, Event.BENEFIT_REVERSED, read.owner(work.session, original.benefit_id), line, note)
    return line


def _come_back(
    work: Work, original: Redemption, kind: RedemptionKind, count: int, receipt: str, note: str
) -> Redemption:
    """The counters first: they make rivals wait, so that what came back before is counted exactly."""
    benefit = read.get(work.session, original.benefit_id)
    counting.give(work, benefit.definition_id, benefit.id, count)
    returned = counting.come_back(work, original.id)
    if kind is RedemptionKind.REVERSAL:
        rules.may_reverse(original.at, returned, work.now, benefit.zone).require()
    rules.may_return(count, original.count, returned).require()
    was_used_up = benefit.facts.redemptions_left == 0
    benefit = read.get(work.session, original.benefit_id)
    line = Redemption(
        **_line(work, kind, count, receipt, note),
        benefit_id=benefit.id,
        value_minor=_worth(benefit.value_minor, count),
        location_id=original.location_id,
        original_id=original.id,
    )
    work.session.add(line)
    work.session.flush()
    if benefit.voided_at is None:
        codes.follow(work, benefit, VoucherStatus.ALLOCATED, f"benefit {benefit.id}, {kind} {line.receipt}")
        if was_used_up:
            definition = work.session.get_one(BenefitDefinition, benefit.definition_id)
            notices.revive(work, benefit, definition, Skip.REDEEMED)
    return line


def _worth(value_minor: int | None, count: int) -> int | None:
    return None if value_minor is None else value_minor * count


def _line(work: Work, kind: RedemptionKind, count: int, receipt: str, note: str) -> dict[str, object]:
    """What every line of the ledger tells."""
    return {
        "kind": kind,
        "count": count,
        "at": work.now,
        "by": work.actor.label,
        "staff_id": work.actor.staff_id,
        "receipt": receipt,
        "note": note,
    }


def _original(work: Work, redemption_id: int, where: Where) -> Redemption:
    found = work.session.get(Redemption, redemption_id)
    if found is None:
        raise read_ledger.missing()
    reaches.require_benefit(work.session, where, found.benefit_id, read_ledger.missing())
    if found.kind is not RedemptionKind.REDEEM:
        raise Refused("nothing_to_return", "This line is no redemption, so nothing of it can come back.")
    return found


def _tell(work: Work, event: Event, owner: read.Owner, line: Redemption, note: str) -> None:
    work.record(
        event,
        f"benefits:{line.benefit_id}",
        owner.site_id,
        title=owner.name,
        count=line.count,
        receipt=line.receipt,
        note=note,
    )
