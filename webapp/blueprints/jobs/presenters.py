"""A job as the progress card and the tabs show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import url_for

from webapp.domain.jobs import FINISHED, JobStatus
from webapp.queries.jobs import MOST_COUNTED, JobRow

if TYPE_CHECKING:
    from webapp.models import Job

_WORDS = {
    JobStatus.QUEUED: "Waits for its turn",
    JobStatus.RUNNING: "Under way",
    JobStatus.DONE: "Finished",
    JobStatus.FAILED: "Failed; what it finished before stays",
    JobStatus.CANCELLED: "Cancelled; what it finished before stays",
}


def card(job: Job, *, may_fetch: bool) -> dict[str, Any]:
    """What ``components/progress.html`` draws; it asks again every two seconds while the job moves."""
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
        "poll_url": url_for(".progress", job_id=job.id) if is_moving else None,
        "ptag": tag_of(job),
        "cancel_url": url_for(".cancel", job_id=job.id) if is_moving and not stops else None,
        "result_url": url_for(".result", job_id=job.id) if job.result_file_id and may_fetch else None,
    }


def says(job: Job | JobRow) -> str:
    """The job's own last word where that still holds, else what its state means."""
    return job.message if job.message and job.status in (JobStatus.RUNNING, JobStatus.DONE) else _WORDS[job.status]


def tag_of(job: Job) -> str:
    """Names one picture of the card; it moves with every change anybody could see."""
    return f"{job.id}-{job.version}"


def tabs(counts: Mapping[JobStatus, int], chosen: JobStatus | None) -> list[dict[str, Any]]:
    """«All», then one tab a state; numbers are of the newest 1,000 jobs."""
    whole = sum(counts.values())
    more = "+" if whole >= MOST_COUNTED else ""
    rest = [
        {
            "label": str(status).capitalize(),
            "url": url_for(".index", status=status),
            "current": status is chosen,
            "count": f"{number:,}",
        }
        for status, number in counts.items()
    ]
    return [{"label": "All", "url": url_for(".index"), "current": chosen is None, "count": f"{whole:,}{more}"}, *rest]
