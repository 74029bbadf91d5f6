"""Tidies up once an hour."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from webapp.adapters import clock
from webapp.domain.identity import SYSTEM
from webapp.services import housekeeping
from webapp.services.work import perform


def run_due(sessions: Callable[[], Session]) -> int:
    """Forget old sign-ins and sessions; gives how many rows went."""
    with sessions() as session:
        return perform(session, SYSTEM, clock.now(), housekeeping.forget)
