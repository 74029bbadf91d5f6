"""Create, change, archive and restore targets: the e-mails that notices are sent with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from webapp.domain import placeholders
from webapp.domain.audit import Event
from webapp.domain.condition_reading import parse
from webapp.domain.condition_reading import read as read_condition
from webapp.domain.errors import Conflict, Refused
from webapp.models import Site, Target
from webapp.queries import conditions
from webapp.queries import targets as read
from webapp.services import rows
from webapp.services.work import Work, changed_rows

_LABELS = {"title": "title", "subject": "subject", "body": "text", "condition": "who gets it"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetTerms:
    """What an editor types; ``condition`` is the JSON text of a condition, empty for everybody."""

    title: str
    subject: str
    body: str
    condition: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTarget(TargetTerms):
    """A new target of a site."""

    site_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTarget(TargetTerms):
    """Other words, for everything that is sent from then on; ``version`` is the one the form was drawn from."""

    target_id: int
    version: int


@dataclass(frozen=True, slots=True)
class ArchiveTarget:
    """Send nothing with it any more."""

    target_id: int


@dataclass(frozen=True, slots=True)
class RestoreTarget:
    """Take it out of the archive."""

    target_id: int


def create(work: Work, command: CreateTarget) -> Target:
    """Add a target; ``Refused`` at its field for a placeholder that is not on the list and for a wrong condition."""
    site = work.session.get(Site, command.site_id)
    if site is None:
        raise Refused("site.not_found", "Choose the site this target belongs to.", "site_id")
    values = _columns(work, command, site)
    stamps = {"created_at": work.now, "updated_at": work.now}
    made = rows.add_named(
        work, command.title, "target", lambda name: Target(name=name, site_id=site.id, **values, **stamps)
    )
    work.record(Event.TARGET_CREATED, made, site.id, title=made.title, name=made.name)
    return made


def change(work: Work, command: ChangeTarget) -> Target:
    """Change a target; ``Conflict`` when somebody did since the form was opened."""
    target = read.get(work.session, command.target_id)
    values = _columns(work, command, work.session.get_one(Site, target.site_id))
    before = {name: getattr(target, name) for name in values}
    changes = rows.told(_LABELS, _shown(before), _shown(values))
    if changes:
        event = Event.TARGET_CHANGED
        rows.save(work, target, command.version, values | {"updated_at": work.now}, event, "target")
        work.record(event, target, target.site_id, title=before["title"], changes=changes)
    return target


def archive(work: Work, command: ArchiveTarget) -> Target:
    """Out of use: notices planned with it are left out when they come due. ``Conflict`` when it is archived already."""
    return _move(work, command.target_id, Event.TARGET_ARCHIVED, is_archived=True)


def restore(work: Work, command: RestoreTarget) -> Target:
    """In use again; ``Conflict`` when it is so already."""
    return _move(work, command.target_id, Event.TARGET_RESTORED, is_archived=False)


def _move(work: Work, target_id: int, event: Event, *, is_archived: bool) -> Target:
    was = Target.archived_at.is_(None) if is_archived else Target.archived_at.is_not(None)
    won = changed_rows(
        work.session,
        update(Target)
        .where(Target.id == target_id, was)
        .values(archived_at=work.now if is_archived else None, updated_at=work.now, version=Target.version + 1),
    )
    target = read.get(work.session, target_id)
    if won != 1:
        raise Conflict("target.moved", f"«{target.title}» is so already; somebody was faster. Nothing was changed.")
    work.record(event, target, target.site_id, title=target.title)
    return target


def _columns(work: Work, terms: TargetTerms, site: Site) -> dict[str, Any]:
    placeholders.check(terms.subject, "subject")
    placeholders.check(terms.body, "body")
    try:
        rule = parse(terms.condition)
        read_condition(rule, conditions.variables(work.session), site.timezone)
    except Refused as refused:
        raise Refused(refused.code, refused.message, "condition") from None
    return {"title": terms.title, "subject": terms.subject, "body": terms.body, "condition": rule}


def _shown(values: dict[str, Any]) -> dict[str, Any]:
    rule = values["condition"]
    return values | {"condition": json.dumps(rule, ensure_ascii=False) if rule else ""}
