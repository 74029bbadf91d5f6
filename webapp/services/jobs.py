"""Puts long work into the queue and asks for its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import or_, update

from webapp.domain import jobs as rules
from webapp.domain.audit import Event
from webapp.domain.jobs import JobStatus
from webapp.domain.permissions import Permission
from webapp.models import Job
from webapp.queries import jobs as read
from webapp.services.work import Work, changed_rows

# What a service wants done, in the same transaction, when a job of its kind fails or is cancelled: kind -> act.
# The service that enqueues the kind registers it, so whoever can cancel the job has the act at hand.
ENDINGS: dict[str, Callable[[Work, Job], None]] = {}
# Who may fetch the result of a kind beside nobody else: kind -> permission. Without one, only who started the job.
RESULT_NEEDS: dict[str, Permission] = {}


@dataclass(frozen=True, slots=True)
class NewJob:
    """``kind`` names the handler, ``title`` is what people read, ``subject`` what it is about («import_runs:3»).

    ``arguments`` must be plain JSON; ``total`` is the number of units, 0 while unknown.
    """

    kind: str
    title: str
    site_id: int | None = None
    subject: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    total: int = 0


def enqueue(work: Work, command: NewJob) -> Job:
    """Queue a job in this transaction; a runner starts it within a second or so of the commit."""
    job = Job(
        kind=command.kind,
        title=command.title[:200],
        site_id=command.site_id,
        subject=command.subject,
        arguments=command.arguments,
        total=command.total,
        created_at=work.now,
        created_by_id=work.actor.staff_id,
        created_by=work.actor.label,
    )
    work.session.add(job)
    work.session.flush()
    return job


@dataclass(frozen=True, slots=True)
class CancelJob:
    job_id: int


def cancel(work: Work, command: CancelJob) -> Job:
    """End a job that waits; ask one that runs to stop before its next step. What it finished stays.

    ``Refused`` («job.finished») when it has already ended.
    """
    session = work.session
    unfinished = or_(Job.status == JobStatus.QUEUED, Job.status == JobStatus.RUNNING)
    asked = changed_rows(
        session,
        update(Job).where(Job.id == command.job_id, unfinished).values(is_cancel_wanted=True, version=Job.version + 1),
    )
    job = read.get(session, command.job_id)
    if not asked:
        rules.may_cancel(job.status).require()
    work.record(Event.JOB_CANCELLED, job, job.site_id, title=job.title)
    if job.status is JobStatus.QUEUED:
        end(work, job, JobStatus.CANCELLED)
    return job


def end(work: Work, job: Job, status: JobStatus, *, message: str = "", error: str = "") -> None:
    """Close a job whose row this transaction has already won by a guarded UPDATE."""
    job.status = status
    job.message = (message or job.message)[:500]
    job.error = error[:2000]
    job.finished_at = work.now
    job.owner = ""
    job.lease_until = None
    job.version += 1
    if status is JobStatus.FAILED:
        work.record(Event.JOB_FAILED, job, job.site_id, title=job.title, error=error[:300])
    if status is not JobStatus.DONE and job.kind in ENDINGS:
        ENDINGS[job.kind](work, job)
