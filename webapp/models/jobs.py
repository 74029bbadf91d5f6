"""Long work as rows: a queue that survives restarts, and the leases that keep one runner at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.domain.jobs import JobStatus
from webapp.models.base import BIG, NEVER_REUSED, Base, Id


class Job(Base):
    """One piece of long work. ``cursor`` is all a runner needs to go on after a kill; ``done`` of ``total`` units."""

    __tablename__ = "jobs"

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(60))  # «entries.import», «vouchers.print» …
    title: Mapped[str] = mapped_column(String(200))
    status: Mapped[JobStatus] = mapped_column(default=JobStatus.QUEUED)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))
    subject: Mapped[str] = mapped_column(String(80), default="")  # «import:3»
    arguments: Mapped[dict[str, Any]] = mapped_column(default=dict)
    cursor: Mapped[dict[str, Any]] = mapped_column(default=dict)
    done: Mapped[int] = mapped_column(BIG, default=0)
    total: Mapped[int] = mapped_column(BIG, default=0)
    message: Mapped[str] = mapped_column(String(500), default="")
    error: Mapped[str] = mapped_column(String(2000), default="")
    result_file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id"))
    is_cancel_wanted: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str] = mapped_column(String(80), default="")  # the runner that holds it
    lease_until: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)  # moves with every visible change; the progress part's tag
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    created_by: Mapped[str] = mapped_column(String(120))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("done >= 0 and total >= 0", name="counts_not_negative"),
        Index("ix_jobs_status_id", "status", "id"),
        NEVER_REUSED,
    )


class Lease(Base):
    """Who may do a thing that only one process at a time may do, and until when."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    owner: Mapped[str] = mapped_column(String(80))
    until: Mapped[datetime]
