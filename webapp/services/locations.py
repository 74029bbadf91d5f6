"""Create, change and close locations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from webapp.domain import locations as rules
from webapp.domain import organisations as organisation_rules
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict
from webapp.domain.sites import checked_zone
from webapp.models import Location, Organisation
from webapp.queries import locations as read
from webapp.queries import organisations as read_organisations
from webapp.queries.subtrees import Within
from webapp.services import rows
from webapp.services.work import Work, changed_rows

_LABELS = {
    "external_id": "id",
    "title": "title",
    "timezone": "time zone",
    "organisation": "organisation",
    "is_published": "shown to people",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationTerms:
    """What an editor types. ``organisation`` is the id files know it by, empty for none; an empty zone is the account's.

    ``within`` are the subtrees the editor works in: the organisation must lie in one of them.
    """

    external_id: str
    title: str
    timezone: str = ""
    organisation: str = ""
    is_published: bool = True
    within: Within = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateLocation(LocationTerms):
    """A new location."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLocation(LocationTerms):
    """Other words; ``version`` is the one the form was drawn from."""

    location_id: int
    version: int


@dataclass(frozen=True, slots=True)
class CloseLocation:
    """Close it for good: this is not taken back."""

    location_id: int


def create(work: Work, command: CreateLocation) -> Location:
    """Add a location. ``Conflict`` when its id is taken, ``Refused`` on the field that cannot be."""
    values = _checked(work, command, None)
    location = Location(created_at=work.now, updated_at=work.now, **values)
    work.session.add(location)
    work.session.flush()
    work.record(Event.LOCATION_CREATED, location, title=location.title, external_id=location.external_id)
    return location


def change(work: Work, command: ChangeLocation) -> Location:
    """Change a location that is open; ``Conflict`` when somebody else did since the form was opened."""
    sheet = read.sheet(work.session, command.location_id, command.within)
    location = sheet.location
    rules.may_change(location.title, is_closed=location.closed_at is not None).require()
    values = _checked(work, command, location)
    before: dict[str, Any] = {name: getattr(location, name) for name in values}
    changes = rows.told(_LABELS, _named(work, before), _named(work, values))
    if changes:
        event = Event.LOCATION_CHANGED
        rows.save(work, location, command.version, values | {"updated_at": work.now}, event, "location")
        work.record(event, location, title=before["title"], changes=changes)
    return location


def close(work: Work, command: CloseLocation) -> Location:
    """Close it for good; ``Refused`` when it is closed already (benefits.md 2.8, is_permanently_closed)."""
    won = changed_rows(
        work.session,
        update(Location)
        .where(Location.id == command.location_id, Location.closed_at.is_(None))
        .values(closed_at=work.now, updated_at=work.now, version=Location.version + 1),
    )
    location = read.sheet(work.session, command.location_id).location
    if won != 1:
        rules.may_close(location.title, is_closed=True).require()
    work.record(Event.LOCATION_CLOSED, location, title=location.title)
    return location


def _checked(work: Work, command: LocationTerms, own: Location | None) -> dict[str, Any]:
    external_id = organisation_rules.checked_external_id(command.external_id, "location")
    other = read.find(work.session, external_id)
    if other is not None and (own is None or other.id != own.id):
        sentence = f"The id «{external_id}» is already that of another location; choose another id."
        raise Conflict("location.external_id", sentence, "external_id")
    return {
        "external_id": external_id,
        "title": command.title,
        "timezone": checked_zone(command.timezone) if command.timezone.strip() else "",
        "organisation_id": _organisation(work, command, own.organisation_id if own else None),
        "is_published": command.is_published,
        "search_text": organisation_rules.search_text(command.title, external_id),
    }


def _organisation(work: Work, command: LocationTerms, own_id: int | None) -> int | None:
    wanted = command.organisation.strip()
    if not wanted and command.within is None:
        return None
    found = read_organisations.find(work.session, wanted, command.within)
    if found is None:
        raise organisation_rules.unknown(wanted, "organisation")
    if found.id != own_id:
        is_archived = found.archived_at is not None
        organisation_rules.may_use(found.title, is_archived=is_archived, field="organisation").require()
    return found.id


def _named(work: Work, values: dict[str, Any]) -> dict[str, Any]:
    """The values as the audit log tells them: the organisation by its title."""
    organisation = work.session.get(Organisation, values["organisation_id"]) if values["organisation_id"] else None
    published = "yes" if values["is_published"] else "no"
    return values | {"organisation": organisation.title if organisation else "", "is_published": published}
