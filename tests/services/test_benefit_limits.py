"""product.md ruling 4, benefits.md 7.6 and 13.6: limits for one person hold whatever way a benefit comes to them."""

from __future__ import annotations

import pytest

from tests.services.test_benefits import reassign, refused
from tests.support.benefits import programme
from webapp.domain.benefit_claims import ReclaimEvery
from webapp.domain.benefits import BenefitState
from webapp.queries import benefit_gates, benefit_offers
from webapp.queries.invariants import INVARIANTS, broken
from webapp.services import benefits, profiles


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


@pytest.fixture
def given_on(d):
    """Claimed by P and handed over to P2."""
    return reassign(d, d.claim(), d.other.external_id)


def test_13_6_reassign_leaves_the_claim_with_whoever_claimed(d, given_on):
    assert (given_on.profile_id, given_on.claimed_by_id) == (d.other.id, d.person.id)
    assert "claimed it on 1 March 2026" in refused("already_claimed", d.claim).message
    assert d.claim(d.other).claimed_by_id == d.other.id
    refused("already_claimed", d.claim, d.other)


def test_13_6_reassign_to_one_who_claimed_needs_a_word_and_to_one_who_was_handed_it_does_not(d, given_on):
    reassign(d, d.issue(), d.other.external_id)
    reassign(d, given_on, d.person.external_id, is_confirmed=True)
    assert benefit_gates.standing(d.session, d.definition.id, d.other.id, d.at).claims == ()


def test_5_9_the_list_of_offers_says_of_a_claim_handed_on_what_the_press_says(d, given_on):
    def offered(person):
        [offer] = benefit_offers.viewable(d.session, None, person.id, d.at)
        return [gate.reason.code for gate in offer.gates if gate.reason]

    assert offered(d.person) == [refused("already_claimed", d.claim).code]
    assert offered(d.other) == []


def test_7_6_reclaim_requires_used_of_a_claim_handed_on(d, given_on):
    d.change(is_reclaimable=True)
    assert "handed on the one of 1 March 2026" in refused("already_claimed", d.claim).message
    d.redeem(given_on)
    d.claim()


def test_13_6_void_undo_of_a_claim_that_was_handed_to_one_who_claimed(d):
    d.claim(d.other)
    mine = d.claim()
    reassign(d, mine, d.other.external_id, is_confirmed=True)
    key = mine.claim_key
    assert void(d, mine).claim_key is None
    back = restore(d, mine)
    assert (d.state(back), back.claim_key, back.freed_claim_key) == (BenefitState.ACTIVE, key, None)
    refused("already_claimed", d.claim)


def test_13_6_void_undo_of_a_claim_handed_on_asks_whoever_claimed_it(d, given_on):
    void(d, given_on)
    d.claim()
    assert "claimed another one since" in refused("already_claimed", restore, d, given_on).message


def test_13_6_void_undo_puts_back_the_key_whatever_the_terms_are_by_then(d):
    first = d.claim()
    key = first.claim_key
    void(d, first)
    d.change(is_reclaimable=True)
    assert restore(d, first).claim_key == key


def test_7_6_merge_moves_what_somebody_claimed_and_handed_on(d, given_on):
    winner = d.make.profile()
    d.session.commit()
    d.do(profiles.merge, profiles.MergeProfiles(winner_id=winner.id, loser_id=d.person.id, reason="the same person"))
    refused("already_claimed", d.claim, winner)
    d.claim(d.other)


def test_7_6_void_undo_after_a_merge_stands_beside_what_was_claimed_before(d):
    first, _ = d.claim(), d.claim(d.other)
    d.do(profiles.merge, profiles.MergeProfiles(winner_id=d.person.id, loser_id=d.other.id, reason="the same person"))
    void(d, first)
    assert d.state(restore(d, first)) is BenefitState.ACTIVE
