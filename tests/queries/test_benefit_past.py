"""peers.md feature 10, «at any instant»: what stood then is rebuilt from the histories, not taken from what stands now."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.services.test_benefits import extend, reassign
from tests.support.benefits import T, programme
from webapp.domain.benefits import BenefitState, state
from webapp.queries import benefit_offers, benefit_past
from webapp.queries import benefits as read
from webapp.services import benefits, profiles

MINUTE = timedelta(minutes=1)


@pytest.fixture
def d(make, actor):
    return programme(make, actor, is_claimable=True, is_reassignable=True, is_extendable=True)


def stood(d, at, person=None):
    return benefit_past.standing(d.session, d.definition.id, (person or d.person).id, at)


def facts(d, benefit, at):
    return benefit_past.facts(d.session, read.get(d.session, benefit.id), at)


def test_feature_10_a_claim_stands_from_its_instant_on(d):
    d.claim()
    assert (stood(d, T - MINUTE).claims, stood(d, T - MINUTE).held) == ((), 0)
    [claim] = stood(d, T).claims
    assert (claim.claimed_at, claim.state, stood(d, T).held) == (T, BenefitState.ACTIVE, 1)
    [offer] = benefit_offers.viewable(d.session, None, d.person.id, T - MINUTE)
    assert offer.is_claimable


def test_feature_10_a_benefit_extended_since_ended_when_it_ended(d):
    benefit = d.issue()
    first = benefit.expires_at
    d.at = first + timedelta(days=10)
    extend(d, benefit, extend_days=30)
    assert facts(d, benefit, first + timedelta(days=5)).expires_at == first
    assert state(facts(d, benefit, first + timedelta(days=5)), first + timedelta(days=5)) is BenefitState.EXPIRED
    assert facts(d, benefit, d.at).expires_at == datetime(2026, 4, 30, 13, 59, 59, tzinfo=UTC)
    assert (facts(d, benefit, first).extended_at, facts(d, benefit, d.at).extended_at) == (None, d.at)


def test_feature_10_an_end_set_and_an_extension_taken_back_are_followed_too(d):
    benefit = d.issue()
    first = benefit.expires_at
    d.forward(days=1)
    d.do(benefits.set_expiry, benefits.SetExpiry(benefit.id, date(2026, 3, 10), "by order"))
    set_to = read.get(d.session, benefit.id).expires_at
    d.forward(days=1)
    made = d.do(benefits.extend_several, benefits.ExtendBenefits((benefit.id,), extend_days=7))
    extended = read.get(d.session, benefit.id).expires_at
    d.forward(minutes=1)
    d.do(benefits.undo_extension, benefits.UndoExtension(made.id))
    asked = (T, T + timedelta(days=1), made.at, d.at)
    assert [facts(d, benefit, at).expires_at for at in asked] == [first, set_to, extended, set_to]


def test_feature_10_a_void_undone_since_was_void_in_between(d):
    benefit = d.claim()
    d.forward(minutes=1)
    d.do(benefits.void, benefits.VoidBenefit(benefit.id, "by mistake"))
    d.forward(minutes=5)
    d.do(benefits.restore, benefits.RestoreBenefit(benefit.id))
    d.forward(minutes=1)
    d.do(benefits.void, benefits.VoidBenefit(benefit.id, "after all"))
    found = [facts(d, benefit, T + minutes * MINUTE).voided_at for minutes in (0, 1, 5, 6, 7)]
    assert found == [None, T + MINUTE, T + MINUTE, None, T + 7 * MINUTE]
    assert [stood(d, T + minutes * MINUTE).held for minutes in (0, 1, 6, 7)] == [1, 0, 1, 0]


def test_feature_10_a_benefit_handed_on_since_was_held_by_whoever_had_it(d):
    benefit = d.claim()
    d.forward(minutes=1)
    reassign(d, benefit, d.other.external_id)
    assert (stood(d, T).held, stood(d, T, d.other).held) == (1, 0)
    assert (stood(d, d.at).held, stood(d, d.at, d.other).held) == (0, 1)
    assert [claim.is_handed_on for at in (T, d.at) for claim in stood(d, at).claims] == [False, True]


def test_feature_10_a_person_merged_since_had_what_either_row_had(d):
    d.issue(d.other)
    d.forward(minutes=1)
    third = d.make.profile()
    benefit = d.issue(d.other)
    d.forward(minutes=1)
    reassign(d, benefit, third.external_id)
    d.do(profiles.merge, profiles.MergeProfiles(winner_id=d.person.id, loser_id=d.other.id, reason="the same person"))
    assert [stood(d, at).held for at in (T, T + MINUTE, d.at)] == [1, 2, 1]


def test_feature_10_what_was_redeemed_and_returned_since_does_not_count(d):
    benefit = d.issue()
    d.forward(minutes=1)
    line = d.redeem(benefit)
    d.forward(minutes=1)
    d.give_back(line, 1)
    assert [facts(d, benefit, T + minutes * MINUTE).redeemed for minutes in range(3)] == [0, 1, 0]
