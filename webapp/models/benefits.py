"""Benefits that people hold, the ledger of what was redeemed of them, their history, and what was refused at a till."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.domain.benefits import BenefitFacts
from webapp.domain.redemptions import BenefitMove, BenefitSource, RedemptionKind
from webapp.models.base import BIG, NEVER_REUSED, Base, Id

# These must stand in a query in these very words, or SQLite does not use the index.
NOT_TOLD = "expiry_told_at is null and voided_at is null and expires_at is not null"
# Each benefit is in one of these four, whatever the time is: what its state is made of besides its dates.
VOID = "voided_at is not null"
USED_UP = "voided_at is null and redeemed_count >= max_redemptions"
IN_USE = "voided_at is null and redeemed_count > 0 and (max_redemptions is null or redeemed_count < max_redemptions)"
UNUSED = "voided_at is null and redeemed_count = 0"
_NOT_TOLD = text(NOT_TOLD)
_VOID, _USED_UP, _IN_USE, _UNUSED = text(VOID), text(USED_UP), text(IN_USE), text(UNUSED)
_WHEN = ("expires_at", "issued_at", "id")
_BATCHED = text("batch_id is not null")
_REVERSAL = text("kind = 'reversal'")
_CLAIMED = text("claimed_by_id is not null")
_EXPIRED = text("move = 'expired'")


class Benefit(Base):
    """One benefit of one person. Its state is computed from the stamps and from ``redeemed_count`` (benefits.md 5.2).

    ``redeemed_count`` is what the ledger comes to, moved in the statement that decides and never recounted on a page.
    ``expires_at`` is the last second that counts. ``claim_key`` is one value for all claims of which only one may stand.
    Whoever claimed it stays the one who did, also when it goes to another person.
    """

    __tablename__ = "benefits"

    id: Mapped[Id]
    definition_id: Mapped[int] = mapped_column(ForeignKey("benefit_definitions.id"))
    terms_number: Mapped[int]  # the version of the definition it was issued under
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id"))
    source: Mapped[BenefitSource] = mapped_column(default=BenefitSource.STAFF)
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("benefit_batches.id"))  # the batch that issued it
    zone: Mapped[str] = mapped_column(String(64))
    issued_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    claimed_by_id: Mapped[int | None] = mapped_column(ForeignKey("profiles.id"))
    extended_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    expiry_told_at: Mapped[datetime | None]  # when its history was told that it had expired
    voided_at: Mapped[datetime | None]
    voided_by: Mapped[str] = mapped_column(String(120), default="")
    void_reason: Mapped[str] = mapped_column(String(300), default="")
    max_redemptions: Mapped[int | None]
    redeemed_count: Mapped[int] = mapped_column(default=0)
    value_minor: Mapped[int | None] = mapped_column(BIG)  # in hundredths of ``currency``
    currency: Mapped[str] = mapped_column(String(3), default="")
    redeem_code_pos: Mapped[str | None] = mapped_column(String(80))  # its own; without one the definition's
    redeem_code_online: Mapped[str | None] = mapped_column(String(80))
    code_key: Mapped[str | None] = mapped_column(String(80), unique=True)  # redeem_code_pos as codes are compared
    claim_key: Mapped[str | None] = mapped_column(String(80), unique=True)
    freed_claim_key: Mapped[str | None] = mapped_column(String(80))  # what it was before the claim was made void
    voucher_id: Mapped[int | None] = mapped_column(ForeignKey("vouchers.id"), unique=True)
    created_at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(
            ["definition_id", "terms_number"],
            ["benefit_definition_versions.definition_id", "benefit_definition_versions.number"],
            name="fk_benefits_terms",
        ),
        Index("ix_benefits_definition_id_id", "definition_id", "id"),
        Index("ix_benefits_profile_id_definition_id", "profile_id", "definition_id"),
        Index(
            "ix_benefits_claimed_by_id_definition_id",
            "claimed_by_id",
            "definition_id",
            sqlite_where=_CLAIMED,
            postgresql_where=_CLAIMED,
        ),
        Index("ix_benefits_not_told_expires_at", "expires_at", sqlite_where=_NOT_TOLD, postgresql_where=_NOT_TOLD),
        Index("ix_benefits_batch_id_id", "batch_id", "id", sqlite_where=_BATCHED, postgresql_where=_BATCHED),
        Index("ix_benefits_issued_at_id", "issued_at", "id"),
        Index("ix_benefits_expires_at_id", "expires_at", "id"),
        # What a list is narrowed to and ordered by: ``queries.benefit_ways`` says which is for what.
        Index("ix_benefits_definition_id_expires_at_id", "definition_id", "expires_at", "id"),
        Index("ix_benefits_definition_id_issued_at_id", "definition_id", "issued_at", "id"),
        Index("ix_benefits_source_id", "source", "id"),
        Index("ix_benefits_claimed_at_id", "claimed_at", "id"),
        Index("ix_benefits_extended_at_id", "extended_at", "id"),
        Index("ix_benefits_void", *_WHEN, sqlite_where=_VOID, postgresql_where=_VOID),
        Index("ix_benefits_used_up", *_WHEN, sqlite_where=_USED_UP, postgresql_where=_USED_UP),
        Index("ix_benefits_in_use", *_WHEN, sqlite_where=_IN_USE, postgresql_where=_IN_USE),
        Index("ix_benefits_unused", *_WHEN, sqlite_where=_UNUSED, postgresql_where=_UNUSED),
        CheckConstraint("redeemed_count >= 0", name="redeemed_not_negative"),
        CheckConstraint("max_redemptions >= 1", name="max_redemptions_positive"),
        CheckConstraint("expires_at >= issued_at", name="expires_after_issue"),
        CheckConstraint("(voided_at is null) = (void_reason = '')", name="void_has_reason"),
        CheckConstraint("length(zone) between 1 and 64", name="zone_within"),
        NEVER_REUSED,
    )

    @property
    def facts(self) -> BenefitFacts:
        return BenefitFacts(
            issued_at=self.issued_at,
            zone=self.zone,
            expires_at=self.expires_at,
            voided_at=self.voided_at,
            extended_at=self.extended_at,
            max_redemptions=self.max_redemptions,
            redeemed=self.redeemed_count,
        )


class BenefitChange(Base):
    """A line of a benefit's history besides its ledger.

    ``profile_id`` is who held it until it went to another, ``ended_at`` the end it had until that was moved.
    """

    __tablename__ = "benefit_changes"

    id: Mapped[Id]
    benefit_id: Mapped[int] = mapped_column(ForeignKey("benefits.id"), index=True)
    move: Mapped[BenefitMove]
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(120))
    note: Mapped[str] = mapped_column(String(500), default="")
    profile_id: Mapped[int | None] = mapped_column(ForeignKey("profiles.id"), index=True)
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        # Expiring at one instant is told once; after an extension there is another instant.
        Index(
            "uq_benefit_changes_expired", "benefit_id", "at", unique=True, sqlite_where=_EXPIRED, postgresql_where=_EXPIRED
        ),
        NEVER_REUSED,
    )  # fmt: skip


class Redemption(Base):
    """A line of the ledger, written once: so many were redeemed, or of ``original_id`` so many came back."""

    __tablename__ = "redemptions"

    id: Mapped[Id]
    benefit_id: Mapped[int] = mapped_column(ForeignKey("benefits.id"))
    kind: Mapped[RedemptionKind]
    count: Mapped[int]
    value_minor: Mapped[int | None] = mapped_column(BIG)  # what so many were worth then
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(120))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    location_id: Mapped[int | None] = mapped_column(ForeignKey("locations.id"))
    receipt: Mapped[str] = mapped_column(String(4))
    receipt_ref: Mapped[str] = mapped_column(String(64), default="")  # the shop's own number of the sale
    note: Mapped[str] = mapped_column(String(300), default="")
    original_id: Mapped[int | None] = mapped_column(ForeignKey("redemptions.id"), index=True)

    __table_args__ = (
        Index("ix_redemptions_benefit_id_id", "benefit_id", "id"),
        Index("ix_redemptions_staff_id_id", "staff_id", "id"),
        Index("ix_redemptions_receipt", "receipt"),
        Index(
            "uq_redemptions_reversal", "original_id", unique=True, sqlite_where=_REVERSAL, postgresql_where=_REVERSAL
        ),
        CheckConstraint("count between 1 and 1000", name="count_within"),
        CheckConstraint("(kind = 'redeem') = (original_id is null)", name="comes_back_from"),
        CheckConstraint("length(receipt) = 4", name="receipt_within"),
        NEVER_REUSED,
    )


class RedemptionAttempt(Base):
    """A redemption that was refused, with its reason and the whole table of what held and what did not."""

    __tablename__ = "redemption_attempts"

    id: Mapped[Id]
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(120))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    benefit_id: Mapped[int | None] = mapped_column(ForeignKey("benefits.id"), index=True)  # none: no such code
    location_id: Mapped[int | None] = mapped_column(ForeignKey("locations.id"))
    typed: Mapped[str] = mapped_column(String(12), default="")  # the last signs of what was scanned
    reason: Mapped[str] = mapped_column(String(40))  # the stable code of the refusal
    message: Mapped[str] = mapped_column(String(500))
    field: Mapped[str] = mapped_column(String(40), default="")
    gates: Mapped[list[Any]] = mapped_column(default=list)  # as ``domain.benefits.kept`` writes them

    __table_args__ = (Index("ix_redemption_attempts_staff_id_at", "staff_id", "at"), NEVER_REUSED)
