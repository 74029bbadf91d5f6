"""Terms of a definition: what is refused of them, and how they are told (benefits.md 2.1, 8.2, 13.1, 13.8)."""

from datetime import UTC, date, datetime

import pytest

from webapp.domain import benefit_definitions as rules
from webapp.domain.benefit_claims import ReclaimEvery
from webapp.domain.benefit_dates import PeriodType, Validity
from webapp.domain.benefit_definitions import DefinitionTerms
from webapp.domain.condition_building import BuildSign, Built, Line, Lines, built_of, rule_of
from webapp.domain.conditions import catalogue
from webapp.domain.definition_words import in_words, samples, valid_for
from webapp.domain.errors import Refused
from webapp.domain.people import AttributeKind
from webapp.domain.terms_compared import LABELS, differences, told

ZONE = "Australia/Melbourne"
NOW = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
KNOWN = catalogue([("shop.size", AttributeKind.DECIMAL, "size"), ("shop.since", AttributeKind.DATE, "since")])


def terms(**changes):
    return DefinitionTerms(**{"name": "A coffee", "period": 30} | changes)


def wrong(**changes):
    return {reason.field: reason.message for reason in rules.may_save(terms(**changes)).reasons}


def test_a_name_and_a_period_are_enough():
    assert wrong() == {}


@pytest.mark.parametrize("text", ["ten % off", "", "-a", "_a", "ä", "x" * 81, "a b", "a/b", "a\n"])
def test_13_1_handle_format(text):
    if text == "a\n":
        assert rules.handle_of(text) == "a"
        return
    with pytest.raises(Refused, match="small letters, digits, - and _"):
        rules.handle_of(text)


def test_a_handle_is_kept_in_small_letters():
    assert rules.handle_of(" Gold_Coffee-2 ") == "gold_coffee-2"


def test_13_1_handle_immutable():
    assert rules.may_rename("d", "e", 0).ok
    assert rules.may_rename("d", "d", 5).ok
    assert "its handle never changes again" in rules.may_rename("d", "e", 1).reasons[0].message


def test_a_period_of_its_own_kind_needs_its_number():
    assert set(wrong(period=None, period_type=PeriodType.WEEKS)) == {"period"}
    assert wrong(period=None) == {}
    assert set(wrong(period_type=PeriodType.ABSOLUTE_DATE)) == {"absolute_expiry"}
    assert wrong(period_type=PeriodType.ABSOLUTE_DATE, absolute_expiry=date(2026, 6, 30)) == {}


def test_13_1_window_validation():
    early, late = datetime(2026, 3, 1), datetime(2026, 3, 2)  # noqa: DTZ001 - local as typed
    assert wrong(claim_period_start_at=early, claim_period_end_at=early) == {}
    assert set(wrong(claim_period_start_at=late, claim_period_end_at=early)) == {"claim_period_end_at"}
    assert set(wrong(claim_period_start_at=late, end_at=date(2026, 3, 1))) == {"claim_period_start_at"}


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:x", "//a.example/x", "http://", "https://a b", "ftp://a.example"]
)
def test_13_1_icon_image_url(url):
    assert set(wrong(image_url=url)) == {"image_url"}


def test_a_value_needs_its_currency_and_codes_their_type():
    assert set(wrong(value_minor=100)) == {"currency"}
    assert set(wrong(value_minor=100, currency="gbp")) == {"currency"}
    assert wrong(value_minor=100, currency="GBP") == {}
    assert set(wrong(force_allocation=True)) == {"voucher_type_id"}


def test_notices_have_both_or_neither_and_the_first_is_not_early():
    assert set(wrong(notify_remind_offset_hour=9)) == {"notify_remind_offset_days"}
    assert set(wrong(notify_issue_offset_days=-1, issue_target_id=1)) == {"notify_issue_offset_days"}
    assert set(wrong(notify_extend_offset_days=-3, extend_target_id=1)) == {"notify_extend_offset_days"}
    assert wrong(notify_extend_offset_days=-3, extend_target_id=1, is_extendable=True) == {}


