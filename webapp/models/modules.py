"""Modules of learning, and who completed them until when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.domain.modules import LapseUnit
from webapp.models.base import NEVER_REUSED, Base, Id, key

_ARCHIVED = text("archived_at is not null")


class Module(Base):
    """Something to complete on a site, known by its path, «/p1/c1/m1»; files write «site:/p1/c1/m1».

    A completion lapses ``lapses_after`` ``lapses_unit`` after it was made, or never when that is null.
    """

    __tablename__ = "modules"

    id: Mapped[Id]
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    path: Mapped[str] = mapped_column(key(200))
    title: Mapped[str] = mapped_column(String(200))
    lapses_after: Mapped[int | None]
    lapses_unit: Mapped[LapseUnit] = mapped_column(default=LapseUnit.MONTHS)
    completion_count: Mapped[int] = mapped_column(default=0)
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        Index("uq_modules_site_id_path", "site_id", "path", unique=True),
        Index("ix_modules_archived", "site_id", "path", sqlite_where=_ARCHIVED, postgresql_where=_ARCHIVED),
        CheckConstraint("length(title) between 1 and 200", name="title_within"),
        CheckConstraint("length(path) between 2 and 200", name="path_within"),
        CheckConstraint("lapses_after between 1 and 1000", name="lapses_within"),
        NEVER_REUSED,
    )


class Completion(Base):
    """One completion of a module by one person; ``lapses_at`` was fixed when it was written."""

    __tablename__ = "completions"

    id: Mapped[Id]
    module_id: Mapped[int] = mapped_column(ForeignKey("modules.id"))
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id"))
    completed_at: Mapped[datetime]
    score: Mapped[int | None]  # per cent
    lapses_at: Mapped[datetime | None]
    import_run_id: Mapped[int | None] = mapped_column(ForeignKey("import_runs.id"))

    __table_args__ = (
        Index(
            "uq_completions_module_id_profile_id_completed_at", "module_id", "profile_id", "completed_at", unique=True
        ),
        Index("ix_completions_module_id_id", "module_id", "id"),
        Index("ix_completions_profile_id", "profile_id"),
        Index("ix_completions_import_run_id", "import_run_id"),
        CheckConstraint("score between 0 and 100", name="score_within"),
        NEVER_REUSED,
    )
