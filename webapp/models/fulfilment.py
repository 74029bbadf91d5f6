"""Winners and reserves, and how far each has come."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.domain.fulfilment import Stage
from webapp.models.base import NEVER_REUSED, Base, Id

# One standing winner per slot: whoever declined, was not found or was disqualified has left it.
_STANDING = text("slot is not null and stage not in ('declined', 'unclaimed', 'disqualified')")


class Winner(Base):
    """One ranked key of a round: a winner holds a ``slot``; a reserve has none until one is passed to it."""

    __tablename__ = "winners"

    id: Mapped[Id]
    draw_id: Mapped[int] = mapped_column(ForeignKey("draws.id"))
    reward_id: Mapped[int] = mapped_column(ForeignKey("rewards.id"), index=True)
    round: Mapped[int]
    rank: Mapped[int]
    entry_number: Mapped[int]
    ticket: Mapped[int]
    number: Mapped[str] = mapped_column(String(64))
    holder: Mapped[str] = mapped_column(String(40))
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id"), index=True)
    prize_id: Mapped[int | None] = mapped_column(ForeignKey("prizes.id"))
    slot: Mapped[str | None] = mapped_column(String(60))
    stage: Mapped[Stage]
    stage_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(500), default="")
    passed_from_id: Mapped[int | None] = mapped_column(ForeignKey("winners.id"), unique=True)
    claim_until: Mapped[datetime | None]
    voucher_count: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        UniqueConstraint("draw_id", "round", "rank"),
        UniqueConstraint("draw_id", "holder"),
        Index(
            "uq_winners_draw_id_slot_standing",
            "draw_id",
            "slot",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
        CheckConstraint("stage = 'reserve' or slot is not null", name="winner_has_slot"),
        NEVER_REUSED,
    )


class WinnerEvent(Base):
    """One attempt, answer or step in a winner's story, newest last."""

    __tablename__ = "winner_events"

    id: Mapped[Id]
    winner_id: Mapped[int] = mapped_column(ForeignKey("winners.id"), index=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(120))
    stage: Mapped[Stage]
    note: Mapped[str] = mapped_column(String(500), default="")

    __table_args__ = (NEVER_REUSED,)
