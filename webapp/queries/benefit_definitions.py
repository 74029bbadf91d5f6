"""Reads of benefit definitions: the list, one with all its page shows, its versions, what its conditions come to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, not_, or_, select
from sqlalchemy.orm import Session, aliased

from webapp.domain import condition_rules
from webapp.domain.benefits import BenefitType, DefinitionState, definition_state
from webapp.domain.condition_reading import names, read
from webapp.domain.condition_rules import Told
from webapp.domain.conditions import Variable
from webapp.domain.definition_words import valid_for
from webapp.domain.errors import NotFound, Refused
from webapp.domain.rewards import RewardKind
from webapp.models import (
    Benefit,
    BenefitBatch,
    BenefitDefinition,
    BenefitDefinitionVersion,
    Profile,
    Reward,
    Site,
    Target,
    VoucherType,
)
from webapp.queries import conditions
from webapp.queries.benefits import is_usable
from webapp.queries.exports import flow
from webapp.queries.matching import few

PAGE = 50
Scope = frozenset[int] | None
VERSIONS = 30


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; ``state`` None is everything but the archived."""

    search: str = ""
    state: DefinitionState | None = None
    type: BenefitType | None = None
    tag: str = ""
    campaign: str = ""


@dataclass(frozen=True, slots=True)
class DefinitionRow:
    """One line of the list."""

    definition: BenefitDefinition
    site: str
    state: DefinitionState
    valid: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A definition with everything its page shows."""

    definition: BenefitDefinition
    site: Site
    same_campaign: int

    @property
    def codes_total(self) -> int:
        """How many codes its voucher type ever had; 0 without one."""
        kind = self.definition.voucher_type
        return 0 if kind is None else _all_codes(kind)


def _all_codes(kind: VoucherType) -> int:
    return kind.idle_count + kind.allocated_count + kind.pending_count + kind.redeemed_count + kind.cancelled_count


def held(session: Session, definition_id: int) -> BenefitDefinition:
    """The definition, whose row nobody changes and nothing begins to refer to until the end of the transaction."""
    session.execute(select(BenefitDefinition.id).where(BenefitDefinition.id == definition_id).with_for_update())
    return get(session, definition_id)


def batch_count(session: Session, definition_id: int) -> int:
    """How many batches were ever planned for it, whatever became of them."""
    wanted = select(func.count()).select_from(BenefitBatch).where(BenefitBatch.definition_id == definition_id)
    return int(session.scalar(wanted) or 0)


def get(session: Session, definition_id: int, scope: Scope = None) -> BenefitDefinition:
    """The definition as it stands in the database now; ``NotFound`` outside ``scope``."""
    wanted = select(BenefitDefinition).where(BenefitDefinition.id == definition_id, *_within(scope))
    found = session.scalars(wanted.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise _missing()
    return found


def sheet(session: Session, definition_id: int, scope: Scope) -> Sheet:
    """The definition with its site and how many share its campaign, in one statement; ``NotFound`` outside ``scope``."""
    other = BenefitDefinition.__table__.alias("other")
    same = select(func.count()).where(other.c.campaign == BenefitDefinition.campaign).correlate(BenefitDefinition)
    wanted = select(BenefitDefinition, Site, same.scalar_subquery()).join(Site, Site.id == BenefitDefinition.site_id)
    wanted = wanted.where(BenefitDefinition.id == definition_id, *_within(scope))
    found = session.execute(wanted.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise _missing()
    return Sheet(found[0], found[1], found[2])


def id_of(session: Session, handle: str, scope: Scope) -> int:
    """The id of the definition with this handle, in large or small letters; ``NotFound`` outside ``scope``."""
    wanted = select(BenefitDefinition.id).where(BenefitDefinition.handle == handle.lower(), *_within(scope))
    found = session.scalar(wanted)
    if found is None:
        raise _missing()
    return found


def holder_of(session: Session, handle: str) -> int | None:
    """The id of the definition that has this handle, wherever it is: a handle is used once for all sites."""
    return session.scalar(select(BenefitDefinition.id).where(BenefitDefinition.handle == handle))


def _missing() -> NotFound:
    return NotFound("definition.not_found", "There is no such benefit definition.")


def _within(scope: Scope) -> list[ColumnElement[bool]]:
    return [] if scope is None else [BenefitDefinition.site_id.in_(scope)]


def page(
    session: Session, scope: Scope, filters: Filters, now: datetime, *, before: int | None = None, size: int = PAGE
) -> list[DefinitionRow]:
    """Definitions, newest first, one more than ``size`` when there are further ones; ``before`` is the last id seen."""
    wanted = select(BenefitDefinition, Site).join(Site, Site.id == BenefitDefinition.site_id)
    wanted = wanted.where(*_listed(scope, filters, now)).order_by(BenefitDefinition.id.desc()).limit(size + 1)
    if before is not None:
        wanted = wanted.where(BenefitDefinition.id < before)
    return [
        DefinitionRow(found, site.title, definition_state(found.facts, now), valid_for(found.validity, site.timezone))
        for found, site in session.execute(wanted)
    ]


def _listed(scope: Scope, filters: Filters, now: datetime) -> list[ColumnElement[bool]]:
    shown = _within(scope)
    if filters.search:
        text = filters.search
        shown.append(
            BenefitDefinition.name.icontains(text, autoescape=True)
            | (BenefitDefinition.handle == text.lower())
            | (BenefitDefinition.external_id == text)
        )
    if filters.type is not None:
        shown.append(BenefitDefinition.type == filters.type)
    if filters.campaign:
        shown.append(BenefitDefinition.campaign == filters.campaign)
    if filters.tag:
        shown.append(_tagged(filters.tag))
    shown.append(_in_state(filters.state, now))
    return shown


def _tagged(tag: str) -> ColumnElement[bool]:
    """Whether it has this tag: as our JSON writes it, with quotation marks on both sides."""
    return and_(cast(BenefitDefinition.tags, String).contains(json.dumps(tag), autoescape=True))


def _in_state(state: DefinitionState | None, now: datetime) -> ColumnElement[bool]:
    """The same order as ``domain.benefits.definition_state``."""
    archived: ColumnElement[bool] = BenefitDefinition.is_archived.is_(True)
    ended = and_(BenefitDefinition.end_at.is_not(None), BenefitDefinition.end_at < now)
    going = and_(not_(archived), or_(BenefitDefinition.end_at.is_(None), BenefitDefinition.end_at >= now))
    return {
        None: not_(archived),
        DefinitionState.ARCHIVED: archived,
        DefinitionState.ENDED: and_(not_(archived), ended),
        DefinitionState.LIVE: and_(going, BenefitDefinition.is_published.is_(True)),
        DefinitionState.DRAFT: and_(going, BenefitDefinition.is_published.is_(False)),
    }[state]


def counts(session: Session, scope: Scope, now: datetime) -> dict[DefinitionState | None, int]:
    """How many there are for each tab, in one statement; None is all but the archived."""
    states = (None, *DefinitionState)
    parts = (select(BenefitDefinition.id).where(*_within(scope), _in_state(state, now)) for state in states)
    return dict(zip(states, session.execute(few(*parts)).one(), strict=True))


def versions(session: Session, definition_id: int, size: int = VERSIONS) -> list[BenefitDefinitionVersion]:
    """The newest versions of its terms, newest first."""
    of = BenefitDefinitionVersion
    wanted = select(of).where(of.definition_id == definition_id).order_by(of.number.desc()).limit(size)
    return list(session.scalars(wanted))


def version(session: Session, definition_id: int, number: int) -> BenefitDefinitionVersion:
    """One version of its terms, or ``NotFound``."""
    found = session.get(BenefitDefinitionVersion, (definition_id, number))
    if found is None:
        raise NotFound("definition.no_version", "This definition has no such version.")
    return found


def draws(session: Session, site_id: int) -> list[tuple[str, str, str]]:
    """Names, titles and states of the newest prize draws of a site: what a competition can lead to."""
    wanted = select(Reward.name, Reward.title, Reward.status).where(
        Reward.site_id == site_id, Reward.kind == RewardKind.PRIZE_DRAW
    )
    return [(row[0], row[1], str(row[2])) for row in session.execute(wanted.order_by(Reward.id.desc()).limit(10))]


@dataclass(frozen=True, slots=True)
class Reached:
    """A condition in words and how many people meet it; ``problem`` when it cannot be read.

    Of those who hold a benefit of the definition they can still use, ``keeping`` out of ``holding`` meet it.
    """

    words: str = "everyone"
    matched: int | None = None
    total: int | None = None
    problem: str = ""
    holding: int = 0
    keeping: int = 0


def reach(
    session: Session,
    rule: Mapping[str, Any],
    zone: str,
    now: datetime,
    known: Mapping[str, Variable] | None = None,
    *,
    holders_of: int | None = None,
) -> Reached:
    """What a condition that can be read says, and how many of all people meet it at ``now``.

    With ``holders_of``, the id of a definition, also how many of those who hold one of its benefits.
    """
    node = read(rule, conditions.variables(session) if known is None else known, zone)
    matched, total = conditions.count(session, node, now, zone)
    keeping, holding = 0, 0
    if holders_of is not None:
        usable = select(Benefit.profile_id).where(Benefit.definition_id == holders_of, is_usable(now))
        keeping, holding = conditions.count(session, node, now, zone, [Profile.id.in_(usable)])
    return Reached(condition_rules.in_words(node), matched, total, holding=holding, keeping=keeping)


def known(session: Session, definition: BenefitDefinition) -> dict[str, Variable]:
    """What conditions may ask for, when this definition has any; nothing is asked of the database otherwise."""
    return conditions.variables(session) if definition.claim_condition or definition.view_condition else {}


def in_words(rule: Mapping[str, Any], known: Mapping[str, Variable], zone: str) -> str:
    """What a saved condition says; one that names what is no longer known says so."""
    try:
        return condition_rules.in_words(read(rule, known, zone))
    except Refused as refused:
        return f"nobody, because the condition cannot be read: {refused.message}"


def explained(
    session: Session, rules: Sequence[Mapping[str, Any]], profile_id: int, zone: str, now: datetime
) -> list[Told]:
    """Conditions for one person at ``now``, node by node; what they ask for is asked once."""
    known = conditions.variables(session) if any(rules) else {}
    asked = {name for rule in rules for name in names(rule) if name in known}
    facts = conditions.facts(session, [profile_id], [known[name] for name in sorted(asked)], now) if asked else {}
    today = now.astimezone(ZoneInfo(zone)).date()
    return [_explained(rule, known, facts.get(profile_id, {}), today, zone) for rule in rules]


def _explained(
    rule: Mapping[str, Any], known: Mapping[str, Variable], facts: Mapping[str, Any], today: date, zone: str
) -> Told:
    try:
        return condition_rules.explained(read(rule, known, zone), facts, today, zone)
    except Refused as refused:
        return Told(f"cannot be read, so nobody meets it: {refused.message}", passed=False)


_EXPORTED: dict[str, Any] = {
    "handle": BenefitDefinition.handle,
    "site": Site.name,
    "voucher_type": VoucherType.code,
}
_TARGETS = {kind: aliased(Target) for kind in ("issue", "remind", "extend")}
_EXPORTED |= {f"{kind}_target": target.name for kind, target in _TARGETS.items()}
_INSIDE = {f"{kind}_target_id" for kind in _TARGETS}
_INSIDE |= {"id", "site_id", "voucher_type_id", "internal_notes", "created_by_id", "terms_number", "version"}
_EXPORTED |= {
    column.key: getattr(BenefitDefinition, column.key)
    for column in BenefitDefinition.__table__.columns
    if column.key not in _INSIDE and column.key not in _EXPORTED
}
EXPORT = tuple(_EXPORTED)


def stream(session: Session, scope: Scope, filters: Filters, now: datetime) -> Iterator[tuple[object, ...]]:
    """Definitions as ``EXPORT`` names them, as the list shows them; internal notes stay inside."""
    return _stream(session, *_listed(scope, filters, now))


def stream_all(session: Session) -> Iterator[tuple[object, ...]]:
    """Every definition, the archived ones too."""
    return _stream(session)


def told(session: Session, *shown: ColumnElement[bool]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Ids and what ``EXPORT`` names, nothing written as text yet."""
    for row in session.execute(_exported(*shown).add_columns(BenefitDefinition.id)):
        yield row[-1], dict(zip(EXPORT, row[:-1], strict=True))


def _stream(session: Session, *shown: ColumnElement[bool]) -> Iterator[tuple[object, ...]]:
    for row in flow(session, _exported(*shown)):
        yield tuple(_json(cell) if isinstance(cell, dict | list) else cell for cell in row)


def _json(cell: dict[str, Any] | list[Any]) -> str:
    """As short as can be: what was typed as it fits may be longer with blanks, and an import keeps the same limit."""
    return json.dumps(cell, ensure_ascii=False, separators=(",", ":"))


def _exported(*shown: ColumnElement[bool]) -> Select[Any]:
    wanted: Select[Any] = select(*_EXPORTED.values()).select_from(BenefitDefinition)
    wanted = wanted.join(Site, Site.id == BenefitDefinition.site_id)
    wanted = wanted.outerjoin(VoucherType, VoucherType.id == BenefitDefinition.voucher_type_id)
    for kind, target in _TARGETS.items():
        wanted = wanted.outerjoin(target, target.id == getattr(BenefitDefinition, f"{kind}_target_id"))
    return wanted.where(*shown).order_by(BenefitDefinition.id.desc())
