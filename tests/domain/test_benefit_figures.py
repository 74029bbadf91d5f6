"""Months, weeks and shares of the figures of a definition."""

from datetime import UTC, date, datetime

import pytest

from webapp.domain.benefit_figures import Cohort, Stages, edges, following, months, share, weeks

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MELBOURNE = "Australia/Melbourne"


@pytest.mark.parametrize(("part", "whole", "percent"), [(0, 0, 0.0), (1, 3, 33.3), (3, 3, 100.0), (0, 9, 0.0)])
def test_a_share_is_per_cent_with_one_decimal_and_of_nothing_0(part, whole, percent):
    assert share(part, whole) == percent


def test_what_is_neither_redeemed_nor_expired_is_open():
    stages = Stages(issued=10, claimed=4, redeemed=5, expired=2, scheduled=1, void=3)
    assert (stages.open, stages.all) == (3, 14)


def test_months_are_local_and_cross_the_turn_of_the_year():
    assert months(NOW, "UTC", 4) == [date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]
    late = datetime(2026, 2, 28, 14, tzinfo=UTC)  # 1 March in Melbourne
    assert months(late, MELBOURNE, 1) == [date(2026, 3, 1)]
    assert following(date(2025, 12, 1)) == date(2026, 1, 1)


def test_weeks_meet_today_and_their_edges_meet_now():
    found = weeks(NOW, "UTC", 2)
    assert [(week.first, week.is_past) for week in found] == [
        (date(2026, 2, 17), True), (date(2026, 2, 24), True), (date(2026, 3, 2), False), (date(2026, 3, 9), False),
    ]  # fmt: skip
    at = edges(found, NOW, "UTC")
    assert at[2] == NOW
    assert at[-1] == datetime(2026, 3, 16, tzinfo=UTC)
    assert at == sorted(at)


def test_weeks_are_local_days_across_a_change_of_the_clocks():
    at = edges(weeks(NOW, MELBOURNE, 6), NOW, MELBOURNE)
    assert at[7] == datetime(2026, 3, 8, 13, tzinfo=UTC)
    assert at[-1] == datetime(2026, 4, 12, 14, tzinfo=UTC)  # summer time ended on 5 April


def test_a_share_moves_no_more_when_the_days_are_over_for_the_last_of_the_month():
    cohort = Cohort(date(2026, 2, 1), issued=3, redeemed=2, within={7: 1})
    assert (cohort.share(7), cohort.share(30), cohort.share()) == (33.3, 0.0, 66.7)
    assert not cohort.is_over(7, datetime(2026, 3, 7, 23, 59, tzinfo=UTC), "UTC")
    assert cohort.is_over(7, datetime(2026, 3, 8, tzinfo=UTC), "UTC")
