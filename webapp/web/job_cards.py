"""A job as ``components/progress.html`` draws it, on every page that shows one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import url_for

from webapp.domain.benefit_acts import VOID_JOB
from webapp.domain.jobs import FINISHED, JobStatus
from webapp.web.navigation import may_open

if TYPE_CHECKING:
    from webapp.models import Job
    from webapp.queries.jobs import JobRow

_WORDS = {
    JobStatus.QUEUED: "Waits for its turn",
    JobStatus.RUNNING: "Under way",
    JobStatus.DONE: "Finished",
    JobStatus.FAILED: "Failed; what it finished before stays",
    JobStatus.CANCELLED: "Cancelled; what it finished before stays",
}


# Kinds of job that can be taken back, and the page that does it.
TAKEN_BACK_AT = {VOID_JOB: "benefits.restore_several"}


def card(job: Job, *, poll_url: str, cancel_url: str | None = None, result_url: str | None = None) -> dict[str, Any]:
    """What the component draws: it asks ``poll_url`` every two seconds while the job moves; without an address no button."""
    is_moving = job.status not in FINISHED
    stops = is_moving and job.is_cancel_wanted
    return {
        "id": job.id,
        "title": job.title,
        "status": job.status,
        "text": "Stops before its next step" if stops else says(job),
        "done": job.done,
        "total": job.total,
        "started_by": job.created_by,
        "error": job.error or None,
        "poll_url": poll_url if is_moving else None,
        "ptag": tag_of(job),
        "cancel_url": cancel_url if is_moving and not stops else None,
        "result_url": result_url,
        "undo_url": _undo_url(job),
    }


def _undo_url(job: Job) -> str | None:
    """Where what the job did can be taken back, by whoever may; None while it moves."""
    page = TAKEN_BACK_AT.get(job.kind)
    return url_for(page, job_id=job.id) if page and job.status in FINISHED and may_open(page) else None


def says(job: Job | JobRow) -> str:
    """The job's own last word where that still holds, else what its state means."""
    return job.message if job.message and job.status in (JobStatus.RUNNING, JobStatus.DONE) else _WORDS[job.status]


def tag_of(job: Job) -> str:
    """Names one picture of the card; it moves with every change anybody could see."""
    return f"{job.id}-{job.version}"
