"""Whether the pools of definitions have a code that a person can be given (benefits.md 6.4, 13.7)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, exists, literal_column, or_, select
from sqlalchemy.orm import Session

from webapp.domain import vouchers as rules
from webapp.models import BenefitDefinition, Voucher, VoucherType


def able(at: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Codes that are idle and good already at ``at``."""
    # In these words, or SQLite does not use the index.
    return Voucher.status == literal_column("'idle'"), or_(Voucher.valid_from.is_(None), Voucher.valid_from <= at)


def has_codes(session: Session, voucher_type_ids: Collection[int], profile_id: int, at: datetime) -> set[int]:
    """Those of the voucher types whose pool has a code for the person at ``at``, as codes stand now.

    A code kept for somebody else is none, nor is one that begins later or has ended. One statement for all.
    """
    theirs = (Voucher.voucher_type_id == VoucherType.id, *able(at))
    lasts = or_(Voucher.expires_at.is_(None), Voucher.expires_at > at)
    # Three questions, because each has an index that answers it however large the pool is.
    some = (
        exists().where(*theirs, Voucher.reserved_for_id == profile_id, lasts),
        exists().where(*theirs, Voucher.reserved_for_id.is_(None), Voucher.expires_at > at),
        exists().where(*theirs, Voucher.reserved_for_id.is_(None), Voucher.expires_at.is_(None)),
    )
    return set(session.scalars(select(VoucherType.id).where(VoucherType.id.in_(voucher_type_ids), or_(*some))))


def has_code(session: Session, definition: BenefitDefinition, profile_id: int, at: datetime, zone: str) -> bool | None:
    """Whether the pool of a definition that needs a code has one for the person at ``at``; None when it needs none."""
    kind = definition.voucher_type
    if kind is None or not definition.force_allocation:
        return None
    ends = rules.expires_at(at, kind.valid_for_days, kind.static_expiry_on, ZoneInfo(zone))
    return not rules.is_expired(ends, at) and bool(has_codes(session, [kind.id], profile_id, at))
