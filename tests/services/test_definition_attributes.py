"""benefits.md 13.1, the rows that show only in what is issued, claimed and redeemed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from tests.support.benefits import T, programme
from webapp.domain import benefit_definitions as rules
from webapp.domain.benefit_batches import Audience
from webapp.domain.benefit_dates import PeriodType
from webapp.domain.benefits import BenefitState, gates_to_redeem, verdict
from webapp.domain.errors import Refused
from webapp.models import Benefit, Redemption
from webapp.queries import benefit_definitions as read
from webapp.queries import benefit_offers
from webapp.queries import benefits as read_benefits
from webapp.services import benefit_definitions as definitions
from webapp.services import benefits
from webapp.services.benefits import batches

MEETS = {"===": [{"var": "gender"}, "female"]}


@pytest.fixture
def d(make, actor):
    return programme(make, actor)


def refused(code, act, *args, **more):
    with pytest.raises(Refused) as refusal:
        act(*args, **more)
    assert refusal.value.code == code


def seen(d, at=None):
    return [offer.definition.id for offer in benefit_offers.viewable(d.session, None, d.person.id, at or d.at)]


def claimable(d):
    offers = benefit_offers.viewable(d.session, None, d.person.id, d.at)
    return [offer.definition.id for offer in offers if offer.is_claimable]


@pytest.mark.parametrize(
    ("terms", "day", "end"),
    [
        ({"period": 30}, date(2026, 3, 1), "2026-03-31T12:59:59"),
        ({"period": 2, "period_type": PeriodType.WEEKS}, date(2026, 1, 31), "2026-02-14T12:59:59"),
        ({"period": 1, "period_type": PeriodType.MONTHS}, date(2026, 1, 31), "2026-02-28T12:59:59"),
        ({"period": 0, "period_type": PeriodType.ABSOLUTE_WEEK}, date(2026, 1, 31), "2026-02-01T12:59:59"),
        ({"period": 0, "period_type": PeriodType.ABSOLUTE_MONTH}, date(2026, 1, 31), "2026-01-31T12:59:59"),
        (
            {"period": None, "period_type": PeriodType.ABSOLUTE_DATE, "absolute_expiry": date(2026, 6, 30)},
            date(2026, 3, 1),
            "2026-06-30T13:59:59",
        ),
    ],
    ids=[
        "13.1 period_type days",
        "13.1 period_type weeks",
        "13.1 period_type months",
        "13.1 absolute_week",
        "13.1 absolute_month",
        "13.1 absolute_date",
    ],
)
def test_expires_at_of_what_is_issued(d, terms, day, end):
    d.change(**terms)
    assert d.issue(issued_on=day).expires_at == datetime.fromisoformat(end).replace(tzinfo=UTC)


def test_13_1_period_type_years(d):
    d.change(period=1, period_type=PeriodType.YEARS)
    d.at = datetime(2028, 3, 1, tzinfo=UTC)
    assert d.issue(issued_on=date(2028, 2, 29), zone="UTC").expires_at == datetime(2029, 2, 28, 23, 59, 59, tzinfo=UTC)


def test_13_1_end_at_caps(d):
    end = datetime(2026, 2, 10, 12, 59, 59, tzinfo=UTC)
    d.change(end_at=end)
    d.at = datetime(2026, 1, 31, 1, tzinfo=UTC)
    assert d.issue().expires_at == end


def test_13_1_end_at_closes(d):
    d.change(end_at=T - timedelta(seconds=1), is_claimable=True)
    refused("ended", d.issue)
    refused("ended", d.claim)


def test_13_1_max_redemptions_n(d):
    d.change(max_redemptions=3)
    benefit = d.issue()
    for _ in range(3):
        d.redeem(benefit)
    refused("no_redemptions_left", d.redeem, benefit)


def test_13_1_max_redemptions_null(d):
    d.change(max_redemptions=None)
    benefit = d.issue()
    for _ in range(50):
        d.redeem(benefit)
    assert d.left(benefit) is None


def test_13_1_max_redemptions_snapshot(d):
    d.change(max_redemptions=3)
    benefit = d.issue()
    d.change(max_redemptions=1)
    assert d.left(benefit) == 3


def test_13_1_max_global_n(d):
    d.change(max_global_redemptions=2)
    first, second, third = d.issue(), d.issue(), d.issue()
    d.redeem(first)
    d.redeem(second)
    d.session.refresh(d.definition)
    facts = read_benefits.get(d.session, third.id).facts
    assert not verdict(gates_to_redeem(d.definition.facts, facts, 1, d.at)).ok
    refused("global_limit_reached", d.redeem, third)


def test_13_1_max_global_null(d):
    d.change(max_redemptions=None)
    d.redeem(d.issue(), 50)
    d.session.refresh(d.definition)
    assert (d.definition.total_global_redemptions, d.definition.facts.global_left) == (50, None)


def test_13_1_lower_cap_below_used(d):
    d.change(max_redemptions=5)
    benefit = d.issue()
    lines = [d.redeem(benefit).id for _ in range(5)]
    form = {"handle": "d", "name": "Coffee", "period": 30, "version": d.definition.version}
    d.do(
        definitions.change,
        definitions.ChangeDefinition(definition_id=d.definition.id, max_global_redemptions=3, **form),
    )
    d.session.refresh(d.definition)
    assert (d.definition.facts.global_left, d.definition.total_global_redemptions) == (0, 5)
    ledger = d.session.execute(select(Redemption.id, Redemption.count).order_by(Redemption.id)).all()
    assert ledger == [(number, 1) for number in lines]


def test_13_1_total_global_redemptions(d):
    d.change(max_redemptions=3)
    benefit = d.issue()
    lines = [d.redeem(benefit) for _ in range(3)]
    d.give_back(lines[0], 1)
    assert d.total() == 2


def test_13_1_total_global_created(d):
    issued = [d.issue() for _ in range(4)]
    d.do(benefits.void, benefits.VoidBenefit(issued[0].id, "issued by mistake"))
    d.session.refresh(d.definition)
    assert (d.definition.total_global_created, d.definition.total_global_voided) == (4, 1)


def test_13_1_is_assignable_false_still_lets_people_claim(d):
    d.change(is_assignable=False, is_claimable=True)
    refused("not_assignable", d.issue)
    assert d.claim().claimed_at == d.at


def test_13_1_is_extendable_false(d):
    benefit = d.issue()
    refused("not_extendable", d.do, benefits.extend, benefits.ExtendBenefit(benefit.id, extend_days=7))
    assert read_benefits.get(d.session, benefit.id).extended_at is None


def test_13_1_is_reassignable_false(d):
    benefit = d.issue()
    refused("not_reassignable", d.do, benefits.reassign, benefits.ReassignBenefit(benefit.id, d.other.external_id))
    assert read_benefits.get(d.session, benefit.id).profile_id == d.person.id


def over(d):
    """Its fixed last day was the day before T in Melbourne."""
    d.change(period=None, period_type=PeriodType.ABSOLUTE_DATE, absolute_expiry=date(2026, 2, 28), is_claimable=True)


def test_13_1_absolute_date_that_is_over_closes_issuing_and_claiming(d):
    over(d)
    refused("expires_before_issue", d.issue)
    refused("expires_before_issue", d.claim)
    assert (seen(d), claimable(d)) == ([d.definition.id], [])
    (offer,) = benefit_offers.viewable(d.session, None, d.person.id, d.at)
    assert "end on 28 February 2026, and that day is over" in offer.refusal
    d.change(absolute_expiry=date(2026, 3, 1))
    assert claimable(d) == [d.definition.id]
    assert d.claim().expires_at == d.issue().expires_at == datetime(2026, 3, 1, 12, 59, 59, tzinfo=UTC)
    refused("expires_before_issue", d.issue, issued_on=date(2026, 3, 2))


def test_13_1_absolute_date_is_over_with_the_day_of_the_person(d):
    over(d)
    d.person.zone = "America/New_York"  # where it is the day before still
    d.session.commit()
    (offer,) = benefit_offers.viewable(d.session, None, d.person.id, d.at, d.person.zone)
    assert (offer.is_claimable, offer.refusal) == (True, "")
    assert d.claim().expires_at == datetime(2026, 3, 1, 4, 59, 59, tzinfo=UTC)


def test_13_1_absolute_date_that_is_over_leaves_days_of_their_own(d):
    over(d)
    assert d.issue(expires_on=date(2026, 3, 5)).expires_at == datetime(2026, 3, 5, 12, 59, 59, tzinfo=UTC)
    past = d.issue(issued_on=date(2026, 2, 20))
    assert d.state(past) is BenefitState.EXPIRED
    plan = batches.PlanBatch(definition_id=d.definition.id, audience=Audience.LIST, listed=d.person.external_id)
    refused("expires_before_issue", d.do, batches.plan, plan)
    assert d.do(batches.plan, replace(plan, expires_on=date(2026, 3, 5))).id


def test_13_1_absolute_date_of_another_way_to_count_is_nothing(d):
    d.change(absolute_expiry=date(2026, 2, 28), is_claimable=True)
    assert d.claim().expires_at == datetime(2026, 3, 31, 12, 59, 59, tzinfo=UTC)


def test_13_1_absolute_date_that_is_over_stops_publishing(d):
    over(d)
    d.change(is_published=False)
    refused("definition.not_ready", d.do, definitions.publish, definitions.PublishDefinition(d.definition.id))
    d.change(absolute_expiry=date(2026, 3, 1))
    assert d.do(definitions.publish, definitions.PublishDefinition(d.definition.id)).is_published


def test_13_1_is_published_false(d):
    benefit = d.issue()
    d.change(is_claimable=True, is_published=False)
    assert seen(d) == []
    assert [row.definition.id for row in read.page(d.session, None, read.Filters(), d.at)] == [d.definition.id]
    d.redeem(benefit)


def test_13_1_is_archived(d):
    d.change(is_claimable=True)
    kept, stopped = d.issue(), d.issue(d.other)
    d.do(definitions.archive, definitions.ArchiveDefinition(d.definition.id))
    refused("archived", d.issue)
    refused("archived", d.claim)
    assert seen(d) == []
    d.redeem(kept)
    d.do(definitions.restore, definitions.RestoreDefinition(d.definition.id))
    d.do(definitions.archive, definitions.ArchiveDefinition(d.definition.id, stops_redemptions=True))
    refused("archived", d.redeem, stopped)


def test_13_1_is_claimable_false(d):
    refused("not_claimable", d.claim)
    assert (seen(d), claimable(d)) == ([d.definition.id], [])


def test_13_1_is_reclaimable_false_even_after_the_first_expired(d):
    d.change(is_claimable=True)
    benefit = d.claim()
    d.forward(days=60)
    assert d.state(benefit) is BenefitState.EXPIRED
    refused("already_claimed", d.claim)


def test_13_1_is_reclaimable_true(d):
    d.change(is_claimable=True, is_reclaimable=True)
    d.redeem(d.claim())
    assert d.claim().id


def test_13_1_claim_window_start(d):
    d.change(is_claimable=True, claim_period_start_at=T + timedelta(seconds=1))
    refused("claim_not_open", d.claim)
    d.forward(seconds=1)
    assert d.claim().claimed_at == T + timedelta(seconds=1)


def test_13_1_claim_window_end(d):
    d.change(is_claimable=True, claim_period_end_at=T)
    assert d.claim().claimed_at == T
    d.forward(seconds=1)
    refused("claim_closed", d.claim, d.other)


def test_13_1_window_open_ended(d):
    d.change(is_claimable=True, claim_period_start_at=None, claim_period_end_at=None)
    assert d.claim().claimed_at == d.at


def test_13_1_claim_condition_null(d):
    d.change(is_claimable=True, claim_condition={})
    assert (claimable(d), d.claim().claimed_at) == ([d.definition.id], d.at)


def test_13_1_view_condition(d, make):
    d.change(is_claimable=True, view_condition={}, claim_condition=MEETS)
    assert (seen(d), claimable(d)) == ([d.definition.id], [])
    refused("condition_not_met", d.claim)
    d.change(view_condition=MEETS)
    assert seen(d) == []


def test_13_3_claimable_list(d, make):
    d.change(is_claimable=True)
    make.benefit_definition(is_claimable=True, claim_condition=MEETS)
    make.benefit_definition(is_claimable=False)
    assert claimable(d) == [d.definition.id]
    d.claim()
    assert claimable(d) == []


def test_13_1_allow_user_redeem(d):
    benefit = d.issue()
    facts = read_benefits.get(d.session, benefit.id).facts
    shut = verdict(gates_to_redeem(d.definition.facts, facts, 1, d.at, by_holder=True))
    assert [reason.code for reason in shut.reasons] == ["self_redeem_not_allowed"]
    assert verdict(gates_to_redeem(d.definition.facts, facts, 1, d.at)).ok


def test_13_1_value(d):
    d.change(value_minor=2000, currency="GBP")
    assert d.issue().value_minor == 2000
    assert d.issue(value_minor=3500).value_minor == 3500


def test_13_1_force_allocation(d, make):
    kind = make.voucher_type(site_id=d.definition.site_id)
    d.change(voucher_type_id=kind.id, force_allocation=True)
    refused("no_codes_left", d.issue)
    assert d.session.scalars(select(Benefit)).all() == []


def test_13_1_total_allocations_remaining(d, make):
    kind = make.voucher_type(site_id=d.definition.site_id)
    d.change(voucher_type_id=kind.id, force_allocation=True)
    for _ in range(10):
        make.voucher(kind)
    d.session.commit()
    for _ in range(3):
        d.issue()
    found = read.sheet(d.session, d.definition.id, None)
    assert (found.codes_total, found.definition.facts.codes_left) == (10, 7)


def test_13_1_handle_immutable_once_issued(d):
    d.issue()
    d.session.refresh(d.definition)
    assert not rules.may_rename(d.definition.handle, "other", d.definition.total_global_created).ok
    refused("definition.issued", d.do, definitions.remove, definitions.DeleteDefinition(d.definition.id))
