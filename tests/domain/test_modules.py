"""How files name a module, and when a completion lapses (product.md ruling 3, rewards.md K43, K45, K102)."""

from datetime import UTC, datetime

import pytest

from webapp.domain.errors import Refused
from webapp.domain.modules import LapseUnit, checked_path, has_lapsed, lapses_at, parts


@pytest.mark.parametrize(
    ("made", "after", "unit", "zone", "ends"),
    [
        ("2026-01-01T10:00", 30, "days", "Europe/London", "2026-02-01T00:00"),
        ("2026-03-01T23:30", 1, "days", "Europe/Oslo", "2026-03-03T23:00"),
        ("2026-01-31T12:00", 1, "months", "UTC", "2026-03-01T00:00"),
        ("2026-03-28T12:00", 1, "days", "Europe/London", "2026-03-29T23:00"),
        ("2028-02-29T12:00", 1, "years", "UTC", "2029-03-01T00:00"),
        ("2026-12-31T12:00", 14, "months", "UTC", "2028-03-01T00:00"),
    ],
    ids=["K102", "local-day", "short-month", "clock-changes", "leap-day", "over-a-year"],
)
def test_it_holds_to_the_end_of_the_local_day(made, after, unit, zone, ends):
    at, end = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (made, ends))
    assert lapses_at(at, after, LapseUnit(unit), zone) == end
    assert not has_lapsed(end, end.replace(year=end.year - 1))
    assert has_lapsed(end, end)


def test_without_a_rule_it_never_lapses():
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert lapses_at(at, None, LapseUnit.DAYS, "UTC") is None
    assert not has_lapsed(None, at)
    assert lapses_at(datetime(2200, 12, 31, tzinfo=UTC), 1000, LapseUnit.YEARS, "UTC").year == 3201


@pytest.mark.parametrize(
    "text", ["a/p1", "/", "//", "/a b", "/ü", "/-a", "/a-", "", "/" + "a" * 200, "/a\n"[:-1] + "?"]
)
def test_what_is_no_path_is_refused(text):
    with pytest.raises(Refused, match="not the path of a module"):
        checked_path(text)


def test_a_reference_is_a_site_and_a_path():
    assert parts(" club-nord:/p1/c1/m1/ ") == ("club-nord", "/p1/c1/m1")
    for text in ("/p1/c1", ":/x", "club"):
        with pytest.raises(Refused, match="write the site, a colon and the path"):
            parts(text)
