"""Messages that wait to leave, written in the transaction of the event they tell of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.domain.outbox import OutboxStatus
from webapp.models.base import NEVER_REUSED, Base, Id


class OutboxMessage(Base):
    """One e-mail, or one delivery to a webhook: queued → claimed → sent, or retry, failed, skipped (reliability.md section 9)."""

    __tablename__ = "outbox_messages"

    id: Mapped[Id]
    dedupe_key: Mapped[str] = mapped_column(String(120), unique=True)
    recipient: Mapped[str] = mapped_column(String(254))  # of a webhook its host: the rest of an address may be secret
    webhook_id: Mapped[int | None] = mapped_column(ForeignKey("targets.id"))  # None is an e-mail
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    status: Mapped[OutboxStatus] = mapped_column(default=OutboxStatus.QUEUED)
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str] = mapped_column(String(80), default="")
    lease_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(String(500), default="")
    answer: Mapped[str] = mapped_column(String(300), default="", server_default="")  # what was said when it was taken
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
        Index("ix_outbox_messages_status_due_at", "status", "due_at"),
        Index("ix_outbox_messages_recipient", "recipient"),
        Index("ix_outbox_messages_webhook_id_created_at", "webhook_id", "created_at"),
        NEVER_REUSED,
    )
