"""The transactions of which undoing a batch of benefits is made: some at a time, all or none of those."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from sqlalchemy import Table, update

from webapp.domain import benefit_batches as rules
from webapp.domain.audit import Event
from webapp.domain.benefit_batches import BatchStatus
from webapp.domain.notices import Skip
from webapp.domain.redemptions import BenefitMove
from webapp.models import Benefit, BenefitBatch, BenefitChange, BenefitDefinition
from webapp.queries import benefit_batches as read
from webapp.services import bulk, notices
from webapp.services.benefits import batch_pool, counting
from webapp.services.benefits.batch_issuing import Step
from webapp.services.work import Work, changed_rows


def undo_some(work: Work, batch_id: int, size: int) -> Step:
    """Make the next ``size`` benefits of the batch void, those apart that somebody has used since."""
    batch = read.get(work.session, batch_id)
    if batch.status is not BatchStatus.UNDOING:
        return Step(batch.voided_count + batch.left_count, is_last=True)
    _lock(work, batch.definition_id)
    found = read.to_undo(work.session, batch, size)
    stays = [[number, why] for number, why in found if why]
    gone = _void(work, batch, [number for number, why in found if not why])
    batch.voided_count += len(gone)
    batch.left_count += len(found) - len(gone)
    batch.left = [*batch.left, *stays][: rules.MOST_SHOWN]
    batch.reached = found[-1][0] if found else batch.reached
    work.session.flush()
    return Step(batch.voided_count + batch.left_count, is_last=len(found) < size)


def _lock(work: Work, definition_id: int) -> None:
    """Whoever redeems meanwhile waits at the definition's row, as in every move of a counter."""
    row = BenefitDefinition
    changed_rows(
        work.session, update(row).where(row.id == definition_id).values(total_global_voided=row.total_global_voided)
    )


def _void(work: Work, batch: BenefitBatch, ids: Sequence[int]) -> list[int]:
    """Those of ``ids`` that are void now; their codes are cancelled and do not go back to the pool."""
    reason = f"Batch {batch.id} was undone"
    gone: list[tuple[int, int | None]] = []
    for at in range(0, len(ids), 500):
        statement = (
            update(Benefit)
            .where(Benefit.id.in_(ids[at : at + 500]), Benefit.voided_at.is_(None), Benefit.redeemed_count == 0)
            .values(voided_at=work.now, voided_by=work.actor.label, void_reason=reason)
            .returning(Benefit.id, Benefit.voucher_id)
            .execution_options(synchronize_session=False)
        )
        some = [(row[0], row[1]) for row in work.session.execute(statement)]
        notices.cancel_many(work, [number for number, _ in some], Skip.VOID)
        gone += some
    counting.voided(work, batch.definition_id, len(gone))
    batch_pool.cancel(work, [voucher for _, voucher in gone if voucher is not None], reason)
    numbers = sorted(number for number, _ in gone)
    same = {"move": BenefitMove.VOIDED, "at": work.now, "by": work.actor.label, "note": reason}
    if numbers:
        bulk.insert_columns(work.session, cast(Table, BenefitChange.__table__), {"benefit_id": numbers}, same)
    return numbers


def finish(work: Work, batch_id: int) -> BenefitBatch:
    """The batch has been undone: tell the log, once."""
    batch = read.get(work.session, batch_id)
    if batch.status is BatchStatus.UNDOING:
        batch.status, batch.undone_at = BatchStatus.UNDONE, work.now
        definition = work.session.get_one(BenefitDefinition, batch.definition_id)
        work.record(
            Event.BATCH_UNDONE,
            batch,
            batch.site_id,
            title=definition.name,
            count=batch.voided_count,
            left=batch.left_count,
        )
    return batch
