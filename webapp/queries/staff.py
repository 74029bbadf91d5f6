"""Reads about staff: by session, by address, the team, open invitations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    and_,
    exists,
    false,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session, selectinload

from webapp.domain import staff as rules
from webapp.domain.errors import NotFound
from webapp.domain.identity import Grant
from webapp.domain.permissions import Role, conflicts
from webapp.models import (
    Organisation,
    RecoveryCode,
    SignInAttempt,
    StaffGrant,
    StaffInvitation,
    StaffMember,
    StaffSession,
)

Moment: TypeAlias = datetime | BindParameter[datetime]  # now, or where it is put in


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a password is checked against; None for an account nobody has taken up."""

    staff_id: int
    name: str
    password_hash: str | None
    has_second_factor: bool


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """What a code is checked against; ``since`` None means that no first code was given yet."""

    staff_id: int
    name: str
    email: str
    password_hash: str | None
    sealed: str
    since: datetime | None
    last_step: int | None


@dataclass(frozen=True, slots=True)
class TeamRow:
    """One member of staff in the list."""

    id: int
    name: str
    email: str
    is_active: bool
    has_password: bool
    seen_at: datetime | None
    invited_until: datetime | None
    grants: tuple[Grant, ...]


def organisation_titles(session: Session, grants: Iterable[Grant]) -> dict[int, str]:
    """Titles by id of the organisations that grants name; no statement when they name none."""
    roots = {grant.organisation_id for grant in grants} - {None}
    if not roots:
        return {}
    wanted = select(Organisation.id, Organisation.title).where(Organisation.id.in_(roots))
    return dict(session.execute(wanted).all())


def grant_of(row: StaffGrant) -> Grant:
    """The row as rules know it."""
    return Grant(row.role, row.site_id, row.organisation_id)


def holds(now: Moment) -> ColumnElement[bool]:
    """Grants that are good for something already."""
    return or_(StaffGrant.holds_from.is_(None), StaffGrant.holds_from <= now)


def is_open(now: Moment, active_since: Moment, till_since: Moment) -> ColumnElement[bool]:
    """Sessions that are neither ended, too old nor, since a moment, idle; the other moment is for those of a till."""
    is_active = or_(StaffSession.seen_at > active_since, StaffSession.till_seen_at > till_since)
    return and_(StaffSession.ended_at.is_(None), StaffSession.expires_at > now, is_active)


def credentials(session: Session, email: str) -> Credentials | None:
    """By normalised address; None when there is no such active account."""
    row = session.execute(
        select(StaffMember.id, StaffMember.name, StaffMember.password_hash, StaffMember.totp_since.is_not(None)).where(
            StaffMember.email == email, StaffMember.is_active
        )
    ).one_or_none()
    return None if row is None else Credentials(*row)


def pin_hash(session: Session, staff_id: int) -> str | None:
    """What the PIN of the till is checked against; None without one."""
    return session.scalar(select(StaffMember.pin_hash).where(StaffMember.id == staff_id))


def second_factor(session: Session, staff_id: int) -> SecondFactor | None:
    """Of an active account; None when there is no such one."""
    row = session.execute(
        select(
            StaffMember.id,
            StaffMember.name,
            StaffMember.email,
            StaffMember.password_hash,
            StaffMember.totp_secret,
            StaffMember.totp_since,
            StaffMember.totp_step,
        ).where(StaffMember.id == staff_id, StaffMember.is_active)
    ).one_or_none()
    return None if row is None else SecondFactor(*row)


def recovery_codes_left(session: Session, staff_id: int) -> int:
    """How many recovery codes of this person were not used yet."""
    left = select(func.count()).where(RecoveryCode.staff_id == staff_id, RecoveryCode.used_at.is_(None))
    return session.scalar(left) or 0


