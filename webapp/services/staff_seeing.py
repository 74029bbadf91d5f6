"""Seeing the console as somebody else does: read only, told at start and end."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import update

from webapp.domain.audit import Event
from webapp.domain.errors import Refused
from webapp.models import StaffMember, StaffSession
from webapp.services import staff
from webapp.services.work import Work, changed_rows


@dataclass(frozen=True, slots=True)
class SeeAs:
    """``session_id`` is the actor's own session, ``staff_id`` the person as whom they see."""

    session_id: int
    staff_id: int


def start(work: Work, command: SeeAs) -> StaffMember:
    """From the next request on this session sees what the person sees, and changes nothing."""
    member = staff.reachable(work, command.staff_id)
    if member.id == work.actor.staff_id:
        raise Refused("seeing.self", "You see the console as yourself already.")
    if not member.is_active:
        raise Refused("seeing.disabled", "This account is disabled: there is nothing its owner could see.")
    work.session.execute(
        update(StaffSession)
        .where(StaffSession.id == command.session_id, StaffSession.staff_id == work.actor.staff_id)
        .values(seeing_as_id=member.id)
    )
    work.record(Event.STAFF_SEEING_STARTED, member, email=member.email)
    return member


def stop(work: Work, session_id: int, email: str) -> bool:
    """See as oneself again; False when that was so already."""
    ended = changed_rows(
        work.session,
        update(StaffSession)
        .where(
            StaffSession.id == session_id,
            StaffSession.staff_id == work.actor.staff_id,
            StaffSession.seeing_as_id.is_not(None),
        )
        .values(seeing_as_id=None),
    )
    if ended:
        work.record(Event.STAFF_SEEING_STOPPED, f"staff_members:{work.actor.staff_id}", email=email)
    return bool(ended)
