"""Saves views of lists and removes them; what is shared with the team is told to the log."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import unquote_plus

from sqlalchemy import func, select

from webapp.domain import saved_views as rules
from webapp.domain.audit import Event
from webapp.domain.errors import NotFound, Refused
from webapp.models import SavedView
from webapp.queries import saved_views as read
from webapp.services.work import Work


@dataclass(frozen=True, slots=True)
class SaveView:
    """``query`` is what stands behind the question mark of the list's address."""

    title: str
    is_shared: bool
    screen: str
    query: str


def save(work: Work, command: SaveView) -> SavedView:
    """Keep a view; one of the same name of the same person is put in its place."""
    query = rules.checked(command.screen, command.title, command.query)
    own = select(SavedView).where(SavedView.staff_id == work.actor.staff_id)
    same = own.where(SavedView.screen == command.screen, SavedView.title == command.title)
    view = work.session.scalars(same).one_or_none()
    if view is None:
        count = work.session.scalar(select(func.count()).select_from(own.subquery())) or 0
        if count >= rules.MOST:
            raise Refused("view.many", f"You have {count:,} views, which is the most; remove one first.")
        view = SavedView(staff_id=work.actor.staff_id, screen=command.screen, title=command.title, created_at=work.now)
        work.session.add(view)
    was_shared, view.query, view.is_shared = bool(view.is_shared), query, command.is_shared
    work.session.flush()
    if command.is_shared or was_shared:
        event = Event.VIEW_SHARED if command.is_shared else Event.VIEW_UNSHARED
        work.record(event, view, title=view.title, list=rules.SCREENS[view.screen])
    return view


@dataclass(frozen=True, slots=True)
class RemoveView:
    """``may_any``: whether views that others share may be removed too."""

    view_id: int
    may_any: bool = False


def remove(work: Work, command: RemoveView) -> SavedView:
    """Take a view away: one's own, or a shared one when its maker is gone."""
    view = read.get(work.session, command.view_id)
    if view is None or (view.staff_id != work.actor.staff_id and not (command.may_any and view.is_shared)):
        raise NotFound("view.unknown", "There is no such view of yours.")
    if view.is_shared:
        work.record(Event.VIEW_UNSHARED, view, title=view.title, list=rules.SCREENS[view.screen])
    work.session.delete(view)
    return view


def forget(work: Work, texts: Collection[str]) -> int:
    """Take away the views that look for somebody who is erased; gives how many."""
    wanted = {text.casefold() for text in texts}
    found = [
        view
        for view in work.session.scalars(select(SavedView)).all()
        if any(text in f"{view.title} {unquote_plus(view.query)}".casefold() for text in wanted)
    ]
    for view in found:
        work.session.delete(view)
    return len(found)
