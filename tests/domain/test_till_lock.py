"""When the till locks, and which PIN may open it (reliability.md 6.2)."""

from datetime import UTC, datetime, timedelta

import pytest

from webapp.domain import till_lock as rules

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(("seconds", "is_locked"), [(0, False), (299, False), (300, True), (301, True)])
def test_it_locks_five_minutes_after_it_was_used_last(seconds, is_locked):
    assert rules.is_locked(NOW - timedelta(seconds=seconds), NOW) is is_locked


def test_a_till_of_which_no_use_is_known_is_locked():
    assert rules.is_locked(None, NOW)


@pytest.mark.parametrize("pin", ["4071", "1357", "90210", "12321", "11223344", "1122"])
def test_four_to_eight_digits_will_do(pin):
    assert rules.may_use_pin(pin).ok


@pytest.mark.parametrize(
    ("pin", "words"),
    [
        ("407", "The PIN has 3 digits; use 4 to 8 digits and nothing else."),
        ("407140714", "The PIN has 9 digits; use 4 to 8 digits and nothing else."),
        ("40 71", "The PIN has other signs than digits; use 4 to 8 digits and nothing else."),
        ("٤٠٧١", "The PIN has other signs than digits; use 4 to 8 digits and nothing else."),
        ("x" * 5000, "The PIN has other signs than digits; use 4 to 8 digits and nothing else."),
    ],
)
def test_a_pin_of_another_shape_is_refused_and_not_repeated(pin, words):
    (reason,) = rules.may_use_pin(pin).reasons
    assert (reason.code, reason.message) == ("pin.shape", words)


@pytest.mark.parametrize(
    "pin", ["0000", "11111111", "1234", "12345678", "7890", "4321", "87654321", "1212", "4040", "123123", "50505050"]
)
def test_a_pin_that_is_tried_first_is_refused(pin):
    (reason,) = rules.may_use_pin(pin).reasons
    assert reason.code == "pin.plain"
    assert pin not in reason.message
