"""Create and change the types that organisations have."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.domain.audit import Event
from webapp.models import OrganisationType
from webapp.queries import organisation_types as read
from webapp.services import rows
from webapp.services.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOrganisationType:
    """A new type; its name, which files use, comes from its title once."""

    title: str


def create(work: Work, command: CreateOrganisationType) -> OrganisationType:
    """Add a type (rewards.md 1.2, OrgType)."""
    kind = rows.add_named(
        work,
        command.title,
        "type",
        lambda name: OrganisationType(name=name, title=command.title, created_at=work.now),
    )
    work.record(Event.ORGANISATION_TYPE_CREATED, kind, title=kind.title, name=kind.name)
    return kind


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOrganisationType:
    """Another title; ``version`` is the one the form was drawn from."""

    organisation_type_id: int
    title: str
    version: int


def change(work: Work, command: ChangeOrganisationType) -> OrganisationType:
    """Give a type another title; ``Conflict`` when somebody did so since the form was opened."""
    kind = read.get(work.session, command.organisation_type_id)
    before = kind.title
    changes = rows.told({"title": "title"}, {"title": before}, {"title": command.title})
    if changes:
        event, noun = Event.ORGANISATION_TYPE_CHANGED, "organisation type"
        rows.save(work, kind, command.version, {"title": command.title}, event, noun)
        work.record(event, kind, title=before, changes=changes)
    return kind
