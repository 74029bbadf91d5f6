"""Sites: the programmes' public faces, each with its zone and its rules for staff entries."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import NEVER_REUSED, Base, Id


class Site(Base):
    """What the seed calls a website: a reward belongs to one, its days are days of ``timezone``."""

    __tablename__ = "sites"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(60), unique=True)  # derived once from the title, never changes
    title: Mapped[str] = mapped_column(String(120))
    organiser: Mapped[str] = mapped_column(String(120))
    timezone: Mapped[str] = mapped_column(String(64))
    staff_domains: Mapped[str] = mapped_column(String(500), default="")  # comma-separated e-mail domains of staff
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        CheckConstraint("length(title) between 1 and 120", name="title_within"),
        CheckConstraint("length(name) between 1 and 60", name="name_within"),
        NEVER_REUSED,
    )
