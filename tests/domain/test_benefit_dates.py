"""Expiry, extension and notices to the second: the worked examples of benefits.md 6.1, 6.2, 8.3 and the rows of 13."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.domain.benefit_dates import (
    Lead,
    PeriodType,
    Validity,
    at_local,
    due_at,
    end_of_day,
    expires_at,
    extended,
    last_day,
)
from webapp.domain.errors import Refused

MELBOURNE, NEW_YORK, LONDON, PERTH = "Australia/Melbourne", "America/New_York", "Europe/London", "Australia/Perth"
T = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
JANUARY = datetime(2026, 1, 31, 1, tzinfo=UTC)  # noon in Melbourne


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("validity", "issued", "zone", "expected"),
    [
        pytest.param(Validity(30), T, MELBOURNE, "2026-03-31T12:59:59", id="13.1 period_type days"),
        pytest.param(Validity(30), JANUARY, MELBOURNE, "2026-03-02T12:59:59", id="6.1 30 days"),
        pytest.param(Validity(2, PeriodType.WEEKS), JANUARY, MELBOURNE, "2026-02-14T12:59:59", id="13.1 period_type weeks"),
        pytest.param(Validity(1, PeriodType.MONTHS), JANUARY, MELBOURNE, "2026-02-28T12:59:59", id="13.1 period_type months"),
        pytest.param(Validity(1, PeriodType.YEARS), JANUARY, MELBOURNE, "2027-01-31T12:59:59", id="6.1 1 year"),
        pytest.param(Validity(1, PeriodType.YEARS), utc("2028-02-29T00:00"), "UTC", "2029-02-28T23:59:59", id="13.1 period_type years"),
        pytest.param(Validity(None, PeriodType.ABSOLUTE_DATE, date(2026, 6, 30)), T, MELBOURNE, "2026-06-30T13:59:59", id="13.1 absolute_date"),
        pytest.param(Validity(0, PeriodType.ABSOLUTE_WEEK), JANUARY, MELBOURNE, "2026-02-01T12:59:59", id="13.1 absolute_week"),
        pytest.param(Validity(1, PeriodType.ABSOLUTE_WEEK), JANUARY, MELBOURNE, "2026-02-08T12:59:59", id="absolute_week 1"),
        pytest.param(Validity(0, PeriodType.ABSOLUTE_MONTH), JANUARY, MELBOURNE, "2026-01-31T12:59:59", id="13.1 absolute_month"),
        pytest.param(Validity(1, PeriodType.ABSOLUTE_MONTH), JANUARY, MELBOURNE, "2026-02-28T12:59:59", id="absolute_month 1"),
        pytest.param(Validity(30, end_at=utc("2026-02-10T12:59:59")), JANUARY, MELBOURNE, "2026-02-10T12:59:59", id="13.1 end_at caps"),
        pytest.param(Validity(None, end_at=utc("2026-02-10T12:59:59")), JANUARY, MELBOURNE, "2026-02-10T12:59:59", id="end_at alone"),
        pytest.param(Validity(0), T, MELBOURNE, "2026-03-01T12:59:59", id="0 days is tonight"),
        pytest.param(Validity(50), utc("2021-03-05T00:06:51"), MELBOURNE, "2021-04-24T13:59:59", id="6.1 the sample"),
        pytest.param(Validity(50), utc("2021-03-05T00:06:51"), "UTC", "2021-04-24T23:59:59", id="6.1 the sample in UTC"),
        pytest.param(Validity(100_000_000), T, "UTC", "2200-12-31T23:59:59", id="no date is beyond the last"),
        pytest.param(Validity(100_000, PeriodType.YEARS), T, "UTC", "2200-12-31T23:59:59", id="nor by years"),
    ],
)  # fmt: skip
def test_expiry(validity, issued, zone, expected):
    assert expires_at(validity, issued, zone) == utc(expected)


def test_13_2_expires_null():
    assert expires_at(Validity(None), T, MELBOURNE) is None


def test_13_2_issued_at_past():
    assert expires_at(Validity(30), T - timedelta(days=10), MELBOURNE) == utc("2026-03-21T12:59:59")


def test_13_2_expires_at_date_only():
    assert expires_at(Validity(30), T, MELBOURNE, chosen=date(2026, 3, 10)) == utc("2026-03-10T12:59:59")


def test_an_expiry_that_is_given_takes_the_place_of_the_period_but_not_of_the_end():
    validity = Validity(5, end_at=utc("2026-04-01T00:00:00"))
    assert expires_at(validity, T, MELBOURNE, chosen=utc("2026-03-20T10:00")) == utc("2026-03-20T10:00")
    assert expires_at(validity, T, MELBOURNE, chosen=date(2026, 5, 1)) == validity.end_at


def test_13_7_cap_expiry():
    assert expires_at(Validity(30), T, MELBOURNE, code_until=utc("2026-03-10T00:00")) == utc("2026-03-10T00:00")


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(0, 2000), st.sampled_from(list(PeriodType)))
def test_no_period_ends_before_it_begins(issued, period, kind):
    last = last_day(Validity(period, kind, issued), issued)
    assert last >= issued
    assert last_day(Validity(period + 1, kind, issued), issued) >= last


@given(
    st.dates(date(1990, 1, 1), date(2100, 1, 1)),
    st.sampled_from([MELBOURNE, NEW_YORK, LONDON, "America/Sao_Paulo", "Africa/Cairo"]),
)
def test_the_end_of_a_day_is_its_last_second(day, zone):
    ends = end_of_day(day, zone).astimezone(ZoneInfo(zone))
    assert ends.date() == day
    assert (ends.astimezone(UTC) + timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date() > day


def test_13_6_extend_days():
    expiry = utc("2026-03-30T12:59:59")
    assert extended(expiry, MELBOURNE, days=14) == utc("2026-04-13T13:59:59")


def test_13_6_extend_date():
    assert extended(utc("2026-03-30T12:59:59"), MELBOURNE, until=date(2026, 5, 1)) == end_of_day(
        date(2026, 5, 1), MELBOURNE
    )


@pytest.mark.parametrize("given_", [{}, {"days": 1, "until": date(2026, 5, 1)}])
def test_13_6_both_neither(given_):
    with pytest.raises(Refused) as caught:
        extended(T, MELBOURNE, **given_)
    assert caught.value.code == "extend_args"


@pytest.mark.parametrize("given_", [{"days": 0}, {"days": -3}, {"until": date(2026, 2, 28)}])
def test_13_6_backwards(given_):
    with pytest.raises(Refused) as caught:
        extended(T, MELBOURNE, **given_)
    assert caught.value.code == "extend_backwards"
    assert "1 March 2026" in caught.value.message


EXPIRY = utc("2026-03-31T12:59:59")


@pytest.mark.parametrize(
    ("lead", "anchor", "zone", "expected"),
    [
        pytest.param(Lead(0, 9), T, MELBOURNE, "2026-02-28T22:00", id="13.8 issue past due"),
        pytest.param(Lead(1, 9), T, MELBOURNE, "2026-03-01T22:00", id="13.8 issue +1 day"),
        pytest.param(Lead(0), T, MELBOURNE, "2026-03-01T00:30", id="13.8 issue immediate"),
        pytest.param(Lead(-14, 9), EXPIRY, MELBOURNE, "2026-03-16T22:00", id="13.8 remind"),
        pytest.param(Lead(-3, 18, 2), EXPIRY, MELBOURNE, "2026-03-28T05:00", id="13.8 extend + schedule offset"),
        pytest.param(Lead(14, 9), EXPIRY, MELBOURNE, "2026-04-13T23:00", id="13.8 after expiry"),
        pytest.param(Lead(-14, 9), utc("2026-05-04T13:59:59"), MELBOURNE, "2026-04-19T23:00", id="13.8 too short"),
        pytest.param(Lead(0, 2), utc("2026-03-09T03:59:59"), NEW_YORK, "2026-03-08T07:00", id="13.8 DST gap"),
        pytest.param(Lead(0, 1), utc("2026-10-25T23:59:59"), LONDON, "2026-10-25T00:00", id="13.8 DST fold"),
        pytest.param(
            Lead(-14, 9), utc("2026-03-31T15:59:59"), PERTH, "2026-03-17T01:00", id="13.8 timezone per benefit"
        ),
    ],
)
def test_notices_are_due(lead, anchor, zone, expected):
    assert due_at(lead, anchor, zone) == utc(expected)


def test_13_8_none_and_never_expires():
    assert due_at(None, T, MELBOURNE) is None
    assert due_at(Lead(-14, 9), None, MELBOURNE) is None


@given(
    st.dates(date(1990, 1, 1), date(2100, 1, 1)),
    st.times(),
    st.sampled_from([MELBOURNE, NEW_YORK, "Australia/Lord_Howe", "America/Sao_Paulo"]),
)
def test_a_local_time_is_itself_or_the_end_of_the_gap_it_fell_into(day, clock, zone):
    naive = datetime.combine(day, clock.replace(microsecond=0))
    found = at_local(naive.date(), naive.time(), zone)
    local = found.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert local >= naive
    if local != naive:
        before = (found - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert before < naive < local
