"""Seals a long list outside the request; a kill starts it again from the first entry."""

from __future__ import annotations

import tempfile

from webapp.jobs.running import Handler, Outcome, RunningJob
from webapp.services import draws

IN_MEMORY = 8 * 1024 * 1024


def seal(job: RunningJob) -> Outcome:
    """Read and hash the list with no lock held, then seal it in one short transaction."""
    draw_id = int(job.arguments["draw_id"])
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as spool:
        with job.read() as session:
            prepared = draws.prepare(session, draw_id, spool)
        count = prepared.entries.count
        job.step(lambda work: draws.seal(work, draws.SealDraw(draw_id), prepared), done=count, total=count)
    return Outcome(f"Sealed {count:,} entries.")


KINDS: dict[str, Handler] = {"draws.seal": seal}
