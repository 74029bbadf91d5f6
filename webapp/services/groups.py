"""Create, change and archive groups, and bring people in and out of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from webapp.domain import groups as rules
from webapp.domain import organisations as organisation_rules
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, Refused
from webapp.domain.groups import GroupKind, Registration
from webapp.domain.identity import Reach, Where
from webapp.domain.profiles import email_key
from webapp.models import Group, Membership, Organisation
from webapp.queries import groups as read
from webapp.queries import memberships as read_members
from webapp.queries import organisations as read_organisations
from webapp.queries import profiles as read_profiles
from webapp.queries.subtrees import Within
from webapp.services import rows
from webapp.services.group_rows import GroupRow, MembershipRow, join, put, take_back
from webapp.services.work import Work, changed_rows

__all__ = [
    "AddMember",
    "ArchiveGroup",
    "ChangeGroup",
    "CreateGroup",
    "GroupRow",
    "GroupTerms",
    "MembershipRow",
    "RemoveMember",
    "RestoreGroup",
    "add",
    "archive",
    "change",
    "create",
    "join",
    "put",
    "remove",
    "restore",
    "take_back",
]
_LABELS = {"title": "title", "kind": "kind", "registration": "registration", "notes": "notes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTerms:
    """What an editor types of a group."""

    title: str
    kind: GroupKind
    registration: Registration
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateGroup(GroupTerms):
    """A new group; its name, which files use, comes from its title once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeGroup(GroupTerms):
    """Other terms; ``version`` is the one the form was drawn from."""

    group_id: int
    version: int


@dataclass(frozen=True, slots=True)
class ArchiveGroup:
    """Take a group out of use, now or as of ``at``; its members stay in it."""

    group_id: int
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RestoreGroup:
    """Take an archived group back into use."""

    group_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AddMember:
    """``person`` is a member id or an e-mail; ``organisation`` the id files know it by, empty for none.

    ``within`` are the subtrees the editor works in: the organisation must lie in one of them. ``where`` is how far the
    editor's rights over people go: nobody brings somebody they may not see into their own organisation.
    """

    group_id: int
    person: str
    organisation: str = ""
    within: Within = None
    where: Where = None


@dataclass(frozen=True, slots=True)
class RemoveMember:
    """Take a person out of a group, as far as this one membership goes."""

    group_id: int
    membership_id: int
    within: Within = None


def create(work: Work, command: CreateGroup) -> Group:
    """Add a group without members (rewards.md 1.2, Group)."""
    group = rows.add_named(
        work, command.title, "group", lambda name: Group(name=name, created_at=work.now, **_values(command))
    )
    work.record(Event.GROUP_CREATED, group, title=group.title, name=group.name)
    return group


def change(work: Work, command: ChangeGroup) -> Group:
    """Change a group unless somebody else did since the form was opened; ``Conflict`` tells who and what."""
    group = read.get(work.session, command.group_id)
    values = _values(command)
    before: dict[str, Any] = {name: getattr(group, name) for name in values}
    changes = rows.told(_LABELS, before, values)
    if changes:
        rows.save(work, group, command.version, values, Event.GROUP_CHANGED, "group")
        work.record(Event.GROUP_CHANGED, group, title=before["title"], changes=changes)
    return group


def archive(work: Work, command: ArchiveGroup) -> Group:
    """Take it out of use: nobody is added any more and nobody new qualifies through it (K40)."""
    won = _set_archived(work, command.group_id, command.at or work.now)
    group = read.get(work.session, command.group_id)
    if not won:
        raise Refused("group.archived", f"The group «{group.title[:60]}» is archived already.")
    work.record(Event.GROUP_ARCHIVED, group, title=group.title, members=group.member_count)
    return group


def restore(work: Work, command: RestoreGroup) -> Group:
    """Take it back into use, with the members it has."""
    won = _set_archived(work, command.group_id, None)
    group = read.get(work.session, command.group_id)
    if not won:
        raise Refused("group.not_archived", f"The group «{group.title[:60]}» is not archived.")
    work.record(Event.GROUP_RESTORED, group, title=group.title)
    return group


