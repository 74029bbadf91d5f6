"""Benefits as they stood at an instant, rebuilt from their histories: for pages that look back, never to decide.

What decides reads what stands: a rival may have written a moment after one's own clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select, union_all
from sqlalchemy.orm import Session, aliased

from webapp.domain import benefits as rules
from webapp.domain.benefit_claims import Claim
from webapp.domain.benefits import BenefitFacts
from webapp.domain.redemptions import MOVES_END, BenefitMove
from webapp.models import Benefit, BenefitChange, Profile
from webapp.queries import redemptions as read_ledger
from webapp.queries.benefit_gates import Standing

_TOLD = (*MOVES_END, BenefitMove.VOIDED, BenefitMove.RESTORED, BenefitMove.REASSIGNED)


@dataclass(frozen=True, slots=True)
class Then:
    """A benefit as it stood: its facts, and who held it."""

    facts: BenefitFacts
    holder: int


def facts(session: Session, benefit: Benefit, at: datetime) -> BenefitFacts:
    """The facts of a benefit as they stood at ``at``; of the time to come as they stand now."""
    return _rebuilt(session, [benefit], at)[benefit.id].facts


def standings(session: Session, definition_ids: Collection[int], profile_id: int, at: datetime) -> dict[int, Standing]:
    """What a person had of each of these definitions at ``at``: how many they held, and what they had claimed."""
    own = set(session.scalars(select(Profile.id).where(Profile.merged_into_id == profile_id))) | {profile_id}
    row, other = Benefit, aliased(Benefit)
    theirs = union_all(
        select(other.id).where(other.profile_id == profile_id),
        select(other.id).where(other.claimed_by_id == profile_id),
        select(BenefitChange.benefit_id).where(BenefitChange.profile_id.in_(own)),
    )
    wanted = select(row).where(row.id.in_(theirs), row.definition_id.in_(definition_ids), row.created_at <= at)
    benefits = session.scalars(wanted.order_by(row.id).execution_options(populate_existing=True)).all()
    stood = _rebuilt(session, benefits, at)
    held: dict[int, int] = defaultdict(int)
    claims: dict[int, list[Claim]] = defaultdict(list)
    for benefit in benefits:
        then = stood[benefit.id]
        if then.facts.voided_at is not None:
            continue
        held[benefit.definition_id] += then.holder in own
        if benefit.claimed_by_id == profile_id:
            state = rules.state(then.facts, at)
            claim = Claim(
                benefit.claimed_at or benefit.issued_at,
                state,
                benefit.id,
                is_handed_on=then.holder not in own,
                ends_at=then.facts.expires_at,
            )
            claims[benefit.definition_id].append(claim)
    return {number: Standing(held[number], tuple(claims[number])) for number in definition_ids}


def standing(session: Session, definition_id: int, profile_id: int, at: datetime) -> Standing:
    """The same of one definition."""
    return standings(session, [definition_id], profile_id, at)[definition_id]


def _rebuilt(session: Session, benefits: Sequence[Benefit], at: datetime) -> Mapping[int, Then]:
    ids = [benefit.id for benefit in benefits]
    if not ids:
        return {}
    wanted = select(BenefitChange).where(BenefitChange.benefit_id.in_(ids), BenefitChange.move.in_(_TOLD))
    lines: dict[int, list[BenefitChange]] = defaultdict(list)
    for line in session.scalars(wanted.order_by(BenefitChange.id)):
        lines[line.benefit_id].append(line)
    redeemed = read_ledger.standings(session, ids, at)
    return {one.id: _then(one, lines[one.id], redeemed.get(one.id, 0), at) for one in benefits}


def _then(benefit: Benefit, lines: Sequence[BenefitChange], redeemed: int, at: datetime) -> Then:
    now = benefit.facts
    later = [line for line in lines if line.at > at]
    moved = next((line for line in later if line.move in MOVES_END), None)
    passed = next((line.profile_id for line in later if line.move is BenefitMove.REASSIGNED), None)
    found = replace(
        now,
        voided_at=_voided(now.voided_at, [line for line in lines if line.at <= at], later, at),
        expires_at=moved.ended_at if moved else now.expires_at,
        extended_at=now.extended_at if now.extended_at and now.extended_at <= at else None,
        redeemed=max(0, redeemed),
    )
    return Then(found, passed or benefit.profile_id)


def _voided(
    now: datetime | None, before: Sequence[BenefitChange], later: Sequence[BenefitChange], at: datetime
) -> datetime | None:
    """Since when it was void at ``at``, if it was: a later undoing tells that it was, a later voiding that it was not."""
    turned = (BenefitMove.VOIDED, BenefitMove.RESTORED)
    following = next((line.move for line in later if line.move in turned), None)
    if following is BenefitMove.RESTORED:
        return next((line.at for line in reversed(before) if line.move is BenefitMove.VOIDED), None)
    return now if following is None and now is not None and now <= at else None
