"""Files handed out: who took which list, with which filters, how many rows and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import NEVER_REUSED, Base, Id


class ExportRun(Base):
    """One export. ``row_count`` is null while it streams, and stays so when the reader went away."""

    __tablename__ = "export_runs"

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(30))
    media: Mapped[str] = mapped_column(String(10))  # «csv» or «xlsx»
    filters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    reason: Mapped[str] = mapped_column(String(300), default="")
    row_count: Mapped[int | None]
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    created_by: Mapped[str] = mapped_column(String(120))

    __table_args__ = (CheckConstraint("length(reason) <= 300", name="reason_within"), NEVER_REUSED)
