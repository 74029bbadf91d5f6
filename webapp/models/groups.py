"""Groups, and who is in them within which organisation."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.domain.groups import GroupKind, Registration
from webapp.models.base import NEVER_REUSED, Base, Id

_ANYWHERE = text("organisation_id is null")

_ARCHIVED = text("archived_at is not null")


class Group(Base):
    """A named set of people, such as an audience; ``member_count`` counts memberships."""

    __tablename__ = "groups"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(60), unique=True)  # derived once from the title, never changes
    title: Mapped[str] = mapped_column(String(120))
    kind: Mapped[GroupKind] = mapped_column(default=GroupKind.PRIMARY)
    registration: Mapped[Registration] = mapped_column(default=Registration.CLOSED)
    notes: Mapped[str] = mapped_column(String(2000), default="")
    member_count: Mapped[int] = mapped_column(default=0)
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        CheckConstraint("length(title) between 1 and 120", name="title_within"),
        CheckConstraint("length(name) between 1 and 60", name="name_within"),
        CheckConstraint("length(notes) <= 2000", name="notes_within"),
        CheckConstraint("member_count >= 0", name="members_not_negative"),
        Index("ix_groups_kind", "kind"),
        Index("ix_groups_archived", "name", sqlite_where=_ARCHIVED, postgresql_where=_ARCHIVED),
        NEVER_REUSED,
    )


class Membership(Base):
    """One person in one group, within one organisation or none; an organisation has people only through these."""

    __tablename__ = "memberships"

    id: Mapped[Id]
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"))
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    joined_at: Mapped[datetime]
    import_run_id: Mapped[int | None] = mapped_column(ForeignKey("import_runs.id"))

    __table_args__ = (
        Index(
            "uq_memberships_group_id_profile_id_organisation_id",
            "group_id",
            "profile_id",
            "organisation_id",
            unique=True,
        ),
        Index(
            "uq_memberships_group_id_profile_id",
            "group_id",
            "profile_id",
            unique=True,
            sqlite_where=_ANYWHERE,
            postgresql_where=_ANYWHERE,
        ),
        Index("ix_memberships_group_id_id", "group_id", "id"),
        Index("ix_memberships_organisation_id_id", "organisation_id", "id"),
        Index("ix_memberships_profile_id_organisation_id", "profile_id", "organisation_id"),
        Index("ix_memberships_organisation_id_profile_id", "organisation_id", "profile_id"),
        Index("ix_memberships_import_run_id", "import_run_id"),
        NEVER_REUSED,
    )
