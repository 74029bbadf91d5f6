"""Which further facts of people are kept: definitions are made once, archived and brought back, never deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from webapp.domain.audit import Event
from webapp.domain.errors import NotFound, Refused
from webapp.domain.identity import handle, handles
from webapp.domain.people import LONGEST_LABEL, AttributeKind
from webapp.models import AttributeDefinition
from webapp.queries import profiles as read
from webapp.services.work import Work, changed_rows

OURS = "postcode"  # a field of every person, kept among their further facts since the first release
MOST = 100  # definitions in use, each a field of the form
MOST_CHOICES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateAttribute:
    """A further fact people may have. ``namespace`` groups facts; ``choices`` are lines, for a choice only."""

    title: str
    namespace: str
    kind: AttributeKind
    choices: str = ""


@dataclass(frozen=True, slots=True)
class ArchiveAttribute:
    """Take a fact off the forms; what people have of it stays. ``at`` is what a file tells, now when left out."""

    definition_id: int
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RestoreAttribute:
    """Put an archived fact on the forms again."""

    definition_id: int


def create_attribute(work: Work, command: CreateAttribute) -> AttributeDefinition:
    """Add a definition named «namespace.handle» after its title; the name never changes.

    Raises ``Refused`` for a choice without at least two different lines, and beyond ``MOST`` definitions in use.
    """
    choices = checked_choices(command.choices) if command.kind is AttributeKind.CHOICE else []
    known = read.definitions(work.session, archived=True)
    if sum(one.archived_at is None for one in known) >= MOST:
        raise Refused("attribute.too_many", f"{MOST} facts are in use, the most there can be; archive one first.")
    taken = {one.name for one in known} | {OURS}
    space = handle(command.namespace, "custom", 30)
    name = next(full for one in handles(command.title, "fact") if (full := f"{space}.{one}"[:80]) not in taken)
    return add(work, name, command.title, command.kind, choices)


def add(work: Work, name: str, title: str, kind: AttributeKind, choices: Sequence[str]) -> AttributeDefinition:
    """Add a definition under a name that is free."""
    definition = AttributeDefinition(name=name, title=title, kind=kind, choices=list(choices), created_at=work.now)
    work.session.add(definition)
    work.session.flush()
    work.record(Event.ATTRIBUTE_CREATED, definition, title=definition.title, kind=str(definition.kind), name=name)
    return definition


def archive_attribute(work: Work, command: ArchiveAttribute) -> AttributeDefinition:
    """Archive a definition that is in use; a second press finds it archived and changes nothing."""
    return _move(work, command.definition_id, Event.ATTRIBUTE_ARCHIVED, command.at or work.now)


def restore_attribute(work: Work, command: RestoreAttribute) -> AttributeDefinition:
    """Bring an archived definition back."""
    return _move(work, command.definition_id, Event.ATTRIBUTE_RESTORED, None)


def _move(work: Work, definition_id: int, event: Event, at: datetime | None) -> AttributeDefinition:
    is_archived = AttributeDefinition.archived_at.is_not(None)
    moved = changed_rows(
        work.session,
        update(AttributeDefinition)
        .where(AttributeDefinition.id == definition_id, ~is_archived if at else is_archived)
        .values(archived_at=at, version=AttributeDefinition.version + 1),
    )
    definition = work.session.get(AttributeDefinition, definition_id, populate_existing=True)
    if definition is None:
        raise NotFound("attribute.unknown", "There is no such fact.")
    if moved:
        work.record(event, definition, title=definition.title)
    return definition


def checked_choices(text: str) -> list[str]:
    """The different lines of ``text``, each trimmed; ``Refused`` when they make no choice."""
    found = list(dict.fromkeys(" ".join(line.split()) for line in text.splitlines() if line.strip()))
    if not 2 <= len(found) <= MOST_CHOICES:
        raise Refused(
            "attribute.choices",
            f"These are {len(found)} different lines; a choice needs 2 to {MOST_CHOICES}, one on each line.",
            "choices",
        )
    if long := next((line for line in found if len(line) > LONGEST_LABEL), ""):
        raise Refused("attribute.choices", f"«{long[:40]}…» is longer than {LONGEST_LABEL} characters.", "choices")
    return found
