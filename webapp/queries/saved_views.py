"""Reads of saved views: one's own, and what others share."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from webapp.models import SavedView, StaffMember

SHOWN = 30


@dataclass(frozen=True, slots=True)
class ViewRow:
    """One view; ``owner`` is the name of whoever shares it."""

    id: int
    screen: str
    title: str
    query: str
    is_shared: bool
    staff_id: int
    owner: str


def page(session: Session, staff_id: int, screens: Collection[str], *, size: int = SHOWN) -> list[ViewRow]:
    """Views of these lists that this person made or others share, by list and title, one's own first."""
    statement = (
        select(
            SavedView.id,
            SavedView.screen,
            SavedView.title,
            SavedView.query,
            SavedView.is_shared,
            SavedView.staff_id,
            StaffMember.name,
        )
        .join(StaffMember, StaffMember.id == SavedView.staff_id)
        .where(SavedView.screen.in_(screens), or_(SavedView.staff_id == staff_id, SavedView.is_shared))
        .order_by(SavedView.screen, SavedView.staff_id != staff_id, func.lower(SavedView.title), SavedView.id)
        .limit(size)
    )
    return [ViewRow(*row) for row in session.execute(statement)]


def get(session: Session, view_id: int) -> SavedView | None:
    """The view, whoever made it."""
    return session.get(SavedView, view_id, populate_existing=True)
