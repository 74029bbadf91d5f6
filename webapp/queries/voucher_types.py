"""Reads of voucher types."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.domain.errors import NotFound
from webapp.models import VoucherType

Scope = frozenset[int] | None


def get(session: Session, voucher_type_id: int, scope: Scope = None) -> VoucherType:
    """The type as it stands in the database now; ``NotFound`` when there is none on a site of ``scope``."""
    statement = select(VoucherType).where(VoucherType.id == voucher_type_id)
    found = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if found is None or (scope is not None and found.site_id not in scope):
        raise NotFound("voucher_type.unknown", "There is no such voucher type.")
    return found
