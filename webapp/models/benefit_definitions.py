"""Benefit definitions: what benefits are issued from, every version of their terms, and what became of them in figures."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.domain.benefit_claims import ReclaimEvery, ReclaimRules
from webapp.domain.benefit_dates import Lead, PeriodType, Validity
from webapp.domain.benefits import BenefitType, DefinitionFacts
from webapp.domain.notices import Asked, NoticeKind
from webapp.models.base import BIG, NEVER_REUSED, Base, Id
from webapp.models.vouchers import VoucherType


class BenefitDefinition(Base):
    """The seed's benefit definition (benefits.md 2.1). ``end_at`` and ``claim_period_end_at`` are the last instants that count.

    The totals are moved in the statement that issues, claims, redeems, returns or voids, never recounted on a page.
    ``terms_number`` is the newest of its versions: what is issued now is issued under it.
    """

    __tablename__ = "benefit_definitions"

    id: Mapped[Id]
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    name: Mapped[str] = mapped_column(String(200))
    handle: Mapped[str] = mapped_column(String(80), unique=True)  # small letters only, so that d and D are one
    type: Mapped[BenefitType] = mapped_column(default=BenefitType.OTHER)
    campaign: Mapped[str | None] = mapped_column(String(80), index=True)
    external_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    tags: Mapped[list[Any]] = mapped_column(default=list)
    meta: Mapped[dict[str, Any]] = mapped_column(default=dict)

    description: Mapped[str] = mapped_column(Text, default="")  # internal
    internal_notes: Mapped[str] = mapped_column(Text, default="")  # internal
    short_description: Mapped[str] = mapped_column(Text, default="")
    long_description: Mapped[str] = mapped_column(Text, default="")  # HTML as typed; cleaned whenever it is shown
    terms_conditions: Mapped[str] = mapped_column(Text, default="")
    earn_instructions: Mapped[str] = mapped_column(Text, default="")
    redeem_instructions_store: Mapped[str] = mapped_column(Text, default="")
    redeem_instructions_online: Mapped[str] = mapped_column(Text, default="")
    icon: Mapped[str | None] = mapped_column(String(500))
    image_url: Mapped[str | None] = mapped_column(String(500))

    period: Mapped[int | None]
    period_type: Mapped[PeriodType] = mapped_column(default=PeriodType.DAYS)
    absolute_expiry: Mapped[date | None]
    end_at: Mapped[datetime | None]

    value_minor: Mapped[int | None] = mapped_column(BIG)  # in hundredths of ``currency``
    currency: Mapped[str] = mapped_column(String(3), default="")
    redeem_code_pos: Mapped[str | None] = mapped_column(String(80))
    redeem_code_online: Mapped[str | None] = mapped_column(String(80))
    voucher_type_id: Mapped[int | None] = mapped_column(ForeignKey("voucher_types.id"), index=True)
    force_allocation: Mapped[bool] = mapped_column(default=False)

    max_redemptions: Mapped[int | None]  # of one benefit, copied to it when it is issued
    max_global_redemptions: Mapped[int | None]
    max_per_profile: Mapped[int | None]  # benefits one person may get
    is_extendable: Mapped[bool] = mapped_column(default=False)
    is_assignable: Mapped[bool] = mapped_column(default=True)
    is_reassignable: Mapped[bool] = mapped_column(default=False)
    allow_user_redeem: Mapped[bool] = mapped_column(default=False)

    is_claimable: Mapped[bool] = mapped_column(default=False)
    is_reclaimable: Mapped[bool] = mapped_column(default=False)
    reclaim_every: Mapped[ReclaimEvery] = mapped_column(default=ReclaimEvery.NONE)
    reclaim_requires_used: Mapped[bool] = mapped_column(default=True)
    claim_period_start_at: Mapped[datetime | None]
    claim_period_end_at: Mapped[datetime | None]
    claim_condition: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {} is everyone
    view_condition: Mapped[dict[str, Any]] = mapped_column(default=dict)

    notify_issue_offset_days: Mapped[int | None]
    notify_issue_offset_hour: Mapped[int | None]
    notify_remind_offset_days: Mapped[int | None]
    notify_remind_offset_hour: Mapped[int | None]
    notify_extend_offset_days: Mapped[int | None]
    notify_extend_offset_hour: Mapped[int | None]
    notify_schedule_offset: Mapped[int] = mapped_column(default=0)  # hours taken off every due time
    issue_target_id: Mapped[int | None] = mapped_column(ForeignKey("targets.id"))
    remind_target_id: Mapped[int | None] = mapped_column(ForeignKey("targets.id"))
    extend_target_id: Mapped[int | None] = mapped_column(ForeignKey("targets.id"))

    is_published: Mapped[bool] = mapped_column(default=False)
    is_archived: Mapped[bool] = mapped_column(default=False)
    stops_redemptions: Mapped[bool] = mapped_column(default=False)  # while archived, what is out cannot be redeemed

    total_global_created: Mapped[int] = mapped_column(default=0)  # ever issued or claimed, void ones too
    total_global_claimed: Mapped[int] = mapped_column(default=0)  # of those, claimed
    total_global_voided: Mapped[int] = mapped_column(default=0)  # of those, void now
    total_global_redemptions: Mapped[int] = mapped_column(default=0)  # redeemed less what came back

    terms_number: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    voucher_type: Mapped[VoucherType | None] = relationship(lazy="joined")

    __table_args__ = (
        CheckConstraint("length(name) between 1 and 200", name="name_within"),
        CheckConstraint("length(handle) between 1 and 80 and handle = lower(handle)", name="handle_within"),
        CheckConstraint("period between 0 and 36500", name="period_within"),
        CheckConstraint("period_type <> 'absolute_date' or absolute_expiry is not null", name="absolute_has_date"),
        CheckConstraint("value_minor >= 0", name="value_not_negative"),
        CheckConstraint(
            "max_redemptions >= 1 and max_global_redemptions >= 0 and max_per_profile >= 1", name="limits_within"
        ),
        CheckConstraint(
            "claim_period_start_at is null or claim_period_end_at is null or claim_period_end_at >= claim_period_start_at",
            name="window_in_order",
        ),
        CheckConstraint("not force_allocation or voucher_type_id is not null", name="forced_has_pool"),
        CheckConstraint(
            "notify_issue_offset_hour between 0 and 23 and notify_remind_offset_hour between 0 and 23"
            " and notify_extend_offset_hour between 0 and 23",
            name="hours_within",
        ),
        CheckConstraint(
            "total_global_created >= 0 and total_global_claimed >= 0 and total_global_voided >= 0"
            " and total_global_redemptions >= 0",
            name="totals_not_negative",
        ),
        Index("ix_benefit_definitions_site_id_id", "site_id", "id"),
        NEVER_REUSED,
    )

    @property
    def facts(self) -> DefinitionFacts:
        return DefinitionFacts(
            name=self.name,
            is_published=self.is_published,
            is_archived=self.is_archived,
            stops_redemptions=self.stops_redemptions,
            is_assignable=self.is_assignable,
            is_claimable=self.is_claimable,
            is_extendable=self.is_extendable,
            is_reassignable=self.is_reassignable,
            allow_user_redeem=self.allow_user_redeem,
            force_allocation=self.force_allocation,
            codes_left=None if self.voucher_type is None else self.voucher_type.idle_count,
            end_at=self.end_at,
            claim_period_start_at=self.claim_period_start_at,
            claim_period_end_at=self.claim_period_end_at,
            max_global_redemptions=self.max_global_redemptions,
            total_global_redemptions=self.total_global_redemptions,
            max_per_profile=self.max_per_profile,
            saved_at=self.updated_at,
        )

    @property
    def validity(self) -> Validity:
        return Validity(self.period, self.period_type, self.absolute_expiry, self.end_at)

    @property
    def reclaim(self) -> ReclaimRules:
        return ReclaimRules(self.is_reclaimable, self.reclaim_every, self.reclaim_requires_used)

    def lead(self, kind: str) -> Lead | None:
        """When the notice «issue», «remind» or «extend» is sent; None when it is not."""
        days = getattr(self, f"notify_{kind}_offset_days")
        hour = getattr(self, f"notify_{kind}_offset_hour")
        return None if days is None else Lead(days, hour, self.notify_schedule_offset)

    @property
    def asked(self) -> dict[NoticeKind, Asked]:
        """The notices it wants sent: those with an offset and a target."""
        found = {}
        for kind in NoticeKind:
            lead, target = self.lead(kind), getattr(self, f"{kind}_target_id")
            if lead is not None and target is not None:
                found[kind] = Asked(lead, target)
        return found


class BenefitDefinitionVersion(Base):
    """The terms as they were saved: a benefit names the version it was issued under, so its terms stay readable."""

    __tablename__ = "benefit_definition_versions"

    definition_id: Mapped[int] = mapped_column(
        ForeignKey("benefit_definitions.id", name="fk_benefit_definition_versions_definition_id"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    terms: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(120))

    __table_args__ = (CheckConstraint("number >= 1", name="number_positive"),)
