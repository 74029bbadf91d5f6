"""«Why not», at any instant: what holds and what does not of issuing, claiming and redeeming (peers.md feature 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select, union_all
from sqlalchemy.orm import Session, aliased

from webapp.domain import benefit_acts, condition_reading, condition_rules
from webapp.domain import benefits as rules
from webapp.domain.benefit_claims import Claim, looked_at, why_not_again
from webapp.domain.benefit_dates import BY_TERMS, Days
from webapp.domain.benefits import ClaimFacts, DefinitionFacts, Gate
from webapp.domain.condition_rules import Told
from webapp.domain.redemptions import BenefitMove
from webapp.models import Benefit, BenefitChange, BenefitDefinition
from webapp.queries import benefits as read
from webapp.queries import conditions
from webapp.queries import redemptions as read_ledger

# The moves by which a benefit comes to a person, or comes back.
_COMES = (BenefitMove.ISSUED, BenefitMove.CLAIMED, BenefitMove.REASSIGNED, BenefitMove.RESTORED)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person has of a definition, void ones apart: how many they hold, and in order what they claimed.

    What one claimed and handed on stays one's claim; what one was handed is not.
    """

    held: int
    claims: tuple[Claim, ...]


def standing(session: Session, definition_id: int, profile_id: int, at: datetime) -> Standing:
    """One statement for both; exact after the definition's row was moved in the same transaction."""
    wanted = select(Benefit).where(
        is_of(profile_id, Benefit.definition_id == definition_id), Benefit.voided_at.is_(None)
    )
    rows = session.scalars(wanted.order_by(Benefit.id).execution_options(populate_existing=True)).all()
    return _stands(rows, profile_id, at)


def is_of(profile_id: int, which: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a person holds a benefit or claimed it, of those ``which`` names; either way by an index."""
    row = aliased(Benefit)
    holds, claimed = row.profile_id == profile_id, row.claimed_by_id == profile_id
    return which & Benefit.id.in_(union_all(select(row.id).where(holds), select(row.id).where(claimed)))


def _stands(rows: Sequence[Benefit], profile_id: int, at: datetime) -> Standing:
    """What those benefits, none of them void, come to for a person."""
    return Standing(
        sum(row.profile_id == profile_id for row in rows),
        tuple(
            Claim(
                row.claimed_at or row.issued_at,
                rules.state(row.facts, at),
                row.id,
                is_handed_on=row.profile_id != profile_id,
                ends_at=row.expires_at,
            )
            for row in rows
            if row.claimed_by_id == profile_id
        ),
    )


def come_since_void(session: Session, benefit: Benefit, whose: ColumnElement[bool]) -> frozenset[int]:
    """Benefits of the same definition that stand and came to somebody after this one was made void, by whatever way."""
    line, void = BenefitChange, BenefitMove.VOIDED
    made_void = select(func.max(line.id)).where(line.benefit_id == benefit.id, line.move == void).scalar_subquery()
    wanted = (
        select(Benefit.id)
        .join(line, line.benefit_id == Benefit.id)
        .where(
            Benefit.definition_id == benefit.definition_id,
            whose,
            Benefit.voided_at.is_(None),
            line.move.in_(_COMES),
            line.id > made_void,
        )
    )
    return frozenset(session.scalars(wanted))


def to_issue(
    definition: BenefitDefinition,
    stands: Standing,
    at: datetime,
    zone: str,
    *,
    has_code: bool | None = None,
    days: Days = BY_TERMS,
) -> tuple[Gate, ...]:
    """What must hold to issue the definition to a person at an instant; ``days`` are the first and the last asked for.

    ``has_code`` is ``voucher_pool.has_code`` of them; without it the counter of the pool is believed, as by those who
    take the code next and are refused there.
    """
    facts = _with_code(definition.facts, has_code=has_code)
    return rules.gates_to_issue(facts, at, zone, held=stands.held, days=days)


def to_claim(
    definition: BenefitDefinition,
    stands: Standing,
    told: Told,
    at: datetime,
    zone: str,
    *,
    has_code: bool | None = None,
) -> tuple[Gate, ...]:
    """What must hold for a person to claim it at an instant; ``told`` is ``condition`` of them, ``has_code`` as above."""
    person = ClaimFacts(
        matches=told.passed,
        why_not_again=why_not_again(definition.reclaim, stands.claims, at, zone),
        held=stands.held,
        again=looked_at(definition.reclaim, stands.claims, at, zone),
    )
    return rules.gates_to_claim(_with_code(definition.facts, has_code=has_code), person, at, zone)


def _with_code(facts: DefinitionFacts, *, has_code: bool | None) -> DefinitionFacts:
    return facts if has_code is None else replace(facts, codes_left=int(has_code))


def to_redeem(session: Session, benefit_id: int, at: datetime, *, count: int = 1) -> tuple[Gate, ...]:
    """What must hold to redeem ``count`` of a benefit at an instant."""
    benefit = read.get(session, benefit_id)
    definition = session.get_one(BenefitDefinition, benefit.definition_id, populate_existing=True)
    return rules.gates_to_redeem(
        definition.facts, benefit.facts, count, at, last_use=read_ledger.told_last(session, benefit)
    )


def to_extend(session: Session, rows: Sequence[read.BenefitRow]) -> dict[int, str]:
    """Of these benefits by id: why one cannot be extended, or an empty text."""
    wanted = select(BenefitDefinition).where(BenefitDefinition.id.in_({row.definition_id for row in rows}))
    known = {one.id: one.facts for one in session.scalars(wanted.execution_options(populate_existing=True))}
    found = {}
    for row in rows:
        gates = benefit_acts.gates_to_extend(known[row.definition_id], row.facts)
        found[row.id] = next((gate.reason.message for gate in gates if gate.reason), "")
    return found


def condition(session: Session, definition: BenefitDefinition, profile_id: int, at: datetime, zone: str) -> Told:
    """The claim condition of a definition, part by part, for one person."""
    if not definition.claim_condition:
        return Told("everyone", passed=True)
    variables = conditions.variables(session)
    node = condition_reading.read(definition.claim_condition, variables, zone)
    asked = [variables[name] for name in condition_reading.names(definition.claim_condition)]
    facts = conditions.facts(session, [profile_id], asked, at) if asked else {}
    today = at.astimezone(ZoneInfo(zone)).date()
    return condition_rules.explained(node, facts.get(profile_id, {}), today, zone)
