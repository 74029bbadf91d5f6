"""A process that runs jobs, to be killed: `python -m tests.support.counting DATABASE_URL LEASE_SECONDS`.

Its one kind of job, `count`, writes the numbers 1 to `total` into a stored file, one a step, and notes each
beginning on the standard output.
"""

from __future__ import annotations

import sys
from datetime import timedelta

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from webapp.adapters.engines import engine_options
from webapp.domain.jobs import JobStatus
from webapp.jobs.runner import Runner
from webapp.jobs.running import Outcome, RunningJob
from webapp.queries import jobs as read
from webapp.services import files


def count(job: RunningJob) -> Outcome:
    print("began", job.id, flush=True)  # noqa: T201 - what the test reads
    if "file" not in job.cursor:
        job.step(lambda work: files.begin(work, "count.txt", "text/plain").id, cursor=lambda made: {"file": made})
    file_id = job.cursor["file"]
    while job.done < job.arguments["to"]:
        number = job.done + 1
        job.step(lambda work, line=f"{number}\n": files.append(work, file_id, line.encode()), done=number)
        print("step", job.id, number, flush=True)  # noqa: T201
    job.step(lambda work: files.finish(work, file_id))
    return Outcome("Counted.", file_id)


def main(url: str, lease: float) -> None:
    """Run jobs until every one of them has ended."""
    engine = create_engine(url, **engine_options(url, threads=2))
    runner = Runner(lambda: Session(engine, expire_on_commit=False), {"count": count}, lease=timedelta(seconds=lease))
    while unfinished(engine):
        runner.drain()
        runner.stopping.wait(0.02)


def unfinished(engine) -> bool:
    """Whether a job waits or is under way."""
    with Session(engine) as session:
        counts = read.counts(session, None)
    return bool(counts[JobStatus.QUEUED] + counts[JobStatus.RUNNING])


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
