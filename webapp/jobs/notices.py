"""Puts the notices that are due into the outbox, the oldest first, and plans those of a definition anew."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlalchemy.orm import Session

from webapp.adapters import clock
from webapp.domain.identity import SYSTEM
from webapp.jobs.running import Outcome, RunningJob
from webapp.queries import notices as read
from webapp.services import notices
from webapp.services.work import perform

MOST = 2_000  # in one beat: after a long stop mail servers are not flooded


def run_due(sessions: Callable[[], Session]) -> int:
    """Deal with what is due, some in each transaction; gives how many."""
    done = 0
    with sessions() as session:
        while done < MOST and read.is_due(session, clock.now()):
            done += perform(session, SYSTEM, clock.now(), notices.send_some)
    return done


def replan(job: RunningJob) -> Outcome:
    """Some open benefits a step; doing one twice changes nothing."""
    definition_id = int(job.arguments["definition_id"])
    count = 1
    while count:
        after = int(job.cursor.get("after", 0))
        _, count = job.step(
            partial(notices.replan_some, definition_id=definition_id, after=after),
            cursor=lambda found: {"after": found[0]},
            done=lambda found: job.done + found[1],
        )
    return Outcome(f"The notices of {job.done:,} open benefits are planned anew.")


KINDS = {"notices.replan": replan}
