"""Reads of targets: one, a page of them, and what is sent with one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from webapp.domain.errors import NotFound
from webapp.domain.notices import NoticeKind, NoticeStatus, TargetKind
from webapp.domain.outbox import OutboxStatus
from webapp.domain.webhook_addresses import host
from webapp.models import (
    Benefit,
    BenefitDefinition,
    BenefitDefinitionVersion,
    Notice,
    OutboxMessage,
    Site,
    Target,
    Voucher,
)
from webapp.queries.exports import flow
from webapp.queries.matching import few

Scope = frozenset[int] | None
PAGE = 50
_USES = {
    NoticeKind.ISSUE: BenefitDefinition.issue_target_id,
    NoticeKind.REMIND: BenefitDefinition.remind_target_id,
    NoticeKind.EXTEND: BenefitDefinition.extend_target_id,
}


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One line of the list; ``used`` is how many definitions send something with it."""

    id: int
    name: str
    title: str
    kind: TargetKind
    subject: str
    host: str  # of a webhook
    site: str
    archived_at: datetime | None
    has_condition: bool
    used: int


@dataclass(frozen=True, slots=True)
class Use:
    """A definition that sends a kind of notice with the target."""

    definition_id: int
    name: str
    kind: NoticeKind


def get(session: Session, target_id: int, scope: Scope = None) -> Target:
    """The target as it stands in the database now; ``NotFound`` outside ``scope``."""
    wanted = select(Target).where(Target.id == target_id, *_within(scope))
    found = session.scalars(wanted.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound("target.unknown", "There is no such target.")
    return found


def sheet(session: Session, target_id: int, scope: Scope) -> tuple[Target, Site]:
    """The target with its site, in one statement; ``NotFound`` outside ``scope``."""
    wanted = select(Target, Site).join(Site, Site.id == Target.site_id).where(Target.id == target_id, *_within(scope))
    found = session.execute(wanted.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound("target.unknown", "There is no such target.")
    return found[0], found[1]


def _within(scope: Scope) -> list[ColumnElement[bool]]:
    return [] if scope is None else [Target.site_id.in_(scope)]


def _of(*, is_archived: bool) -> ColumnElement[bool]:
    return Target.archived_at.is_not(None) if is_archived else Target.archived_at.is_(None)


def page(
    session: Session,
    scope: Scope,
    *,
    search: str = "",
    is_archived: bool = False,
    before: int | None = None,
    size: int = PAGE,
) -> list[TargetRow]:
    """Targets, the newest first, one more than ``size`` when there are further ones; ``before`` is the last id seen."""
    wanted = _rows(scope, search, is_archived=is_archived).order_by(Target.id.desc()).limit(size + 1)
    if before is not None:
        wanted = wanted.where(Target.id < before)
    return [
        TargetRow(
            row.id,
            row.name,
            row.title,
            row.kind,
            row.subject,
            host(row.url),
            site,
            row.archived_at,
            bool(row.condition),
            used,
        )
        for row, site, used in session.execute(wanted)
    ]


def _rows(scope: Scope, search: str, *, is_archived: bool) -> Select[Any]:
    uses = or_(*(column == Target.id for column in _USES.values()))
    used = select(func.count()).select_from(BenefitDefinition).where(uses).correlate(Target).scalar_subquery()
    wanted = select(Target, Site.title, used).join(Site, Site.id == Target.site_id)
    return wanted.where(*_listed(scope, search, is_archived=is_archived))


def _listed(scope: Scope, search: str, *, is_archived: bool) -> list[ColumnElement[bool]]:
    shown = [*_within(scope), _of(is_archived=is_archived)]
    if search:
        found = Target.title.icontains(search, autoescape=True) | Target.subject.icontains(search, autoescape=True)
        found |= Target.url.icontains(search, autoescape=True)
        shown.append(found | (Target.name == search.lower()))
    return shown


def counts(session: Session, scope: Scope) -> tuple[int, int]:
    """How many are in use and how many archived, in one statement."""
    parts = (select(Target.id).where(*_within(scope), _of(is_archived=is_archived)) for is_archived in (False, True))
    in_use, archived = session.execute(few(*parts)).one()
    return in_use, archived


def uses(session: Session, target_id: int, size: int = PAGE) -> list[Use]:
    """The definitions that send something with it, by name."""
    wanted = select(BenefitDefinition).where(or_(*(column == target_id for column in _USES.values())))
    rows = session.scalars(wanted.order_by(BenefitDefinition.name, BenefitDefinition.id).limit(size))
    return [
        Use(row.id, row.name, kind)
        for row in rows
        for kind in NoticeKind
        if getattr(row, f"{kind}_target_id") == target_id
    ]


def sent(session: Session, target_id: int) -> dict[NoticeStatus, int]:
    """How many notices with it stand in each state; an archived target is asked for before it goes."""
    wanted = select(Notice.status, func.count()).where(Notice.target_id == target_id).group_by(Notice.status)
    return {row[0]: row[1] for row in session.execute(wanted)}


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One delivery to a webhook; its words are not among it, they may hold a code."""

    id: int
    created_at: datetime
    status: OutboxStatus
    due_at: datetime
    attempts: int
    sent_at: datetime | None
    error: str
    answer: str


_DELIVERY = [getattr(OutboxMessage, name) for name in DeliveryRow.__dataclass_fields__]


def deliveries(session: Session, target_id: int, size: int = 10) -> list[DeliveryRow]:
    """The last deliveries to a webhook, the newest first."""
    wanted = select(*_DELIVERY).where(OutboxMessage.webhook_id == target_id)
    wanted = wanted.order_by(OutboxMessage.created_at.desc(), OutboxMessage.id.desc()).limit(size)
    return [DeliveryRow(*row) for row in session.execute(wanted)]


def choices(session: Session, scope: Scope) -> list[tuple[int, str]]:
    """Ids and titles of the targets in use, by title, to choose from."""
    wanted = select(Target.id, Target.title, Site.title).join(Site, Site.id == Target.site_id)
    wanted = wanted.where(and_(*_within(scope), _of(is_archived=False))).order_by(Target.title, Target.id).limit(500)
    return [(row[0], f"{row[1]} – {row[2]}") for row in session.execute(wanted)]


def title(session: Session, scope: Scope, target_id: int) -> str | None:
    """The title of a target in scope, and that it is archived if so."""
    wanted = select(Target.title, Target.archived_at).where(and_(*_within(scope), Target.id == target_id))
    row = session.execute(wanted).one_or_none()
    return None if row is None else f"{row[0]}, archived" if row[1] else str(row[0])


EXPORT = ("name", "site", "title", "kind", "url", "subject", "body", "condition", "archived_at")


def stream(session: Session, scope: Scope, search: str, *, is_archived: bool) -> Iterator[tuple[object, ...]]:
    """Targets as ``EXPORT`` names them, as the list shows them; no secret is among it."""
    row = Target
    columns = (row.name, Site.name, row.title, row.kind, row.url, row.subject, row.body, row.condition, row.archived_at)
    wanted = (
        select(*columns).join(Site, Site.id == Target.site_id).where(*_listed(scope, search, is_archived=is_archived))
    )
    for found in flow(session, wanted.order_by(Target.id.desc())):
        *words, condition, archived_at = tuple[Any, ...](found)
        yield (*words, json.dumps(condition) if condition else "", archived_at)


def latest(
    session: Session, target_id: int, profile_id: int
) -> tuple[Benefit, BenefitDefinition, str, Mapping[str, Any]] | None:
    """The person's newest benefit of a definition that sends with the target: with its whole code and its terms."""
    terms = BenefitDefinitionVersion
    wanted = (
        select(Benefit, BenefitDefinition, Voucher.code, terms.terms)
        .join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
        .join(terms, and_(terms.definition_id == Benefit.definition_id, terms.number == Benefit.terms_number))
        .outerjoin(Voucher, Voucher.id == Benefit.voucher_id)
        .where(Benefit.profile_id == profile_id, or_(*(column == target_id for column in _USES.values())))
        .order_by(Benefit.id.desc())
        .limit(1)
    )
    found = session.execute(wanted).one_or_none()
    if found is None:
        return None
    benefit, definition, own, kept = found
    return benefit, definition, benefit.redeem_code_pos or own or definition.redeem_code_pos or "", kept
