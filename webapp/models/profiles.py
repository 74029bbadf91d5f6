"""People."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import NEVER_REUSED, Base, Id, key

_MERGED = text("merged_into_id is not null")


class Profile(Base):
    """A person, known by ``external_id`` (member id), else by ``email_key``, the address they answer to.

    ``email`` is shown and written to; ``email_key`` is its trimmed, case-folded form and belongs to one
    person at most. A second member with the same address keeps ``email`` and has no ``email_key``.
    ``merged_into_id`` is set on a row that turned out to be another person's: it is kept for whatever
    refers to it and as a further address of that person.
    """

    __tablename__ = "profiles"

    id: Mapped[Id]
    external_id: Mapped[str | None] = mapped_column(key(64), unique=True)
    first_name: Mapped[str] = mapped_column(String(120), default="")
    last_name: Mapped[str] = mapped_column(String(120), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    email_key: Mapped[str | None] = mapped_column(key(254), unique=True)
    phone: Mapped[str] = mapped_column(String(40), default="")
    zone: Mapped[str] = mapped_column(String(64), default="")
    tags: Mapped[list[Any]] = mapped_column(default=list)
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    search_text: Mapped[str] = mapped_column(key(600), default="")  # folded: last name, first name, id, address, phone
    name_key: Mapped[str] = mapped_column(key(250), default="")  # folded: first name, last name
    phone_key: Mapped[str] = mapped_column(key(40), default="")  # digits only
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("profiles.id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_profiles_search_text", "search_text"),
        Index("ix_profiles_name_key", "name_key"),
        Index("ix_profiles_merged_into_id", "merged_into_id", sqlite_where=_MERGED, postgresql_where=_MERGED),
        Index("ix_profiles_phone_key", "phone_key"),
        CheckConstraint(
            "external_id is not null or email_key is not null or first_name <> '' or merged_into_id is not null",
            name="known",
        ),
        NEVER_REUSED,
    )

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()