@pytest.mark.parametrize("kind", ["issue", "remind", "extend"])
def test_13_8_target_required(kind):
    found = wrong(is_extendable=True, **{f"notify_{kind}_offset_days": 0})
    assert set(found) == {f"{kind}_target_id"}
    assert "has no target, the text that is sent; choose one" in str(found[f"{kind}_target_id"])
    assert set(wrong(**{f"{kind}_target_id": 1})) == {f"notify_{kind}_offset_days"}


def test_tags_meta_and_conditions_are_read_at_their_fields():
    assert rules.tags_of(" a,b ,, a,  c  d ") == ["a", "b", "c d"]
    assert set(wrong(tags="x" * 41, meta="nope", claim_condition="[1]", view_condition="{")) == {
        "tags", "meta", "claim_condition", "view_condition",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("validity", "words"),
    [
        (Validity(30), "30 days"),
        (Validity(1), "1 day"),
        (Validity(0), "the day of issue only"),
        (Validity(2, PeriodType.WEEKS), "2 weeks"),
        (Validity(None), "without end"),
        (Validity(None, end_at=NOW), "until 1 March 2026"),
        (Validity(30, end_at=NOW), "30 days, until 1 March 2026 at the latest"),
        (Validity(0, PeriodType.ABSOLUTE_WEEK), "until the Sunday of the week of issue"),
        (Validity(1, PeriodType.ABSOLUTE_MONTH), "until the last day of the month 1 month later"),
        (Validity(None, PeriodType.ABSOLUTE_DATE, date(2026, 6, 30)), "until 30 June 2026"),
    ],
)
def test_validity_in_words(validity, words):
    assert valid_for(validity, ZONE) == words


def test_the_summary_tells_every_decision():
    found = in_words(
        terms(
            value_minor=2050, currency="GBP", max_redemptions=3, max_global_redemptions=1000, max_per_profile=2,
            is_claimable=True, is_reclaimable=True, reclaim_every=ReclaimEvery.MONTH, is_extendable=True,
            notify_remind_offset_days=-14, notify_remind_offset_hour=9, redeem_code_pos="X",
        ),
        ZONE,
        {"claim_condition": "tier is gold"},
    )  # fmt: skip
    assert found == [
        "A benefit called «A coffee», worth 20.50 GBP.",
        "Valid 30 days; days end at 23:59:59 Australia/Melbourne.",
        "Each benefit can be redeemed 3 times, 1,000 times over all benefits. One person may get 2 at most.",
        "Everybody uses the code X.",
        "It can be claimed at any time by: tier is gold.",
        "One person may claim it once a month, when the one before is used or has expired.",
        "Staff may issue it and extend it once.",
        "Notices – reminder: 14 days before expiry at 09:00.",
    ]


def dates(**changes):
    sample = samples(terms(**changes), ZONE, NOW)[0]
    return [(notice.due_at, notice.remark) for notice in sample.notices]


def test_issue_one_day_later_is_due_in_local_time():
    assert dates(notify_issue_offset_days=1, notify_issue_offset_hour=9) == [(datetime(2026, 3, 1, 22, tzinfo=UTC), "")]


def test_issue_past_due_is_sent_at_once():
    assert dates(notify_issue_offset_days=0, notify_issue_offset_hour=9)[0][1] == "sent at once"


def test_remind():
    assert dates(notify_remind_offset_days=-14, notify_remind_offset_hour=9) == [
        (datetime(2026, 3, 16, 22, tzinfo=UTC), "")
    ]


def test_too_short():
    assert "shorter than the lead time" in dates(period=3, notify_remind_offset_days=-14)[0][1]


def test_after_expiry():
    due, remark = dates(notify_remind_offset_days=14, notify_remind_offset_hour=9)[0]
    assert due == datetime(2026, 4, 13, 23, tzinfo=UTC)
    assert "after expiry" in remark


GAP = datetime(2027, 3, 1, 12, tzinfo=UTC)


def strip(now=GAP, zone="Europe/London", **changes):
    """The first sample: when each notice is due, and what is odd about it."""
    sample = samples(terms(**changes), zone, now)[0]
    return [(notice.due_at, notice.remark, notice.is_odd) for notice in sample.notices]


