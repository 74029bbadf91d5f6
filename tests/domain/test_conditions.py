"""Conditions on people, row by row of benefits.md 13.4, and whatever is not in the whitelist."""

import json
from datetime import UTC, date, datetime

import pytest

from webapp.domain.condition_reading import DEEPEST, names, parse, read
from webapp.domain.condition_rules import compiled, explained, in_words
from webapp.domain.conditions import EVERYONE, catalogue
from webapp.domain.errors import Refused
from webapp.domain.people import AttributeKind

TODAY = date(2026, 3, 1)
NAMES = catalogue(
    [
        ("loyalty.size", AttributeKind.CHOICE, "Shirt size"),
        ("aggregations.spend_12m", AttributeKind.DECIMAL, "Spent in 12 months"),
        ("loyalty.since", AttributeKind.DATE, "Member since"),
    ]
)
NESTED = {
    "and": [
        {"or": [{"in": ["vip", {"var": "flattened_tags"}]}, {"===": [{"var": "tier_handle"}, "gold"]}]},
        {">": [{"var": "aggregations.spend_12m"}, 1000]},
        {"!": [{"in": ["staff", {"var": "flattened_statuses"}]}]},
    ]
}


def holds(rule, zone="Australia/Melbourne", **facts):
    known = {name.replace("__", "."): value for name, value in facts.items()}
    return compiled(read(rule, NAMES, zone), zone)(known, TODAY)


def var(name):
    return {"var": name}


def refusal(rule):
    with pytest.raises(Refused) as caught:
        read(rule, NAMES)
    assert caught.value.field == "condition"
    return caught.value.message


def test_13_4_strict_equality():
    assert holds({"===": [var("tier_handle"), "gold"]}, tier_handle="gold")
    assert not holds({"===": [var("tier_handle"), "Gold"]}, tier_handle="gold")


def test_13_4_type_strict():
    assert not holds({"===": [1, True]})
    assert not holds({"===": [var("birth_year"), "1980"]}, birth_year=1980)
    assert not holds({"===": [var("birth_year"), True]}, birth_year=1)
    assert not holds({"===": [var("tier_handle"), 5]}, tier_handle="5")
    assert not holds({"===": [var("birth_year"), 1]}, birth_year=True)


def test_13_4_nested():
    person = {"tier_handle": "gold", "aggregations__spend_12m": 1500, "flattened_statuses": [], "flattened_tags": []}
    assert holds(NESTED, **person)
    assert not holds(NESTED, **person | {"aggregations__spend_12m": 900})
    assert not holds(NESTED, **person | {"flattened_statuses": ["staff"]})
    assert holds(NESTED, **person | {"tier_handle": None, "flattened_tags": ["vip"]})


def test_13_4_or_not_in():
    rule = {"in": ["vip", var("flattened_tags")]}
    assert holds(rule, flattened_tags=["vip"])
    assert not holds({"!": rule}, flattened_tags=["vip"])
    assert holds({"or": [rule, False]}, flattened_tags=["vip"])
    assert not holds({"or": []})
    assert holds({"and": []})


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">=", "===", "!==", "==", "!="])
def test_13_4_missing_field(sign):
    for rule in ({sign: [var("birth_year"), 1980]}, {sign: [1980, var("birth_year")]}):
        assert not holds(rule)
        assert not holds(rule, birth_year=None)


def test_13_4_missing_in_in():
    rule = {"in": ["vip", var("flattened_tags")]}
    assert not holds(rule, flattened_tags=None)
    assert holds({"!": [rule]}, flattened_tags=None)
    assert not holds({"in": [var("tier_handle"), ["gold", None, ""]]})


def test_13_4_between():
    rule = {"<=": [1, var("birth_month"), 12]}
    assert holds(rule, birth_month=5)
    assert holds(rule, birth_month=12)
    assert not holds(rule, birth_month=13)
    assert not holds({"<": [1, var("birth_month"), 12]}, birth_month=12)
    assert holds({">": [12, var("birth_month"), 1]}, birth_month=5)


