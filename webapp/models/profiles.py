"""People."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import NEVER_REUSED, Base, Id


class Profile(Base):
    """A person, known by ``external_id`` (member id), else by ``email_key``, the address they answer to.

    ``email`` is shown and written to; ``email_key`` is its trimmed, case-folded form and belongs to one
    person at most. A second member with the same address keeps ``email`` and has no ``email_key``.
    """

    __tablename__ = "profiles"

    id: Mapped[Id]
    external_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    first_name: Mapped[str] = mapped_column(String(120), default="")
    last_name: Mapped[str] = mapped_column(String(120), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    email_key: Mapped[str | None] = mapped_column(String(254), unique=True)
    phone: Mapped[str] = mapped_column(String(40), default="")
    zone: Mapped[str] = mapped_column(String(64), default="")
    tags: Mapped[list[Any]] = mapped_column(default=list)
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    search_text: Mapped[str] = mapped_column(String(600), default="")  # folded names, id, address and phone digits
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_profiles_search_text", "search_text"),
        CheckConstraint("external_id is not null or email_key is not null or first_name <> ''", name="known"),
        NEVER_REUSED,
    )

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()
