"""Asks every night whether the data keeps its promises (reliability.md 4); a broken one fails the job, which Today shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from webapp.adapters import clock
from webapp.domain.errors import Refused
from webapp.domain.identity import SYSTEM
from webapp.jobs.running import Outcome, RunningJob
from webapp.queries import jobs as read
from webapp.queries import sites as read_sites
from webapp.queries.invariants import INVARIANTS, broken
from webapp.services import jobs
from webapp.services.jobs import NewJob
from webapp.services.work import perform

KIND = "data.check"
HOUR = 3  # o'clock where the first site is


def run_due(sessions: Callable[[], Session]) -> int:
    """Queue the check of last night, unless it was, or there was no site yet; gives how many were queued."""
    now = clock.now()
    with sessions() as session:
        first = read_sites.first(session)
        if first is None:
            return 0
        since = last_night(now, first.timezone)
        if first.created_at > since or read.was_queued(session, KIND, since):
            return 0
        perform(session, SYSTEM, now, lambda work: jobs.enqueue(work, NewJob(KIND, "Nightly check of the data")))
        return 1


def last_night(now: datetime, zone: str) -> datetime:
    """The latest three o'clock in ``zone`` that is past."""
    here = now.astimezone(ZoneInfo(zone))
    at = here.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    return at if at <= here else at - timedelta(days=1)


def check(job: RunningJob) -> Outcome:
    """Look for the breach of each promise. Raises ``Refused`` with the promises broken and the first rows that break them."""
    bad = []
    for number, promise in enumerate(INVARIANTS, 1):
        with job.read() as session:
            rows = broken(session, promise)
        if rows:
            bad.append(f"{promise.promise} Broken by: {', '.join(rows)}.")
        job.step(lambda _work: None, done=number, total=len(INVARIANTS))
    if bad:
        words = f"{len(bad)} of {len(INVARIANTS)} promises {'is' if len(bad) == 1 else 'are'} broken."
        raise Refused("data.broken", " ".join([words, *bad]))
    return Outcome(f"{len(INVARIANTS)} promises kept.")


KINDS = {KIND: check}
