"""Benefits of the sample programme: one in every state, redeemed, given back, extended, handed over, refused at a till."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING, Any

from webapp.adapters import randomness
from webapp.demo import targets
from webapp.domain.benefit_batches import Audience
from webapp.domain.permissions import Role
from webapp.domain.redemptions import receipt
from webapp.queries import choices, memberships
from webapp.queries import profiles as read_profiles
from webapp.services import benefits
from webapp.services.benefits import batches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from webapp.demo.programme import Builder
    from webapp.models import Benefit, BenefitBatch, BenefitDefinition, Redemption

_DAY, _HOUR, _MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
_HOLDERS = 12  # people of the draws who hold «Ten pounds off beans»


def build(builder: Builder, definitions: Mapping[str, BenefitDefinition]) -> None:
    """Runs after definitions, people, tiers and locations are there."""
    with builder.sessions() as session:
        captain = memberships.person_named(session, "P-0001")
        known = read_profiles.page(session, None, size=_HOLDERS * builder.factor)
        places = [number for number, _ in choices.locations(session)]
    if captain is None:
        raise AssertionError("the captain is made with the people of the programme")
    counter = Counter(builder, definitions, places)
    _beans(counter, [row.id for row in known[:-1]])
    _captain(counter, captain.id)
    _others(counter, [row.id for row in known])
    while builder.do(Role.EDITOR, timedelta(), benefits.tell_expired):
        pass
    _batches(builder, definitions, [row.external_id or row.email for row in known])
    targets.bounce(builder)


@dataclass(slots=True)
class Counter:
    """Issues and redeems, each at its moment."""

    builder: Builder
    definitions: Mapping[str, BenefitDefinition]
    places: list[int]
    turns: Any = field(init=False)

    def __post_init__(self) -> None:
        self.turns = cycle(self.places)

    def issue(self, handle: str, person: int, ago: timedelta, **more: Any) -> Benefit:
        command = benefits.IssueBenefit(
            definition_id=self.definitions[handle].id, profile_id=person, mint=self.builder.mint, **more
        )
        made = self.builder.do(Role.EDITOR, ago, partial(benefits.issue, command=command))
        targets.post(self.builder, ago)
        return made

    def claim(self, handle: str, person: int, ago: timedelta) -> Benefit:
        command = benefits.ClaimBenefit(
            definition_id=self.definitions[handle].id, profile_id=person, mint=self.builder.mint
        )
        made = self.builder.do(Role.TILL, ago, partial(benefits.claim, command=command))
        targets.post(self.builder, ago)
        return made

    def redeem(self, benefit: Benefit, ago: timedelta, count: int = 1, **more: Any) -> Redemption:
        command = benefits.RedeemBenefit(benefit.id, _receipt(), count, next(self.turns), **more)
        return self.builder.do(Role.TILL, ago, partial(benefits.redeem, command=command))

    def refuse(self, benefit: Benefit, ago: timedelta) -> None:
        command = benefits.RedeemBenefit(benefit.id, _receipt(), 1, next(self.turns))
        self.builder.do(Role.TILL, ago, partial(benefits.attempt, command=command))

    def change(self, act: Any, command: Any, ago: timedelta, role: Role = Role.EDITOR) -> None:
        self.builder.do(role, ago, partial(act, command=command))


def _receipt() -> str:
    return receipt(randomness.entropy)


def _beans(counter: Counter, people: list[int]) -> None:
    """«Ten pounds off beans», three times: active, in part used, used up, given back, extended, handed over, void."""
    held = [counter.issue("ten-off", person, 12 * _DAY + n * _HOUR) for n, person in enumerate(people)]
    counter.redeem(held[0], 5 * _DAY, receipt_ref="S-20418")
    all_used = held[1]
    for number in range(3):
        counter.redeem(all_used, (4 - number) * _DAY)
    counter.refuse(all_used, 3 * _HOUR)
    line = counter.redeem(held[2], 2 * _DAY, 2, note="two bags")
    back = benefits.ReturnRedemption(line.id, _receipt(), 1, "One bag was stale")
    counter.change(benefits.give_back, back, _DAY, Role.TILL)
    slip = counter.redeem(held[3], 50 * _MINUTE)
    wrong = benefits.ReverseRedemption(slip.id, _receipt(), "Scanned for the wrong customer")
    counter.change(benefits.reverse, wrong, 45 * _MINUTE, Role.TILL)
    counter.change(benefits.extend, benefits.ExtendBenefit(held[4].id, extend_days=14, note="On holiday"), 6 * _HOUR)
    counter.change(benefits.reassign, benefits.ReassignBenefit(held[5].id, "P-0002", "A present"), 5 * _HOUR)
    counter.change(benefits.void, benefits.VoidBenefit(held[6].id, "Issued twice by mistake"), 4 * _HOUR)
    gone = counter.issue("ten-off", people[7], 38 * _DAY)
    counter.refuse(gone, 2 * _HOUR)


def _captain(counter: Counter, captain: int) -> None:
    """What the captain claims: a code out of the pool, and a cake eaten today."""
    counter.claim("gold-coffee", captain, 3 * _DAY)
    counter.redeem(counter.claim("birthday-cake", captain, 2 * _HOUR), _HOUR)


def _others(counter: Counter, people: list[int]) -> None:
    """Without a limit, without an end to come, kept back until later, ended and archived."""
    stamps = counter.issue("points-day", people[0], 3 * _DAY)
    for number in range(4):
        counter.redeem(stamps, 2 * _DAY - number * _HOUR)
    counter.issue("points-day", people[1], 30 * _DAY)
    later = counter.builder.now.date() + 9 * _DAY
    counter.issue("trail-fund", people[2], _DAY, issued_on=later, note="For the start of the season")
    counter.issue("summit-night", people[3], _DAY)
    counter.issue("summer-ice", people[4], 20 * _DAY)
    counter.issue("old-stamp", people[5], 20 * _DAY)


def _batches(builder: Builder, definitions: Mapping[str, BenefitDefinition], people: list[str]) -> None:
    """One that was issued, one undone, one checked with lines that name nobody, one that waits for its day."""
    names = "\n".join([*people[5:], "P-0001", "P-0002"])
    beans, fund = definitions["ten-off"].id, definitions["trail-fund"].id
    thanks = batches.PlanBatch(
        definition_id=beans, audience=Audience.LIST, listed=names, excludes_holders=True, note="Thanks for the survey"
    )
    _start(builder, _plan(builder, thanks))
    wrong = _plan(builder, batches.PlanBatch(definition_id=beans, audience=Audience.LIST, listed=", ".join(people[:4])))
    _start(builder, wrong)
    builder.do(Role.EDITOR, timedelta(), partial(batches.undo, command=batches.UndoBatch(wrong.id)))
    builder.drain()
    _plan(
        builder, batches.PlanBatch(definition_id=beans, audience=Audience.LIST, listed=f"{names}\nP-9999\nzoe@nowhere")
    )
    everyone = batches.PlanBatch(
        definition_id=fund,
        audience=Audience.CONDITION,
        condition='{"in": ["rower", {"var": "flattened_tags"}]}',
        issued_on=builder.now.date() + 9 * _DAY,
        on_the_day=True,
    )
    _start(builder, _plan(builder, everyone))


def _plan(builder: Builder, command: batches.PlanBatch) -> BenefitBatch:
    found: BenefitBatch = builder.do(Role.EDITOR, timedelta(), partial(batches.plan, command=command))
    builder.drain()
    return found


def _start(builder: Builder, batch: BenefitBatch) -> None:
    builder.do(Role.EDITOR, timedelta(), partial(batches.start, command=batches.StartBatch(batch.id)))
    builder.drain()