def add(work: Work, command: AddMember) -> Membership:
    """Put a person into the group, within an organisation or none; both counters move along.

    Raises ``Refused`` on its field for an archived group, a person or an organisation that is unknown or archived,
    ``Conflict`` when the person is in it within that organisation already.
    """
    won = _count(work, Group, command.group_id, 1)
    group = read.get(work.session, command.group_id)
    if not won:
        rules.may_join(group.title, is_archived=group.archived_at is not None).require()
    profile_id = _person(work, command)
    organisation = _organisation(work, command)
    organisation_id = organisation.id if organisation else None
    same = select(Membership.id).where(
        Membership.group_id == group.id,
        Membership.profile_id == profile_id,
        Membership.organisation_id.is_not_distinct_from(organisation_id),
    )
    if work.session.scalar(same) is not None:
        raise rules.already_in(command.person, group.title, organisation.title if organisation else "")
    membership = Membership(
        group_id=group.id, profile_id=profile_id, organisation_id=organisation_id, joined_at=work.now
    )
    work.session.add(membership)
    work.session.flush()
    work.record(Event.GROUP_JOINED, group, person=str(profile_id), title=group.title, place=_place(organisation))
    return membership


def remove(work: Work, command: RemoveMember) -> Group:
    """Take one membership away; both counters move along. ``NotFound`` when it is gone or out of reach."""
    membership = read_members.get(work.session, command.group_id, command.membership_id, command.within)
    group = read.get(work.session, command.group_id)
    organisation = work.session.get(Organisation, membership.organisation_id) if membership.organisation_id else None
    work.session.expunge(membership)
    _uncount(work, Group, group.id)
    if organisation:
        _uncount(work, Organisation, organisation.id)
    if changed_rows(work.session, delete(Membership).where(Membership.id == membership.id)) != 1:
        raise Conflict("group.member", "Somebody took this member out of the group at the same moment.")
    work.record(
        Event.GROUP_LEFT, group, person=str(membership.profile_id), title=group.title, place=_place(organisation)
    )
    return group


def _values(command: GroupTerms) -> dict[str, Any]:
    return {name: getattr(command, name) for name in _LABELS}


def _set_archived(work: Work, group_id: int, archived_at: datetime | None) -> bool:
    was = Group.archived_at.is_(None) if archived_at else Group.archived_at.is_not(None)
    statement = (
        update(Group).where(Group.id == group_id, was).values(archived_at=archived_at, version=Group.version + 1)
    )
    return changed_rows(work.session, statement) == 1


def _count(work: Work, model: type[Group] | type[Organisation], row_id: int, more: int) -> bool:
    """One more member, unless it is archived. Groups before organisations: rivals meet in the same order."""
    statement = (
        update(model)
        .where(model.id == row_id, model.archived_at.is_(None))
        .values(member_count=model.member_count + more)
    )
    return changed_rows(work.session, statement) == 1


def _uncount(work: Work, model: type[Group] | type[Organisation], row_id: int) -> None:
    statement = update(model).where(model.id == row_id).values(member_count=model.member_count - 1)
    changed_rows(work.session, statement)


def _person(work: Work, command: AddMember) -> int:
    typed = command.person.strip()
    found = read_members.people(work.session, [typed], [email_key(typed)]).find(typed, command.person)
    if found is None:
        raise rules.unknown_person(command.person)
    if isinstance(command.where, Reach) and not read_profiles.is_visible(work.session, found, command.where):
        raise rules.unknown_person(command.person)
    return found


def _organisation(work: Work, command: AddMember) -> Organisation | None:
    wanted = command.organisation.strip()
    if not wanted and command.within is None:
        return None
    organisation = read_organisations.find(work.session, wanted, command.within)
    if organisation is None:
        raise organisation_rules.unknown(wanted, "organisation")
    if not _count(work, Organisation, organisation.id, 1):
        organisation_rules.may_use(organisation.title, is_archived=True, field="organisation").require()
    return organisation


def _place(organisation: Organisation | None) -> str:
    return f"within «{organisation.title}»" if organisation else "within no organisation"
