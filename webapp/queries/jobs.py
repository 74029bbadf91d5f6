"""Reads of the job queue, within what a person may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.orm import Session

from webapp.domain.errors import NotFound
from webapp.domain.identity import Actor, Grant
from webapp.domain.jobs import JobStatus
from webapp.models import Job, StaffGrant
from webapp.queries.exports import WALKED, walk

ACTIVE = (JobStatus.QUEUED, JobStatus.RUNNING)
MOST_COUNTED = 1_000


@dataclass(frozen=True, slots=True)
class JobRow:
    """One line of a list of jobs."""

    id: int
    kind: str
    title: str
    status: JobStatus
    done: int
    total: int
    message: str
    error: str
    result_file_id: int | None
    is_cancel_wanted: bool
    created_at: datetime
    created_by: str
    finished_at: datetime | None


_COLUMNS = [getattr(Job, name) for name in JobRow.__dataclass_fields__]


def was_queued(session: Session, kind: str, since: datetime) -> bool:
    """Whether a job of this kind was begun at or after a moment."""
    last = select(Job.created_at).where(Job.kind == kind).order_by(Job.id.desc()).limit(1)
    at = session.scalar(last)
    return at is not None and at >= since


def get(session: Session, job_id: int, scope: frozenset[int] | None = None, *, own: int | None = None) -> Job:
    """The job as it is now, never as this session once saw it; ``NotFound`` outside ``scope`` (None: all sites).

    ``own`` is a member of staff who always sees the jobs they started. A job of no site is seen by
    those who see every site.
    """
    statement = select(Job).where(Job.id == job_id, _visible(scope, own)).execution_options(populate_existing=True)
    job = session.scalars(statement).one_or_none()
    if job is None:
        raise NotFound("job.unknown", f"There is no job {job_id}.")
    return job


def page(
    session: Session,
    scope: frozenset[int] | None,
    *,
    status: JobStatus | None = None,
    own: int | None = None,
    before: int | None = None,
    size: int = 50,
) -> list[JobRow]:
    """The newest ``size`` jobs with an id below ``before``; ask for one more than you show to know of a next page."""
    statement = (
        select(*_COLUMNS)
        .where(
            _visible(scope, own),
            true() if status is None else Job.status == status,
            true() if before is None else Job.id < before,
        )
        .order_by(Job.id.desc())
        .limit(size)
    )
    return [JobRow(*row) for row in session.execute(statement)]


EXPORT = (
    "id",
    "kind",
    "title",
    "status",
    "done",
    "total",
    "message",
    "error",
    "created_at",
    "created_by",
    "finished_at",
)


def stream(
    session: Session, scope: frozenset[int] | None, *, status: JobStatus | None = None, own: int | None = None
) -> Iterator[tuple[object, ...]]:
    """Jobs as ``EXPORT`` names them, the newest first."""
    for row in walk(lambda last: page(session, scope, status=status, own=own, before=last, size=WALKED + 1)):
        yield tuple(getattr(row, name) for name in EXPORT)


def active(
    session: Session, scope: frozenset[int] | None, *, own: int | None = None, subject: str | None = None
) -> list[JobRow]:
    """Jobs that wait or run, oldest first; only those about ``subject`` when that is given. At most 50."""
    about = true() if subject is None else Job.subject == subject
    statement = select(*_COLUMNS).where(Job.status.in_(ACTIVE), _visible(scope, own), about).order_by(Job.id).limit(50)
    return [JobRow(*row) for row in session.execute(statement)]


def latest(session: Session, subject: str, kind: str | None = None) -> Job | None:
    """The newest job about ``subject``, whoever asks: the caller has already been let see the subject."""
    about = Job.subject == subject
    statement = select(Job).where(about if kind is None else about & (Job.kind == kind)).order_by(Job.id.desc())
    return session.scalars(statement.limit(1).execution_options(populate_existing=True)).one_or_none()


def counts(session: Session, scope: frozenset[int] | None, *, own: int | None = None) -> dict[JobStatus, int]:
    """How many of the newest 1,000 jobs are in each state, for the tabs of a list; one statement."""
    newest = select(Job.status).where(_visible(scope, own)).order_by(Job.id.desc()).limit(MOST_COUNTED).subquery()
    statement = select(newest.c.status, func.count().label("number")).group_by(newest.c.status)
    found = {row.status: row.number for row in session.execute(statement)}
    return {status: found.get(status, 0) for status in JobStatus}


def starter(session: Session, job: Job) -> Actor:
    """Whoever started the job, with the rights they hold now."""
    statement = select(StaffGrant.role, StaffGrant.site_id).where(StaffGrant.staff_id == job.created_by_id)
    held = [] if job.created_by_id is None else session.execute(statement).all()
    return Actor(job.created_by, job.created_by_id, frozenset(Grant(role, site) for role, site in held))


def _visible(scope: frozenset[int] | None, own: int | None) -> ColumnElement[bool]:
    if scope is None:
        return true()
    seen = Job.site_id.in_(scope)
    return seen if own is None else or_(seen, Job.created_by_id == own)
