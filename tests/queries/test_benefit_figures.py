"""The figures of a definition, counted by the database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.support.benefits import MELBOURNE, T, programme
from webapp.queries import benefit_figures as read
from webapp.services import benefits

DAY = timedelta(days=1)


@pytest.fixture
def d(make, actor):
    return programme(make, actor, max_redemptions=2, is_claimable=True)


def counted(d, now=None):
    d.session.refresh(d.definition)
    found = read.stages(d.session, d.definition, now or d.at)
    return found.issued, found.claimed, found.redeemed, found.expired, found.open, found.scheduled, found.void


def benefit(d, issued_at, *, ends=None, **more):
    return d.make.benefit(d.definition, d.person, issued_at=issued_at, expires_at=ends, **more)


def used(d, benefit, at, **more):
    return d.make.redemption(benefit, at=at, **more)


def test_stages_count_what_came_how_far_and_tell_void_and_scheduled_ones_apart(d):
    d.claim(d.other)
    d.redeem(d.issue())
    d.issue()
    benefit(d, T - 9 * DAY, ends=T - DAY)
    d.do(benefits.void, benefits.VoidBenefit(d.issue().id, "wrong"))
    benefit(d, T + DAY)
    d.make.benefit()  # of another definition
    assert counted(d) == (4, 1, 1, 1, 2, 1, 1)
    assert counted(d, T + 40 * DAY) == (5, 1, 1, 3, 1, 0, 1)


def test_a_definition_without_benefits_has_no_figures(d):
    assert counted(d) == (0,) * 7
    assert read.cohorts(d.session, d.definition.id, T, MELBOURNE).months == []
    assert sum(week.count for week in read.ending(d.session, d.definition.id, T, MELBOURNE)) == 0


def test_cohorts_are_local_months_with_the_first_redemption_that_stands(d):
    issued = datetime(2026, 1, 31, 13, 30, tzinfo=UTC)  # 1 February in Melbourne
    for after in (7 * DAY, 7 * DAY + timedelta(seconds=1), 90 * DAY):
        used(d, benefit(d, issued), issued + after)
    twice = benefit(d, issued - 2 * DAY)
    used(d, twice, issued + 40 * DAY)
    used(d, twice, issued)
    benefit(d, issued, voided_at=T, void_reason="wrong", redeemed_count=1)
    months = read.cohorts(d.session, d.definition.id, T + 120 * DAY, MELBOURNE).months
    found = {one.month: (one.issued, one.void, one.redeemed, *one.within.values()) for one in months}
    assert found[date(2026, 1, 1)] == (1, 0, 1, 1, 1, 1)
    assert found[date(2026, 2, 1)] == (3, 1, 3, 1, 2, 3)
    assert (months[0].month, months[-1].month) == (date(2026, 1, 1), date(2026, 6, 1))


def test_a_redemption_that_came_back_as_a_whole_is_none(d):
    first = d.issue()
    line = d.redeem(first)
    d.reverse(line)
    d.forward(days=20)
    half = d.redeem(first, 2)
    d.give_back(half, 1)
    (month,) = read.cohorts(d.session, d.definition.id, d.at, MELBOURNE).months
    assert (month.redeemed, month.within) == (1, {7: 0, 30: 1, 90: 1})


def test_only_the_newest_are_looked_up_and_it_is_said(d, monkeypatch):
    monkeypatch.setattr(read, "MOST", 2)
    for days in (40, 1):
        for _ in range(2):
            benefit(d, T - days * DAY)
    found = read.cohorts(d.session, d.definition.id, T, MELBOURNE)
    assert found.is_cut
    assert sum(one.issued for one in found.months) == 2


def test_unused_benefits_are_counted_in_the_week_in_which_they_end(d):
    at = timedelta(seconds=1)
    for ends in (T - at, T - 6 * DAY, T, T + 6 * DAY, T + 8 * DAY, T - 200 * DAY, T + 200 * DAY):
        benefit(d, T - 300 * DAY, ends=ends)
    benefit(d, T - DAY, ends=T + DAY, voided_at=T, void_reason="wrong")
    used(d, benefit(d, T - DAY, ends=T + DAY), T)
    weeks = read.ending(d.session, d.definition.id, T, MELBOURNE)
    assert [week.count for week in weeks if week.is_past][-2:] == [0, 2]
    assert [week.count for week in weeks if not week.is_past][:2] == [2, 1]
    assert sum(week.count for week in weeks) == 5
