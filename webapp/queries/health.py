"""What the database says of the health of the installation."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import column, func, select, table
from sqlalchemy.orm import Session

from webapp.domain.health import HealthFacts
from webapp.domain.outbox import OutboxStatus
from webapp.models import Lease, OutboxMessage

SCHEDULER = "scheduler"
SCHEDULER_LEASE = timedelta(seconds=30)
_VERSION = table("alembic_version", column("version_num"))
_WAITING = (OutboxStatus.QUEUED, OutboxStatus.RETRY, OutboxStatus.CLAIMED)


def facts(session: Session, now: datetime) -> HealthFacts:
    """Schema, last heartbeat, oldest message due and messages that failed, in one statement."""
    due = select(func.min(OutboxMessage.due_at)).where(OutboxMessage.status.in_(_WAITING), OutboxMessage.due_at <= now)
    failed = OutboxMessage.status == OutboxStatus.FAILED
    revision, until, oldest, count, since = session.execute(
        select(
            select(_VERSION.c.version_num).limit(1).scalar_subquery(),
            select(Lease.until).where(Lease.name == SCHEDULER).scalar_subquery(),
            due.scalar_subquery(),
            select(func.count()).where(failed).scalar_subquery(),
            select(func.min(OutboxMessage.due_at)).where(failed).scalar_subquery(),
        )
    ).one()
    return HealthFacts(revision, None if until is None else until - SCHEDULER_LEASE, oldest, count, since)
