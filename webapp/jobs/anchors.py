"""Tells once an hour, outside the database, where the audit log ends: whoever rewrites it cannot unsend a message."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.orm import Session

from webapp.adapters import clock
from webapp.domain.identity import SYSTEM
from webapp.queries import audit as read
from webapp.queries import settings as read_settings
from webapp.services import audit
from webapp.services.work import perform

EVERY = timedelta(hours=1)  # reliability.md T15


def run_due(sessions: Callable[[], Session]) -> int:
    """Send the head to those who are to have it, unless they were told within the hour or nothing has moved since."""
    now = clock.now()
    with sessions() as session:
        emails = read_settings.anchor_emails(session)
        last = read.last_anchor(session, audit.MAIL)
        is_early = last is not None and now - last.at < EVERY
        if not emails or is_early or (last is not None and last.position >= read.head(session)[0]):
            return 0
        return 0 if perform(session, SYSTEM, now, lambda work: audit.anchor_by_mail(work, emails)) is None else 1
