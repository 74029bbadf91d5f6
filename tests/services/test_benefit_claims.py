"""benefits.md 13.3, row by row: who may claim, in which order it is asked, how often, and at once redeemed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from tests.services.test_benefits import pooled, refused
from tests.support.benefits import T, programme
from webapp.domain.benefit_claims import ReclaimEvery
from webapp.domain.benefits import BenefitState
from webapp.domain.redemptions import BenefitSource
from webapp.models import Benefit
from webapp.queries.invariants import INVARIANTS, broken
from webapp.services import benefits, profiles


@pytest.fixture
def d(make, actor):
    found = programme(make, actor, is_claimable=True)
    yield found
    found.session.rollback()
    assert {item.name: broken(found.session, item) for item in INVARIANTS if broken(found.session, item)} == {}


def held(d):
    return d.session.scalar(select(func.count()).select_from(Benefit))


def test_13_3_claim_success_stamps_both_times_and_counts(d):
    benefit = d.claim()
    assert (benefit.issued_at, benefit.claimed_at, benefit.source) == (T, T, BenefitSource.CLAIM)
    d.session.refresh(d.definition)
    assert (d.definition.total_global_created, d.definition.total_global_claimed) == (1, 1)


ORDER = [
    ({"is_claimable": False}, "not_claimable"),
    ({"is_published": False}, "not_published"),
    ({"is_archived": True}, "archived"),
    ({"claim_period_start_at": T + timedelta(days=1)}, "claim_not_open"),
    ({"end_at": T - timedelta(days=1)}, "ended"),
    ({"claim_condition": {"===": [{"var": "gender"}, "nobody"]}}, "condition_not_met"),
    ({"max_global_redemptions": 0}, "sold_out"),
]


@pytest.mark.parametrize("first", range(len(ORDER)), ids=[code for _, code in ORDER])
def test_13_3_claim_order_of_checks_names_the_first_gate_that_is_shut(d, first):
    """All the later gates are shut as well."""
    d.change(**{name: value for terms, _ in ORDER[first:] for name, value in terms.items()})
    refused(ORDER[first][1], d.claim)
    assert held(d) == 0


def test_13_3_claim_order_of_checks_puts_archived_before_a_closed_window(d):
    d.change(is_archived=True, claim_period_end_at=T - timedelta(days=1))
    refused("archived", d.claim)


def test_claim_window_is_open_at_both_of_its_ends(d):
    d.change(claim_period_start_at=T, claim_period_end_at=T + timedelta(hours=1))
    d.claim()
    d.forward(hours=1)
    d.claim(d.other)
    d.forward(seconds=1)
    assert "Claiming Coffee closed on 1 March 2026" in refused("claim_closed", d.claim, d.make.profile()).message


def test_claim_condition_is_asked_of_the_person(d):
    d.change(claim_condition={"===": [{"var": "last_name"}, d.person.last_name]})
    d.claim()
    refused("condition_not_met", d.claim, d.other)


def test_claim_without_a_code_left_is_refused(d):
    pooled(d, 1)
    d.claim()
    refused("no_codes_left", d.claim, d.other)


def test_claimed_once_and_not_again(d):
    d.claim()
    d.forward(days=400)
    refused("already_claimed", d.claim)


def test_13_3_staff_issued_does_not_block(d):
    d.issue()
    d.claim()


def test_13_3_void_frees_claim(d):
    first = d.claim()
    d.do(benefits.void, benefits.VoidBenefit(first.id, "wrong person"))
    d.claim()
    refused("already_claimed", d.do, benefits.restore, benefits.RestoreBenefit(first.id))


def test_13_3_merge_keeps_one(d):
    d.claim(d.other)
    d.do(profiles.merge, profiles.MergeProfiles(winner_id=d.person.id, loser_id=d.other.id, reason="the same person"))
    refused("already_claimed", d.claim)


def test_13_3_reclaim_every_month_goes_by_the_local_calendar(d):
    d.change(is_reclaimable=True, reclaim_every=ReclaimEvery.MONTH, reclaim_requires_used=False)
    d.at = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)  # still January in Melbourne
    d.claim()
    refused("already_claimed", d.claim)
    d.at = datetime(2026, 1, 31, 13, 30, tzinfo=UTC)
    d.claim()


def test_reclaim_requires_the_last_one_to_be_used(d):
    d.change(is_reclaimable=True)
    first = d.claim()
    assert "holds one that is active" in refused("already_claimed", d.claim).message
    d.redeem(first)
    d.claim()


def test_13_3_claim_redeem_is_one_act(d):
    benefit = d.claim(count=1, receipt="K7QD")
    assert (d.state(benefit), d.left(benefit), d.total()) == (BenefitState.REDEEMED, 0, 1)


def test_13_3_claim_redeem_leaves_no_benefit_when_redeeming_is_refused(d):
    refused("no_redemptions_left", d.claim, count=2, receipt="K7QD")
    assert (held(d), d.total()) == (0, 0)


def test_13_3_sold_out_when_all_redemptions_are_used(d):
    d.change(max_global_redemptions=1)
    d.claim(count=1, receipt="K7QD")
    refused("sold_out", d.claim, d.other)


def test_claiming_takes_no_more_than_a_person_may_get(d):
    d.change(max_per_profile=1, is_reclaimable=True)
    d.issue()
    refused("profile_limit_reached", d.claim)
