"""What happens to staff: invited, joined, signed in and out, given roles, disabled."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from webapp.domain import staff as rules
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, Refused
from webapp.domain.identity import Grant
from webapp.domain.permissions import Permission, Role
from webapp.models import SignInAttempt, Site, StaffGrant, StaffInvitation, StaffMember, StaffSession
from webapp.queries import settings as settings_read
from webapp.queries import staff as read
from webapp.services import passwords
from webapp.services.work import Work


class TooManyTries(Refused):
    """Sign-in has to wait: ``seconds`` until the next try is let through."""

    def __init__(self, seconds: int) -> None:
        minutes = max(1, -(-seconds // 60))
        super().__init__(
            "sign_in.wait",
            f"There were too many tries to sign in. Wait {minutes} minute{'s' if minutes > 1 else ''}, then try again; "
            "the account is not locked.",
        )
        self.seconds = seconds


def token_hash(token: str) -> str:
    """What the database keeps of a session or invitation token: SHA-256 in hex (reliability.md 6.2)."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


# Signing in: admit (counts the try) → recognise (hashes, outside any transaction) → sign_in (writes the session).


@dataclass(frozen=True, slots=True)
class AdmitTry:
    email: str
    address: str


def admit(work: Work, command: AdmitTry) -> int:
    """Count one try before any hashing; ``TooManyTries`` when the account, the address or all are over the limit."""
    since = work.now - rules.WINDOW
    email = rules.normalise(command.email)[:254]
    limits: tuple[tuple[int, dict[str, str]], ...] = (
        (rules.TRIES_PER_ACCOUNT, {"email": email}),
        (rules.TRIES_PER_ADDRESS, {"address": command.address}),
        (rules.TRIES_OVERALL, {}),
    )
    waits = [at + rules.WINDOW for limit, which in limits if (at := read.tries(work.session, since, limit, **which))]
    if waits:
        raise TooManyTries(-int((work.now - max(waits)).total_seconds() // 1))
    work.session.execute(delete(SignInAttempt).where(SignInAttempt.at < since))
    attempt = SignInAttempt(at=work.now, email=email, address=command.address)
    work.session.add(attempt)
    work.session.flush()
    return attempt.id


def recognise(session: Session, email: str, password: str) -> read.Credentials | None:
    """Whose address and password these are; the same work is done for unknown addresses."""
    found = read.credentials(session, rules.normalise(email))
    session.rollback()  # no snapshot is held while the processor is busy
    is_right = passwords.matches(found.password_hash if found else None, password)
    return found if is_right else None


@dataclass(frozen=True, slots=True)
class StartSession:
    """``attempt_id`` is the try that succeeded and so no longer counts."""

    staff_id: int
    token_hash: str
    address: str = ""
    browser: str = ""
    attempt_id: int | None = None


def sign_in(work: Work, command: StartSession) -> StaffSession:
    """Open a session under a new token; the account must still be active."""
    member = read.get(work.session, command.staff_id)
    if not member.is_active:
        raise Refused("sign_in.wrong", "This account is disabled; ask an administrator.")
    row = StaffSession(
        token_hash=command.token_hash,
        staff_id=member.id,
        created_at=work.now,
        seen_at=work.now,
        expires_at=work.now + rules.LONGEST,
        address=command.address[:64],
        browser=command.browser[:200],
    )
    work.session.add(row)
    work.session.execute(delete(SignInAttempt).where(SignInAttempt.id == command.attempt_id))
    work.record(Event.STAFF_SIGNED_IN, member)
    return row


def touch(work: Work, session_id: int) -> None:
    """Note that the session is in use, at most once a minute."""
    work.session.execute(
        update(StaffSession)
        .where(StaffSession.id == session_id, StaffSession.seen_at <= work.now - rules.SEEN_EVERY)
        .values(seen_at=work.now)
    )


def sign_out(work: Work, session_id: int) -> None:
    """End one session for good."""
    ended = work.session.execute(
        update(StaffSession)
        .where(StaffSession.id == session_id, StaffSession.ended_at.is_(None))
        .values(ended_at=work.now)
        .returning(StaffSession.staff_id)
    ).scalar_one_or_none()
    if ended is not None:
        work.record(Event.STAFF_SIGNED_OUT, f"staff_members:{ended}")


def note_refusal(work: Work, what: str) -> None:
    """Somebody signed in asked for something their roles do not allow (ASVS 16.3.2)."""
    work.record(Event.STAFF_REFUSED, f"staff_members:{work.actor.staff_id}", what=what)


@dataclass(frozen=True, slots=True)
class AddStaff:
    """``password_hash`` comes from ``checked_password``; None leaves the account to be taken up by invitation."""

    email: str
    name: str
    grants: tuple[Grant, ...]
    password_hash: str | None = None


def add(work: Work, command: AddStaff) -> StaffMember:
    """Make an account with these roles; an address that has one already is refused."""
    rules.may_grant(command.grants, is_small_team=settings_read.is_small_team(work.session)).require()
    rules.may_give(command.grants, _reach(work)).require()
    email = rules.checked_email(command.email)
    member = read.find_by_email(work.session, email)
    if member is not None and (member.password_hash or not member.is_active):
        raise Conflict("staff.exists", rules.exists_already(email, is_active=member.is_active), "email")
    if member is None:
        member = StaffMember(
            email=email, name=(command.name or email)[:120], created_at=work.now, created_by_id=work.actor.staff_id
        )
        work.session.add(member)
    member.password_hash = command.password_hash
    work.session.flush()
    _set_grants(work, member, command.grants)
    work.record(Event.STAFF_INVITED, member, email=email, roles=_in_words(work, command.grants))
    return member


@dataclass(frozen=True, slots=True)
class InviteStaff:
    """``token`` goes into the link and only its hash is kept; ``link`` is the whole address, sent by e-mail."""

    email: str
    grants: tuple[Grant, ...]
    token: str
    link: str


def invite(work: Work, command: InviteStaff) -> StaffMember:
    """Make an account and a link that opens it once within 24 hours; a new link ends the ones before."""
    member = add(work, AddStaff(command.email, "", command.grants))
    _open_invitation(work, member, command.token, command.link)
    return member


@dataclass(frozen=True, slots=True)
class RenewInvitation:
    """``token`` and ``link`` as of ``InviteStaff``."""

    staff_id: int
    token: str
    link: str


def renew(work: Work, command: RenewInvitation) -> StaffMember:
    """Send a new link: to somebody whose invitation ran out, or who forgot the password and chooses a new one."""
    member = _reachable(work, command.staff_id)
    rules.may_renew(is_active=member.is_active).require()
    _open_invitation(work, member, command.token, command.link)
    grants = [Grant(grant.role, grant.site_id) for grant in member.grants]
    work.record(Event.STAFF_INVITED, member, email=member.email, roles=_in_words(work, grants))
    return member


_INVITATION = """{by} invites you to Largesse, the console for incentive programmes.

Open this link to choose your name and password. It works once, for 24 hours:

{link}

If you did not expect this message, you need not do anything.
"""


def _open_invitation(work: Work, member: StaffMember, token: str, link: str) -> None:
    work.session.execute(
        update(StaffInvitation)
        .where(StaffInvitation.staff_id == member.id, StaffInvitation.used_at.is_(None))
        .values(used_at=work.now)
    )
    work.session.add(
        StaffInvitation(
            staff_id=member.id,
            token_hash=token_hash(token),
            created_at=work.now,
            expires_at=work.now + rules.INVITATION,
        )
    )
    text = _INVITATION.format(by=work.actor.label, link=link)
    work.post(f"invitation:{token_hash(token)[:40]}", member.email, "Your invitation to Largesse", text)


def checked_password(password: str, *, name: str, email: str) -> str:
    """The hash to store, after the rules agreed. Takes 40 ms, so it is called before a transaction opens."""
    rules.may_use_password(password, name=name, email=email).require()
    return passwords.hashed(password)


@dataclass(frozen=True, slots=True)
class AcceptInvitation:
    """``password_hash`` comes from ``checked_password``."""

    token_hash: str
    name: str
    password_hash: str


def accept(work: Work, command: AcceptInvitation) -> StaffMember:
    """Take up an invitation, once: from now on there is a name and a password, and sessions of before are over."""
    invitation = read.invitation(work.session, command.token_hash, work.now)
    _claim(work, invitation)
    member = read.get(work.session, invitation.staff_id)
    member.name = command.name
    member.password_hash = command.password_hash
    _end_everything(work, member)
    work.record(Event.STAFF_JOINED, member, email=member.email)
    return member


def _claim(work: Work, invitation: StaffInvitation) -> None:
    """The guarded change decides who was first; the other one is told."""
    won = work.session.execute(
        update(StaffInvitation)
        .where(StaffInvitation.id == invitation.id, StaffInvitation.used_at.is_(None))
        .values(used_at=work.now)
        .returning(StaffInvitation.id)
    ).scalar_one_or_none()
    if won is None:
        raise Conflict("invitation.used", "This invitation was just taken up; sign in with the password chosen then.")


@dataclass(frozen=True, slots=True)
class ChangeGrants:
    staff_id: int
    grants: tuple[Grant, ...]


def change_grants(work: Work, command: ChangeGrants) -> StaffMember:
    """Replace what one person may do; it holds from their next request on."""
    member = read.get(work.session, command.staff_id, _reach(work))
    had, wanted = {Grant(grant.role, grant.site_id) for grant in member.grants}, set(command.grants)
    is_small_team = settings_read.is_small_team(work.session)
    rules.may_grant(wanted, is_small_team=is_small_team).require()
    rules.may_give(had ^ wanted, _reach(work)).require()
    is_self = member.id == work.actor.staff_id
    rules.may_promote_self(wanted - had, is_self=is_self, is_small_team=is_small_team).require()
    if Grant(Role.ADMINISTRATOR) in had - wanted:
        rules.may_demote(is_last_administrator=_is_last_administrator(work, member)).require()
    if had != wanted:
        _set_grants(work, member, wanted)
        before, after = _in_words(work, had), _in_words(work, wanted)
        work.record(Event.STAFF_CHANGED, member, email=member.email, before=before, after=after)
    return member


@dataclass(frozen=True, slots=True)
class DisableStaff:
    staff_id: int


def disable(work: Work, command: DisableStaff) -> StaffMember:
    """Nobody gets in with this account again, from their next request on; what they did stays theirs."""
    member = _reachable(work, command.staff_id)
    is_last = _is_last_administrator(work, member)
    rules.may_disable(is_self=member.id == work.actor.staff_id, is_last_administrator=is_last).require()
    if _switch(work, member, is_active=False):
        _end_everything(work, member)
        work.record(Event.STAFF_DISABLED, member, email=member.email)
    return member


@dataclass(frozen=True, slots=True)
class EnableStaff:
    staff_id: int


def enable(work: Work, command: EnableStaff) -> StaffMember:
    """Let a disabled account in again, with the roles it had."""
    member = _reachable(work, command.staff_id)
    roles = [grant.role for grant in member.grants]
    rules.may_hold(roles, is_small_team=settings_read.is_small_team(work.session)).require()
    if _switch(work, member, is_active=True):
        work.record(Event.STAFF_ENABLED, member, email=member.email)
    return member


def _switch(work: Work, member: StaffMember, *, is_active: bool) -> bool:
    changed = work.session.execute(
        update(StaffMember)
        .where(StaffMember.id == member.id, StaffMember.is_active != is_active)
        .values(is_active=is_active)
        .returning(StaffMember.id)
    ).scalar_one_or_none()
    return changed is not None


def _end_everything(work: Work, member: StaffMember) -> None:
    for table, ended in ((StaffSession, StaffSession.ended_at), (StaffInvitation, StaffInvitation.used_at)):
        work.session.execute(
            update(table).where(table.staff_id == member.id, ended.is_(None)).values({ended.key: work.now})
        )


def _reach(work: Work) -> frozenset[int] | None:
    """The sites whose staff the actor manages; None is every site. The program itself reaches everything."""
    return None if work.actor.staff_id is None else work.actor.sites(Permission.STAFF_MANAGE)


def _reachable(work: Work, staff_id: int) -> StaffMember:
    """A person all of whose roles are on sites the actor manages."""
    member = read.get(work.session, staff_id, _reach(work))
    rules.may_give((Grant(grant.role, grant.site_id) for grant in member.grants), _reach(work)).require()
    return member


def _set_grants(work: Work, member: StaffMember, wanted: Iterable[Grant]) -> None:
    work.session.execute(delete(StaffGrant).where(StaffGrant.staff_id == member.id))
    rows = [
        {"staff_id": member.id, "role": grant.role, "site_id": grant.site_id} for grant in sorted(set(wanted), key=str)
    ]
    work.session.execute(insert(StaffGrant), rows)
    work.session.expire(member, ["grants"])


def _is_last_administrator(work: Work, member: StaffMember) -> bool:
    """Rivals who would each spare the other wait here for one another."""
    if not any(grant.role is Role.ADMINISTRATOR and grant.site_id is None for grant in member.grants):
        return False
    read.lock_administrators(work.session)
    return read.is_last_administrator(work.session, member.id)


def _in_words(work: Work, grants: Iterable[Grant]) -> str:
    """«editor on Club Nord, viewer everywhere»."""
    grants = set(grants)
    ids = {grant.site_id for grant in grants} - {None}
    titles = dict(work.session.execute(select(Site.id, Site.title).where(Site.id.in_(ids))).all())
    return rules.in_words(grants, titles)