def test_feature_21_a_reminder_in_a_dst_gap_is_marked():
    """London, 28 March 2027: at 01:00 the clocks show 02:00."""
    last = {"period_type": PeriodType.ABSOLUTE_DATE, "absolute_expiry": date(2027, 3, 28)}
    ((due, remark, is_odd),) = strip(**last, notify_remind_offset_days=0, notify_remind_offset_hour=1)
    assert (due, is_odd) == (datetime(2027, 3, 28, 1, tzinfo=UTC), True)
    assert remark == "clocks go forward and skip 01:00 on that day; in quiet hours, 21:00 to 08:00"
    ((_, remark, _),) = strip(**last, notify_remind_offset_days=0, notify_remind_offset_hour=9)
    assert remark == ""
    twice = {"period_type": PeriodType.ABSOLUTE_DATE, "absolute_expiry": date(2027, 10, 31)}
    ((_, remark, _),) = strip(**twice, notify_remind_offset_days=0, notify_remind_offset_hour=1)
    assert remark == "in quiet hours, 21:00 to 08:00"  # 01:00 comes twice that day, and the first one counts


@pytest.mark.parametrize(("hour", "is_quiet"), [(3, True), (7, True), (8, False), (20, False), (21, True)])
@pytest.mark.parametrize("kind", ["issue", "remind"])
def test_feature_21_a_notice_in_quiet_hours_is_marked(kind, hour, is_quiet):
    changes = {f"notify_{kind}_offset_days": 1 if kind == "issue" else -7, f"notify_{kind}_offset_hour": hour}
    ((_, remark, is_odd),) = strip(**changes)
    assert (remark, is_odd) == ("in quiet hours, 21:00 to 08:00" if is_quiet else "", is_quiet)


def test_feature_21_an_issue_notice_that_some_get_at_night_is_marked_though_this_one_goes_at_once():
    ((_, remark, is_odd),) = strip(notify_issue_offset_days=0, notify_issue_offset_hour=3)
    assert (remark, is_odd) == ("sent at once; who gets it earlier in the day is told in quiet hours", True)
    assert strip(notify_issue_offset_days=0)[0][1:] == ("sent at once", False)
    assert strip(datetime(2027, 3, 1, 2, tzinfo=UTC), notify_issue_offset_days=0)[0][1:] == ("sent at once", False)


def test_feature_21_a_reminder_at_the_last_second_is_in_quiet_hours():
    assert strip(notify_remind_offset_days=-7)[0][1] == "in quiet hours, 21:00 to 08:00"


def test_feature_21_a_sample_that_is_issued_after_the_end_is_marked_and_told_nothing():
    ends = {"end_at": date(2027, 3, 17), "notify_issue_offset_days": 0, "notify_remind_offset_days": -3}
    now, before, later = samples(terms(**ends), "Europe/London", GAP)
    assert (now.problem, before.problem) == ("", "")
    assert (later.problem, later.notices) == ("not any more: the last day is over by then", ())
    assert later.expires_at < later.issued_at
    fixed = {"period_type": PeriodType.ABSOLUTE_DATE, "absolute_expiry": date(2027, 2, 25)}
    assert [bool(one.problem) for one in samples(terms(**fixed), "Europe/London", GAP)] == [True, False, True]


def test_never_expires():
    assert dates(period=None, notify_remind_offset_days=-1) == [(None, "left out: it never expires")]


def test_differences_are_told_in_the_order_of_the_form():
    before = {"period": 30, "name": "A", "tags": ["a"], "is_claimable": False}
    after = {"period": 60, "name": "B", "tags": ["a"], "is_claimable": True}
    assert told(before, after) == "name from «A» to «B»; period from «30» to «60»; it can be claimed from «no» to «yes»"
    assert [one.is_kept for one in differences(before, after)] == [False, True, False]
    assert {"name", "handle", "meta", "view_condition"} <= set(LABELS)


def test_what_is_for_editors_only_is_named_and_not_quoted():
    before = {"name": "A", "description": "", "internal_notes": "Ask Jo", "meta": {}}
    after = {"name": "B", "description": "Inside", "internal_notes": "Ask Al", "meta": {"k": 1}}
    assert told(before, after) == "name from «A» to «B»; meta; internal description; notes for staff"
    assert told(before, before) == ""


def line(variable, sign="is", value=""):
    return Line(variable, BuildSign(sign), value)


