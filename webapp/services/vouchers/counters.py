"""The counters of a voucher type and the change log of its codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from sqlalchemy import Table, update
from sqlalchemy.orm import InstrumentedAttribute

from webapp.domain.vouchers import VoucherStatus
from webapp.models import VoucherChange, VoucherType
from webapp.services import bulk
from webapp.services.work import Work, changed_rows


def move(work: Work, voucher_type_id: int, before: VoucherStatus, after: VoucherStatus, count: int) -> bool:
    """Move ``count`` codes between two counters of a type; False, and nothing moved, when there are not so many.

    It is the first statement of every move: whoever gets the type's row first goes first, so rivals never meet on
    the codes themselves (reliability.md section 5, sorted lock order).
    """
    gone, come = _counter(before), _counter(after)
    statement = (
        update(VoucherType)
        .where(VoucherType.id == voucher_type_id, gone >= count)
        .values({gone: gone - count, come: come + count})
    )
    return changed_rows(work.session, statement) == 1


def add(work: Work, voucher_type_id: int, count: int) -> None:
    """Count ``count`` new idle codes."""
    work.session.execute(
        update(VoucherType)
        .where(VoucherType.id == voucher_type_id)
        .values(idle_count=VoucherType.idle_count + count)
        .execution_options(synchronize_session=False)
    )


def take_away(work: Work, voucher_type_id: int, count: int) -> None:
    """Count ``count`` idle codes no more, because they are gone."""
    idle = VoucherType.idle_count
    changed_rows(
        work.session, update(VoucherType).where(VoucherType.id == voucher_type_id).values(idle_count=idle - count)
    )


def log(work: Work, voucher_ids: Sequence[int], status: VoucherStatus, note: str) -> None:
    """Write into the change log of each code that it came to ``status`` now."""
    change = {"at": work.now, "by": work.actor.label, "status": status, "note": note[:500]}
    bulk.insert_columns(work.session, cast(Table, VoucherChange.__table__), {"voucher_id": voucher_ids}, change)


def _counter(status: VoucherStatus) -> InstrumentedAttribute[int]:
    return cast("InstrumentedAttribute[int]", getattr(VoucherType, f"{status}_count"))
