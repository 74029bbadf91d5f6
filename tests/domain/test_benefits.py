"""What a benefit is, and every gate with its code, at the instants on either side of it (benefits.md 5.2, 5.3, 13)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from webapp.domain.benefit_acts import gates_to_extend, gates_to_reassign, may_unvoid
from webapp.domain.benefit_claims import Claim, ReclaimEvery, ReclaimRules, looked_at, why_not_again
from webapp.domain.benefits import (
    BenefitFacts,
    BenefitState,
    ClaimFacts,
    DefinitionFacts,
    DefinitionState,
    definition_state,
    gates_to_claim,
    gates_to_issue,
    gates_to_redeem,
    kept,
    may_return,
    may_reverse,
    state,
    verdict,
)

ZONE = "Australia/Melbourne"
T = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
TODAY, DAY = date(2026, 3, 1), timedelta(days=1)
SECOND = timedelta(seconds=1)
D = DefinitionFacts(name="Coffee", is_claimable=True, is_extendable=True, is_reassignable=True)
B = BenefitFacts(issued_at=T, zone=ZONE, expires_at=T + timedelta(days=30), max_redemptions=1)


def codes(gates):
    found = [reason.code for reason in verdict(gates).reasons]
    assert all(reason.message.endswith(".") for reason in verdict(gates).reasons)
    return found


@pytest.mark.parametrize(
    ("changes", "now", "expected"),
    [
        ({}, T, BenefitState.ACTIVE),
        ({}, T - SECOND, BenefitState.SCHEDULED),
        ({}, B.expires_at, BenefitState.ACTIVE),
        ({}, B.expires_at + SECOND, BenefitState.EXPIRED),
        ({"expires_at": None}, T + timedelta(days=9_999), BenefitState.ACTIVE),
        ({"redeemed": 1}, T, BenefitState.REDEEMED),
        ({"redeemed": 1}, B.expires_at + SECOND, BenefitState.REDEEMED),
        ({"redeemed": 1, "max_redemptions": 3}, T, BenefitState.PARTLY_REDEEMED),
        ({"redeemed": 1, "max_redemptions": 3}, B.expires_at + SECOND, BenefitState.EXPIRED),
        ({"redeemed": 9, "max_redemptions": None}, T, BenefitState.PARTLY_REDEEMED),
        ({"redeemed": 1, "voided_at": T}, T, BenefitState.VOID),
    ],
)
def test_5_2_state(changes, now, expected):
    assert state(replace(B, **changes), now) is expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, DefinitionState.LIVE),
        ({"is_published": False}, DefinitionState.DRAFT),
        ({"end_at": T}, DefinitionState.LIVE),
        ({"end_at": T - SECOND}, DefinitionState.ENDED),
        ({"end_at": T - SECOND, "is_archived": True}, DefinitionState.ARCHIVED),
    ],
)
def test_5_1_definition_state(changes, expected):
    assert definition_state(replace(D, **changes), T) is expected


@pytest.mark.parametrize(
    ("changes", "held", "expected"),
    [
        pytest.param({}, 0, [], id="5.3 issue"),
        pytest.param({"is_assignable": False}, 0, ["not_assignable"], id="13.1 is_assignable false"),
        pytest.param({"is_archived": True}, 0, ["archived"], id="13.1 is_archived"),
        pytest.param({"end_at": T - SECOND}, 0, ["ended"], id="13.1 end_at closes"),
        pytest.param({"end_at": T}, 0, [], id="end_at is the last second"),
        pytest.param({"last_day": TODAY - DAY}, 0, ["expires_before_issue"], id="13.1 absolute_date is over"),
        pytest.param({"last_day": TODAY}, 0, [], id="13.1 absolute_date is the last day"),
        pytest.param({"force_allocation": True, "codes_left": 0}, 0, ["no_codes_left"], id="13.1 force_allocation"),
        pytest.param({"force_allocation": True}, 0, ["no_codes_left"], id="force_allocation without a pool"),
        pytest.param({"force_allocation": True, "codes_left": 1}, 0, [], id="force_allocation with a code"),
        pytest.param({"codes_left": 0}, 0, [], id="13.7 force false fallback"),
        pytest.param({"max_per_profile": 2}, 1, [], id="max_per_profile below"),
        pytest.param({"max_per_profile": 2}, 2, ["profile_limit_reached"], id="max_per_profile reached"),
        pytest.param({"is_published": False}, 0, [], id="a draft can be issued by staff"),
    ],
)
def test_issue(changes, held, expected):
    assert codes(gates_to_issue(replace(D, **changes), T, ZONE, held=held)) == expected


@pytest.mark.parametrize(
    ("days", "told"),
    [
        pytest.param((TODAY - DAY, None), "", id="begins before it"),
        pytest.param((None, TODAY), "", id="a last day of its own takes its place"),
        pytest.param((None, None), "end on 28 February 2026, and that day is over;", id="begins now"),
        pytest.param((TODAY + DAY, None), "and this one would begin on 2 March 2026;", id="begins later"),
    ],
)
def test_13_1_absolute_date_goes_by_the_days_asked_for(days, told):
    reasons = verdict(gates_to_issue(replace(D, last_day=TODAY - DAY), T, ZONE, days=days)).reasons
    assert told in "".join(reason.message for reason in reasons)
    assert bool(reasons) is bool(told)


@pytest.mark.parametrize(
    ("changes", "person", "expected"),
    [
        pytest.param({}, {}, [], id="13.3 claim success"),
        pytest.param({"is_claimable": False}, {}, ["not_claimable"], id="13.1 is_claimable false"),
        pytest.param({"is_published": False}, {}, ["not_published"], id="5.3 not_published"),
        pytest.param({"is_assignable": False}, {}, [], id="13.1 is_assignable false, claim still works"),
        pytest.param(
            {"is_archived": True, "claim_period_end_at": T - SECOND}, {}, ["archived", "claim_closed"], id="13.3 claim order of checks"
        ),
        pytest.param({"claim_period_start_at": T + SECOND}, {}, ["claim_not_open"], id="13.1 claim window start"),
        pytest.param({"claim_period_start_at": T}, {}, [], id="13.1 claim window start reached"),
        pytest.param({"claim_period_end_at": T}, {}, [], id="13.1 claim window end"),
        pytest.param({"claim_period_end_at": T - SECOND}, {}, ["claim_closed"], id="13.1 claim window end passed"),
        pytest.param({"end_at": T - SECOND}, {}, ["ended"], id="13.1 end_at closes, claim"),
        pytest.param({"last_day": TODAY - DAY}, {}, ["expires_before_issue"], id="13.1 absolute_date is over, claim"),
        pytest.param({"last_day": TODAY}, {}, [], id="13.1 absolute_date is the last day, claim"),
        pytest.param({}, {"matches": False}, ["condition_not_met"], id="13.1 view_condition"),
        pytest.param({}, {"why_not_again": "Claimed."}, ["already_claimed"], id="13.1 is_reclaimable false"),
        pytest.param({"max_global_redemptions": 2, "total_global_redemptions": 2}, {}, ["sold_out"], id="13.3 sold out"),
        pytest.param({"max_global_redemptions": 2, "total_global_redemptions": 5}, {}, ["sold_out"], id="13.1 lower cap below used"),
        pytest.param({"force_allocation": True, "codes_left": 0}, {}, ["no_codes_left"], id="13.3 claim race, no code"),
    ],
)  # fmt: skip
def test_claim(changes, person, expected):
    assert codes(gates_to_claim(replace(D, **changes), ClaimFacts(**person), T, ZONE)) == expected


@pytest.mark.parametrize(
    ("definition", "benefit", "count", "now", "expected"),
    [
        pytest.param({}, {}, 1, T, [], id="13.5 redeem"),
        pytest.param({}, {}, 1, B.expires_at, [], id="13.5 expired, at the last second"),
        pytest.param({}, {}, 1, B.expires_at + SECOND, ["expired"], id="13.5 expired"),
        pytest.param({}, {"voided_at": T}, 1, T, ["void"], id="13.5 void"),
        pytest.param({}, {}, 1, T - SECOND, ["not_started"], id="13.2 issued_at future"),
        pytest.param({}, {"max_redemptions": 5, "redeemed": 3}, 3, T, ["no_redemptions_left"], id="13.5 count too big"),
        pytest.param({}, {"max_redemptions": 5, "redeemed": 3}, 2, T, [], id="13.5 count"),
        pytest.param({}, {"max_redemptions": 3, "redeemed": 3}, 1, T, ["no_redemptions_left"], id="13.1 max_redemptions n"),
        pytest.param({}, {"max_redemptions": None, "redeemed": 50}, 1, T, [], id="13.1 max_redemptions null"),
        pytest.param({"max_global_redemptions": 2, "total_global_redemptions": 2}, {}, 1, T, ["global_limit_reached"], id="13.1 max_global n"),
        pytest.param({"is_published": False}, {}, 1, T, [], id="13.1 is_published false, held ones stay redeemable"),
        pytest.param({"is_archived": True}, {}, 1, T, [], id="13.1 is_archived, existing ones redeem"),
        pytest.param({"is_archived": True, "stops_redemptions": True}, {}, 1, T, ["archived"], id="13.1 is_archived, redemptions stopped"),
    ],
)  # fmt: skip
def test_redeem(definition, benefit, count, now, expected):
    assert codes(gates_to_redeem(replace(D, **definition), replace(B, **benefit), count, now)) == expected


def test_13_1_allow_user_redeem():
    assert codes(gates_to_redeem(D, B, 1, T, by_holder=True)) == ["self_redeem_not_allowed"]
    assert codes(gates_to_redeem(replace(D, allow_user_redeem=True), B, 1, T, by_holder=True)) == []


def test_13_1_max_global_null_and_a_cap_below_what_is_used():
    assert D.global_left is None
    assert replace(D, max_global_redemptions=3, total_global_redemptions=5).global_left == 0


@pytest.mark.parametrize(
    ("definition", "benefit", "expected"),
    [
        pytest.param({}, {}, [], id="5.3 extend"),
        pytest.param({}, {"expires_at": T}, [], id="13.6 extend expired"),
        pytest.param({"is_extendable": False}, {}, ["not_extendable"], id="13.1 is_extendable false"),
        pytest.param({}, {"extended_at": T}, ["already_extended"], id="13.6 once"),
        pytest.param({}, {"redeemed": 1}, ["no_redemptions_left"], id="13.6 extend redeemed"),
        pytest.param({}, {"expires_at": None}, ["never_expires"], id="extend what never expires"),
        pytest.param({}, {"voided_at": T}, ["void"], id="extend void"),
    ],
)
def test_extend(definition, benefit, expected):
    assert codes(gates_to_extend(replace(D, **definition), replace(B, **benefit))) == expected


@pytest.mark.parametrize(
    ("definition", "benefit", "is_same", "expected"),
    [
        pytest.param({}, {}, False, [], id="13.6 reassign"),
        pytest.param({}, {"redeemed": 1}, False, ["no_redemptions_left"], id="13.6 reassign used up"),
        pytest.param({}, {}, True, ["same_profile"], id="13.6 reassign same"),
        pytest.param({"is_reassignable": False}, {}, False, ["not_reassignable"], id="13.1 is_reassignable false"),
    ],
)
def test_reassign(definition, benefit, is_same, expected):
    assert codes(gates_to_reassign(replace(D, **definition), replace(B, **benefit), is_same=is_same)) == expected


def test_13_5_return_too_many():
    assert may_return(2, 3, 1).ok
    assert [reason.code for reason in may_return(2, 3, 2).reasons] == ["nothing_to_return"]


def test_13_5_reversal_inside_and_outside():
    assert may_reverse(T, 0, T + timedelta(minutes=9, seconds=59), ZONE).ok
    assert [reason.code for reason in may_reverse(T, 0, T + timedelta(minutes=10, seconds=1), ZONE).reasons] == [
        "reversal_window_passed"
    ]
    assert [reason.code for reason in may_reverse(T, 1, T, ZONE).reasons] == ["already_reversed"]


def test_13_6_void_undo():
    assert may_unvoid(T, T + timedelta(minutes=5), ZONE).ok
    assert [reason.code for reason in may_unvoid(T, T + timedelta(minutes=10, seconds=1), ZONE).reasons] == [
        "void_window_passed"
    ]
    assert [reason.code for reason in may_unvoid(None, T, ZONE).reasons] == ["not_void"]


USED, HELD = BenefitState.REDEEMED, BenefitState.ACTIVE


@pytest.mark.parametrize(
    ("rules", "claims", "now", "again"),
    [
        pytest.param(ReclaimRules(), [], T, True, id="first claim"),
        pytest.param(ReclaimRules(), [(T, USED)], T + timedelta(days=400), False, id="13.1 is_reclaimable false"),
        pytest.param(ReclaimRules(is_reclaimable=True), [(T, USED)], T, True, id="13.1 is_reclaimable true"),
        pytest.param(ReclaimRules(is_reclaimable=True), [(T, HELD)], T, False, id="reclaim_requires_used"),
        pytest.param(ReclaimRules(is_reclaimable=True, requires_used=False), [(T, HELD)], T, True, id="requires_used off"),
        pytest.param(ReclaimRules(is_reclaimable=True), [(T, BenefitState.EXPIRED)], T, True, id="expired counts as used"),
        pytest.param(
            ReclaimRules(is_reclaimable=True, every=ReclaimEvery.MONTH),
            [(datetime(2026, 1, 31, 12, tzinfo=UTC), USED)],
            datetime(2026, 1, 31, 13, tzinfo=UTC),
            True,
            id="13.3 reclaim_every month",
        ),
        pytest.param(
            ReclaimRules(is_reclaimable=True, every=ReclaimEvery.MONTH), [(T, USED)], T + timedelta(days=1), False, id="same month"
        ),
        pytest.param(
            ReclaimRules(is_reclaimable=True, every=ReclaimEvery.WEEK), [(T, USED)], T + timedelta(days=1), True, id="next ISO week"
        ),
        pytest.param(ReclaimRules(is_reclaimable=True, every=ReclaimEvery.DAY), [(T, USED)], T + timedelta(hours=2), False, id="same day"),
        pytest.param(ReclaimRules(is_reclaimable=True, every=ReclaimEvery.YEAR), [(T, USED)], T + timedelta(days=200), False, id="same year"),
    ],
)  # fmt: skip
def test_claiming_again(rules, claims, now, again):
    assert (why_not_again(rules, [Claim(*one) for one in claims], now, ZONE) == "") is again


TABLES = [
    gates_to_issue(D, T, ZONE),
    gates_to_claim(D, ClaimFacts(again=looked_at(ReclaimRules(), [], T, ZONE)), T, ZONE),
    gates_to_redeem(D, B, 1, T),
]


@pytest.mark.parametrize("table", TABLES, ids=["issue", "claim", "redeem"])
def test_feature_10_every_rule_says_what_it_saw_and_what_it_needs(table):
    assert [gate.words for gate in table if not gate.seen or not gate.needed] == []
    assert {gate.turns_at for gate in table} == {None}


def one(table, code):
    [found] = [gate for gate in table if gate.reason and gate.reason.code == code]
    return found


@pytest.mark.parametrize(
    ("table", "code", "seen", "needed", "turns_at"),
    [
        (gates_to_redeem(D, replace(B, issued_at=T + SECOND), 1, T), "not_started", "1 March 2026 11:30 ", "from 1 March 2026 11:30 ", T + SECOND),
        (gates_to_redeem(D, B, 1, B.expires_at + SECOND), "expired", "31 March 2026 11:30 ", "until 31 March 2026 11:30 ", None),
        (gates_to_redeem(D, replace(B, voided_at=T), 1, T), "void", "void", "not void", None),
        (gates_to_redeem(D, replace(B, redeemed=1), 1, T, last_use="Used at till 3"), "no_redemptions_left", "1 of 1", "1 left at least", None),
        (gates_to_claim(replace(D, claim_period_start_at=T + SECOND), ClaimFacts(), T, ZONE), "claim_not_open", "1 March", "from 1 March", T + SECOND),
        (gates_to_claim(replace(D, is_archived=True), ClaimFacts(), T, ZONE), "archived", "archived", "in use", None),
        (gates_to_claim(replace(D, max_per_profile=2), ClaimFacts(held=2), T, ZONE), "profile_limit_reached", "2 of 2", "fewer than 2", None),
        (gates_to_issue(replace(D, force_allocation=True, codes_left=0), T, ZONE), "no_codes_left", "0 left", "1 at least", None),
    ],
)  # fmt: skip
def test_feature_10_a_rule_that_is_shut_says_the_value_and_when_it_opens(table, code, seen, needed, turns_at):
    gate = one(table, code)
    assert (gate.seen[: len(seen)], gate.needed[: len(needed)], gate.turns_at) == (seen, needed, turns_at)


@pytest.mark.parametrize(
    ("most", "redeemed", "sentence"),
    [
        (1, 1, "Its only redemption is used."),
        (3, 3, "All 3 of its redemptions are used."),
        (3, 2, "2 redemptions were asked for and 1 of 3 are left."),
    ],
)
def test_too_few_redemptions_are_told_with_their_number(most, redeemed, sentence):
    gate = one(gates_to_redeem(D, replace(B, max_redemptions=most, redeemed=redeemed), 2, T), "no_redemptions_left")
    assert gate.reason.message == sentence


def test_feature_10_a_rule_says_which_event_its_value_is_from():
    used = one(gates_to_redeem(D, replace(B, redeemed=1), 1, T, last_use="Used at till 3"), "no_redemptions_left")
    saved = one(gates_to_issue(replace(D, is_archived=True, saved_at=T), T, ZONE), "archived")
    later = replace(B, extended_at=T)
    ended = one(gates_to_redeem(D, later, 1, B.expires_at + SECOND), "expired")
    assert (used.event, saved.event[:35]) == ("Used at till 3", "the definition as saved on 1 March ")
    assert ended.needed.endswith(", as extended on 1 March 2026 11:30 (Australia/Melbourne)")


JAN = datetime(2026, 1, 31, 12, tzinfo=UTC)  # still January in Melbourne


@pytest.mark.parametrize(
    ("rules", "ends_at", "turns_at"),
    [
        (ReclaimRules(), T, None),
        (ReclaimRules(is_reclaimable=True), T, T + SECOND),
        (ReclaimRules(is_reclaimable=True), None, None),
        (ReclaimRules(is_reclaimable=True, every=ReclaimEvery.DAY, requires_used=False), T, datetime(2026, 1, 31, 13, tzinfo=UTC)),
        (ReclaimRules(is_reclaimable=True, every=ReclaimEvery.WEEK, requires_used=False), T, datetime(2026, 2, 1, 13, tzinfo=UTC)),
        (ReclaimRules(is_reclaimable=True, every=ReclaimEvery.MONTH, requires_used=False), T, datetime(2026, 1, 31, 13, tzinfo=UTC)),
        (ReclaimRules(is_reclaimable=True, every=ReclaimEvery.YEAR, requires_used=False), T, datetime(2026, 12, 31, 13, tzinfo=UTC)),
        (ReclaimRules(is_reclaimable=True, every=ReclaimEvery.DAY), T, T + SECOND),
    ],
)  # fmt: skip
def test_feature_10_when_it_can_be_claimed_again_by_itself(rules, ends_at, turns_at):
    claim = Claim(JAN, BenefitState.ACTIVE, 12, ends_at=ends_at)
    look = looked_at(rules, [claim], JAN, ZONE)
    assert (look.turns_at, look.event) == (turns_at, "benefit 12")
    if turns_at:
        stands = [replace(claim, state=BenefitState.EXPIRED)] if rules.requires_used else [claim]
        assert why_not_again(rules, stands, turns_at, ZONE) == ""
        assert why_not_again(rules, [claim], turns_at - SECOND, ZONE)


def test_feature_10_the_table_is_kept_with_all_of_it():
    [line] = [line for line in kept(gates_to_redeem(D, replace(B, issued_at=T + SECOND), 1, T), ZONE) if line[1]]
    at = "1 March 2026 11:30 (Australia/Melbourne)"
    assert line == [
        "it has begun",
        f"It can be used from {at} on.",
        at,
        "the instant asked about",
        f"from {at} on, when it begins",
        at,
    ]