def get(session: Session, staff_id: int, scope: frozenset[int] | None = None) -> StaffMember:
    """One member of staff with grants; ``NotFound`` when none of the grants is within ``scope``."""
    member = session.scalars(
        select(StaffMember).where(StaffMember.id == staff_id, _within(scope)).options(selectinload(StaffMember.grants))
    ).one_or_none()
    if member is None:
        raise NotFound("staff.unknown", "There is no such member of staff.")
    return member


def _within(scope: frozenset[int] | None) -> ColumnElement[bool]:
    """People who have a role on one of the sites; a role on every site is managed by those who have it too."""
    if scope is None:
        return true()
    return exists().where(StaffGrant.staff_id == StaffMember.id, StaffGrant.site_id.in_(scope))


def find_by_email(session: Session, email: str) -> StaffMember | None:
    """By address, however it is spelt."""
    return session.scalars(
        select(StaffMember).where(StaffMember.email == rules.normalise(email)).options(selectinload(StaffMember.grants))
    ).one_or_none()


def team(
    session: Session,
    scope: frozenset[int] | None = None,
    *,
    search: str = "",
    after: int | None = None,
    size: int | None = None,
) -> list[TeamRow]:
    """Everybody within ``scope``, the active first, then by name; ``size`` and one more when there are further ones.

    ``after`` is the last id seen; ``search`` is any part of a name or address.
    """
    seen = select(func.max(StaffSession.seen_at)).where(StaffSession.staff_id == StaffMember.id).scalar_subquery()
    invited = (
        select(func.max(StaffInvitation.expires_at))
        .where(StaffInvitation.staff_id == StaffMember.id, StaffInvitation.used_at.is_(None))
        .scalar_subquery()
    )
    statement = (
        select(StaffMember, seen, invited)
        .where(_within(scope))
        .options(selectinload(StaffMember.grants))
        .order_by(StaffMember.name_key, StaffMember.id)
    )
    if search:
        statement = statement.where(
            or_(
                StaffMember.name.icontains(search, autoescape=True),
                StaffMember.email.icontains(search, autoescape=True),
            )
        )
    found: list[Row[StaffMember, datetime | None, datetime | None]] = []
    for stretch in _stretches(session, after):
        left = None if size is None else size + 1 - len(found)
        if left != 0:
            found += session.execute(statement.where(*stretch).limit(left)).all()
    return [
        TeamRow(
            member.id,
            member.name,
            member.email,
            member.is_active,
            member.password_hash is not None,
            seen_at,
            invited_until,
            tuple(map(grant_of, member.grants)),
        )
        for member, seen_at, invited_until in found
    ]


def _stretches(session: Session, after: int | None) -> Iterator[list[ColumnElement[bool]]]:
    """The active and then the others, each walked along an index, from behind the member of staff ``after``."""
    active, others = StaffMember.is_active == true(), StaffMember.is_active == false()
    if after is None:
        yield from ([active], [others])
        return
    last = session.execute(
        select(StaffMember.is_active, StaffMember.name_key).where(StaffMember.id == after)
    ).one_or_none()
    if last is None:
        return
    was_active, was_called = last
    further = or_(StaffMember.name_key > was_called, StaffMember.id > after)
    yield [active if was_active else others, StaffMember.name_key >= was_called, further]
    if was_active:
        yield [others]


def invitation(session: Session, token_hash: str, now: datetime) -> StaffInvitation:
    """An invitation that can still be taken up; NotFound when it was used, is too old or was never made."""
    found = session.scalars(
        select(StaffInvitation)
        .join(StaffMember, StaffMember.id == StaffInvitation.staff_id)
        .where(
            StaffInvitation.token_hash == token_hash,
            StaffInvitation.used_at.is_(None),
            StaffInvitation.expires_at > now,
            StaffMember.is_active,
        )
    ).one_or_none()
    if found is None:
        raise NotFound(
            "invitation.unknown",
            "This invitation cannot be used: it was taken up already, is older than 24 hours, or was replaced. "
            "Ask an administrator for a new one.",
        )
    return found


