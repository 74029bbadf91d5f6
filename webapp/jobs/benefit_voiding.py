"""Makes the benefits void that were fixed when it was confirmed, in steps that survive a kill."""

from __future__ import annotations

from webapp.jobs.running import Handler, Outcome, RunningJob
from webapp.services.benefits import voiding
from webapp.services.benefits.voiding import WIDTH, Progress

AT_ONCE = 500


def void(job: RunningJob) -> Outcome:
    """Go on where the cursor says; what is void meanwhile is listed and left."""
    while job.done < job.total:
        _step(job)
    reason = str(job.arguments["reason"])
    done = job.step(
        lambda work: voiding.finish(work, Progress.of(job.cursor), reason), cursor=lambda progress: progress.cursor
    )
    left = f", {done.left:,} left as they were; the file says why." if done.left else "."
    return Outcome(f"{done.voided:,} made void{left}", done.left_file_id)


def _step(job: RunningJob) -> None:
    reason, before, start = str(job.arguments["reason"]), Progress.of(job.cursor), job.done
    with job.open_binary(int(job.arguments["file_id"]), start * WIDTH) as file:
        numbers = [int(line) for line in file.read(AT_ONCE * WIDTH).split()]
    job.step(
        lambda work: voiding.void_some(work, before, numbers, reason),
        done=start + len(numbers),
        cursor=lambda progress: progress.cursor,
        message=lambda progress: f"{progress.voided:,} made void, {progress.left:,} left as they were",
    )


KINDS: dict[str, Handler] = {voiding.VOID: void}
