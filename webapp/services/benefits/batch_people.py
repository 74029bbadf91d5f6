"""Whom a batch of benefits is for: noted by its check, and anew when its day has begun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, insert, literal, select

from webapp.domain import benefit_batches as rules
from webapp.domain.benefit_batches import Audience, BatchStatus
from webapp.domain.condition_reading import read
from webapp.domain.conditions import EVERYONE
from webapp.models import BenefitBatch, BenefitBatchPerson, BenefitDefinition, Site
from webapp.queries import benefit_batches as reads
from webapp.queries import conditions
from webapp.services import files
from webapp.services.work import Work


def begin_check(work: Work, batch_id: int) -> bool:
    """Forget what an earlier check found; False when there is nothing to check any more."""
    batch = reads.get(work.session, batch_id)
    if batch.status is not BatchStatus.CHECKING:
        return False
    forget(work, batch)
    return True


def forget(work: Work, batch: BenefitBatch) -> None:
    """Forget whom it is for, and what was wrong with the list."""
    work.session.execute(delete(BenefitBatchPerson).where(BenefitBatchPerson.batch_id == batch.id))
    batch.people_count = batch.bad_count = batch.twice_count = batch.expected_count = 0
    batch.problems, batch.rejects_file_id = [], None
    work.session.flush()


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
    batch.people_count += len(ids)
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


def name_all(work: Work, batch_id: int) -> int:
    """Note everybody there is, of the group, or who meets the condition now, in one statement; gives how many."""
    batch = reads.get(work.session, batch_id)
    site = work.session.get_one(Site, batch.site_id)
    if batch.audience is Audience.GROUP:
        if batch.group_id is None:
            raise AssertionError("a batch for a group names it")
        wanted = reads.members(batch.group_id)
    else:
        is_all = batch.audience is Audience.EVERYBODY
        node = EVERYONE if is_all else read(batch.condition, conditions.variables(work.session), site.timezone)
        wanted = conditions.people(work.session, node, work.now, site.timezone)
    numbers = wanted.subquery()
    rows = select(literal(batch.id), numbers.c.id)
    statement = insert(BenefitBatchPerson).from_select(["batch_id", "profile_id"], rows)
    work.session.execute(statement)
    batch.people_count = reads.people_count(work.session, batch.id)
    work.session.flush()
    return batch.people_count


def expect(work: Work, batch: BenefitBatch) -> None:
    """Count who of its people would get one now."""
    definition = work.session.get_one(BenefitDefinition, batch.definition_id)
    least = 1 if batch.excludes_holders else definition.max_per_profile
    passed = reads.holders(work.session, batch.id, definition.id, least) if least else 0
    batch.expected_count = batch.people_count - passed


def finish_check(work: Work, batch_id: int) -> BenefitBatch:
    """Count who would get one, and let the batch be started."""
    batch = reads.get(work.session, batch_id)
    expect(work, batch)
    if batch.rejects_file_id is not None:
        files.finish(work, batch.rejects_file_id)
    batch.status = BatchStatus.CHECKED
    work.session.flush()
    return batch


def refuse(work: Work, batch_id: int, problem: str) -> None:
    """The list cannot be read after all: nothing will be issued."""
    batch = reads.get(work.session, batch_id)
    batch.status, batch.problem = BatchStatus.REFUSED, problem[:1000]
    work.session.flush()
