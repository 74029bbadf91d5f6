"""Texts that are sent about benefits, by e-mail or to a webhook, and the notices planned, sent and left out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.domain.notices import OF_EXPIRY, NoticeKind, NoticeStatus, TargetKind
from webapp.models.base import NEVER_REUSED, Base, Id


class Target(Base):
    """A text with ((placeholders)), sent of those who meet ``condition``; ``{}`` is everybody.

    An e-mail goes to the person; a webhook to ``url``, its ``body`` being JSON, signed with ``secret``, which is kept
    enciphered. The subject of a webhook is what lists of messages call it: its title.
    """

    __tablename__ = "targets"

    id: Mapped[Id]
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    name: Mapped[str] = mapped_column(String(60), unique=True)  # derived once from the title
    title: Mapped[str] = mapped_column(String(120))
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    kind: Mapped[TargetKind] = mapped_column(default=TargetKind.EMAIL, server_default=TargetKind.EMAIL)
    url: Mapped[str] = mapped_column(String(500), default="", server_default="")
    secret: Mapped[str] = mapped_column(String(200), default="", server_default="")  # enciphered
    secret_made_at: Mapped[datetime | None]
    condition: Mapped[dict[str, Any]] = mapped_column(default=dict)
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        Index("ix_targets_site_id_id", "site_id", "id"),
        CheckConstraint("length(title) between 1 and 120", name="title_within"),
        CheckConstraint("length(name) between 1 and 60", name="name_within"),
        CheckConstraint("length(subject) between 1 and 200", name="subject_within"),
        CheckConstraint("length(body) >= 1", name="body_given"),
        CheckConstraint(
            "(kind = 'webhook') = (url <> '') and (kind = 'webhook') = (secret <> '') "
            "and (kind = 'webhook') = (secret_made_at is not null)",
            name="webhook_whole",
        ),
        NEVER_REUSED,
    )


class Notice(Base):
    """One notice of one benefit to one person; what it counts from makes it one, so that none is sent twice.

    ``attempts`` counts how often it was handed to the outbox, which tries as often as it must. ``subject`` and ``body`` are what
    left last, the code by its last four signs only.
    """

    __tablename__ = "notices"

    id: Mapped[Id]
    benefit_id: Mapped[int] = mapped_column(ForeignKey("benefits.id"))
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id"), index=True)
    target_id: Mapped[int] = mapped_column(ForeignKey("targets.id"))
    kind: Mapped[NoticeKind]
    anchor_at: Mapped[datetime]  # the issue or the end it counts from
    due_at: Mapped[datetime]
    status: Mapped[NoticeStatus] = mapped_column(default=NoticeStatus.PLANNED)
    reason: Mapped[str] = mapped_column(String(500), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    subject: Mapped[str] = mapped_column(String(200), default="")
    body: Mapped[str] = mapped_column(Text, default="")
    sent_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        Index("uq_notices_one", "benefit_id", "kind", "anchor_at", "profile_id", unique=True),
        Index("ix_notices_status_due_at", "status", "due_at"),
        Index("ix_notices_target_id_status", "target_id", "status"),
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
        CheckConstraint("status not in ('skipped', 'failed') or reason <> ''", name="has_reason"),
        CheckConstraint("status <> 'sent' or sent_at is not null", name="sent_at_known"),
        NEVER_REUSED,
    )

    @property
    def is_win_back(self) -> bool:
        """Whether it was meant for after the end it counts from."""
        return self.kind in OF_EXPIRY and self.due_at > self.anchor_at
