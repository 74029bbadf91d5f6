"""Batches of benefits: who is to get one, how far it is, and whom it passed over."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.domain.benefit_batches import Audience, BatchFacts, BatchStatus, PassedOver
from webapp.models.base import NEVER_REUSED, Base, Id

PASSED = "passed_over is not null"
_PASSED = text(PASSED)
WAITS = "status = 'waiting'"
_WAITS = text(WAITS)
STANDS = "status in ('checked', 'stopped')"  # until somebody starts it
_STANDS = text(STANDS)


class BenefitBatch(Base):
    """One benefit each for many people. Counts move with what they count, in the same transaction.

    ``reached`` is the id of the last person, or while it is undone the last benefit, that was dealt with.
    """

    __tablename__ = "benefit_batches"

    id: Mapped[Id]
    definition_id: Mapped[int] = mapped_column(ForeignKey("benefit_definitions.id"), index=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), index=True)
    status: Mapped[BatchStatus] = mapped_column(default=BatchStatus.CHECKING)
    audience: Mapped[Audience]
    listed: Mapped[str] = mapped_column(Text, default="")
    group_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id"))
    condition: Mapped[dict[str, Any]] = mapped_column(default=dict)
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id"))
    encoding: Mapped[str] = mapped_column(String(20), default="")
    issued_on: Mapped[date | None]
    expires_on: Mapped[date | None]
    starts_at: Mapped[datetime | None]  # when a waiting batch begins
    on_the_day: Mapped[bool] = mapped_column(default=False)
    excludes_holders: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str] = mapped_column(String(300), default="")
    people_count: Mapped[int] = mapped_column(default=0)  # those named, each once
    bad_count: Mapped[int] = mapped_column(default=0)  # lines that name nobody
    twice_count: Mapped[int] = mapped_column(default=0)  # lines that name somebody again
    expected_count: Mapped[int] = mapped_column(default=0)  # of the people, who would get one when it was checked
    issued_count: Mapped[int] = mapped_column(default=0)
    passed_count: Mapped[int] = mapped_column(default=0)
    uncoded_count: Mapped[int] = mapped_column(default=0)  # issued without a code of their own: the pool was empty
    voided_count: Mapped[int] = mapped_column(default=0)  # by undoing it
    left_count: Mapped[int] = mapped_column(default=0)  # what undoing left alone
    left: Mapped[list[Any]] = mapped_column(default=list)  # the first of them: id of the benefit, why
    reached: Mapped[int] = mapped_column(default=0)
    problems: Mapped[list[Any]] = mapped_column(default=list)  # the first bad lines: line, value, reason
    problem: Mapped[str] = mapped_column(String(1000), default="")
    rejects_file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id"))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(120))
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    started_at: Mapped[datetime | None]
    started_by: Mapped[str] = mapped_column(String(120), default="")
    started_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    evaluated_at: Mapped[datetime | None]  # when its people were looked up on its day
    ended_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str] = mapped_column(String(120), default="")

    __table_args__ = (
        CheckConstraint(
            "issued_count >= 0 and passed_count >= 0 and issued_count + passed_count <= people_count",
            name="counts_fit",
        ),
        CheckConstraint("voided_count + left_count <= issued_count", name="undone_fits"),
        CheckConstraint("not on_the_day or starts_at is not null", name="has_its_day"),
        Index("ix_benefit_batches_waits", "starts_at", sqlite_where=_WAITS, postgresql_where=_WAITS),
        Index("ix_benefit_batches_stands", "id", sqlite_where=_STANDS, postgresql_where=_STANDS),
        NEVER_REUSED,
    )

    @property
    def facts(self) -> BatchFacts:
        return BatchFacts(
            status=self.status,
            on_the_day=self.on_the_day,
            people=self.people_count,
            issued=self.issued_count,
            planned_by_id=self.created_by_id,
            started_by_id=self.started_by_id,
        )


class BenefitBatchPerson(Base):
    """Somebody a batch is for; ``passed_over`` says why they got none, ``told`` what a file says they were told before."""

    __tablename__ = "benefit_batch_people"

    batch_id: Mapped[int] = mapped_column(ForeignKey("benefit_batches.id"), primary_key=True)
    profile_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    passed_over: Mapped[PassedOver | None]
    told: Mapped[str] = mapped_column(String(20), default="", server_default="")  # «issue», «expiry» or both

    __table_args__ = (
        Index(
            "ix_benefit_batch_people_passed", "batch_id", "profile_id", sqlite_where=_PASSED, postgresql_where=_PASSED
        ),
    )
