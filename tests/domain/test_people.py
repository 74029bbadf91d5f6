"""What may be noted of a person, and how it is said."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.domain import people
from webapp.domain.errors import Refused
from webapp.domain.people import AttributeKind

TODAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    "parts",
    [(31, None, None), (None, 2, None), (None, None, 1980), (29, 2, None), (29, 2, 1980), (31, 3, 1900), (2, 3, 2026)],
)
def test_parts_of_a_birthday_may_be_known_alone(parts):
    people.check_birth(*parts, TODAY)


@pytest.mark.parametrize(
    ("parts", "field", "words"),
    [
        ((31, 2, None), "birth_day", "February has 29 days at most; there is no 31"),
        ((29, 2, 1981), "birth_day", "February 1981 has 28 days at most; there is no 29"),
        ((31, 4, 1980), "birth_day", "April has 30 days at most; there is no 31"),
        ((32, None, None), "birth_day", "A month has 31 days at most; there is no 32"),
        ((1, 13, None), "birth_month", "not 13"),
        ((None, None, 2027), "birth_year", "from 1900 to 2026, not 2027"),
        ((None, None, 1899), "birth_year", "not 1899"),
        ((3, 3, 2026), "birth_year", "3 March 2026 is still to come"),
    ],
)
def test_what_can_be_no_birthday_is_refused_in_a_sentence(parts, field, words):
    with pytest.raises(Refused, match=words) as refused:
        people.check_birth(*parts, TODAY)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((31, 3, 1980), "31 March 1980"),
        ((31, 3, None), "31 March"),
        ((None, 3, 1980), "March 1980"),
        ((None, None, 1980), "1980"),
        ((31, None, None), "day 31"),
        ((None, None, None), ""),
    ],
)
def test_a_birthday_is_said_as_far_as_it_is_known(parts, words):
    assert people.birth_in_words(*parts) == words


def test_labels_are_folded_each_once_in_order():
    assert people.labels(" VIP, press;vip ,,Coffee  Club", "tags") == ["coffee club", "press", "vip"]


@pytest.mark.parametrize("text", ["x" * 61, ",".join(str(n) for n in range(51))])
def test_too_long_and_too_many_labels_are_refused(text):
    with pytest.raises(Refused) as refused:
        people.labels(text, "tags")
    assert refused.value.field == "tags"


def test_consents_are_told_by_channel_with_what_bars_it_first():
    told = {"email_promo": True, "email_reminders": True, "sms_promo": False, "post_optout": True, "post_promo": True}
    assert people.consents_in_words(told) == [
        ("E-mail", "offers, reminders"),
        ("SMS", "no"),
        ("Post", "opted out; nothing is sent, though agreed to: offers"),
    ]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("text", " dark ", "dark"),
        ("whole number", "-12", -12),
        ("decimal number", "12,5", 12.5),
        ("yes or no", "Yes", True),
        ("yes or no", "no", False),
        ("date", "2026-03-31", "2026-03-31"),
        ("choice", "light", "light"),
        ("text", "", None),
    ],
)
def test_a_further_fact_is_read_by_its_kind(kind, text, value):
    found = people.attribute_value(AttributeKind(kind), ["light", "dark"], text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("whole number", "1.5"), ("whole number", "٣"), ("whole number", "2000000001"), ("decimal number", "1e5"),
        ("decimal number", "NaN"), ("decimal number", "1.00001"), ("yes or no", "perhaps"), ("date", "2026-02-30"),
        ("date", "31.3.2026"), ("date", "0001-01-01"), ("choice", "Light"), ("text", "x" * 201),
    ],
)  # fmt: skip
def test_a_fact_that_does_not_fit_its_kind_is_refused(kind, text):
    with pytest.raises(Refused):
        people.attribute_value(AttributeKind(kind), ["light", "dark"], text)


@given(st.decimals(min_value=-999_999_999, max_value=999_999_999, places=4))
def test_a_decimal_comes_back_as_it_was_written(number):
    value = people.attribute_value(AttributeKind.DECIMAL, [], f"{number:f}")
    again = people.attribute_value(AttributeKind.DECIMAL, [], people.attribute_text(value))
    assert again == value == float(number)
