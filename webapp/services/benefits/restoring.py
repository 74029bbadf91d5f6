"""Takes back that many benefits were made void together: what nobody touched since is as it was, the rest is listed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import exists, select, update

from webapp.domain.audit import Event
from webapp.domain.benefit_acts import RESTORE_JOB
from webapp.domain.errors import DomainError
from webapp.domain.permissions import Permission
from webapp.domain.redemptions import BenefitMove
from webapp.models import Benefit, BenefitChange, BenefitDefinition, Job
from webapp.queries import benefits as read
from webapp.queries import voidings as read_voidings
from webapp.queries.benefits import Scope
from webapp.queries.matching import among_ids
from webapp.services import files, jobs
from webapp.services.benefits import voiding
from webapp.services.benefits.changing import put_back
from webapp.services.benefits.voiding import Progress
from webapp.services.jobs import NewJob
from webapp.services.work import Work, changed_rows

RESTORE = RESTORE_JOB


@dataclass(frozen=True, slots=True)
class RestoreVoided:
    """What the job made void; ``scope`` are the sites of whoever takes it back, None is every one."""

    job_id: int
    scope: Scope


def start(work: Work, command: RestoreVoided) -> Job:
    """Queue the job that takes it back, once; ``Refused`` by ``may_restore_together``, ``NotFound`` outside the sites."""
    # Rivals wait at this row, so that what is read after it is what stands.
    changed_rows(work.session, update(Job).where(Job.id == command.job_id).values(version=Job.version + 1))
    job = read_voidings.get(work.session, command.job_id, command.scope)
    read_voidings.verdict(work.session, job, work.now).require()
    done = Progress.of(job.cursor)
    arguments = {name: job.arguments[name] for name in ("file_id", "reason")} | {"moments": list(done.moments)}
    title = f"Restore {done.changed:,} benefits"
    return jobs.enqueue(work, NewJob(RESTORE, title, job.site_id, f"jobs:{job.id}", arguments, job.done))


@dataclass(frozen=True, slots=True)
class Voided:
    """How to know what a job made void: at one of these moments, for its reason."""

    moments: Collection[datetime]
    reason: str


def restore_some(work: Work, before: Progress, numbers: Sequence[int], voided: Voided) -> Progress:
    """Put those of ``numbers`` back that were ``voided``, and say how far it is then.

    What was void before, and so never was the job's, is passed over without a word.
    """
    row, line = Benefit, BenefitChange
    by_job = exists().where(
        line.benefit_id == row.id,
        line.move == BenefitMove.VOIDED,
        line.at.in_(voided.moments),
        line.note == voided.reason,
    )
    wanted = select(row.id, row.definition_id).where(among_ids(work.session, row.id, numbers), by_job)
    held: dict[int, list[int]] = {}
    for number, definition_id in work.session.execute(wanted.order_by(row.definition_id, row.id)):
        held.setdefault(definition_id, []).append(number)
    counts, left = dict(before.counts), []
    for definition_id in held:
        voiding.lock(work, definition_id)
    for definition_id, mine in held.items():
        definition = work.session.get_one(BenefitDefinition, definition_id)
        why = [(number, _put_back(work, number, definition, voided)) for number in mine]
        stay = [(number, words) for number, words in why if words]
        restored, kept = counts.get(str(definition_id), (0, 0))
        counts[str(definition_id)] = [restored + len(mine) - len(stay), kept + len(stay)]
        left += stay
    return Progress(counts, voiding.list_left(work, before.left_file_id, left))


def _put_back(work: Work, number: int, definition: BenefitDefinition, voided: Voided) -> str:
    """Why it stays as it is; empty when it was put back."""
    benefit = read.get(work.session, number)
    if benefit.voided_at is None:
        return "It was restored since."
    if benefit.voided_at not in voided.moments or benefit.void_reason != voided.reason:
        return "It was restored since, and made void once more."
    if _was_released(work, benefit):
        return "Its code went back to the pool since."
    try:
        with work.session.begin_nested():
            put_back(work, benefit, definition)
    except DomainError as refusal:
        return refusal.message
    return ""


def _was_released(work: Work, benefit: Benefit) -> bool:
    line = BenefitChange
    since = select(
        exists().where(line.benefit_id == benefit.id, line.move == BenefitMove.RELEASED, line.at >= benefit.voided_at)
    )
    return bool(work.session.scalar(since))


def finish(work: Work, done: Progress) -> Progress:
    """Tell the log, once for each definition, how many were restored."""
    if done.is_told:
        return done
    for key, (restored, left) in sorted(done.counts.items(), key=lambda item: int(item[0])):
        definition = work.session.get_one(BenefitDefinition, int(key))
        work.record(
            Event.BENEFITS_RESTORED, definition, definition.site_id, title=definition.name, count=restored, left=left
        )  # fmt: skip
    if done.left_file_id is not None:
        files.finish(work, done.left_file_id)
    return replace(done, is_told=True)


def _stopped(work: Work, job: Job) -> None:
    """A job that failed or was cancelled: what it did stays, and the log hears of it."""
    done = finish(work, Progress.of(job.cursor))
    job.cursor, job.result_file_id = done.cursor, done.left_file_id


jobs.ENDINGS[RESTORE] = _stopped
jobs.RESULT_NEEDS[RESTORE] = Permission.BENEFITS_CHANGE
