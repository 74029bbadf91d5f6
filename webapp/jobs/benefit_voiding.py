"""Makes the benefits void that were fixed when it was confirmed, and takes that back, in steps that survive a kill."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from webapp.jobs.running import Handler, Outcome, RunningJob
from webapp.services.benefits import restoring, voiding
from webapp.services.benefits.restoring import Voided
from webapp.services.benefits.voiding import WIDTH, Progress

AT_ONCE = 500
RESTORED_AT_ONCE = 50  # each is looked at by itself, and a till that waits for the definition must not wait long


def void(job: RunningJob) -> Outcome:
    """Go on where the cursor says; what is void meanwhile is listed and left."""
    while job.done < job.total:
        _step(job)
    reason = str(job.arguments["reason"])
    done = job.step(
        lambda work: voiding.finish(work, Progress.of(job.cursor), reason), cursor=lambda progress: progress.cursor
    )
    left = f", {done.left:,} left as they were; the file says why." if done.left else "."
    return Outcome(f"{done.changed:,} made void{left}", done.left_file_id)


def restore(job: RunningJob) -> Outcome:
    """Go on where the cursor says; what somebody touched meanwhile is listed and left."""
    moments = frozenset(datetime.fromisoformat(moment) for moment in job.arguments["moments"])
    voided = Voided(moments, str(job.arguments["reason"]))
    while job.done < job.total:
        before, numbers = Progress.of(job.cursor), _next(job, RESTORED_AT_ONCE)
        job.step(
            partial(restoring.restore_some, before=before, numbers=numbers, voided=voided),
            done=job.done + len(numbers),
            cursor=lambda progress: progress.cursor,
            message=lambda progress: f"{progress.changed:,} restored, {progress.left:,} left as they are",
        )
    done = job.step(
        lambda work: restoring.finish(work, Progress.of(job.cursor)), cursor=lambda progress: progress.cursor
    )
    left = f", {done.left:,} left as they are; the file says why." if done.left else "."
    return Outcome(f"{done.changed:,} restored{left}", done.left_file_id)


def _next(job: RunningJob, size: int) -> list[int]:
    with job.open_binary(int(job.arguments["file_id"]), job.done * WIDTH) as file:
        return [int(line) for line in file.read(size * WIDTH).split()]


def _step(job: RunningJob) -> None:
    reason, before, start = str(job.arguments["reason"]), Progress.of(job.cursor), job.done
    numbers = _next(job, AT_ONCE)
    job.step(
        lambda work: voiding.void_some(work, before, numbers, reason),
        done=start + len(numbers),
        cursor=lambda progress: progress.cursor,
        message=lambda progress: f"{progress.changed:,} made void, {progress.left:,} left as they were",
    )


KINDS: dict[str, Handler] = {voiding.VOID: void, restoring.RESTORE: restore}
