"""Choices of the whole account that staff may change."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, String, false
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base


class AccountSettings(Base):
    """The one row of account-wide choices."""

    __tablename__ = "account_settings"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    is_small_team: Mapped[bool] = mapped_column(default=False)  # one person may hold conflicting roles, openly
    is_second_factor_optional: Mapped[bool] = mapped_column(default=False, server_default=false())
    anchor_emails: Mapped[str] = mapped_column(String(500), default="", server_default="")  # comma-separated
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        CheckConstraint("id = 1", name="only_row"),
        CheckConstraint("length(anchor_emails) <= 500", name="anchors_within"),
    )
