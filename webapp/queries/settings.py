"""Reads the choices of the whole account."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.models import AccountSettings


def find(session: Session) -> AccountSettings | None:
    """The one row, or None as long as nobody has changed anything."""
    return session.get(AccountSettings, 1)


def is_second_factor_optional(session: Session) -> bool:
    """Whether draw supervisors and administrators may sign in with a password alone."""
    return bool(session.scalar(select(AccountSettings.is_second_factor_optional)))


def anchor_emails(session: Session) -> list[str]:
    """Who is told where the audit log ends."""
    kept = session.scalar(select(AccountSettings.anchor_emails)) or ""
    return [email for email in kept.split(", ") if email]


def is_small_team(session: Session) -> bool:
    """Whether one person may hold conflicting roles."""
    return bool(session.scalar(select(AccountSettings.is_small_team)))
