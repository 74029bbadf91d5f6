"""The code of a benefit: one out of the pool of its voucher type, one that was typed, or one of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update

from webapp.domain import vouchers as voucher_rules
from webapp.domain.benefits import told
from webapp.domain.errors import Conflict
from webapp.domain.voucher_codes import codes, normalise
from webapp.domain.vouchers import VoucherStatus
from webapp.models import Benefit, BenefitDefinition, Voucher, VoucherBatch
from webapp.queries import benefit_ends, voucher_pool
from webapp.services.vouchers import Mint, counters, picking
from webapp.services.work import Work, changed_rows

_SECOND = timedelta(seconds=1)
_IDLE, _ALLOCATED = VoucherStatus.IDLE, VoucherStatus.ALLOCATED


@dataclass(frozen=True, slots=True)
class Taken:
    """A code out of the pool: which, until when it is good, and what it is worth."""

    voucher_id: int
    until: datetime | None
    value_minor: int | None
    currency: str


def take(work: Work, definition: BenefitDefinition, profile_id: int, issued_at: datetime, zone: str) -> Taken | None:
    """Allocate a code to a person; None when the definition has no pool, or none is left that this person can be given.

    It is one that is good when the benefit begins, and its days count from then. Which one goes first says ``picking``.
    The counter of the voucher type decides, before any code.
    """
    kind = definition.voucher_type
    if kind is None or not counters.move(work, kind.id, _IDLE, _ALLOCATED, 1):
        return None
    at = max(issued_at, work.now)
    is_over = voucher_rules.is_expired(voucher_pool.end_of(kind, at, zone), at)
    picked = [] if is_over else picking.pick(work, kind.id, profile_id, 1, at=at)
    if not picked:  # counted, but not to be given now
        counters.move(work, kind.id, _ALLOCATED, _IDLE, 1)
        return None
    found = picked[0]
    until = voucher_pool.end_of(kind, at, zone, found.expires_at)
    changed_rows(
        work.session,
        update(Voucher)
        .where(Voucher.id == found.id)
        .values(status=_ALLOCATED, profile_id=profile_id, allocated_at=work.now, expires_at=until),
    )
    counters.log(work, [found.id], _ALLOCATED, f"benefit of «{definition.name}»"[:500])
    worth = kind.value_minor if found.value_minor is None else found.value_minor
    return Taken(found.id, until, worth, kind.currency)


def follow(work: Work, benefit: Benefit, target: VoucherStatus, note: str) -> None:
    """Let the code of a benefit follow what became of it: used up, given back, void, restored."""
    if benefit.voucher_id is None:
        return
    voucher = work.session.get_one(Voucher, benefit.voucher_id, populate_existing=True)
    before = voucher.status
    if before is target:
        return
    counted = counters.move(work, voucher.voucher_type_id, before, target, 1)
    statement = update(Voucher).where(Voucher.id == voucher.id, Voucher.status == before).values(status=target)
    if not counted or changed_rows(work.session, statement) != 1:
        raise Conflict("voucher.overtaken", "Somebody moved the code of this benefit a moment ago. Look at it again.")
    counters.log(work, [voucher.id], target, note)


def lengthen(work: Work, benefit: Benefit, until: datetime) -> datetime | None:
    """Let the code of a benefit that is good until ``until`` now last with it; gives when it was over before.

    One out of a file keeps its end, and its voucher type may set a limit; None when the code stays as it is.
    """
    later = benefit_ends.of(work.session, [benefit.id])[benefit.id].moved(until)
    if later is None:
        return None
    voucher = work.session.get_one(Voucher, benefit.voucher_id, populate_existing=True)
    before, voucher.expires_at = voucher.expires_at, later + _SECOND
    counters.log(work, [voucher.id], voucher.status, f"lasts to {told(later, benefit.zone)} with benefit {benefit.id}")
    return before


def shorten(work: Work, benefit: Benefit, over_at: datetime) -> None:
    """Give a code the end back that it had before ``lengthen``: it is over at ``over_at``."""
    voucher = work.session.get_one(Voucher, benefit.voucher_id, populate_existing=True)
    voucher.expires_at = over_at
    last = told(over_at - _SECOND, benefit.zone)
    counters.log(work, [voucher.id], voucher.status, f"lasts to {last} again with benefit {benefit.id}")


def release(work: Work, benefit: Benefit, note: str) -> None:
    """Back to the idle codes, as if nobody had ever had it; the benefit lets go of it.

    A code of ours has no end of its own. One that was uploaded keeps the end it has: it may be its own.
    """
    voucher = work.session.get_one(Voucher, benefit.voucher_id, populate_existing=True)
    batch = work.session.get_one(VoucherBatch, voucher.batch_id)
    counted = counters.move(work, voucher.voucher_type_id, VoucherStatus.CANCELLED, _IDLE, 1)
    let_go = changed_rows(
        work.session,
        update(Benefit).where(Benefit.id == benefit.id, Benefit.voucher_id == voucher.id).values(voucher_id=None),
    )
    freed = changed_rows(
        work.session,
        update(Voucher)
        .where(Voucher.id == voucher.id, Voucher.status == VoucherStatus.CANCELLED, Voucher.printed_count == 0)
        .values(
            status=_IDLE,
            profile_id=None,
            allocated_at=None,
            expires_at=voucher.expires_at if batch.upload else None,
        ),
    )
    if not counted or not let_go or not freed:
        raise Conflict("voucher.overtaken", "Somebody moved the code of this benefit a moment ago. Look at it again.")
    counters.log(work, [voucher.id], _IDLE, note)


def own(definition: BenefitDefinition, typed: str, mint: Mint, *, has_voucher: bool) -> str | None:
    """The code of its own a benefit gets: what was typed, else a new one where neither pool nor definition gives any."""
    if typed:
        return typed
    return None if has_voucher or not needs_own(definition) else codes(mint.random_bytes, 1)[0]


def needs_own(definition: BenefitDefinition) -> bool:
    """Whether neither a pool nor the definition gives its benefits a code."""
    return not definition.redeem_code_pos and definition.voucher_type_id is None


def key(code: str | None) -> str | None:
    """The form in which a benefit is found by its code."""
    return normalise(code) or None if code else None
