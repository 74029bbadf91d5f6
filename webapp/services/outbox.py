"""What becomes of a queued message: claimed by one sender, then sent, tried again, failed or skipped."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from webapp.domain.audit import Event
from webapp.domain.errors import NotFound, Refused
from webapp.domain.outbox import OutboxStatus, next_try
from webapp.models import OutboxMessage
from webapp.services.work import Work, changed_rows

LEASE = timedelta(seconds=60)  # reliability.md section 9
# By kind, the dedupe key up to its first colon. Asked just before sending: why not to send it at that moment, or «».
OBJECTIONS: dict[str, Callable[[Session, str, datetime], str]] = {}
# Told in the same transaction what became of a message: its key, its state now, and the error if there is one.
FOLLOWERS: dict[str, Callable[[Work, str, OutboxStatus, str], None]] = {}
# How long to wait after a failed try, by its number from 1, or None for no more; where nothing is said, ``next_try``.
WAITS: dict[str, Callable[[int], timedelta | None]] = {}


class Way(StrEnum):
    """What a message leaves by; each has senders of its own, so that a slow receiver holds up no e-mail."""

    MAIL = "mail"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that is one sender's to send until its lease ends."""

    id: int
    dedupe_key: str
    recipient: str
    subject: str
    body: str
    attempts: int
    webhook_id: int | None
    created_at: datetime

    @property
    def kind(self) -> str:
        """What it tells of: its dedupe key up to the first colon."""
        return self.dedupe_key.partition(":")[0]


_COLUMNS = [getattr(OutboxMessage, name) for name in Claimed.__dataclass_fields__]


def claim(work: Work, owner: str, size: int, way: Way | None = None, without: Collection[int] = ()) -> list[Claimed]:
    """Take up to ``size`` messages that are due, or whose sender has died; no two callers get the same one.

    With ``way`` only those that leave by it; ``without`` are webhooks that do not answer at the moment.
    """
    waits = and_(
        OutboxMessage.status.in_((OutboxStatus.QUEUED, OutboxStatus.RETRY)),
        OutboxMessage.due_at <= work.now,
    )
    lapsed = and_(OutboxMessage.status == OutboxStatus.CLAIMED, OutboxMessage.lease_until < work.now)
    free = and_(or_(waits, lapsed), *_by(way, without))
    first = (
        select(OutboxMessage.id)
        .where(free)
        .order_by(OutboxMessage.due_at, OutboxMessage.id)
        .limit(size)
        .with_for_update(skip_locked=True)
        .cte("first")
    )
    taken = work.session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id.in_(select(first.c.id)), free)
        .values(
            status=OutboxStatus.CLAIMED,
            owner=owner,
            lease_until=work.now + LEASE,
            attempts=OutboxMessage.attempts + 1,
        )
        .returning(*_COLUMNS)
        .execution_options(synchronize_session=False)
    )
    return sorted((Claimed(*row) for row in taken), key=lambda message: message.id)


def _by(way: Way | None, without: Collection[int]) -> list[ColumnElement[bool]]:
    to = OutboxMessage.webhook_id
    asked: dict[Way | None, list[ColumnElement[bool]]] = {
        None: [],
        Way.MAIL: [to.is_(None)],
        Way.WEBHOOK: [to.is_not(None)],
    }
    return [*asked[way], to.not_in(without)] if without else asked[way]


def keep(work: Work, owner: str, message_id: int) -> bool:
    """Renew the lease of a message just before it is sent; False when somebody else has it by now."""
    return _change(work, owner, [message_id], lease_until=work.now + LEASE) == 1


def sent(work: Work, owner: str, message_id: int, answer: str = "") -> None:
    """It left; ``answer`` is what the other side said to it."""
    _end(work, owner, message_id, status=OutboxStatus.SENT, sent_at=work.now, error="", answer=answer[:300])


def skip(work: Work, owner: str, message_id: int, reason: str) -> None:
    """Nobody needs it any more; the reason stays visible."""
    _end(work, owner, message_id, status=OutboxStatus.SKIPPED, error=reason[:500])


def miss(work: Work, owner: str, message: Claimed, error: str, *, is_final: bool) -> None:
    """It did not leave: try again after the waits of its kind, or show it as failed."""
    wait = None if is_final else WAITS.get(message.kind, next_try)(message.attempts)
    status = OutboxStatus.FAILED if wait is None else OutboxStatus.RETRY
    due = {} if wait is None else {"due_at": work.now + wait}
    _end(work, owner, message.id, status=status, error=error[:500], **due)


def release(work: Work, owner: str, messages: list[Claimed]) -> None:
    """Give back what was claimed and never tried; the try does not count."""
    ids = [message.id for message in messages]
    _change(work, owner, ids, status=OutboxStatus.QUEUED, lease_until=None, attempts=OutboxMessage.attempts - 1)


@dataclass(frozen=True, slots=True)
class ResendMessage:
    message_id: int


def resend(work: Work, command: ResendMessage) -> OutboxMessage:
    """Queue a failed or skipped message again, with all its tries before it."""
    ended = OutboxMessage.status.in_((OutboxStatus.FAILED, OutboxStatus.SKIPPED))
    changed = changed_rows(
        work.session,
        update(OutboxMessage)
        .where(OutboxMessage.id == command.message_id, ended)
        .values(status=OutboxStatus.QUEUED, attempts=0, error="", due_at=work.now),
    )
    message = work.session.get(OutboxMessage, command.message_id, populate_existing=True)
    if message is None:
        raise NotFound("message.unknown", "There is no such message.")
    if not changed:
        raise Refused(
            "message.under_way", f"The message is {message.status}; only a failed or skipped one is sent again."
        )
    work.record(Event.MESSAGE_RESENT, message, title=message.subject)
    return message


def _end(work: Work, owner: str, message_id: int, **values: object) -> None:
    """One try is over: what became of the message, and of what it tells."""
    if _change(work, owner, [message_id], lease_until=None, **values) == 1:
        wanted = select(OutboxMessage.dedupe_key, OutboxMessage.status, OutboxMessage.error)
        key, status, error = work.session.execute(wanted.where(OutboxMessage.id == message_id)).one()
        if follow := FOLLOWERS.get(key.partition(":")[0]):
            follow(work, key, status, error)


def _change(work: Work, owner: str, ids: list[int], **values: object) -> int:
    """Change messages that are still this sender's."""
    mine = and_(OutboxMessage.id.in_(ids), OutboxMessage.owner == owner, OutboxMessage.status == OutboxStatus.CLAIMED)
    return changed_rows(work.session, update(OutboxMessage).where(mine).values(values))
