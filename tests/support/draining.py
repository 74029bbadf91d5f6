"""A process that runs the real jobs, to be killed: `python -m tests.support.draining DATABASE_URL LEASE_SECONDS ROWS_A_STEP`.

It notes each step on the standard output and ends when no job waits.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from tests.support.counting import unfinished
from webapp.adapters.engines import engine_options
from webapp.jobs import benefit_batches, benefit_voiding, registry, vouchers
from webapp.jobs.runner import Runner
from webapp.jobs.running import RunningJob


def main(url: str, lease: float, size: int) -> None:
    """Run jobs until every one of them has ended."""
    step = RunningJob.step

    def noted(job: RunningJob, *args: Any, **more: Any) -> Any:
        result = step(job, *args, **more)
        print("step", job.id, job.done, flush=True)  # noqa: T201 - what the test reads
        return result

    setattr(RunningJob, "step", noted)  # noqa: B010
    benefit_batches.CHUNK = benefit_batches.NAMED_AT_ONCE = benefit_batches.UNDONE_AT_ONCE = size
    benefit_voiding.AT_ONCE = vouchers.AT_ONCE = size
    engine = create_engine(url, **engine_options(url, threads=2))
    runner = Runner(lambda: Session(engine, expire_on_commit=False), registry.kinds(), lease=timedelta(seconds=lease))
    while unfinished(engine):
        runner.drain()
        runner.stopping.wait(0.02)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
