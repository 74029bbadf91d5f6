"""Jobs that made many benefits void, and whether that can be taken back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from webapp.domain.benefit_acts import RESTORE_JOB, VOID_JOB, may_restore_together
from webapp.domain.errors import NotFound
from webapp.domain.jobs import FINISHED
from webapp.domain.verdicts import Verdict
from webapp.models import Job

Scope = frozenset[int] | None


def get(session: Session, job_id: int, scope: Scope) -> Job:
    """A job that made benefits void, as it stands now; ``NotFound`` when it reached beyond the sites of ``scope``."""
    job = session.get(Job, job_id, populate_existing=True)
    if job is None or job.kind != VOID_JOB:
        raise _missing()
    sites = job.arguments.get("sites")  # None is every one
    if scope is not None and (sites is None or not scope.issuperset(sites)):
        raise _missing()
    return job


def _missing() -> NotFound:
    return NotFound("job.not_found", "There is no such job.")


def made_void(job: Job) -> int:
    """How many benefits the job made void."""
    return sum(count[0] for count in job.cursor.get("counts", {}).values())


def verdict(session: Session, job: Job, now: datetime) -> Verdict:
    """Whether what it made void can be restored together at ``now``."""
    again = select(exists().where(Job.kind == RESTORE_JOB, Job.subject == f"jobs:{job.id}"))
    return may_restore_together(
        job.finished_at if job.status in FINISHED else None,
        now,
        voided=made_void(job) if job.cursor.get("moments") else 0,
        is_taken_back=bool(session.scalar(again)),
    )
