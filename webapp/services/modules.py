"""Create, change and archive modules, and record who completed them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update

from webapp.domain import groups as people_rules
from webapp.domain import modules as rules
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, Refused
from webapp.domain.modules import LapseUnit
from webapp.domain.profiles import email_key
from webapp.domain.timing import day_starts
from webapp.models import Completion, Module, Site
from webapp.queries import memberships as read_people
from webapp.queries import modules as read
from webapp.services import rows
from webapp.services.module_rows import CompletionRow, ModuleRow, complete, put, take_back
from webapp.services.work import Work, changed_rows

__all__ = [
    "ArchiveModule",
    "ChangeModule",
    "CompletionRow",
    "CreateModule",
    "ModuleRow",
    "ModuleTerms",
    "RecordCompletion",
    "RestoreModule",
    "archive",
    "change",
    "complete",
    "create",
    "put",
    "record",
    "restore",
    "take_back",
]
_LABELS = {"title": "title", "lapses_after": "lapses after", "lapses_unit": "counted in"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleTerms:
    """What an editor types. A completion lapses ``lapses_after`` ``lapses_unit`` after it was made, or never."""

    title: str
    lapses_after: int | None
    lapses_unit: LapseUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateModule(ModuleTerms):
    """A new module of a site; its path never changes."""

    site_id: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeModule(ModuleTerms):
    """Other terms; ``version`` is the one the form was drawn from."""

    module_id: int
    version: int


@dataclass(frozen=True, slots=True)
class ArchiveModule:
    """Take a module out of use, now or as of ``at``; its completions stay and lapse as they would have."""

    module_id: int
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RestoreModule:
    """Take an archived module back into use."""

    module_id: int


@dataclass(frozen=True, slots=True)
class RecordCompletion:
    """``person`` is a member id or an e-mail; ``completed_on`` a local day of the site; ``score`` per cent."""

    module_id: int
    person: str
    completed_on: date
    score: int | None


def create(work: Work, command: CreateModule) -> Module:
    """Add a module to a site. ``Conflict`` when its path is taken there, ``Refused`` when it cannot be one."""
    site = work.session.get(Site, command.site_id)
    if site is None:
        raise Refused("site.unknown", "Choose one of the sites in the list.", "site_id")
    path = rules.checked_path(command.path)
    if work.session.scalar(select(Module.id).where(Module.site_id == site.id, Module.path == path)):
        raise Conflict(
            "module.path", f"«{path}» is already the path of another module on {site.title}; choose another.", "path"
        )
    module = Module(site_id=site.id, path=path, created_at=work.now, **_values(command))
    work.session.add(module)
    work.session.flush()
    work.record(Event.MODULE_CREATED, module, site.id, title=module.title, path=rules.reference(site.name, path))
    return module


def change(work: Work, command: ChangeModule) -> Module:
    """Change a module for completions made from now on; those there keep the end they were given."""
    module = read.sheet(work.session, command.module_id).module
    values = _values(command)
    before: dict[str, Any] = {name: getattr(module, name) for name in values}
    changes = rows.told(_LABELS, before, values)
    if changes:
        rows.save(work, module, command.version, values, Event.MODULE_CHANGED, "module")
        work.record(Event.MODULE_CHANGED, module, module.site_id, title=before["title"], changes=changes)
    return module


def archive(work: Work, command: ArchiveModule) -> Module:
    """Take it out of use: nothing is completed any more; what was completed still counts."""
    won = _set_archived(work, command.module_id, archived_at=command.at or work.now)
    module = read.sheet(work.session, command.module_id).module
    if not won:
        raise Refused("module.archived", f"The module «{module.title[:60]}» is archived already.")
    work.record(Event.MODULE_ARCHIVED, module, module.site_id, title=module.title, completions=module.completion_count)
    return module


def restore(work: Work, command: RestoreModule) -> Module:
    """Take it back into use."""
    won = _set_archived(work, command.module_id, archived_at=None)
    module = read.sheet(work.session, command.module_id).module
    if not won:
        raise Refused("module.not_archived", f"The module «{module.title[:60]}» is not archived.")
    work.record(Event.MODULE_RESTORED, module, module.site_id, title=module.title)
    return module


def record(work: Work, command: RecordCompletion) -> Completion:
    """Note that somebody completed the module on a day; the end is fixed now, by the module's rule of today.

    Raises ``Refused`` on its field for an archived module, an unknown person or a day to come, ``Conflict`` when the
    person completed it on that day already.
    """
    won = changed_rows(
        work.session,
        update(Module)
        .where(Module.id == command.module_id, Module.archived_at.is_(None))
        .values(completion_count=Module.completion_count + 1),
    )
    sheet = read.sheet(work.session, command.module_id)
    module, zone = sheet.module, sheet.site.timezone
    at = day_starts(command.completed_on, zone) or work.now
    rules.may_complete(module.title, is_archived=not won, completed_at=at, now=work.now).require()
    score, typed = rules.checked_score(command.score), command.person.strip()
    person = read_people.people(work.session, [typed], [email_key(typed)]).find(typed, typed)
    if person is None:
        raise people_rules.unknown_person(typed)
    same = (Completion.module_id == module.id, Completion.profile_id == person, Completion.completed_at == at)
    if work.session.scalar(select(Completion.id).where(*same)) is not None:
        raise rules.completed_already(typed, module.title)
    completion = Completion(
        module_id=module.id,
        profile_id=person,
        completed_at=at,
        score=score,
        lapses_at=rules.lapses_at(at, module.lapses_after, module.lapses_unit, zone),
    )
    work.session.add(completion)
    work.session.flush()
    day = command.completed_on.isoformat()
    work.record(Event.MODULE_COMPLETED, module, module.site_id, person=str(person), title=module.title, day=day)
    return completion


def _values(command: ModuleTerms) -> dict[str, Any]:
    return {name: getattr(command, name) for name in _LABELS}


def _set_archived(work: Work, module_id: int, *, archived_at: datetime | None) -> bool:
    was = Module.archived_at.is_(None) if archived_at else Module.archived_at.is_not(None)
    statement = update(Module).where(Module.id == module_id, was)
    return changed_rows(work.session, statement.values(archived_at=archived_at, version=Module.version + 1)) == 1
