"""Reads of voucher codes."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.models import Voucher


def of_winner(session: Session, winner_id: int) -> list[Voucher]:
    """The codes a winner holds, in the order of their places, as they stand in the database now."""
    statement = select(Voucher).where(Voucher.winner_id == winner_id).order_by(Voucher.winner_place)
    return list(session.scalars(statement.execution_options(populate_existing=True)))
