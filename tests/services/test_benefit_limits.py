"""product.md ruling 4, benefits.md 7.6 and 13.6: limits for one person hold whatever way a benefit comes to them."""

from __future__ import annotations

import pytest

from tests.services.test_benefits import reassign, refused
from tests.support.benefits import programme
from webapp.domain.benefit_claims import ReclaimEvery
from webapp.domain.benefits import BenefitState
from webapp.queries import benefit_gates
from webapp.queries.invariants import INVARIANTS, broken
from webapp.services import benefits


@pytest.fixture
def d(make, actor):
    found = programme(make, actor, is_claimable=True, is_reassignable=True)
    yield found
    found.session.rollback()
    assert {item.name: broken(found.session, item) for item in INVARIANTS if broken(found.session, item)} == {}


def void(d, benefit):
    return d.do(benefits.void, benefits.VoidBenefit(benefit.id, "by mistake"))


def restore(d, benefit):
    return d.do(benefits.restore, benefits.RestoreBenefit(benefit.id))


def held(d, person=None):
    who = (person or d.person).id
    return benefit_gates.standing(d.session, d.definition.id, who, d.at).held


def test_ruling_4_undoing_a_void_gives_nobody_more_than_they_may_get(d):
    d.change(max_per_profile=1)
    first = d.issue()
    void(d, first)
    second = d.issue()
    assert refused("profile_limit_reached", restore, d, first).message == (
        "This person has got Coffee once; 1 is the most for one person."
    )
    assert (held(d), d.state(first)) == (1, BenefitState.VOID)
    void(d, second)
    assert d.state(restore(d, first)) is BenefitState.ACTIVE
    refused("profile_limit_reached", restore, d, second)


def test_ruling_4_undoing_a_void_asks_of_what_came_since_only(d):
    """A limit that was lowered takes nothing back, here as elsewhere."""
    first, _ = d.issue(), d.issue()
    d.change(max_per_profile=1)
    void(d, first)
    restore(d, first)
    assert held(d) == 2


def test_ruling_4_handing_over_gives_nobody_more_than_they_may_get(d):
    d.change(max_per_profile=1)
    d.issue()
    others = d.issue(d.other)
    refusal = refused("profile_limit_reached", reassign, d, others, d.person.external_id, is_confirmed=True)
    assert refusal.field == "person"
    assert (held(d), held(d, d.other)) == (1, 1)


def test_ruling_4_what_was_handed_over_since_counts_when_a_void_is_undone(d):
    d.change(max_per_profile=1)
    first = d.issue()
    void(d, first)
    reassign(d, d.issue(d.other), d.person.external_id)
    refused("profile_limit_reached", restore, d, first)
    assert held(d) == 1


def test_7_6_reclaim_requires_used_holds_when_a_void_is_undone(d):
    d.change(is_reclaimable=True, reclaim_requires_used=True)
    first = d.claim()
    void(d, first)
    second = d.claim()
    assert "claimed another one since" in refused("already_claimed", restore, d, first).message
    d.redeem(second)
    restore(d, first)


def test_7_6_a_claim_used_before_it_was_void_is_in_the_way_of_no_later_one(d):
    d.change(is_reclaimable=True, reclaim_requires_used=True)
    first = d.claim()
    d.redeem(first)
    void(d, first)
    d.claim()
    assert d.state(restore(d, first)) is BenefitState.REDEEMED


def test_7_6_reclaim_every_holds_when_a_void_is_undone(d):
    d.change(is_reclaimable=True, reclaim_every=ReclaimEvery.MONTH, reclaim_requires_used=False)
    first = d.claim()
    void(d, first)
    d.claim()
    refused("already_claimed", restore, d, first)


def test_7_6_of_two_claims_undone_one_after_the_other_one_stands(d):
    d.change(is_reclaimable=True)
    first = d.claim()
    void(d, first)
    second = d.claim()
    void(d, second)
    restore(d, first)
    refused("already_claimed", restore, d, second)
