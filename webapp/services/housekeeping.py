"""Forgets what nobody needs any more."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, or_

from webapp.models import SignInAttempt, StaffSession
from webapp.services.work import Work, changed_rows

ATTEMPTS_KEPT = timedelta(days=1)
SESSIONS_KEPT = timedelta(days=30)


def forget(work: Work) -> int:
    """Remove failed sign-ins after a day and dead sessions after thirty; request keys stay for ever."""
    dead = work.now - SESSIONS_KEPT
    old_sessions = delete(StaffSession).where(or_(StaffSession.expires_at < dead, StaffSession.ended_at < dead))
    old_attempts = delete(SignInAttempt).where(SignInAttempt.at < work.now - ATTEMPTS_KEPT)
    return sum(changed_rows(work.session, statement) for statement in (old_sessions, old_attempts))
