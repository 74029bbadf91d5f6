"""Uploads and what became of every row of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.domain.imports import ImportContract, ImportStatus
from webapp.models.base import NEVER_REUSED, Base, Id


class ImportRun(Base):
    """One file, its column mapping and its outcome, kept for ever: record_count = good + duplicate + bad."""

    __tablename__ = "import_runs"

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(30))  # «entries»
    reward_id: Mapped[int | None] = mapped_column(ForeignKey("rewards.id"), index=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_files.id"))
    rejects_file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id"))
    status: Mapped[ImportStatus] = mapped_column(default=ImportStatus.UPLOADED)
    encoding: Mapped[str] = mapped_column(String(20))  # «utf-8-sig» … or «xlsx», as found or chosen at the upload
    headings: Mapped[list[Any]] = mapped_column(default=list)  # the file's column headings in their order
    line_count: Mapped[int] = mapped_column(default=0)  # physical lines of the file
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)  # our field -> the file's column heading
    findings: Mapped[dict[str, Any]] = mapped_column(default=dict)  # what the check saw beside the counts
    contract: Mapped[ImportContract] = mapped_column(default=ImportContract.ALL_OR_NOTHING)
    record_count: Mapped[int] = mapped_column(default=0)
    good_count: Mapped[int] = mapped_column(default=0)
    duplicate_count: Mapped[int] = mapped_column(default=0)
    bad_count: Mapped[int] = mapped_column(default=0)
    created_count: Mapped[int] = mapped_column(default=0)  # people made new
    entry_count: Mapped[int] = mapped_column(default=0)  # entries written
    problem: Mapped[str] = mapped_column(String(1000), default="")  # why the file as a whole was refused
    check_job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))
    apply_job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    created_by: Mapped[str] = mapped_column(String(120))
    finished_at: Mapped[datetime | None]
    options: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # chosen beside the columns
    changed_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # rows that were there and changed
    undo_job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str] = mapped_column(String(120), default="", server_default="")
    undone: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # what went, what stayed and why

    __table_args__ = (
        CheckConstraint("good_count >= 0 and duplicate_count >= 0 and bad_count >= 0", name="counts_not_negative"),
        NEVER_REUSED,
    )


class ImportProblem(Base):
    """One reason against one row: its physical line, the column, the value seen (cut to 200 signs), the sentence."""

    __tablename__ = "import_problems"

    id: Mapped[Id]
    run_id: Mapped[int] = mapped_column(ForeignKey("import_runs.id"))
    record: Mapped[int]  # which record of the file, from 1
    line: Mapped[int]  # physical line, from 1 (the heading)
    outcome: Mapped[str] = mapped_column(String(10))  # «bad» or «duplicate»
    column: Mapped[str] = mapped_column(String(120), default="")
    value: Mapped[str] = mapped_column(String(200), default="")
    reason: Mapped[str] = mapped_column(String(300))

    __table_args__ = (Index("ix_import_problems_run_id_id", "run_id", "id"), NEVER_REUSED)


class ImportMapping(Base):
    """The columns chosen last time for a file with these headings, offered again."""

    __tablename__ = "import_mappings"

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(30))
    heading_hash: Mapped[str] = mapped_column(String(64))
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    used_at: Mapped[datetime]

    __table_args__ = (Index("uq_import_mappings_kind_heading_hash", "kind", "heading_hash", unique=True), NEVER_REUSED)


class ImportChange(Base):
    """What one row of ours was before an import changed it, so that the import can be taken back."""

    __tablename__ = "import_changes"

    id: Mapped[Id]
    run_id: Mapped[int] = mapped_column(ForeignKey("import_runs.id"))
    subject_id: Mapped[int]  # the id within the table of the run's kind
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]

    __table_args__ = (Index("ix_import_changes_run_id_id", "run_id", "id"), NEVER_REUSED)
