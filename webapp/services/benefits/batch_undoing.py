"""The transactions of which undoing a batch of benefits is made: some at a time, all or none of those."""

from __future__ import annotations

from webapp.domain import benefit_batches as rules
from webapp.domain.audit import Event
from webapp.domain.benefit_batches import BatchStatus
from webapp.models import BenefitBatch, BenefitDefinition
from webapp.queries import benefit_batches as read
from webapp.services.benefits import voiding
from webapp.services.benefits.batch_issuing import Step
from webapp.services.work import Work


def undo_some(work: Work, batch_id: int, size: int) -> Step:
    """Make the next ``size`` benefits of the batch void, those apart that somebody has used since."""
    batch = read.get(work.session, batch_id)
    if batch.status is not BatchStatus.UNDOING:
        return Step(batch.voided_count + batch.left_count, is_last=True)
    voiding.lock(work, batch.definition_id)
    found = read.to_undo(work.session, batch, size)
    stays = [[number, why] for number, why in found if why]
    unused = [number for number, why in found if not why]
    gone = voiding.void_many(work, batch.definition_id, unused, f"Batch {batch.id} was undone", only_unused=True)
    batch.voided_count += len(gone)
    batch.left_count += len(found) - len(gone)
    batch.left = [*batch.left, *stays][: rules.MOST_SHOWN]
    batch.reached = found[-1][0] if found else batch.reached
    work.session.flush()
    return Step(batch.voided_count + batch.left_count, is_last=len(found) < size)


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
