"""Tidies up once an hour."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from webapp.adapters import clock, scrubbing
from webapp.domain.identity import SYSTEM
from webapp.services import housekeeping
from webapp.services.work import perform


def run_due(sessions: Callable[[], Session]) -> int:
    """Forget old sign-ins and sessions, and the last traces of people erased; gives how many rows went."""
    with sessions() as session:
        gone = perform(session, SYSTEM, clock.now(), housekeeping.forget)
        if housekeeping.has_traces(session):
            engine = session.get_bind().engine
            session.rollback()
            scrubbing.rewrite(engine)
            perform(session, SYSTEM, clock.now(), housekeeping.note_rewritten)
        return gone
