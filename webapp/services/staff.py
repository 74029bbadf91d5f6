"""What happens to staff: invited, joined, given roles, disabled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from webapp.domain import staff as rules
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict
from webapp.domain.identity import Grant
from webapp.domain.permissions import Permission, Role
from webapp.models import Site, StaffGrant, StaffInvitation, StaffMember, StaffSession
from webapp.queries import settings as settings_read
from webapp.queries import staff as read
from webapp.services import passwords
from webapp.services.staff_sessions import token_hash
from webapp.services.work import Work


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
    rules.may_bind(command.grants).require()
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
    member = reachable(work, command.staff_id)
    rules.may_renew(is_active=member.is_active).require()
    _open_invitation(work, member, command.token, command.link)
    grants = map(read.grant_of, member.grants)
    work.record(Event.STAFF_INVITED, member, email=member.email, roles=_in_words(work, grants))
    return member


_INVITATION = """{by} invites you to Largesse, the console for incentive programmes.

Open this link to choose your name and password. It works once, for 24 hours:

{link}

If you did not expect this message, you need not do anything.
"""
_RENEWAL = """{by} sends you a link for a new password in Largesse, the console for incentive programmes.

Open this link to choose it. It works once, for 24 hours:

{link}

If you did not ask for it, you need not do anything: your password stays as it is.
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
    has_joined = member.password_hash is not None
    title, text = (
        ("Your new password for Largesse", _RENEWAL) if has_joined else ("Your invitation to Largesse", _INVITATION)
    )
    words = text.format(by=work.actor.label, link=link)
    work.post(f"invitation:{token_hash(token)[:40]}", member.email, title, words)


def checked_password(password: str, *, name: str, email: str) -> str:
    """The hash to store, after the rules agreed. Takes 40 ms, so it is called before a transaction opens."""
    rules.may_use_password(password, name=name, email=email).require()
    return passwords.hashed(password)


@dataclass(frozen=True, slots=True)
class AcceptInvitation:
    """``password_hash`` comes from ``checked_password``; without ``name`` the account keeps the one it has."""

    token_hash: str
    name: str | None
    password_hash: str


def accept(work: Work, command: AcceptInvitation) -> StaffMember:
    """Take up an invitation, once: from now on there is a name and a password, and sessions of before are over."""
    invitation = read.invitation(work.session, command.token_hash, work.now)
    _claim(work, invitation)
    member = read.get(work.session, invitation.staff_id)
    member.name = command.name or member.name
    member.password_hash = command.password_hash
    member.pin_hash = None  # whoever forgot one, or lost the account for a while, chooses both anew
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
    had, wanted = set(map(read.grant_of, member.grants)), set(command.grants)
    is_small_team = settings_read.is_small_team(work.session)
    rules.may_grant(wanted, is_small_team=is_small_team).require()
    rules.may_give(had ^ wanted, _reach(work)).require()
    rules.may_bind(wanted - had).require()
    is_self = member.id == work.actor.staff_id
    rules.may_promote_self(wanted - had, is_self=is_self, is_small_team=is_small_team).require()
    if Grant(Role.ADMINISTRATOR) in had - wanted:
        rules.may_demote(is_last_administrator=_is_last_administrator(work, member)).require()
    if had != wanted:
        _set_grants(work, member, wanted)
        _renew_tokens(work, member)
        before, after = _in_words(work, had), _in_words(work, wanted)
        work.record(Event.STAFF_CHANGED, member, email=member.email, before=before, after=after)
    return member


@dataclass(frozen=True, slots=True)
class DisableStaff:
    staff_id: int


def disable(work: Work, command: DisableStaff) -> StaffMember:
    """Nobody gets in with this account again, from their next request on; what they did stays theirs."""
    member = reachable(work, command.staff_id)
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
    member = reachable(work, command.staff_id)
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


def reachable(work: Work, staff_id: int) -> StaffMember:
    """A person all of whose roles are on sites the actor manages."""
    member = read.get(work.session, staff_id, _reach(work))
    rules.may_give(map(read.grant_of, member.grants), _reach(work)).require()
    return member


def _set_grants(work: Work, member: StaffMember, wanted: Iterable[Grant]) -> None:
    kept = select(StaffGrant).where(StaffGrant.staff_id == member.id)
    had = {read.grant_of(row): row.holds_from for row in work.session.scalars(kept)}
    work.session.execute(delete(StaffGrant).where(StaffGrant.staff_id == member.id))
    by_staff = work.actor.staff_id is not None
    begins = {
        grant: had.get(grant) or rules.holds_from(grant, work.now, by_staff=by_staff and grant not in had)
        for grant in wanted
    }
    rows = [
        {
            "staff_id": member.id,
            "role": grant.role,
            "site_id": grant.site_id,
            "organisation_id": grant.organisation_id,
            "holds_from": begins[grant],
        }
        for grant in sorted(begins, key=str)
    ]
    work.session.execute(insert(StaffGrant), rows)
    work.session.expire(member, ["grants"])
    if any(begins[grant] for grant in begins.keys() - had.keys()):
        _tell_of_draws(work, member)


_DRAWS_GIVEN = """{by} gave {name} ({email}) the role of a draw supervisor.

It holds from {when} on. If this is not as it should be, take the role away on the Staff page before then:

Staff, {name}, Change roles.
"""


def _tell_of_draws(work: Work, member: StaffMember) -> None:
    """One message to every administrator and draw supervisor (reliability.md T9)."""
    when = f"{work.now + rules.WAIT_FOR_DRAWS:%Y-%m-%d %H:%M} UTC"
    text = _DRAWS_GIVEN.format(by=work.actor.label, name=member.name, email=member.email, when=when)
    for address in read.guardians(work.session):
        key = f"draws-given:{member.id}:{work.now:%Y%m%dT%H%M%S%f}:{token_hash(address)[:16]}"
        work.post(key, address, "Somebody is to draw prizes in Largesse", text)


def _renew_tokens(work: Work, member: StaffMember) -> None:
    """Sessions go on, each under a new token from its next request on (reliability.md 6.2)."""
    work.session.execute(
        update(StaffSession)
        .where(StaffSession.staff_id == member.id, StaffSession.ended_at.is_(None))
        .values(needs_new_token=True)
    )


def _is_last_administrator(work: Work, member: StaffMember) -> bool:
    """Rivals who would each spare the other wait here for one another."""
    if Grant(Role.ADMINISTRATOR) not in map(read.grant_of, member.grants):
        return False
    read.lock_administrators(work.session)
    return read.is_last_administrator(work.session, member.id)


def _in_words(work: Work, grants: Iterable[Grant]) -> str:
    """«editor on Club Nord within North, viewer everywhere»."""
    grants = set(grants)
    sites = {grant.site_id for grant in grants} - {None}
    titles = dict(work.session.execute(select(Site.id, Site.title).where(Site.id.in_(sites))).all())
    return rules.in_words(grants, titles, read.organisation_titles(work.session, grants))
