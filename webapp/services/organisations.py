"""Create, change, move, archive and restore organisations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import aliased

from webapp.domain import organisations as rules
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, Refused
from webapp.domain.sites import checked_zone
from webapp.models import Organisation, OrganisationType, StaffGrant
from webapp.queries import organisations as read
from webapp.queries.subtrees import Within
from webapp.services import rows, tree
from webapp.services.organisation_rows import OrganisationRow, put
from webapp.services.work import Work, changed_rows

__all__ = [
    "ArchiveOrganisation",
    "ChangeOrganisation",
    "CreateOrganisation",
    "OrganisationRow",
    "OrganisationTerms",
    "RestoreOrganisation",
    "archive",
    "change",
    "create",
    "put",
    "restore",
]
_LABELS = {"external_id": "id", "title": "title", "type": "type", "timezone": "time zone", "address": "address"}
_TOP = "the top"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationTerms:
    """What an editor types. ``parent`` is the id files know it by, empty for the top; an empty zone is the account's.

    ``within`` are the subtrees the editor works in; nothing is put or moved outside them.
    """

    external_id: str
    title: str
    type_id: int | None = None
    parent: str = ""
    timezone: str = ""
    address: str = ""
    within: Within = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOrganisation(OrganisationTerms):
    """A new organisation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOrganisation(OrganisationTerms):
    """Other words or another place; ``version`` is the one the form was drawn from."""

    organisation_id: int
    version: int


@dataclass(frozen=True, slots=True)
class ArchiveOrganisation:
    """Take an organisation out of use, now or as of ``at``; its members stay in it."""

    organisation_id: int
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RestoreOrganisation:
    """Take an archived organisation back into use."""

    organisation_id: int


def create(work: Work, command: CreateOrganisation) -> Organisation:
    """Add an organisation below its parent.

    Raises ``Conflict`` when its id is taken, ``Refused`` on the field for a parent that is unknown, archived or too deep.
    """
    tree.hold(work)
    values = _checked(work, command, None)
    parent = _parent(work, command, "")
    rules.may_stand_below(command.title, "", 1, _title(parent), _path(parent)).require()
    organisation = Organisation(
        parent_id=parent.id if parent else None, created_at=work.now, updated_at=work.now, **values
    )
    work.session.add(organisation)
    work.session.flush()
    organisation.path = rules.path_below(_path(parent), organisation.id)
    work.session.flush()
    place = f"below «{parent.title}»" if parent else f"at {_TOP}"
    work.record(
        Event.ORGANISATION_CREATED,
        organisation,
        title=organisation.title,
        external_id=organisation.external_id,
        place=place,
    )
    return organisation


def change(work: Work, command: ChangeOrganisation) -> Organisation:
    """Change and, when the parent is another, move an organisation with everything below it.

    Raises ``Conflict`` when somebody saved it since the form was opened or when its id is taken, ``Refused`` on the
    field for a move into its own branch, below an archived or unknown parent, or deeper than 20 levels.
    """
    tree.hold(work)
    organisation = read.get(work.session, command.organisation_id, command.within)
    values = _checked(work, command, organisation)
    parent = _parent(work, command, organisation.path)
    before: dict[str, Any] = {name: getattr(organisation, name) for name in values}
    changes = _told(work, before, values)
    is_moved = organisation.parent_id != (parent.id if parent else None)
    if not changes and not is_moved:
        return organisation
    rows.save(
        work,
        organisation,
        command.version,
        values | {"updated_at": work.now},
        Event.ORGANISATION_CHANGED,
        "organisation",
    )
    if changes:
        work.record(Event.ORGANISATION_CHANGED, organisation, title=before["title"], changes=changes)
    if is_moved:
        _move(work, organisation, parent)
    return organisation


def archive(work: Work, command: ArchiveOrganisation) -> Organisation:
    """Take it out of use. ``Refused`` while organisations below it are in use or staff hold roles on it."""
    tree.hold(work)
    below = aliased(Organisation)
    won = changed_rows(
        work.session,
        update(Organisation)
        .where(
            Organisation.id == command.organisation_id,
            Organisation.archived_at.is_(None),
            ~exists().where(below.parent_id == command.organisation_id, below.archived_at.is_(None)),
            ~exists().where(StaffGrant.organisation_id == command.organisation_id),
        )
        .values(archived_at=command.at or work.now, updated_at=work.now, version=Organisation.version + 1),
    )
    organisation = read.get(work.session, command.organisation_id)
    if won != 1:
        children, grants = read.hindrances(work.session, organisation.id)
        is_archived = organisation.archived_at is not None
        rules.may_archive(
            organisation.title, is_archived=is_archived, child_count=children, grant_count=grants
        ).require()
        raise _meanwhile()
    work.record(Event.ORGANISATION_ARCHIVED, organisation, title=organisation.title, members=organisation.member_count)
    return organisation


