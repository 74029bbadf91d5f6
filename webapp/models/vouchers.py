"""Voucher types and the codes they own: one pool for rewards and benefits alike."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.domain.voucher_uploads import UploadFacts
from webapp.domain.vouchers import VoucherStatus
from webapp.models.base import BIG, NEVER_REUSED, Base, Id

TAKEN = "status <> 'idle'"  # must stand in a query in these very words, or SQLite does not use the index

IDLE = "status = 'idle'"  # the same


def _index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class VoucherType(Base):
    """What a voucher is worth and for how long. ``value_minor`` is in hundredths of ``currency``.

    ``idle_count``, ``allocated_count`` … are moved in the statement that moves the codes, never recounted on a page.
    """

    __tablename__ = "voucher_types"

    id: Mapped[Id]
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), index=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)  # letters, digits and dashes
    title: Mapped[str] = mapped_column(String(120))
    subtitle: Mapped[str] = mapped_column(String(120), default="")
    value_minor: Mapped[int | None] = mapped_column(BIG)
    currency: Mapped[str] = mapped_column(String(3), default="")
    valid_for_days: Mapped[int | None]
    static_expiry_on: Mapped[date | None]
    id_pattern: Mapped[str] = mapped_column(String(60), default="")  # empty: the house code
    terms: Mapped[str] = mapped_column(Text, default="")
    notes: Mapped[str] = mapped_column(Text, default="")
    idle_count: Mapped[int] = mapped_column(default=0)
    allocated_count: Mapped[int] = mapped_column(default=0)
    pending_count: Mapped[int] = mapped_column(default=0)
    redeemed_count: Mapped[int] = mapped_column(default=0)
    cancelled_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        Index("ix_voucher_types_title_id", "title", "id"),
        CheckConstraint("length(title) between 1 and 120", name="title_within"),
        CheckConstraint("valid_for_days is null or valid_for_days between 1 and 36500", name="days_within"),
        CheckConstraint(
            "idle_count >= 0 and allocated_count >= 0 and pending_count >= 0"
            " and redeemed_count >= 0 and cancelled_count >= 0",
            name="counts_not_negative",
        ),
        NEVER_REUSED,
    )


class VoucherBatch(Base):
    """Codes made or uploaded together: how many, by whom, and the SHA-256 of the sorted codes.

    Of uploaded ones ``upload`` keeps what the check of the file saw and, as ``undo``, how many of those ``made`` are gone
    again, taken back by which job; until they are added, ``file_id`` holds the good ones.
    """

    __tablename__ = "voucher_batches"

    id: Mapped[Id]
    voucher_type_id: Mapped[int] = mapped_column(ForeignKey("voucher_types.id"), index=True)
    wanted: Mapped[int]
    made: Mapped[int] = mapped_column(default=0)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id"))
    upload: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    __table_args__ = (NEVER_REUSED,)

    @property
    def undo(self) -> dict[str, Any]:
        """How far taking the upload back is; empty when nobody did."""
        found: dict[str, Any] = (self.upload or {}).get("undo", {})
        return found

    @property
    def facts(self) -> UploadFacts:
        """Of an uploaded batch."""
        return UploadFacts.of(self.upload or {}, self.made)


class Voucher(Base):
    """One code. It is looked up by the keyed hash of its normalised form; lists show ``last_four``.

    ``value_minor`` is its own worth, None that of its type. It is handed out from ``valid_from`` on and before
    ``expires_at``, and where it is reserved only to that person.
    """

    __tablename__ = "vouchers"

    id: Mapped[Id]
    voucher_type_id: Mapped[int] = mapped_column(ForeignKey("voucher_types.id"))
    batch_id: Mapped[int] = mapped_column(ForeignKey("voucher_batches.id"), index=True)
    code: Mapped[str] = mapped_column(String(64))  # normalised; shown in full only with a permission and a trace
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    last_four: Mapped[str] = mapped_column(String(4))
    status: Mapped[VoucherStatus] = mapped_column(default=VoucherStatus.IDLE)
    profile_id: Mapped[int | None] = mapped_column(ForeignKey("profiles.id"))
    winner_id: Mapped[int | None] = mapped_column(ForeignKey("winners.id"))
    winner_place: Mapped[int | None]  # 1 … quantity per winner
    allocated_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    printed_count: Mapped[int] = mapped_column(default=0)
    valid_from: Mapped[datetime | None]
    reserved_for_id: Mapped[int | None] = mapped_column(ForeignKey("profiles.id"))
    value_minor: Mapped[int | None] = mapped_column(BIG)

    __table_args__ = (
        # Of a million codes most are idle: an index that leaves them out costs nothing while they are made.
        _index(
            "uq_vouchers_winner_id_winner_place",
            "winner_id",
            "winner_place",
            where="winner_id is not null",
            unique=True,
        ),
        _index("ix_vouchers_profile_id", "profile_id", where="profile_id is not null"),
        _index("ix_vouchers_taken_status_id", "status", "id", where=TAKEN),
        _index(
            "ix_vouchers_open_expires_at", "voucher_type_id", "expires_at", where="status in ('allocated', 'pending')"
        ),
        Index("ix_vouchers_voucher_type_id_status_id", "voucher_type_id", "status", "id"),
        # Only uploaded codes can have these, so codes that are made cost none of it.
        _index(
            "ix_vouchers_idle_expires_at",
            "voucher_type_id",
            "expires_at",
            "id",
            where=f"{IDLE} and expires_at is not null",
        ),
        _index(
            "ix_vouchers_idle_valid_from", "voucher_type_id", "valid_from", where=f"{IDLE} and valid_from is not null"
        ),
        _index("ix_vouchers_own_value", "voucher_type_id", "status", "value_minor", where="value_minor is not null"),
        _index("ix_vouchers_reserved_for_id", "reserved_for_id", where="reserved_for_id is not null"),
        # A code may be cancelled before or after somebody had it.
        CheckConstraint(
            "(status <> 'idle' or allocated_at is null) and (status in ('idle', 'cancelled') or allocated_at is not null)",
            name="idle_is_free",
        ),
        NEVER_REUSED,
    )


class VoucherChange(Base):
    """The change log of a code: which state it came to, when, by whom, why."""

    __tablename__ = "voucher_changes"

    id: Mapped[Id]
    voucher_id: Mapped[int] = mapped_column(ForeignKey("vouchers.id"), index=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(120))
    status: Mapped[VoucherStatus]
    note: Mapped[str] = mapped_column(String(500), default="")

    __table_args__ = (NEVER_REUSED,)
