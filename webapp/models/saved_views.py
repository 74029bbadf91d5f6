"""Filters of a list under a name, to come back to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import NEVER_REUSED, Base, Id


class SavedView(Base):
    """What stands behind the question mark of a list's address, as one person named it."""

    __tablename__ = "saved_views"

    id: Mapped[Id]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"))
    screen: Mapped[str] = mapped_column(String(40))  # the list, as ``domain.saved_views`` calls it
    title: Mapped[str] = mapped_column(String(60))
    query: Mapped[str] = mapped_column(String(500))
    is_shared: Mapped[bool] = mapped_column(
        default=False, server_default=false()
    )  # with everybody who may see the list
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("staff_id", "screen", "title"),
        Index("ix_saved_views_screen", "screen"),
        CheckConstraint("length(title) between 1 and 60", name="title_within"),
        NEVER_REUSED,
    )
