"""Benefits that were extended together, and the ends they had."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import NEVER_REUSED, Base, Id


class BenefitExtension(Base):
    """One act that extended several; ``passed_over`` are ids of those it could not extend, each with the reason."""

    __tablename__ = "benefit_extensions"

    id: Mapped[Id]
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(120))
    by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    passed_over: Mapped[list[Any]] = mapped_column(default=list)
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str] = mapped_column(String(120), default="")

    __table_args__ = (NEVER_REUSED,)


class ExtendedBenefit(Base):
    """One benefit of an extension: its former end and its end since, and what an undoing puts back or compares.

    ``told_at`` is when its history had been told of the former end; ``code_over_at`` is when its code was over before,
    where that lasts longer with it; ``stays`` is why it kept the later one after an undoing.
    """

    __tablename__ = "extended_benefits"

    extension_id: Mapped[int] = mapped_column(ForeignKey("benefit_extensions.id"), primary_key=True)
    benefit_id: Mapped[int] = mapped_column(ForeignKey("benefits.id"), primary_key=True, index=True)
    ended_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    told_at: Mapped[datetime | None]
    code_over_at: Mapped[datetime | None]
    redeemed_count: Mapped[int]
    stays: Mapped[str] = mapped_column(String(200), default="")
