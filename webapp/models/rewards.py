"""Rewards: what a programme gives, to whom and when; and the prizes of a draw."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.domain.rewards import PrizeFacts, RewardFacts, RewardKind, RewardStatus
from webapp.models.base import BIG, NEVER_REUSED, Base, Id


class Reward(Base):
    """The seed's Reward. ``ends_at`` is the exclusive instant: the next local midnight after the last day typed."""

    __tablename__ = "rewards"

    id: Mapped[Id]
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    kind: Mapped[RewardKind]
    title: Mapped[str] = mapped_column(String(120))
    sub_title: Mapped[str] = mapped_column(String(200), default="")
    name: Mapped[str] = mapped_column(String(60), unique=True)  # derived once from the title, never changes
    notes: Mapped[str] = mapped_column(Text, default="")  # internal, never public
    terms: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[RewardStatus] = mapped_column(default=RewardStatus.DRAFT)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    one_per_recipient: Mapped[bool] = mapped_column(default=False)
    exclude_previous_winners: Mapped[bool] = mapped_column(default=False)
    reserve_count: Mapped[int] = mapped_column(default=3)
    min_wait_minutes: Mapped[int] = mapped_column(default=10)
    witnessed_value: Mapped[str] = mapped_column(String(300), default="")  # one exact sentence: what is witnessed
    voucher_type_id: Mapped[int | None] = mapped_column(ForeignKey("voucher_types.id"))
    vouchers_per_winner: Mapped[int] = mapped_column(default=1)
    entry_count: Mapped[int] = mapped_column(default=0)  # the last number given out; numbers have no gaps
    closed_at: Mapped[datetime | None]
    fulfilled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    version: Mapped[int] = mapped_column(default=1)

    prizes: Mapped[list[Prize]] = relationship(
        lazy="raise_on_sql", order_by="Prize.position", cascade="all, delete-orphan"
    )

    __table_args__ = (
        CheckConstraint("length(title) between 1 and 120", name="title_within"),
        CheckConstraint("length(name) between 1 and 60", name="name_within"),
        CheckConstraint("starts_at is null or ends_at is null or ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("reserve_count between 0 and 1000", name="reserves_within"),
        CheckConstraint("vouchers_per_winner between 1 and 100", name="vouchers_within"),
        CheckConstraint("min_wait_minutes between 0 and 525600", name="wait_within"),
        CheckConstraint("entry_count >= 0", name="entries_not_negative"),
        Index("ix_rewards_site_id_status_id", "site_id", "status", "id"),
        Index("ix_rewards_status", "status", "id"),
        NEVER_REUSED,
    )

    @property
    def facts(self) -> RewardFacts:
        return RewardFacts(
            kind=self.kind,
            status=self.status,
            title=self.title,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            prizes=tuple(prize.facts for prize in self.prizes),
            reserve_count=self.reserve_count,
            entry_count=self.entry_count,
            one_per_recipient=self.one_per_recipient,
            witnessed_value=self.witnessed_value,
        )


class Prize(Base):
    """One prize of a draw, in the order drawn; ``quantity`` of it make ``quantity`` slots."""

    __tablename__ = "prizes"

    id: Mapped[Id]
    reward_id: Mapped[int] = mapped_column(ForeignKey("rewards.id"))
    position: Mapped[int]
    handle: Mapped[str] = mapped_column(String(40))  # «weekend», of which «weekend#1» is a slot
    title: Mapped[str] = mapped_column(String(120))
    quantity: Mapped[int]
    value_minor: Mapped[int | None] = mapped_column(BIG)

    __table_args__ = (
        UniqueConstraint("reward_id", "position"),
        UniqueConstraint("reward_id", "handle"),
        CheckConstraint("quantity between 1 and 10000", name="quantity_within"),
        NEVER_REUSED,
    )

    @property
    def facts(self) -> PrizeFacts:
        return PrizeFacts(self.handle, self.title, self.quantity, self.value_minor)
