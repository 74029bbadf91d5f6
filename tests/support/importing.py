"""A process that runs imports, to be killed: `python -m tests.support.importing DATABASE_URL LEASE_SECONDS CHUNK`.

It runs every kind of job there is, a few rows a step, and notes each step on the standard output.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from webapp.adapters import judging
from webapp.adapters.engines import engine_options
from webapp.domain.jobs import JobStatus
from webapp.jobs import imports, registry
from webapp.jobs.runner import Runner
from webapp.jobs.running import RunningJob
from webapp.queries import jobs as read


def main(url: str, lease: float, chunk: int) -> None:
    """Run jobs until every one of them has ended."""
    imports.CHUNK = chunk
    judging.FEW = 0  # as a long file is
    step = RunningJob.step

    def told(self: RunningJob, *arguments: Any, **keywords: Any) -> Any:
        result = step(self, *arguments, **keywords)
        print("step", self.id, self.done, flush=True)  # noqa: T201 - what the test reads
        return result

    RunningJob.step = told  # type: ignore[method-assign]
    engine = create_engine(url, **engine_options(url, threads=2))
    runner = Runner(lambda: Session(engine, expire_on_commit=False), registry.kinds(), lease=timedelta(seconds=lease))
    while _unfinished(engine):
        runner.drain()
        runner.stopping.wait(0.02)


def _unfinished(engine: Any) -> bool:
    with Session(engine) as session:
        counts = read.counts(session, None)
    return bool(counts[JobStatus.QUEUED] + counts[JobStatus.RUNNING])


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
