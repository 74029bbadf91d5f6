"""Closes what has come to its end."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from webapp.adapters import clock
from webapp.domain.identity import SYSTEM
from webapp.services import benefits, rewards
from webapp.services.benefits import batches
from webapp.services.work import perform


def run_due(sessions: Callable[[], Session]) -> int:
    """Close rewards whose last day is over, start batches whose day has begun, tell what expired; gives how many."""
    with sessions() as session:
        done = perform(session, SYSTEM, clock.now(), rewards.close_due)
        done += perform(session, SYSTEM, clock.now(), batches.start_due)
        while told := perform(session, SYSTEM, clock.now(), benefits.tell_expired):
            done += told
        return done
