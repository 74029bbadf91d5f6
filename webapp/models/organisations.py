"""Organisations as a tree, the types they have, and the places people meet them at."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import NEVER_REUSED, Base, Id, key

_CLOSED = text("closed_at is not null")


class OrganisationType(Base):
    """What an organisation is, such as a pharmacy or a club; points and rewards may be meant for one type."""

    __tablename__ = "organisation_types"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(60), unique=True)  # derived once from the title; files name it
    title: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        CheckConstraint("length(title) between 1 and 120", name="title_within"),
        CheckConstraint("length(name) between 1 and 60", name="name_within"),
        NEVER_REUSED,
    )


class Organisation(Base):
    """One place in the tree, known by ``external_id``.

    ``path`` holds the ids from the root down to this row, «/1/5/12/», so that a subtree is everything whose
    path begins with the path of its root. ``member_count`` counts memberships within this very organisation.
    """

    __tablename__ = "organisations"

    id: Mapped[Id]
    external_id: Mapped[str] = mapped_column(key(64), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    type_id: Mapped[int | None] = mapped_column(ForeignKey("organisation_types.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    path: Mapped[str] = mapped_column(key(400), default="")
    timezone: Mapped[str] = mapped_column(String(64), default="")  # empty: that of the account
    address: Mapped[str] = mapped_column(String(400), default="")
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    search_text: Mapped[str] = mapped_column(key(300), default="")  # folded: title, external id
    member_count: Mapped[int] = mapped_column(default=0)
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        Index("ix_organisations_path", "path"),
        Index("ix_organisations_search_text", "search_text"),
        CheckConstraint("length(title) between 1 and 200", name="title_within"),
        CheckConstraint("length(external_id) between 1 and 64", name="external_id_within"),
        CheckConstraint("length(address) <= 400", name="address_within"),
        CheckConstraint("parent_id <> id", name="not_its_own_parent"),
        CheckConstraint("member_count >= 0", name="members_not_negative"),
        NEVER_REUSED,
    )


class Location(Base):
    """A shop or counter: where somebody joined, prefers to go, or redeems; its days are days of ``timezone``."""

    __tablename__ = "locations"

    id: Mapped[Id]
    external_id: Mapped[str] = mapped_column(key(64), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    timezone: Mapped[str] = mapped_column(String(64), default="")
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    is_published: Mapped[bool] = mapped_column(default=True)
    closed_at: Mapped[datetime | None]  # closed for good
    search_text: Mapped[str] = mapped_column(key(300), default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        Index("ix_locations_search_text", "search_text"),
        Index("ix_locations_closed", "search_text", "id", sqlite_where=_CLOSED, postgresql_where=_CLOSED),
        CheckConstraint("length(title) between 1 and 200", name="title_within"),
        CheckConstraint("length(external_id) between 1 and 64", name="external_id_within"),
        NEVER_REUSED,
    )