def test_13_4_constants_left():
    rule = {"===": ["female", var("gender")]}
    assert read(rule, NAMES) == read({"===": [var("gender"), "female"]}, NAMES)
    assert holds(rule, gender="female")
    assert holds({"<": [1979, var("birth_year")]}, birth_year=1980)


def test_13_4_custom_attribute():
    rule = {"===": [var("loyalty.size"), "M"]}
    assert holds(rule, loyalty__size="M")
    assert not holds(rule, loyalty__size="L")


def test_13_4_date_compare():
    rule = {"and": [{">=": [var("joined_at"), "2025-01-01"]}, {"<": [var("joined_at"), "2026-01-01 00:00:00"]}]}
    assert holds(rule, joined_at=datetime(2025, 6, 1, tzinfo=UTC))
    assert not holds(rule, joined_at=datetime(2026, 6, 1, tzinfo=UTC))


def test_a_day_is_the_local_day_from_its_first_to_its_last_moment():
    first, last = datetime(2025, 5, 31, 14, tzinfo=UTC), datetime(2025, 6, 1, 13, 59, 59, tzinfo=UTC)
    for moment in (first, last):
        assert holds({"===": [var("joined_at"), "2025-06-01"]}, joined_at=moment)
        assert holds({"<=": [var("joined_at"), "2025-06-01"]}, joined_at=moment)
        assert not holds({"<": [var("joined_at"), "2025-06-01"]}, joined_at=moment)
    assert not holds({"===": [var("joined_at"), "2025-06-01"]}, "UTC", joined_at=first)
    assert holds({"===": [var("loyalty.since"), "2025-06-01"]}, loyalty__since=date(2025, 6, 1))
    assert holds({"<": [var("loyalty.since"), "2025-06-02 08:00"]}, loyalty__since=date(2025, 6, 1))


def test_days_since_counts_local_days():
    today = datetime(2026, 2, 28, 13, tzinfo=UTC)  # 1 March, just past midnight in Melbourne
    yesterday = datetime(2026, 2, 28, 12, 59, tzinfo=UTC)
    since = {"days_since": [var("joined_at")]}
    assert holds({"===": [since, 0]}, joined_at=today)
    assert holds({"===": [since, 1]}, joined_at=yesterday)
    assert holds({"<": [since, 30]}, joined_at=datetime(2026, 1, 31, tzinfo=UTC))
    assert not holds({"<": [since, 29]}, joined_at=datetime(2026, 1, 31, tzinfo=UTC))
    assert holds({">=": [29, since]}, joined_at=datetime(2026, 1, 31, tzinfo=UTC))
    assert holds({"<=": [0, since, 29]}, joined_at=datetime(2026, 1, 31, tzinfo=UTC))
    assert holds({"<": [since, 0.5]}, joined_at=today)
    assert not holds({"<": [since, 0.5]}, joined_at=yesterday)
    assert not holds({"===": [since, 0.5]}, joined_at=today)
    assert not holds({"!==": [since, 1]})
    assert holds({"<": [since, 1e12]}, joined_at=today)


def test_today_is_the_day_it_is_applied():
    node = read({"<": [var("loyalty.since"), {"today": []}]}, NAMES)
    test = compiled(node)
    facts = {"loyalty.since": date(2026, 3, 1)}
    assert [test(facts, day) for day in (date(2026, 3, 1), date(2026, 3, 2))] == [False, True]


@pytest.mark.parametrize(
    ("deep", "parts", "word"),
    [(DEEPEST - 1, 1, ""), (DEEPEST, 1, "deep"), (1, 99, ""), (1, 100, "parts")],
)
def test_13_4_limits(deep, parts, word):
    rule = {"or": [True] + [{"!": True}] * (parts - 1 if deep == 1 else 0)} if deep == 1 else var("gender")
    for _ in range(deep if deep > 1 else 0):
        rule = {"!": [rule]}
    if deep == 1:
        rule["or"].append({"!!": [True]})
    if word:
        assert word in refusal(rule)
    else:
        read(rule, NAMES)


def test_13_4_no_code_access():
    for name in ("__class__", "tier_handle.__class__", "first_name.upper", ""):
        assert "to ask of a person" in refusal({"===": [var(name), None]})


