"""What one person sees among the benefits and may claim of it, at any instant (benefits.md 5.3 «See» and «Claim»)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.domain import benefits as rules
from webapp.domain import condition_rules
from webapp.domain.benefit_claims import looked_at, why_not_again
from webapp.domain.benefits import ClaimFacts, Gate
from webapp.domain.condition_reading import names, read
from webapp.domain.conditions import Variable
from webapp.domain.errors import Refused
from webapp.models import BenefitDefinition, Site
from webapp.queries import benefit_past, conditions, voucher_pool

MOST = 200
Scope = frozenset[int] | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A definition the person sees, and every gate to claim it."""

    definition: BenefitDefinition
    site: Site
    gates: tuple[Gate, ...]

    @property
    def is_claimable(self) -> bool:
        return all(gate.is_open for gate in self.gates)

    @property
    def refusal(self) -> str:
        """Why it cannot be claimed: the first gate that is shut."""
        return next((gate.reason.message for gate in self.gates if gate.reason), "")


def viewable(session: Session, scope: Scope, profile_id: int, at: datetime, zone: str = "") -> list[Offer]:
    """What the person sees at ``at``, newest first, at most ``MOST``; nine statements and one for each list asked for.

    ``zone`` is the person's, in which their days begin as they do when they claim; empty goes by that of each site.
    """
    wanted = select(BenefitDefinition, Site).join(Site, Site.id == BenefitDefinition.site_id)
    wanted = wanted.where(BenefitDefinition.is_published, ~BenefitDefinition.is_archived)
    if scope is not None:
        wanted = wanted.where(BenefitDefinition.site_id.in_(scope))
    rows = session.execute(wanted.order_by(BenefitDefinition.id.desc()).limit(MOST)).all()
    person = _Person(session, profile_id, [row[0] for row in rows], at)
    return [
        Offer(definition, site, person.gates(definition, zone or site.timezone))
        for definition, site in rows
        if person.meets(definition.view_condition, zone or site.timezone)
    ]


class _Person:
    """One person's facts and what they hold of some definitions, asked for once."""

    def __init__(
        self, session: Session, profile_id: int, definitions: Sequence[BenefitDefinition], at: datetime
    ) -> None:
        self.at = at
        asked = [rule for one in definitions for rule in (one.claim_condition, one.view_condition) if rule]
        self.known: Mapping[str, Variable] = conditions.variables(session) if asked else {}
        wanted = {name for rule in asked for name in names(rule) if name in self.known}
        variables = [self.known[name] for name in sorted(wanted)]
        self.facts: dict[str, Any] = (
            conditions.facts(session, [profile_id], variables, at).get(profile_id, {}) if asked else {}
        )
        self.stands = benefit_past.standings(session, [one.id for one in definitions], profile_id, at)
        pools = {one.voucher_type_id for one in definitions if one.voucher_type_id and one.force_allocation}
        self.pools = voucher_pool.has_codes(session, pools, profile_id, at) if pools else set()

    def meets(self, rule: Mapping[str, Any], zone: str) -> bool:
        """Whether the condition holds; one that cannot be read is met by nobody."""
        try:
            return condition_rules.compiled(read(rule, self.known, zone), zone)(self.facts, self.today(zone))
        except Refused:
            return False

    def today(self, zone: str) -> date:
        return self.at.astimezone(ZoneInfo(zone)).date()

    def gates(self, definition: BenefitDefinition, zone: str) -> tuple[Gate, ...]:
        stands = self.stands[definition.id]
        facts = ClaimFacts(
            matches=self.meets(definition.claim_condition, zone),
            why_not_again=why_not_again(definition.reclaim, stands.claims, self.at, zone),
            held=stands.held,
            again=looked_at(definition.reclaim, stands.claims, self.at, zone),
        )
        left = int(definition.voucher_type_id in self.pools)
        return rules.gates_to_claim(replace(definition.facts, codes_left=left), facts, self.at, zone)
