"""Whom a batch of benefits is for: noted by its check, and anew when its day has begun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from sqlalchemy import Table, delete, insert, select, true

from webapp.domain import benefit_batches as rules
from webapp.domain.benefit_batches import BatchStatus
from webapp.models import BenefitBatch, BenefitBatchPerson
from webapp.queries import benefit_batches as reads
from webapp.services import bulk, files
from webapp.services.work import Work, changed_rows

_PEOPLE = cast(Table, BenefitBatchPerson.__table__)


def begin_check(work: Work, batch_id: int) -> bool:
    """Forget what an earlier check found of the list; False when there is nothing to check any more."""
    batch = reads.get(work.session, batch_id)
    if batch.status is not BatchStatus.CHECKING:
        return False
    batch.bad_count = batch.twice_count = batch.expected_count = 0
    batch.problems, batch.rejects_file_id = [], None
    work.session.flush()
    return True


def forget_some(work: Work, batch_id: int, size: int) -> int:
    """Forget up to ``size`` people the batch is for; gives how many it knew. Only while it has issued nothing."""
    batch = reads.get(work.session, batch_id)
    row = BenefitBatchPerson
    mine = row.batch_id == batch_id
    last = work.session.scalar(select(row.profile_id).where(mine).order_by(row.profile_id).offset(size - 1).limit(1))
    gone = changed_rows(work.session, delete(row).where(mine, row.profile_id <= last if last is not None else true()))
    batch.people_count -= gone
    work.session.flush()
    return gone


def name(
    work: Work,
    batch_id: int,
    ids: Sequence[int],
    bad: Sequence[tuple[int, str, str]],
    twice: int,
    told: Mapping[int, str],
) -> None:
    """Note some people of a list or a file, each once, and the lines that name nobody (line, value, reason).

    ``told`` is what the file says of people who were told of theirs before (``webapp.domain.benefit_batches.told``).
    """
    batch = reads.get(work.session, batch_id)
    if ids:
        work.session.execute(
            insert(BenefitBatchPerson),
            [{"batch_id": batch_id, "profile_id": number, "told": told.get(number, "")} for number in ids],
        )
    room = rules.MOST_SHOWN - len(batch.problems)
    batch.problems = [*batch.problems, *([str(line), value, reason] for line, value, reason in bad[: max(0, room)])]
    batch.people_count = rules.checked_size(batch.people_count + len(ids))
    batch.bad_count += len(bad)
    batch.twice_count += twice
    work.session.flush()


def reject(work: Work, batch_id: int, heading: bytes, lines: bytes) -> None:
    """Keep bad lines in the rejects file, begun with ``heading``."""
    if not lines:
        return
    batch = reads.get(work.session, batch_id)
    if batch.rejects_file_id is None:
        batch.rejects_file_id = files.begin(work, f"batch-{batch_id}.rejects.csv", "text/csv").id
        lines = heading + lines
        work.session.flush()
    files.append(work, batch.rejects_file_id, lines)


def name_some(work: Work, batch_id: int, ids: Sequence[int]) -> None:
    """Note some of those whom a group, a condition or «everybody» means."""
    batch = reads.get(work.session, batch_id)
    bulk.insert_columns(work.session, _PEOPLE, {"profile_id": ids}, {"batch_id": batch_id, "told": ""})
    batch.people_count += len(ids)
    work.session.flush()


def finish_check(work: Work, batch_id: int, expected: int) -> BenefitBatch:
    """Keep how many would get one, and let the batch be started."""
    batch = reads.get(work.session, batch_id)
    batch.expected_count = expected
    if batch.rejects_file_id is not None:
        files.finish(work, batch.rejects_file_id)
    batch.status = BatchStatus.CHECKED
    work.session.flush()
    return batch


def refuse(work: Work, batch_id: int, problem: str) -> None:
    """The list cannot be read after all, or names too many: nothing will be issued."""
    batch = reads.get(work.session, batch_id)
    batch.status, batch.problem = BatchStatus.REFUSED, problem[:1000]
    work.session.flush()