def restore(work: Work, command: RestoreOrganisation) -> Organisation:
    """Take it back into use. ``Refused`` while the one above it is archived."""
    tree.hold(work)
    above = aliased(Organisation)
    won = changed_rows(
        work.session,
        update(Organisation)
        .where(
            Organisation.id == command.organisation_id,
            Organisation.archived_at.is_not(None),
            ~exists().where(above.id == Organisation.parent_id, above.archived_at.is_not(None)),
        )
        .values(archived_at=None, updated_at=work.now, version=Organisation.version + 1),
    )
    organisation = read.get(work.session, command.organisation_id)
    if won != 1:
        parent = work.session.get(Organisation, organisation.parent_id) if organisation.parent_id else None
        rules.may_restore(
            organisation.title,
            is_archived=organisation.archived_at is not None,
            parent_title=_title(parent),
            is_parent_archived=parent is not None and parent.archived_at is not None,
        ).require()
        raise _meanwhile()
    work.record(Event.ORGANISATION_RESTORED, organisation, title=organisation.title)
    return organisation


def _move(work: Work, organisation: Organisation, parent: Organisation | None) -> None:
    height = tree.levels(work, organisation.path)
    rules.may_stand_below(organisation.title, organisation.path, height, _title(parent), _path(parent)).require()
    old = work.session.get(Organisation, organisation.parent_id) if organisation.parent_id else None
    below = tree.move(work, organisation, parent.id if parent else None, _path(parent))
    work.record(
        Event.ORGANISATION_MOVED,
        organisation,
        title=organisation.title,
        before=f"«{old.title}»" if old else _TOP,
        after=f"«{parent.title}»" if parent else _TOP,
        below=below,
    )


def _parent(work: Work, command: OrganisationTerms, own_path: str) -> Organisation | None:
    """The organisation it is to stand below, in use and within reach; None is the top."""
    wanted = command.parent.strip()
    if not wanted:
        if command.within is not None and own_path not in command.within:
            raise Refused(
                "organisation.top",
                "You work in a part of the tree only, so it cannot stand at the top. Enter the id of an organisation in "
                "your part.",
                "parent",
            )
        return _kept(work, own_path, command.within)
    parent = read.find(work.session, wanted, command.within)
    if parent is None:
        own = _kept(work, own_path, command.within)
        if own is not None and own.external_id == wanted:
            return own
        raise rules.unknown(wanted, "parent")
    if rules.ids_in(own_path)[-2:-1] != (parent.id,):
        rules.may_use(parent.title, is_archived=parent.archived_at is not None, field="parent").require()
    return parent


def _kept(work: Work, own_path: str, within: Within) -> Organisation | None:
    """The root of somebody's part stays where it is: what is above it is not theirs to see or change."""
    above = rules.ids_in(own_path)[-2:-1]
    if within is None or own_path not in within or not above:
        return None
    return work.session.get(Organisation, above[0])


def _checked(work: Work, command: OrganisationTerms, own: Organisation | None) -> dict[str, Any]:
    external_id = rules.checked_external_id(command.external_id)
    other = read.find(work.session, external_id)
    if other is not None and (own is None or other.id != own.id):
        raise Conflict(
            "organisation.external_id",
            f"The id «{external_id}» is already that of another organisation; choose another id.",
            "external_id",
        )
    if command.type_id is not None and work.session.get(OrganisationType, command.type_id) is None:
        raise Refused("organisation.type", "Choose one of the types in the list.", "type_id")
    return {
        "external_id": external_id,
        "title": command.title,
        "type_id": command.type_id,
        "timezone": checked_zone(command.timezone) if command.timezone.strip() else "",
        "address": command.address,
        "search_text": rules.search_text(command.title, external_id),
    }


def _told(work: Work, before: dict[str, Any], after: dict[str, Any]) -> str:
    """The changes in words; types by their titles."""
    titles = dict(
        work.session.execute(
            select(OrganisationType.id, OrganisationType.title).where(
                OrganisationType.id.in_({before["type_id"], after["type_id"]} - {None})
            )
        ).all()
    )
    old, new = ({**values, "type": titles.get(values["type_id"])} for values in (before, after))
    return rows.told(_LABELS, old, new)


def _title(organisation: Organisation | None) -> str:
    return organisation.title if organisation else ""


def _path(organisation: Organisation | None) -> str:
    return organisation.path if organisation else ""


def _meanwhile() -> Conflict:
    return Conflict("organisation.changed", "Somebody changed this organisation at the same moment. Try again.")
