"""Second factors: begun, proved by a first code, used, lost and reset; recovery codes, each good once."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, insert, update

from webapp.domain import second_factor as rules
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, Refused
from webapp.models import RecoveryCode, StaffMember, StaffSession
from webapp.queries import settings as settings_read
from webapp.queries import staff as read
from webapp.services import staff
from webapp.services.work import Work, changed_rows

_WRONG = "This code is not right or was used before. Wait for the next one, or give one of your recovery codes."


def wrong() -> Refused:
    """The one answer to a code that does not fit, was used, or comes too late."""
    return Refused("second_factor.wrong", _WRONG, "code")


@dataclass(frozen=True, slots=True)
class BeginSecondFactor:
    """``sealed`` is the secret, enciphered (``webapp.domain.ciphers``)."""

    sealed: str


def begin(work: Work, command: BeginSecondFactor) -> StaffMember:
    """Keep a new secret for the actor; it counts for nothing until a first code proves that it arrived."""
    _require_none(work, _change(work, StaffMember.totp_since.is_(None), totp_secret=command.sealed, totp_step=None))
    return read.get(work.session, work.actor.staff_id or 0)


@dataclass(frozen=True, slots=True)
class ProveSecondFactor:
    """``step`` is the time step of the code given, ``code_hashes`` what is kept of the recovery codes."""

    sealed: str
    step: int
    code_hashes: tuple[str, ...]


def prove(work: Work, command: ProveSecondFactor) -> StaffMember:
    """Switch the second factor on: from now on signing in asks for it."""
    fresh = StaffMember.totp_since.is_(None), StaffMember.totp_secret == command.sealed
    changed = _change(work, *fresh, totp_since=work.now, totp_step=command.step)
    _require_none(work, changed)
    _keep_codes(work, command.code_hashes)
    member = read.get(work.session, work.actor.staff_id or 0)
    work.record(Event.STAFF_SECOND_FACTOR_SET, member)
    return member


@dataclass(frozen=True, slots=True)
class RenewCodes:
    code_hashes: tuple[str, ...]


def renew_codes(work: Work, command: RenewCodes) -> StaffMember:
    """New recovery codes; the ones before open nothing any more."""
    member = read.get(work.session, work.actor.staff_id or 0)
    if member.totp_since is None:
        raise Refused("second_factor.none", "Set up the second factor first; recovery codes come with it.")
    _keep_codes(work, command.code_hashes)
    work.record(Event.STAFF_RECOVERY_RENEWED, member)
    return member


def remove(work: Work) -> StaffMember:
    """Sign in with the password alone again, where the actor's roles allow it."""
    member = read.get(work.session, work.actor.staff_id or 0)
    is_optional = settings_read.is_second_factor_optional(work.session)
    if rules.is_needed((grant.role for grant in member.grants), is_optional=is_optional):
        raise Refused(
            "second_factor.needed",
            "Draw supervisors and administrators need a second factor. Another administrator can reset it so that you "
            "set up a new one, or the settings make it optional, openly.",
        )
    if _clear(work, member):
        work.record(Event.STAFF_SECOND_FACTOR_REMOVED, member)
    return member


@dataclass(frozen=True, slots=True)
class ResetSecondFactor:
    staff_id: int


def reset(work: Work, command: ResetSecondFactor) -> StaffMember:
    """Take the second factor of somebody who lost it away, and sign them out everywhere."""
    member = staff.reachable(work, command.staff_id)
    if member.id == work.actor.staff_id:
        raise Refused("second_factor.self", "Change your own second factor on your account page.")
    if _clear(work, member):
        work.session.execute(
            update(StaffSession)
            .where(StaffSession.staff_id == member.id, StaffSession.ended_at.is_(None))
            .values(ended_at=work.now)
        )
        work.record(Event.STAFF_SECOND_FACTOR_RESET, member, email=member.email)
    return member


def use_code(work: Work, staff_id: int, step: int) -> None:
    """Take the code of ``step``, once: of two who give the same one the second is refused."""
    taken = changed_rows(
        work.session,
        update(StaffMember)
        .where(
            StaffMember.id == staff_id,
            StaffMember.totp_since.is_not(None),
            (StaffMember.totp_step.is_(None)) | (StaffMember.totp_step < step),
        )
        .values(totp_step=step),
    )
    if not taken:
        raise wrong()


def use_recovery_code(work: Work, staff_id: int, code_hash: str) -> None:
    """Take a recovery code, once."""
    taken = changed_rows(
        work.session,
        update(RecoveryCode)
        .where(RecoveryCode.staff_id == staff_id, RecoveryCode.code_hash == code_hash, RecoveryCode.used_at.is_(None))
        .values(used_at=work.now),
    )
    if not taken:
        raise wrong()
    left = read.recovery_codes_left(work.session, staff_id)
    work.record(Event.STAFF_RECOVERY_USED, f"staff_members:{staff_id}", left=left)


def _change(work: Work, *guards: ColumnElement[bool], **values: object) -> int:
    own = StaffMember.id == work.actor.staff_id
    return changed_rows(work.session, update(StaffMember).where(own, *guards).values(**values))


def _require_none(work: Work, changed: int) -> None:
    if not changed:
        raise Conflict(
            "second_factor.there",
            "Your second factor was set up meanwhile, or begun anew on another page. Open your account page again.",
        )
    work.session.expire_all()


def _keep_codes(work: Work, code_hashes: tuple[str, ...]) -> None:
    work.session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == work.actor.staff_id))
    rows = [{"staff_id": work.actor.staff_id, "code_hash": code_hash} for code_hash in code_hashes]
    work.session.execute(insert(RecoveryCode), rows)


def _clear(work: Work, member: StaffMember) -> bool:
    had = member.totp_since is not None
    member.totp_secret, member.totp_since, member.totp_step = "", None, None
    work.session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == member.id))
    return had
