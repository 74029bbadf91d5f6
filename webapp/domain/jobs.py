"""What a job can be, and what may be done with it."""

from __future__ import annotations

from enum import StrEnum

from webapp.domain.verdicts import Reason, Verdict, all_of


class JobStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINISHED = frozenset({JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED})


def may_cancel(status: JobStatus) -> Verdict:
    """A job can be cancelled until it has ended; what it finished stays."""
    return all_of(
        Reason("job.finished", f"The job is already {status}, so there is nothing left to cancel.")
        if status in FINISHED
        else None
    )
