"""Reads of the messages that wait, left or failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from webapp.domain.outbox import OutboxStatus
from webapp.models import OutboxMessage
from webapp.queries.exports import WALKED, walk

_WAITING = (OutboxStatus.QUEUED, OutboxStatus.RETRY, OutboxStatus.CLAIMED)


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One line of a list of messages; the body is not among it, it may hold a code."""

    id: int
    recipient: str
    subject: str
    status: OutboxStatus
    due_at: datetime
    attempts: int
    sent_at: datetime | None
    error: str
    answer: str


_COLUMNS = [getattr(OutboxMessage, name) for name in MessageRow.__dataclass_fields__]


def is_due(session: Session, now: datetime, *, is_webhook: bool = False) -> bool:
    """Whether any e-mail, or any delivery to a webhook, could be claimed now; a look costs no write."""
    to = OutboxMessage.webhook_id
    due = OutboxMessage.status.in_(_WAITING) & (OutboxMessage.due_at <= now)
    due &= to.is_not(None) if is_webhook else to.is_(None)
    return session.execute(select(OutboxMessage.id).where(due).limit(1)).first() is not None


def page(
    session: Session, *, status: OutboxStatus | None = None, before: int | None = None, size: int = 50
) -> list[MessageRow]:
    """The newest messages with an id below ``before``."""
    statement = (
        select(*_COLUMNS)
        .where(
            true() if status is None else OutboxMessage.status == status,
            true() if before is None else OutboxMessage.id < before,
        )
        .order_by(OutboxMessage.id.desc())
        .limit(size)
    )
    return [MessageRow(*row) for row in session.execute(statement)]


EXPORT = tuple(MessageRow.__dataclass_fields__)


def stream(session: Session, *, status: OutboxStatus | None = None) -> Iterator[tuple[object, ...]]:
    """Messages as ``EXPORT`` names them, without their words, the newest first."""
    for row in walk(lambda last: page(session, status=status, before=last, size=WALKED + 1)):
        yield tuple(getattr(row, name) for name in EXPORT)


def failed_count(session: Session, most: int = 1_000) -> int:
    """How many failed and nobody has sent again; stops counting at ``most``."""
    failed = select(OutboxMessage.id).where(OutboxMessage.status == OutboxStatus.FAILED).limit(most).subquery()
    return session.execute(select(func.count()).select_from(failed)).scalar_one()
