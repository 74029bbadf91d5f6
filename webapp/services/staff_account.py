"""What people change of their own account: the name, the password, and the site their lists keep to."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import update

from webapp.domain.audit import Event
from webapp.domain.errors import Refused
from webapp.models import StaffInvitation, StaffMember, StaffSession
from webapp.queries import sites as read_sites
from webapp.queries import staff as read
from webapp.services.staff_sessions import RenewToken, close, forgive, renew
from webapp.services.work import Work


@dataclass(frozen=True, slots=True)
class RenameSelf:
    name: str


def rename(work: Work, command: RenameSelf) -> StaffMember:
    """Change the name colleagues and the audit log show from now on."""
    member = read.get(work.session, _own(work))
    if member.name != command.name:
        work.record(Event.STAFF_RENAMED, member, before=member.name, after=command.name)
        member.name = command.name
    return member


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """``password_hash`` comes from ``webapp.services.staff.checked_password``; ``renewal`` keeps this one browser signed in."""

    password_hash: str
    renewal: RenewToken
    attempts: tuple[int, ...] = ()


def change_password(work: Work, command: ChangePassword) -> bool:
    """Change the own password; every other session ends and no link that was sent works any more.

    False when a request beside this one renewed the token of this browser first.
    """
    member = read.get(work.session, _own(work))
    member.password_hash = command.password_hash
    sessions = close(work, StaffSession.id != command.renewal.session_id)
    work.session.execute(
        update(StaffInvitation)
        .where(StaffInvitation.staff_id == member.id, StaffInvitation.used_at.is_(None))
        .values(used_at=work.now)
    )
    work.session.execute(
        update(StaffSession).where(StaffSession.id == command.renewal.session_id).values(confirmed_at=work.now)
    )
    forgive(work, command.attempts)
    work.record(Event.STAFF_PASSWORD_CHANGED, member, sessions=sessions)
    return renew(work, command.renewal)


@dataclass(frozen=True, slots=True)
class ChooseSite:
    """``site_id`` None is every site the person has a role on."""

    site_id: int | None = None


def choose_site(work: Work, command: ChooseSite) -> StaffMember:
    """Let the lists keep to one site from now on; ``NotFound`` where the person has no role."""
    member = read.get(work.session, _own(work))
    if command.site_id is not None:
        held = {grant.site_id for grant in work.actor.grants}
        read_sites.get_by_id(work.session, command.site_id, None if None in held else frozenset(held - {None}))  # type: ignore[arg-type]
    member.site_id = command.site_id
    return member


def _own(work: Work) -> int:
    if work.actor.staff_id is None:
        raise Refused("account.nobody", "Only somebody who is signed in has an account to change.")
    return work.actor.staff_id
