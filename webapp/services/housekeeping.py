"""Forgets what nobody needs any more."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from webapp.models import Lease, Profile, SignInAttempt, StaffSession
from webapp.services import import_discards, leases
from webapp.services.vouchers import uploading
from webapp.services.work import Work, changed_rows

ATTEMPTS_KEPT = timedelta(days=1)
SESSIONS_KEPT = timedelta(days=30)


def forget(work: Work) -> int:
    """Remove failed sign-ins after a day, uploaded codes nobody added after seven, dead sessions after thirty days.

    Uploads nobody imported are thrown away after thirty days too. Request keys stay for ever.
    """
    dead = work.now - SESSIONS_KEPT
    old_sessions = delete(StaffSession).where(or_(StaffSession.expires_at < dead, StaffSession.ended_at < dead))
    old_attempts = delete(SignInAttempt).where(SignInAttempt.at < work.now - ATTEMPTS_KEPT)
    gone = sum(changed_rows(work.session, statement) for statement in (old_sessions, old_attempts))
    return gone + uploading.forget(work) + import_discards.forget(work)


_REWRITTEN = "file.rewritten"  # held by nobody: it only remembers when


def has_traces(session: Session) -> bool:
    """Whether people were erased since the file was last rewritten; only a SQLite file keeps traces of them."""
    if session.get_bind().dialect.name != "sqlite":
        return False
    last = session.scalar(select(func.max(Profile.erased_at)).where(Profile.erased_at.is_not(None)))
    done = session.scalar(select(Lease.until).where(Lease.name == _REWRITTEN))
    return last is not None and (done is None or done <= last)


def note_rewritten(work: Work) -> bool:
    """Remember that the file was rewritten now."""
    return leases.take(work, _REWRITTEN, "housekeeping", timedelta())
