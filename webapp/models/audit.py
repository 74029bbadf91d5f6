"""The append-only audit log and the keys that make a form count once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.domain.audit import Event
from webapp.models.base import NEVER_REUSED, Base, Id


class AuditEntry(Base):
    """One thing that happened. Written in the transaction it tells of; linked into the chain a moment later.

    ``position``, ``previous`` and ``digest`` are null until the job ``audit.link`` sets them, once.
    """

    __tablename__ = "audit_entries"

    id: Mapped[Id]
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(120))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    address: Mapped[str] = mapped_column(String(64), default="")
    event: Mapped[Event] = mapped_column()
    subject: Mapped[str] = mapped_column(String(80))  # «reward:12»
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))
    facts: Mapped[dict[str, Any]]
    position: Mapped[int | None] = mapped_column(unique=True)
    previous: Mapped[str | None] = mapped_column(String(64), unique=True)
    digest: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_audit_entries_subject_id", "subject", "id"),
        Index("ix_audit_entries_site_id_id", "site_id", "id"),
        Index("ix_audit_entries_event_id", "event", "id"),
        Index("ix_audit_entries_staff_id_id", "staff_id", "id"),
        Index("ix_audit_entries_address_id", "address", "id"),
        NEVER_REUSED,
    )


class RequestKey(Base):
    """The key a form carried: the same key and content give the first answer again, other content is refused."""

    __tablename__ = "request_keys"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    digest: Mapped[str] = mapped_column(String(64))
    result: Mapped[str] = mapped_column(String(80), default="")  # «rewards:12», the row the first answer led to


class AuditAnchor(Base):
    """The head of the chain as it was told outside the database: cutting or rewriting the log shows against it."""

    __tablename__ = "audit_anchors"

    id: Mapped[Id]
    at: Mapped[datetime]
    position: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    place: Mapped[str] = mapped_column(String(200))  # «mail to …», «file …»

    __table_args__ = (NEVER_REUSED,)
