"""Codes out of the pool of a voucher type, for many benefits at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from sqlalchemy import select, update

from webapp.domain import vouchers as voucher_rules
from webapp.domain.vouchers import VoucherStatus
from webapp.models import BenefitDefinition, Voucher, VoucherType
from webapp.queries import voucher_pool
from webapp.queries.matching import among_ids
from webapp.queries.voucher_pool import Found
from webapp.services.vouchers import counters, picking
from webapp.services.work import Work, changed_rows

_IDLE, _ALLOCATED, _CANCELLED = VoucherStatus.IDLE, VoucherStatus.ALLOCATED, VoucherStatus.CANCELLED


@dataclass(frozen=True, slots=True)
class PoolCode:
    """A code out of the pool, until when it is good, and its own value where it has one."""

    voucher_id: int
    until: datetime | None
    value_minor: int | None = None


def take(
    work: Work, definition: BenefitDefinition, people: Sequence[int], zones: dict[int, str], begins: dict[str, datetime]
) -> dict[int, PoolCode]:
    """Allocate a code to each of ``people`` as far as there are codes, in the order of ``picking`` (benefits.md 6.4).

    The first people get those kept for nobody; where each benefit needs a code, the people served are the first ones
    without a gap. ``zones`` are the people's, in whose days a code lasts from when a benefit ``begins`` there, that of
    the site among them. The codes are good when the last of them begins.
    """
    kind = definition.voucher_type
    if kind is None or not people:
        return {}
    given = {zone: max(work.now, since) for zone, since in begins.items()}
    ends = {zone: voucher_pool.end_of(kind, at, zone) for zone, at in given.items()}
    over = {zone for zone, end in ends.items() if voucher_rules.is_expired(end, given[zone])}
    able = [number for number in people if zones[number] not in over]
    wanted = _count_out(work, kind.id, len(able))
    found = _dealt(work, kind.id, able, wanted, max(given.values())) if wanted else {}
    if definition.force_allocation:  # nobody is passed over: who has none ends the step
        served = takewhile(found.__contains__, people)
        found = {number: found[number] for number in served}
    if len(found) < wanted:  # counted, but not to be given now
        counters.move(work, kind.id, _ALLOCATED, _IDLE, wanted - len(found))
    taken = {
        number: PoolCode(
            code.id, min(filter(None, (ends[zones[number]], code.expires_at)), default=None), code.value_minor
        )
        for number, code in found.items()
    }
    _allocate(work, taken, f"benefit of «{definition.name}»"[:500])
    return taken


def _dealt(work: Work, voucher_type_id: int, people: Sequence[int], wanted: int, at: datetime) -> dict[int, Found]:
    """Who gets which code that is good at ``at``: each the one kept for them, else the next that is kept for nobody."""
    kept = picking.reserved(work, voucher_type_id, people, at)
    rest = iter(picking.free(work, voucher_type_id, wanted - len(kept), at))
    dealt = {number: kept[number][0] if number in kept else next(rest, None) for number in people}
    return {number: code for number, code in dealt.items() if code is not None}


def _count_out(work: Work, voucher_type_id: int, wanted: int) -> int:
    """Move as many of ``wanted`` codes as there are to the allocated ones, by the counter that decides."""
    while wanted:
        if counters.move(work, voucher_type_id, _IDLE, _ALLOCATED, wanted):
            return wanted
        idle = work.session.scalar(select(VoucherType.idle_count).where(VoucherType.id == voucher_type_id)) or 0
        wanted = min(wanted - 1, idle)
    return 0


def _allocate(work: Work, taken: dict[int, PoolCode], note: str) -> None:
    if not taken:
        return
    rows = [
        {"id": code.voucher_id, "profile_id": person, "expires_at": code.until, "status": _ALLOCATED, "allocated_at": work.now}
        for person, code in taken.items()
    ]  # fmt: skip
    work.session.execute(update(Voucher), rows)
    counters.log(work, [code.voucher_id for code in taken.values()], _ALLOCATED, note)


def cancel(work: Work, voucher_ids: Sequence[int], reason: str) -> None:
    """Cancel codes whose benefits are void; they do not go back to the pool."""
    wanted = select(Voucher.id, Voucher.voucher_type_id, Voucher.status)
    rows = work.session.execute(wanted.where(among_ids(work.session, Voucher.id, voucher_ids))).all()
    for kind, status in sorted({(row[1], row[2]) for row in rows}):
        if status is _CANCELLED:
            continue
        group = [row[0] for row in rows if (row[1], row[2]) == (kind, status)]
        counters.move(work, kind, status, _CANCELLED, len(group))
        statement = update(Voucher).where(among_ids(work.session, Voucher.id, group), Voucher.status == status)
        statement = statement.values(status=_CANCELLED).execution_options(synchronize_session=False)
        changed_rows(work.session, statement)
        counters.log(work, group, _CANCELLED, reason)
