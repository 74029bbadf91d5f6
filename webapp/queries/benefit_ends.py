"""What the ends of benefits stand beside: the ends of their definitions and of their codes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.domain import vouchers as rules
from webapp.domain.benefit_ends import Bounds
from webapp.models import Benefit, BenefitDefinition, Voucher, VoucherBatch, VoucherType

_SECOND = timedelta(seconds=1)


def of(session: Session, benefit_ids: Collection[int]) -> dict[int, Bounds]:
    """By id of a benefit, what its end stands beside; one statement for all."""
    wanted = (
        select(
            Benefit.id,
            Benefit.zone,
            BenefitDefinition.end_at,
            Voucher.expires_at,
            VoucherBatch.upload.is_(None),
            VoucherType.static_expiry_on,
        )
        .join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
        .outerjoin(Voucher, Voucher.id == Benefit.voucher_id)
        .outerjoin(VoucherBatch, VoucherBatch.id == Voucher.batch_id)
        .outerjoin(VoucherType, VoucherType.id == Voucher.voucher_type_id)
        .where(Benefit.id.in_(benefit_ids))
    )
    return {
        number: Bounds(
            zone,
            end_at,
            over - _SECOND if over else None,
            bool(is_ours),
            rules.end_of_day(last_day, ZoneInfo(zone)) - _SECOND if last_day else None,
        )
        for number, zone, end_at, over, is_ours, last_day in session.execute(wanted)
    }