def test_13_1_claim_condition_bad_op():
    assert "«frob»" in refusal({"frob": [1]})


def test_13_1_claim_condition_null():
    assert read(None, NAMES) == read({}, NAMES) == EVERYONE
    assert holds({})
    assert parse("") == parse("  null ") == {}


def test_13_1_claim_condition_stored():
    text = json.dumps(NESTED)
    assert parse(text) == NESTED == json.loads(json.dumps(parse(text)))


@pytest.mark.parametrize(
    "rule",
    [
        {"===": [1]},
        {"===": [1, 2, 3]},
        {"<": [1, 2, 3, 4]},
        {"in": ["a"]},
        {"in": [{"var": "joined_at"}, ["a"]]},
        {"in": ["a", {"var": "birth_year"}]},
        {"!": []},
        {"var": []},
        {"var": ["gender", "female"]},
        {"var": 5},
        {"var": ""},
        {"===": [{"var": "gender"}, ["female"]]},
        {"===": [{"var": "gender"}, {"and": []}]},
        {"<": [{"var": "tier_handle"}, "gold"]},
        {"<": [{"var": "joined_at"}, "soon"]},
        {"<": [{"var": "joined_at"}, "2026-02-30"]},
        {"<": [{"var": "joined_at"}, {"var": "loyalty.since"}]},
        {"days_since": [{"var": "joined_at"}]},
        {"<": [{"days_since": [{"var": "gender"}]}, 5]},
        {"<": [{"days_since": [{"var": "joined_at"}]}, "5"]},
        {"<": [{"days_since": [{"var": "joined_at"}]}, {"var": "birth_year"}]},
        {"===": [{"var": "gender"}, "female"], "!": [True]},
        {"===": [{"var": "birth_year"}, 1e16]},
        {"today": []},
        {"and": [[True]]},
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(rule):
    message = refusal(rule)
    assert message[-1] in ".}"
    assert len(message) < 300


@pytest.mark.parametrize("text", ["{", "[1]", "5", '"x"', '{"a": NaN}', '{"a": Infinity}', '{"a": 1, "a": 2}', "[" * 5_000, "{" * 9_000, '{"===": [' + "9" * 5_000 + ", 1]}"])  # fmt: skip
def test_what_is_no_condition_in_json_is_refused(text):
    with pytest.raises(Refused) as caught:
        read(parse(text), NAMES)
    assert caught.value.field == "condition"


def test_13_4_explain():
    facts = {"tier_handle": "silver", "aggregations.spend_12m": 1500, "flattened_tags": ["vip", "press"]}
    told = explained(read(NESTED, NAMES), facts, TODAY)
    assert (told.words, told.passed) == ("all of these", True)
    either, spent, staff = told.inside
    assert [(one.passed, one.words, one.seen) for one in either.inside] == [
        (True, "tags have vip", "tags: press, vip"),
        (False, "tier is gold", "tier: silver"),
    ]
    assert (spent.passed, spent.words, spent.seen) == (
        True,
        "Spent in 12 months is above 1000",
        "Spent in 12 months: 1500",
    )
    assert (staff.passed, staff.inside[0].passed, staff.inside[0].seen) == (True, False, "statuses: not known")


def test_a_condition_is_told_in_words():
    rule = {
        "and": [
            {"<": [{"days_since": [var("joined_at")]}, 30]},
            {"!": [{"in": [var("tier_handle"), ["gold", "silver"]]}]},
        ]
    }
    assert in_words(read(rule, NAMES)) == "all of: days since joined: is below 30; not (tier is one of gold, silver)"
    assert in_words(read({"var": "email"}, NAMES)) == "e-mail is known"
    assert in_words(read({"or": []}, NAMES)) == "nobody"
    assert in_words(read({">=": [var("joined_at"), "2026-05-01"]}, NAMES)) == "joined is not before 1 May 2026"


def test_names_are_those_asked_for():
    assert names(NESTED) == {"flattened_tags", "tier_handle", "aggregations.spend_12m", "flattened_statuses"}
