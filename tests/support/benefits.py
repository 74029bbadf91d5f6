"""Benefits at the moment and in the zone that benefits.md section 13 is written for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from tests.factories import Factories
from webapp.adapters import randomness
from webapp.domain.benefits import BenefitState, state
from webapp.domain.identity import Actor
from webapp.models import Benefit, BenefitDefinition, Profile, Redemption
from webapp.queries import benefits as read
from webapp.services import benefits
from webapp.services.vouchers import Mint
from webapp.services.work import Work, perform

T = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
MINT = Mint(b"0" * 32, randomness.entropy)
MELBOURNE = "Australia/Melbourne"


@dataclass
class Programme:
    """One definition, two people, somebody who does everything; `at` is where the clock stands."""

    session: Session
    make: Factories
    actor: Actor
    definition: BenefitDefinition
    person: Profile
    other: Profile
    at: datetime = T

    def __post_init__(self) -> None:
        self.receipts = (f"{number:04}" for number in count(1))

    def forward(self, **more: float) -> None:
        self.at += timedelta(**more)

    def do(self, act: Any, command: Any) -> Any:
        """One transaction at `at`."""
        return perform(self.session, self.actor, self.at, lambda work: act(work, command))

    def work(self) -> Work:
        return Work(self.session, self.actor, self.at)

    def issue(self, person: Profile | None = None, **more: Any) -> Benefit:
        who = (person or self.person).id
        command = benefits.IssueBenefit(**{"definition_id": self.definition.id, "profile_id": who, "mint": MINT} | more)
        found: Benefit = self.do(benefits.issue, command)
        return found

    def claim(self, person: Profile | None = None, **more: Any) -> Benefit:
        who = (person or self.person).id
        command = benefits.ClaimBenefit(**{"definition_id": self.definition.id, "profile_id": who, "mint": MINT} | more)
        found: Benefit = self.do(benefits.claim, command)
        return found

    def redeem(self, benefit: Benefit, count: int = 1, **more: Any) -> Redemption:
        command = benefits.RedeemBenefit(benefit.id, next(self.receipts), count, **more)
        found: Redemption = self.do(benefits.redeem, command)
        return found

    def give_back(self, line: Redemption, count: int, note: str = "changed their mind") -> Redemption:
        command = benefits.ReturnRedemption(line.id, next(self.receipts), count, note)
        found: Redemption = self.do(benefits.give_back, command)
        return found

    def reverse(self, line: Redemption, note: str = "wrong customer") -> Redemption:
        command = benefits.ReverseRedemption(line.id, next(self.receipts), note)
        found: Redemption = self.do(benefits.reverse, command)
        return found

    def change(self, **values: object) -> None:
        """Other terms of the definition."""
        for name, value in values.items():
            setattr(self.definition, name, value)
        self.session.commit()

    def state(self, benefit: Benefit) -> BenefitState:
        return state(read.get(self.session, benefit.id).facts, self.at)

    def left(self, benefit: Benefit) -> int | None:
        return read.get(self.session, benefit.id).facts.redemptions_left

    def total(self) -> int:
        self.session.refresh(self.definition)
        return self.definition.total_global_redemptions


def programme(make: Factories, actor: Actor, **changes: object) -> Programme:
    """D: handle d, 30 days, published, assignable, once; P and P2 of Melbourne."""
    definition = make.benefit_definition(**{"name": "Coffee", "handle": "d"} | changes)
    people = [make.profile(zone=MELBOURNE) for _ in range(2)]
    return Programme(make.session, make, actor, definition, *people)