def built(*lines, wants_all=True):
    return Built((Lines(lines, wants_all),))


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        ((line("gender", "is", "female"),), {"===": [{"var": "gender"}, "female"]}),
        ((line("birth_year", "is below", "1980"),), {"<": [{"var": "birth_year"}, 1980]}),
        ((line("shop.size", "is at least", "2.5"),), {">=": [{"var": "shop.size"}, 2.5]}),
        (
            (line("attributes.comms.email_promo", "is", "Yes"),),
            {"===": [{"var": "attributes.comms.email_promo"}, True]},
        ),
        ((line("joined_at", "is at most", "today"),), {"<=": [{"var": "joined_at"}, {"today": []}]}),
        ((line("flattened_tags", "has not", "vip"),), {"!": [{"in": ["vip", {"var": "flattened_tags"}]}]}),
        ((line("birth_month", "is between", "1 and 12"),), {"<=": [1, {"var": "birth_month"}, 12]}),
        (
            (line("joined_at", "is between", "2025-01-01 and today"),),
            {"<=": ["2025-01-01", {"var": "joined_at"}, {"today": []}]},
        ),
        (
            (line("joined_at", "is at least so many days ago", "30"),),
            {">=": [{"days_since": [{"var": "joined_at"}]}, 30]},
        ),
        (
            (line("joined_at", "is at most so many days ago", "0"),),
            {"<=": [{"days_since": [{"var": "joined_at"}]}, 0]},
        ),
        ((line("gender", "is none of", "a, b"),), {"!": [{"in": [{"var": "gender"}, ["a", "b"]]}]}),
        ((line("email", "is not known"),), {"!": [{"var": "email"}]}),
        (
            (line("email", "is known"), line("gender", "is", "x")),
            {"and": [{"var": "email"}, {"===": [{"var": "gender"}, "x"]}]},
        ),
        ((), {}),
    ],
)
def test_lines_become_json_and_come_back(lines, rule):
    made = built(*lines) if lines else Built()
    assert rule_of(made, KNOWN) == rule
    assert rule_of(built_of(rule) or Built(), KNOWN) == rule


def test_two_levels_come_back():
    rule = {"or": [{"and": [{"var": "email"}, {"var": "gender"}]}, {"<": [{"var": "birth_year"}, 1980]}]}
    found = built_of(rule)
    assert found is not None
    assert [len(group.lines) for group in found.groups] == [2, 1]
    assert not found.wants_all
    assert rule_of(found, KNOWN) == rule


@pytest.mark.parametrize(
    "rule",
    [
        {"and": [{"or": [{"and": [{"var": "email"}, {"var": "gender"}]}]}]},
        {"<": [{"days_since": [{"var": "joined_at"}]}, 30]},
        {"<": [1, {"var": "birth_month"}, 12]},
        {"<=": [{"var": "birth_month"}, 6, 12]},
        {">=": [{"days_since": [{"var": "joined_at"}]}, 2.5]},
        {">=": [{"days_since": [{"var": "joined_at"}]}, -1]},
        {"<=": [{"days_since": [{"var": "joined_at"}, 1]}, 30]},
        {"===": ["female", {"var": "gender"}]},
        {"!!": [{"var": "email"}]},
        {"in": [{"var": "gender"}, ["a,b"]]},
    ],
)
def test_what_lines_cannot_say_is_left_alone(rule):
    assert built_of(rule) is None


@pytest.mark.parametrize(
    ("wrong_line", "sentence"),
    [
        (line("nobody"), "There is no «nobody»"),
        (line("birth_year", "is", "x"), "is a number"),
        (line("flattened_tags", "is", "vip"), "is a list"),
        (line("birth_year", "has", "1"), "has no parts"),
        (line("gender"), "has no value"),
        (line("gender", "is between", "a and b"), "only numbers and dates"),
        (line("birth_year", "is between", "1980"), "no pair; write the first and the last"),
        (line("birth_year", "is at least so many days ago", "3"), "only a date"),
        (line("joined_at", "is at least so many days ago", "-3"), "no number of days"),
        (line("attributes.comms.email_promo", "is", "perhaps"), "is yes or no"),
    ],
)
def test_a_line_that_cannot_be_read_is_refused(wrong_line, sentence):
    with pytest.raises(Refused, match=sentence):
        rule_of(built(wrong_line), KNOWN)
