"""What the screens of benefit definitions show beside what is stored: the summary, the impact of an edit, the gates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from webapp.adapters import clock
from webapp.domain import benefit_definitions as rules
from webapp.domain import definition_words
from webapp.domain.benefit_definitions import DefinitionTerms
from webapp.domain.benefits import DefinitionState, Gate
from webapp.domain.condition_reading import parse
from webapp.domain.condition_rules import Told
from webapp.domain.definition_words import Sample
from webapp.domain.errors import Refused
from webapp.domain.terms_compared import LABELS, Difference, differences
from webapp.extensions import db
from webapp.queries import benefit_definitions as read
from webapp.queries import benefit_gates, benefit_past, conditions, voucher_pool
from webapp.queries.benefit_definitions import Reached, Sheet

CONDITIONS = {"claim_condition": "Who may claim it", "view_condition": "Who sees it"}


@dataclass(frozen=True, slots=True)
class Summary:
    """The panel beside the form: sentences, whom the conditions reach, dated notices, and what an edit changes."""

    sentences: list[str]
    reached: dict[str, Reached]
    samples: list[Sample]
    preview_url: str
    impact: Impact | None = None


@dataclass(frozen=True, slots=True)
class Impact:
    """What saving an edit comes to: what differs, and how many benefits that are out keep the terms they have."""

    changes: list[Difference]
    issued: int


def summary(terms: DefinitionTerms, zone: str, preview_url: str, sheet: Sheet | None = None) -> Summary:
    """What these terms come to now; six statements at most."""
    session, now = db.session(), clock.now()
    known = conditions.variables(session) if terms.claim_condition or terms.view_condition else {}
    reached = {}
    for name in CONDITIONS:
        try:
            if rule := parse(getattr(terms, name)):
                reached[name] = read.reach(session, rule, zone, now, known, holders_of=_holders_of(sheet, name, rule))
        except Refused as refused:
            reached[name] = Reached(problem=refused.message)
    words = {name: one.words for name, one in reached.items() if not one.problem}
    impact = Impact(_impact(terms, sheet), sheet.definition.total_global_created) if sheet else None
    return Summary(
        definition_words.in_words(terms, zone, words),
        reached,
        definition_words.samples(terms, zone, now),
        preview_url,
        impact,
    )


def _holders_of(sheet: Sheet | None, name: str, rule: Any) -> int | None:
    """The definition whose holders an edit of its claim condition may leave outside."""
    if sheet is None or name != "claim_condition" or not sheet.definition.total_global_created:
        return None
    return None if rule == sheet.definition.claim_condition else sheet.definition.id


def _impact(terms: DefinitionTerms, sheet: Sheet) -> list[Difference]:
    """What differs from what is saved; a field that cannot be read yet counts as unchanged."""
    definition, zone = sheet.definition, sheet.site.timezone
    before = {name: getattr(definition, name) for name in LABELS}
    after = {field.name: getattr(terms, field.name) for field in fields(DefinitionTerms)}
    start, end = definition_words.window(terms, zone)
    after |= {
        "end_at": terms.validity(zone).end_at,
        "claim_period_start_at": start,
        "claim_period_end_at": end,
        "notify_schedule_offset": terms.notify_schedule_offset or 0,
    }
    readers: tuple[tuple[str, Any], ...] = (
        ("tags", rules.tags_of), ("meta", rules.meta_of), ("claim_condition", parse), ("view_condition", parse),
    )  # fmt: skip
    for name, reader in readers:
        try:
            after[name] = reader(after[name])
        except Refused:
            after[name] = before[name]
    same = {name: value or None for name, value in before.items() if isinstance(value, str | None)}
    return differences(before | same, {name: value or None if name in same else value for name, value in after.items()})


@dataclass(frozen=True, slots=True)
class Tried:
    """A definition for one person at one moment: every gate to claim it, and both conditions node by node."""

    gates: tuple[Gate, ...]
    claims: Told
    sees: Told
    is_shown: bool


def tried(sheet: Sheet, profile_id: int, at: datetime) -> Tried:
    """What somebody would meet who wanted to claim it at ``at``."""
    session, definition, zone = db.session(), sheet.definition, sheet.site.timezone
    claims, sees = read.explained(
        session, (definition.claim_condition, definition.view_condition), profile_id, zone, at
    )
    stands = benefit_past.standing(session, definition.id, profile_id, at)
    has_code = voucher_pool.has_code(session, definition, profile_id, at, zone)
    gates = benefit_gates.to_claim(definition, stands, claims, at, zone, has_code=has_code)
    is_shown = sees.passed and definition.is_published and not definition.is_archived
    return Tried(gates, claims, sees, is_shown)


def tabs(counts: Mapping[DefinitionState | None, str], filters: read.Filters) -> list[dict[str, Any]]:
    """The states of the list with how many are in each."""
    words = {None: "In use"} | {state: state.capitalize() for state in DefinitionState}
    order = (None, DefinitionState.DRAFT, DefinitionState.LIVE, DefinitionState.ENDED, DefinitionState.ARCHIVED)
    return [
        {"label": words[state], "state": state, "count": counts[state], "current": filters.state == state}
        for state in order
    ]
