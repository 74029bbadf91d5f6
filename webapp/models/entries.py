"""Entries of a draw, numbered 1, 2, 3 … in order of arrival."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.domain.entries import EntryStatus
from webapp.models.base import Base, key


class Entry(Base):
    """One entry. ``tickets`` is what was declared; an entry whose status is not ``ok`` counts 0 in the draw.

    ``nonce`` (16 bytes) is on the entrant's receipt only. After the seal a trigger refuses every change.
    """

    __tablename__ = "entries"

    reward_id: Mapped[int] = mapped_column(ForeignKey("rewards.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id"))
    tickets: Mapped[int]
    status: Mapped[EntryStatus] = mapped_column(default=EntryStatus.OK)
    reason: Mapped[str] = mapped_column(String(300), default="")
    receipt: Mapped[str | None] = mapped_column(key(64))
    entered_at: Mapped[datetime]
    store: Mapped[str] = mapped_column(String(64), default="")
    nonce: Mapped[bytes]
    import_run_id: Mapped[int | None] = mapped_column(ForeignKey("import_runs.id"))

    __table_args__ = (
        Index("uq_entries_reward_id_receipt", "reward_id", "receipt", unique=True),
        Index("ix_entries_profile_id_reward_id", "profile_id", "reward_id"),
        Index("ix_entries_reward_id_status_number", "reward_id", "status", "number"),
        CheckConstraint("tickets between 1 and 1000000", name="tickets_within"),
        CheckConstraint("number > 0", name="number_positive"),
    )


class EntryDay(Base):
    """How many entries of a reward were made on one local day of its site: figures that no page has to count."""

    __tablename__ = "entry_days"

    reward_id: Mapped[int] = mapped_column(ForeignKey("rewards.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    entry_count: Mapped[int]

    __table_args__ = (
        Index("ix_entry_days_day", "day"),
        CheckConstraint("entry_count >= 0", name="count_not_negative"),
    )