def _administers() -> ColumnElement[bool]:
    return exists().where(
        StaffGrant.staff_id == StaffMember.id,
        StaffGrant.role == Role.ADMINISTRATOR,
        StaffGrant.site_id.is_(None),
        StaffGrant.organisation_id.is_(None),
    )


def guardians(session: Session) -> list[str]:
    """Addresses of everybody active who administers or draws: they are told who is to draw from now on."""
    held = exists().where(
        StaffGrant.staff_id == StaffMember.id, StaffGrant.role.in_((Role.ADMINISTRATOR, Role.DRAW_SUPERVISOR))
    )
    return list(session.scalars(select(StaffMember.email).where(StaffMember.is_active, held).order_by(StaffMember.id)))


def lock_administrators(session: Session) -> None:
    """Hold every administrator of all sites until the transaction ends; SQLite has one writer anyway."""
    session.execute(select(StaffMember.id).where(_administers()).order_by(StaffMember.id).with_for_update())


def is_last_administrator(session: Session, staff_id: int) -> bool:
    """Whether no other active person holds the administrator's role on all sites."""
    others = select(func.count()).select_from(StaffMember)
    return not session.scalar(others.where(StaffMember.is_active, _administers(), StaffMember.id != staff_id))


def has_administrator(session: Session) -> bool:
    """Whether anybody can sign in who administers all sites."""
    statement = select(StaffMember.id).where(
        StaffMember.is_active, StaffMember.password_hash.is_not(None), _administers()
    )
    return session.execute(statement.limit(1)).first() is not None


def conflicted(session: Session) -> list[str]:
    """Names of active people who hold roles that conflict."""
    held: dict[tuple[int, str], set[Role]] = {}
    rows = session.execute(
        select(StaffMember.id, StaffMember.name, StaffGrant.role)
        .join(StaffGrant, StaffGrant.staff_id == StaffMember.id)
        .where(StaffMember.is_active)
        .order_by(StaffMember.name, StaffMember.id)
    )
    for staff_id, name, role in rows:
        held.setdefault((staff_id, name), set()).add(role)
    return [name for (_, name), roles in held.items() if conflicts(frozenset(roles))]


def tries(session: Session, since: datetime, limit: int, *, email: str = "", address: str = "") -> datetime | None:
    """When the ``limit``-th latest failed sign-in since ``since`` was made; None when there were fewer."""
    statement = select(SignInAttempt.at).where(SignInAttempt.at > since)
    if email:
        statement = statement.where(SignInAttempt.email == email)
    if address:
        statement = statement.where(SignInAttempt.address == address)
    return session.scalar(
        statement.order_by(SignInAttempt.at.desc(), SignInAttempt.id.desc()).offset(limit - 1).limit(1)
    )


def open_sessions(session: Session, staff_id: int, now: datetime) -> list[StaffSession]:
    """Where this person is signed in now, the latest first."""
    statement = select(StaffSession).where(
        StaffSession.staff_id == staff_id, is_open(now, now - rules.IDLE, now - rules.TILL_IDLE)
    )
    return list(session.scalars(statement.order_by(StaffSession.seen_at.desc(), StaffSession.id.desc())))


def open_session(session: Session, staff_id: int, session_id: int, now: datetime) -> StaffSession:
    """One place where this person is signed in; ``NotFound`` when it is over or somebody else's."""
    statement = select(StaffSession).where(
        StaffSession.id == session_id,
        StaffSession.staff_id == staff_id,
        is_open(now, now - rules.IDLE, now - rules.TILL_IDLE),
    )
    found = session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound("session.unknown", "This session is over already, or was never yours.")
    return found


def open_invitation(session: Session, staff_id: int, now: datetime) -> StaffInvitation | None:
    """The one link that would let this person in, if there is one."""
    statement = select(StaffInvitation).where(
        StaffInvitation.staff_id == staff_id, StaffInvitation.used_at.is_(None), StaffInvitation.expires_at > now
    )
    return session.scalars(statement.order_by(StaffInvitation.id.desc()).limit(1)).one_or_none()
