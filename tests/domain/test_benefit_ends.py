"""What is said of an end that is moved, and how far the code of a benefit goes with it (benefits.md 6.2, 6.4)."""

from datetime import UTC, datetime, timedelta

import pytest

from webapp.domain.benefit_ends import Bounds

T = datetime(2026, 3, 31, 12, 59, 59, tzinfo=UTC)
ZONE = "Australia/Melbourne"
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
CODE = "Its code is good until 31 March 2026 23:59 (Australia/Melbourne)"


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ({}, []),
        ({"end_at": T}, ["Its definition ends on 31 March 2026 23:59 (Australia/Melbourne); an end after that holds all the same."]),
        ({"code_until": T}, [f"{CODE} and keeps that end, because it came in a file."]),
        ({"code_until": T, "code_moves": True}, [f"{CODE} and lasts longer with it."]),
        ({"code_until": T, "code_moves": True, "code_most": T}, [f"{CODE} and no longer, because its voucher type ends then."]),
        (
            {"code_until": T, "code_moves": True, "code_most": T + DAY},
            [f"{CODE} and lasts longer with it, to 1 April 2026 23:59 (Australia/Melbourne) at most, where its voucher type ends."],
        ),
        ({"code_moves": True, "code_most": T}, []),
    ],
)  # fmt: skip
def test_6_2_it_is_said_before(bounds, said):
    assert Bounds(ZONE, **bounds).warned() == said


@pytest.mark.parametrize(
    ("bounds", "until", "moved"),
    [
        ({"code_until": T}, T + DAY, None),
        ({"code_until": T, "code_moves": True}, T + DAY, T + DAY),
        ({"code_until": T, "code_moves": True}, T, None),
        ({"code_until": T, "code_moves": True}, T - DAY, None),
        ({"code_until": T, "code_moves": True, "code_most": T + DAY}, T + 2 * DAY, T + DAY),
        ({"code_until": T, "code_moves": True, "code_most": T}, T + DAY, None),
        ({"code_moves": True}, T, None),
    ],
)
def test_6_4_how_far_a_code_goes_with_its_benefit(bounds, until, moved):
    assert Bounds(ZONE, **bounds).moved(until) == moved


@pytest.mark.parametrize(
    ("bounds", "expires_at", "said"),
    [
        ({}, T, []),
        ({"end_at": T, "code_until": T}, T, []),
        ({"end_at": T}, T + SECOND, ["It lasts longer than its definition, which ends on 31 March 2026 23:59 (Australia/Melbourne)."]),
        ({"code_until": T}, T + SECOND, ["It lasts longer than its code, which is good until 31 March 2026 23:59 (Australia/Melbourne) only."]),
        ({"code_until": T}, None, ["It lasts longer than its code, which is good until 31 March 2026 23:59 (Australia/Melbourne) only."]),
    ],
)  # fmt: skip
def test_6_2_it_is_said_afterwards(bounds, expires_at, said):
    assert Bounds(ZONE, **bounds).outlasted(expires_at) == said
