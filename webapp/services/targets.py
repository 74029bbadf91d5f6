"""Create, change, archive and restore targets: the e-mails and webhooks that notices are sent with."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from webapp.domain import placeholders, webhook_addresses
from webapp.domain.audit import Event
from webapp.domain.condition_reading import parse
from webapp.domain.condition_reading import read as read_condition
from webapp.domain.errors import Conflict, Refused
from webapp.domain.notices import TargetKind
from webapp.domain.webhook_secrets import SecretMaker
from webapp.models import Site, Target
from webapp.queries import conditions
from webapp.queries import targets as read
from webapp.services import rows
from webapp.services.work import Work, changed_rows

_LABELS = {"title": "title", "subject": "subject", "url": "address", "body": "text", "condition": "who gets it"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetTerms:
    """What an editor types: subject and body of an e-mail, or url and payload of a webhook.

    ``condition`` is the JSON text of a condition, empty for everybody; ``listed`` are the hosts inside that the operator
    vouches for, in lower case.
    """

    title: str
    subject: str = ""
    body: str = ""
    url: str = ""
    payload: str = ""
    condition: str = ""
    listed: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTarget(TargetTerms):
    """A new target of a site; ``secrets`` makes the secret of a webhook."""

    site_id: int
    secrets: SecretMaker
    kind: TargetKind = TargetKind.EMAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTarget(TargetTerms):
    """Other words, for everything that is sent from then on; ``version`` is the one the form was drawn from."""

    target_id: int
    version: int


@dataclass(frozen=True, slots=True)
class RenewSecret:
    """Sign with another secret from now on; the one before is good for nothing any more."""

    target_id: int
    secrets: SecretMaker


@dataclass(frozen=True, slots=True)
class ArchiveTarget:
    """Send nothing with it any more."""

    target_id: int


@dataclass(frozen=True, slots=True)
class RestoreTarget:
    """Take it out of the archive."""

    target_id: int


def create(work: Work, command: CreateTarget) -> Target:
    """Add a target; ``Refused`` at its field for a placeholder that is not on the list and for a wrong condition.

    The address of a webhook is judged by its text (benefits.md 13.8 «SSRF»): nothing is asked of any server here.
    """
    site = work.session.get(Site, command.site_id)
    if site is None:
        raise Refused("site.not_found", "Choose the site this target belongs to.", "site_id")
    values = _columns(work, command, command.kind, site)
    stamps = {"created_at": work.now, "updated_at": work.now}
    made = rows.add_named(
        work,
        command.title,
        "target",
        lambda name: Target(
            name=name, site_id=site.id, kind=command.kind, **values, **stamps, **_secret(work, command, name)
        ),
    )
    work.record(Event.TARGET_CREATED, made, site.id, title=made.title, name=made.name)
    return made


def change(work: Work, command: ChangeTarget) -> Target:
    """Change a target; ``Conflict`` when somebody did since the form was opened."""
    target = read.get(work.session, command.target_id)
    values = _columns(work, command, target.kind, work.session.get_one(Site, target.site_id))
    before = {name: getattr(target, name) for name in values}
    changes = rows.told(_LABELS, _shown(before), _shown(values))
    if changes:
        event = Event.TARGET_CHANGED
        rows.save(work, target, command.version, values | {"updated_at": work.now}, event, "target")
        work.record(event, target, target.site_id, title=before["title"], changes=changes)
    return target


def renew_secret(work: Work, command: RenewSecret) -> Target:
    """Make a new secret for a webhook; what is on its way is signed with it. ``Refused`` for an e-mail, which has none."""
    target = read.get(work.session, command.target_id)
    if target.kind is not TargetKind.WEBHOOK:
        raise Refused("target.no_secret", f"«{target.title}» is an e-mail; only webhooks are signed with a secret.")
    work.session.execute(
        update(Target)
        .where(Target.id == target.id)
        .values(secret=command.secrets.make(target.name), secret_made_at=work.now)
        .execution_options(synchronize_session=False)
    )
    work.session.refresh(target)
    work.record(Event.TARGET_RENEWED, target, target.site_id, title=target.title)
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


def _secret(work: Work, command: CreateTarget, name: str) -> dict[str, Any]:
    if command.kind is TargetKind.EMAIL:
        return {}
    return {"secret": command.secrets.make(name), "secret_made_at": work.now}


def _columns(work: Work, terms: TargetTerms, kind: TargetKind, site: Site) -> dict[str, Any]:
    said = _webhook(terms) if kind is TargetKind.WEBHOOK else _email(terms)
    try:
        rule = parse(terms.condition)
        read_condition(rule, conditions.variables(work.session), site.timezone)
    except Refused as refused:
        raise Refused(refused.code, refused.message, "condition") from None
    return {"title": terms.title, "condition": rule} | said


def _email(terms: TargetTerms) -> dict[str, Any]:
    for name, asked in (("subject", "Enter the subject."), ("body", "Enter the text.")):
        if not getattr(terms, name):
            raise Refused("target.empty", asked, name)
        placeholders.check(getattr(terms, name), name)
    return {"subject": terms.subject, "body": terms.body, "url": ""}


def _webhook(terms: TargetTerms) -> dict[str, Any]:
    if not terms.url:
        raise Refused("target.empty", "Enter the address it goes to.", "url")
    webhook_addresses.read(terms.url, terms.listed)
    placeholders.check_payload(terms.payload, "payload")
    return {"subject": terms.title, "body": terms.payload, "url": terms.url}


def _shown(values: dict[str, Any]) -> dict[str, Any]:
    rule = values["condition"]
    return values | {"condition": json.dumps(rule, ensure_ascii=False) if rule else ""}
