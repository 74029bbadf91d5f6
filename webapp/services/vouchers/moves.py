"""Moves one voucher from state to state, guarded by the state it was seen in, with a line in its change log."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import update

from webapp.domain import vouchers as rules
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, Refused
from webapp.domain.identity import Where
from webapp.domain.redemptions import may_undo
from webapp.domain.voucher_codes import masked
from webapp.domain.vouchers import Move, VoucherStatus
from webapp.models import Voucher, VoucherType
from webapp.queries import benefits as read_benefits
from webapp.queries import till as read_till
from webapp.queries import voucher_types as read_types
from webapp.queries import vouchers as read
from webapp.services.vouchers import counters
from webapp.services.work import Work, changed_rows

_EVENTS = {
    Move.HOLD: Event.VOUCHER_HELD,
    Move.REDEEM: Event.VOUCHER_REDEEMED,
    Move.LET_GO: Event.VOUCHER_LET_GO,
    Move.REVERSE: Event.VOUCHER_REVERSED,
    Move.CANCEL: Event.VOUCHER_CANCELLED,
    Move.REACTIVATE: Event.VOUCHER_REACTIVATED,
    Move.RELEASE: Event.VOUCHER_REACTIVATED,
}


@dataclass(frozen=True, slots=True)
class MoveVoucher:
    """``reason`` goes into the change log and the audit log; ``where`` is how far a till that undoes may go."""

    voucher_id: int
    reason: str = ""
    where: Where = None


@dataclass(frozen=True, slots=True)
class RedeemVoucher:
    """``is_late_accepted`` says that an expired voucher is taken all the same (K133); ``where`` is as in benefits."""

    voucher_id: int
    reason: str = ""
    is_late_accepted: bool = False
    where: Where = None


def redeem(work: Work, command: RedeemVoucher) -> Voucher:
    """allocated or pending → redeemed. An expired voucher only when its lateness is accepted, and the log says so."""
    read.require(work.session, command.voucher_id, command.where)
    voucher = read.get(work.session, command.voucher_id)
    note = command.reason
    if rules.is_expired(voucher.expires_at, work.now) and voucher.status in rules.STEPS[Move.REDEEM].sources:
        if not command.is_late_accepted:
            raise Refused(
                "voucher.expired",
                "This voucher has expired. Tick «Accept it although it has expired» to redeem it all the same; the log "
                "will say so.",
                "is_late_accepted",
            )
        note = f"{note} (accepted after it had expired)".strip()
    return _move(work, voucher, Move.REDEEM, note)


def hold(work: Work, command: MoveVoucher) -> Voucher:
    """allocated → pending: the till has it in hand."""
    return _move(work, read.get(work.session, command.voucher_id), Move.HOLD, command.reason)


def let_go(work: Work, command: MoveVoucher) -> Voucher:
    """pending → allocated."""
    return _move(work, read.get(work.session, command.voucher_id), Move.LET_GO, command.reason)


def reverse(work: Work, command: MoveVoucher) -> Voucher:
    """redeemed → allocated, with a reason."""
    return _move(work, read.get(work.session, command.voucher_id), Move.REVERSE, command.reason)


def undo(work: Work, command: MoveVoucher) -> Voucher:
    """The till takes back a redemption of its own of the last minute, without a reason (peers.md feature 17)."""
    read.require(work.session, command.voucher_id, command.where)
    last = read_till.last_change(work.session, command.voucher_id)
    if last is None or last.status is not VoucherStatus.REDEEMED:
        raise Refused("nothing_to_return", "This voucher is not redeemed, so there is nothing to undo.")
    may_undo(last.at, work.now, is_own=last.by == work.actor.label).require()
    return _move(work, read.get(work.session, command.voucher_id), Move.REVERSE, "Undone at the till")


def cancel(work: Work, command: MoveVoucher) -> Voucher:
    """idle, allocated or pending → cancelled: no till will take it (K132)."""
    return _move(work, read.get(work.session, command.voucher_id), Move.CANCEL, command.reason)


def reactivate(work: Work, command: MoveVoucher) -> Voucher:
    """cancelled → what it was: allocated, or idle when nobody ever had it; with a reason (K132)."""
    voucher = read.get(work.session, command.voucher_id)
    return _move(work, voucher, Move.RELEASE if voucher.allocated_at is None else Move.REACTIVATE, command.reason)


def reveal(work: Work, command: MoveVoucher) -> Voucher:
    """Leave the trace that somebody saw the whole code (product.md ruling 6); the page shows it afterwards."""
    voucher = read.get(work.session, command.voucher_id)
    # Whoever takes its upload back waits here, or was first and it is gone.
    kind = read_types.get(work.session, voucher.voucher_type_id, lock=True)
    voucher = read.get(work.session, command.voucher_id)
    work.record(Event.VOUCHER_REVEALED, voucher, kind.site_id, code=masked(voucher.code), title=kind.title)
    return voucher


def _move(work: Work, voucher: Voucher, move: Move, note: str) -> Voucher:
    """Make the move if the voucher still stands where it was seen; ``Conflict`` or ``Refused`` says why not (K131)."""
    before = voucher.status
    if (benefit := read_benefits.id_of_voucher(work.session, voucher.id)) is not None:
        raise Refused(
            "voucher.of_benefit",
            f"This code belongs to benefit {benefit} and follows it; redeem, return or void the benefit instead.",
        )
    if move is Move.RELEASE and before is not VoucherStatus.CANCELLED:
        move = Move.REACTIVATE  # whose sentence is the right one
    target = rules.after(before, move, note)
    counted = counters.move(work, voucher.voucher_type_id, before, target, 1)
    statement = update(Voucher).where(Voucher.id == voucher.id, Voucher.status == before).values(status=target)
    if not counted or changed_rows(work.session, statement) != 1:
        raise _overtaken(read.get(work.session, voucher.id), move)
    counters.log(work, [voucher.id], target, note)
    kind = read_types.get(work.session, voucher.voucher_type_id)
    _tell(work, voucher, kind, move, note)
    return read.get(work.session, voucher.id)


def _tell(work: Work, voucher: Voucher, kind: VoucherType, move: Move, note: str) -> None:
    code = masked(voucher.code)
    work.record(_EVENTS[move], voucher, kind.site_id, code=code, title=kind.title, note=note or "no reason given")


def _overtaken(voucher: Voucher, move: Move) -> Conflict:
    """Somebody moved it between our look and our move."""
    reasons = rules.may_move(voucher.status, move).reasons
    return Conflict(
        "voucher.overtaken",
        reasons[0].message if reasons else "Somebody moved this voucher a moment ago. Look at it again, then decide.",
    )
