"""Hands out codes, exactly, whoever asks at the same time."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import case, update

from webapp.domain import vouchers as rules
from webapp.domain.errors import Refused
from webapp.domain.vouchers import VoucherStatus
from webapp.models import Voucher, VoucherType
from webapp.queries import voucher_types as read_types
from webapp.queries import vouchers as read
from webapp.services.vouchers import counters, picking
from webapp.services.work import Work, changed_rows


@dataclass(frozen=True, slots=True)
class AllocateVouchers:
    """``zone`` is the IANA name of the zone whose days count; ``label`` tells the change log for whom and why."""

    voucher_type_id: int
    winner_id: int
    profile_id: int
    quantity: int
    zone: str
    label: str


def allocate(work: Work, command: AllocateVouchers) -> list[Voucher]:
    """Give a winner ``quantity`` idle codes of a type, in the order of ``picking``, and set when they end.

    Asked again for the same winner, it gives the same codes and changes nothing. Raises ``Refused`` when codes are
    short (K89) or could only be handed out expired, and then nothing is allocated. The caller tells the audit log,
    because it knows the reward and the rank. Source: rewards.md section 6 rows 42 and 43, K89, K90.
    """
    if held := read.of_winner(work.session, command.winner_id):
        return held
    taken = counters.move(work, command.voucher_type_id, VoucherStatus.IDLE, VoucherStatus.ALLOCATED, command.quantity)
    if held := read.of_winner(work.session, command.winner_id):
        # Somebody served this winner while we waited for the type's row.
        if taken:
            counters.move(work, command.voucher_type_id, VoucherStatus.ALLOCATED, VoucherStatus.IDLE, command.quantity)
        return held
    kind = read_types.get(work.session, command.voucher_type_id)
    if not taken:
        raise _short(kind, command.quantity, kind.idle_count)
    picked = picking.pick(work, kind.id, command.profile_id, command.quantity, at=work.now)
    _hand_over(work, command, kind, [found.id for found in picked])
    return read.of_winner(work.session, command.winner_id)


def _hand_over(work: Work, command: AllocateVouchers, kind: VoucherType, ids: list[int]) -> None:
    ends_at = rules.expires_at(work.now, kind.valid_for_days, kind.static_expiry_on, ZoneInfo(command.zone))
    if kind.static_expiry_on and rules.is_expired(ends_at, work.now):
        raise Refused(
            "voucher.type_expired",
            f"Codes of «{kind.title}» were good until {kind.static_expiry_on.day} {kind.static_expiry_on:%B %Y}, so nobody can be given one now. "
            "Move the fixed end date of the voucher type, or choose another type.",
        )
    if len(ids) < command.quantity:
        raise _short(kind, command.quantity, len(ids))
    places = {voucher_id: place for place, voucher_id in enumerate(ids, 1)}
    changed = changed_rows(
        work.session,
        update(Voucher)
        .where(Voucher.id.in_(ids), Voucher.status == VoucherStatus.IDLE)
        .values(
            status=VoucherStatus.ALLOCATED,
            winner_id=command.winner_id,
            winner_place=case(places, value=Voucher.id),
            profile_id=command.profile_id,
            allocated_at=work.now,
            expires_at=picking.capped(ends_at),
        ),
    )
    if changed != command.quantity:
        raise _short(kind, command.quantity, changed)
    counters.log(work, ids, VoucherStatus.ALLOCATED, command.label)


def _short(kind: VoucherType, wanted: int, idle: int) -> Refused:
    missing = wanted - idle
    return Refused(
        "voucher.short",
        f"{missing:,} short: {wanted:,} {'code' if wanted == 1 else 'codes'} of «{kind.title}» wanted, {idle:,} idle. "
        f"Nothing was allocated. Generate at least {missing:,} more, then do this again.",
    )
