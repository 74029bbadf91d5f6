"""benefits.md 13.2, 13.5 and 13.6, row by row: issue, redeem and take back, extend, hand over, void, expire."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import IntegrityError

from tests.support.benefits import MELBOURNE, MINT, T, programme
from webapp.domain.audit import Event
from webapp.domain.benefits import BenefitState, gates_to_redeem
from webapp.domain.errors import Conflict, NotFound, Refused
from webapp.domain.notices import NoticeKind, NoticeStatus
from webapp.domain.redemptions import BenefitMove, RedemptionKind
from webapp.domain.vouchers import VoucherStatus
from webapp.models import (
    AuditEntry,
    Benefit,
    BenefitChange,
    Notice,
    Redemption,
    RedemptionAttempt,
    Voucher,
    VoucherBatch,
    VoucherChange,
)
from webapp.queries import benefit_gates, benefit_past
from webapp.queries import benefit_lists as lists
from webapp.queries import benefits as read
from webapp.queries import redemptions as read_ledger
from webapp.queries.benefit_filters import Filter
from webapp.queries.invariants import INVARIANTS, broken
from webapp.services import benefits, vouchers
from webapp.services.benefits import changing, redeeming
from webapp.services.work import RequestStamp, perform

ABOUT_BENEFITS = [item for item in INVARIANTS if "redem" in item.sql or "benefit" in item.sql]


@pytest.fixture
def d(make, actor):
    """The programme of section 13; whatever a test did, every invariant of benefits holds afterwards."""
    found = programme(make, actor)
    yield found
    found.session.rollback()
    assert {item.name: broken(found.session, item) for item in ABOUT_BENEFITS if broken(found.session, item)} == {}


def refused(code, act, *args, **more):
    with pytest.raises(Refused) as refusal:
        act(*args, **more)
    assert refusal.value.code == code
    return refusal.value


def moves(d, benefit):
    found = read.changes(d.session, benefit.id)
    return [line.move for line in reversed(found)]


# 13.2 Issue


def test_13_2_manual_issue_makes_one_active_benefit_and_tells_who_and_when(d):
    benefit = d.issue()
    assert d.state(benefit) is BenefitState.ACTIVE
    (line,) = read.changes(d.session, benefit.id)
    assert (line.move, line.by, line.at) == (BenefitMove.ISSUED, d.actor.label, T)
    d.session.refresh(d.definition)
    assert (d.definition.total_global_created, d.definition.total_global_claimed) == (1, 0)


def test_thirty_days_end_at_the_end_of_a_local_day(d):
    assert d.issue().expires_at == datetime(2026, 3, 31, 12, 59, 59, tzinfo=UTC)


def test_13_2_timezone_required_is_the_persons_else_the_sites(d, make):
    assert d.issue().zone == MELBOURNE
    assert d.issue(make.profile()).zone == "Europe/London"
    assert d.issue(make.profile(), zone="asia/tokyo").zone == "Asia/Tokyo"


def test_13_2_timezone_invalid_is_refused_on_its_field(d):
    assert refused("site.timezone", d.issue, zone="Mars/Base").field == "zone"
    assert d.session.scalar(select(func.count()).select_from(Benefit)) == 0


def test_13_2_issued_at_future_is_scheduled_until_its_day_comes(d):
    benefit = d.issue(issued_on=date(2026, 3, 2))
    assert d.state(benefit) is BenefitState.SCHEDULED
    refused("not_started", d.redeem, benefit)
    d.forward(days=1)
    assert d.state(benefit) is BenefitState.ACTIVE
    d.redeem(benefit)


def test_13_2_issued_at_past_counts_from_that_day(d):
    benefit = d.issue(issued_on=date(2026, 2, 19))
    assert benefit.expires_at == datetime(2026, 3, 21, 12, 59, 59, tzinfo=UTC)


def test_13_2_expires_at_date_only_is_the_end_of_that_local_day(d):
    assert d.issue(expires_on=date(2026, 3, 10)).expires_at == datetime(2026, 3, 10, 12, 59, 59, tzinfo=UTC)


def test_13_2_expires_at_before_issued_at_is_refused(d):
    refusal = refused("expires_before_issue", d.issue, issued_on=date(2026, 3, 9), expires_on=date(2026, 3, 8))
    assert refusal.field == "expires_on"


def test_13_2_expires_null_never_expires_and_plans_no_reminder(d, make):
    target = make.target(site_id=d.definition.site_id).id
    leads = {f"notify_{kind}_offset_days": days for kind, days in (("issue", 1), ("remind", -14), ("extend", -3))}
    d.change(
        period=None, end_at=None, **leads, issue_target_id=target, remind_target_id=target, extend_target_id=target
    )
    benefit = d.issue()
    assert d.session.scalars(select(Notice.kind).where(Notice.benefit_id == benefit.id)).all() == [NoticeKind.ISSUE]
    d.forward(days=20_000)
    assert (benefit.expires_at, d.state(benefit)) == (None, BenefitState.ACTIVE)


def test_13_2_unknown_profile_definition_are_refused_on_their_field_and_nothing_is_stored(d):
    assert refused("profile.unknown", d.issue, profile_id=999_999).field == "profile_id"
    assert refused("definition.unknown", d.issue, definition_id=999_999).field == "definition_id"
    d.session.refresh(d.definition)
    assert d.definition.total_global_created == 0


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"is_archived": True}, "archived"),
        ({"is_assignable": False}, "not_assignable"),
        ({"end_at": T - timedelta(seconds=1)}, "ended"),
        ({"is_archived": True, "is_assignable": False}, "archived"),
    ],
)
def test_a_shut_gate_is_named_by_its_code(d, terms, code):
    d.change(**terms)
    refused(code, d.issue)
    d.session.refresh(d.definition)
    assert d.definition.total_global_created == 0


def test_one_person_gets_no_more_than_they_may(d):
    d.change(max_per_profile=2)
    first = d.issue()
    d.issue()
    refused("profile_limit_reached", d.issue)
    d.issue(d.other)
    d.do(benefits.void, benefits.VoidBenefit(first.id, "issued by mistake"))
    d.issue()


def test_13_2_double_click_makes_one_benefit_and_the_same_answer(d):
    command = benefits.IssueBenefit(definition_id=d.definition.id, profile_id=d.person.id, mint=MINT)
    stamp = RequestStamp("a-key", "the-content")
    answers = [
        perform(d.session, d.actor, d.at, lambda work: benefits.issue(work, command), stamp).id for _ in range(3)
    ]
    assert len(set(answers)) == 1
    assert d.session.scalar(select(func.count()).select_from(Benefit)) == 1


def test_a_benefit_without_a_code_of_its_definition_gets_one_of_its_own(d):
    first, second = d.issue(), d.issue()
    assert first.redeem_code_pos != second.redeem_code_pos
    assert read.id_of_code(d.session, first.redeem_code_pos.lower()) == first.id
    typed = d.issue(redeem_code_pos="kaffee 1")
    assert read.id_of_code(d.session, "KAFFEE-1") == typed.id
    assert refused("code_taken", d.issue, redeem_code_pos="Kaffee-1").field == "redeem_code_pos"


def test_a_code_of_the_definition_is_everybodys(d):
    d.change(redeem_code_pos="COFFEE")
    assert d.issue().redeem_code_pos is None


def test_13_2_term_snapshot_keeps_the_number_of_redemptions_and_the_terms(d):
    d.change(max_redemptions=3, value_minor=500, currency="AUD")
    benefit = d.issue()
    d.change(max_redemptions=1, value_minor=900)
    assert (d.left(benefit), read.get(d.session, benefit.id).value_minor) == (3, 500)
    assert read.sheet(d.session, benefit.id, None).terms.number == 1


# Codes out of a pool


def pooled(d, codes, **changes):
    kind = d.make.voucher_type(site_id=d.definition.site_id, value_minor=700, currency="AUD", valid_for_days=10)
    for more in changes.get("each", [{}] * codes):
        d.make.voucher(kind, **more)
    d.change(voucher_type_id=kind.id, force_allocation=changes.get("force", True))
    d.session.expire_all()
    return kind


def test_take_gives_a_code_its_value_and_its_end(d):
    kind = pooled(d, 1)
    benefit = d.issue()
    voucher = d.session.get_one(Voucher, benefit.voucher_id)
    assert (voucher.status, voucher.profile_id, voucher.allocated_at) == (VoucherStatus.ALLOCATED, d.person.id, T)
    assert (benefit.value_minor, benefit.redeem_code_pos) == (700, None)
    assert benefit.expires_at == datetime(2026, 3, 11, 12, 59, 59, tzinfo=UTC)
    d.session.refresh(kind)
    assert (kind.idle_count, kind.allocated_count) == (0, 1)


def test_13_1_force_allocation_and_a_pool_used_up_leave_no_benefit(d):
    pooled(d, 1)
    d.issue()
    refused("no_codes_left", d.issue, d.other)
    assert d.session.scalar(select(func.count()).select_from(Benefit)) == 1


def test_force_false_issues_without_a_code(d):
    pooled(d, 0, force=False)
    assert d.issue().voucher_id is None


def test_the_code_that_ends_soonest_goes_first(d):
    soon = {"expires_at": T + timedelta(days=3)}
    pooled(d, 2, each=[{"expires_at": T + timedelta(days=5)}, soon])
    assert d.issue().expires_at == T + timedelta(days=3, seconds=-1)


def test_a_code_follows_its_benefit_and_moves_no_other_way(d):
    pooled(d, 1)
    benefit = d.issue()

    def status():
        return d.session.get_one(Voucher, benefit.voucher_id, populate_existing=True).status

    line = d.redeem(benefit)
    assert status() is VoucherStatus.REDEEMED
    refused("voucher.of_benefit", d.do, vouchers.reverse, vouchers.MoveVoucher(benefit.voucher_id, "no"))
    d.reverse(line)
    assert status() is VoucherStatus.ALLOCATED
    d.do(benefits.void, benefits.VoidBenefit(benefit.id, "lost"))
    assert status() is VoucherStatus.CANCELLED
    d.do(benefits.restore, benefits.RestoreBenefit(benefit.id))
    assert status() is VoucherStatus.ALLOCATED


def test_13_7_no_reuse_the_code_of_a_void_benefit_stays_spent(d):
    pooled(d, 2)
    first = d.issue()
    d.do(benefits.void, benefits.VoidBenefit(first.id, "lost"))
    second = d.issue(d.other)
    assert second.voucher_id not in {None, first.voucher_id}
    assert refused("no_codes_left", d.issue, d.make.profile())
    assert d.session.get_one(Voucher, first.voucher_id, populate_existing=True).status is VoucherStatus.CANCELLED


def released(d, benefit, reason="issued twice"):
    return d.do(benefits.release, benefits.ReleaseCode(benefit.id, reason))


def voided_a_while_ago(d, benefit):
    d.do(benefits.void, benefits.VoidBenefit(benefit.id, "issued twice"))
    d.forward(minutes=10, seconds=1)


@pytest.mark.parametrize("upload", [None, {"good": 1}], ids=["ours", "uploaded"])
def test_13_7_no_reuse_but_a_code_that_nobody_knows_can_be_released(d, upload):
    kind = pooled(d, 1)
    benefit = d.issue()
    voucher = d.session.get_one(Voucher, benefit.voucher_id)
    d.session.get_one(VoucherBatch, voucher.batch_id).upload = upload
    d.session.commit()
    refused("not_void", released, d, benefit)
    d.do(benefits.void, benefits.VoidBenefit(benefit.id, "issued twice"))
    d.forward(minutes=10)
    assert "can be undone until 1 March 2026 11:40" in refused("void_window", released, d, benefit).message
    d.forward(seconds=1)
    refused("reason", released, d, benefit, " ")
    assert released(d, benefit).voucher_id is None
    d.session.refresh(voucher)
    assert (voucher.status, voucher.profile_id, voucher.allocated_at) == (VoucherStatus.IDLE, None, None)
    assert (voucher.expires_at is None) is (upload is None)  # an end that may be its own stays
    d.session.refresh(kind)
    assert (kind.idle_count, kind.cancelled_count) == (1, 0)
    refused("no_code", released, d, benefit)
    assert moves(d, benefit) == [BenefitMove.ISSUED, BenefitMove.VOIDED, BenefitMove.RELEASED]
    told = d.session.scalars(select(AuditEntry).where(AuditEntry.event == Event.BENEFIT_RELEASED)).one()
    assert told.facts == {"title": "Coffee", "person": d.person.id, "reason": "issued twice"}
    assert d.issue(d.other).voucher_id == voucher.id


def shown(d, benefit):
    d.do(benefits.reveal, benefits.RevealBenefit(benefit.id))


def shown_as_a_voucher(d, benefit):
    d.do(vouchers.reveal, vouchers.MoveVoucher(benefit.voucher_id))


def sent(d, benefit):
    d.make.notice(benefit, attempts=1)


def sent_by_another_system(d, benefit):
    d.make.notice(benefit, status=NoticeStatus.SENT, sent_at=d.at)


def printed(d, benefit):
    d.do(lambda work, ids: benefits.note_printed(work, ids, "a4-1", "asked for"), [benefit.id])


def used(d, benefit):
    d.reverse(d.redeem(benefit))


def refused_at_a_till(d, benefit):
    d.do(benefits.attempt, benefits.RedeemBenefit(benefit.id, "K7QD", 9))


@pytest.mark.parametrize(
    ("became_known", "words"),
    [
        (shown, "shown in full"),
        (shown_as_a_voucher, "shown in full"),
        (sent, "sent"),
        (sent_by_another_system, "sent"),
        (printed, "printed"),
        (used, "used at a till"),
        (refused_at_a_till, "used at a till"),
    ],
)
def test_13_7_no_reuse_of_a_code_that_somebody_may_know(d, became_known, words):
    pooled(d, 1)
    benefit = d.issue()
    became_known(d, benefit)
    d.session.commit()
    voided_a_while_ago(d, benefit)
    assert f"Its code was {words}, so somebody may know it" in refused("code_known", released, d, benefit).message
    assert d.session.get_one(Voucher, benefit.voucher_id, populate_existing=True).status is VoucherStatus.CANCELLED


def test_a_code_that_was_moved_meanwhile_is_not_released(d, monkeypatch):
    pooled(d, 1)
    benefit = d.issue()
    voided_a_while_ago(d, benefit)
    d.session.execute(update(Voucher).values(printed_count=1))
    d.session.commit()
    monkeypatch.setattr(changing.benefit_traces, "of_code", lambda *_: [])
    with pytest.raises(Conflict, match="a moment ago"):
        released(d, benefit)
    assert read.get(d.session, benefit.id).voucher_id is not None


# 13.5 Redeem and un-redeem


def test_13_5_redeem_writes_a_line_with_who_where_and_receipt(d):
    place = d.make.location(title="Till 3")
    benefit = d.issue()
    line = d.redeem(benefit, location_id=place.id, receipt_ref="S-1", note="two cups")
    assert (line.kind, line.count, line.staff_id, line.location_id) == (
        RedemptionKind.REDEEM, 1, d.actor.staff_id, place.id
    )  # fmt: skip
    assert (line.receipt, line.receipt_ref, line.note) == ("0001", "S-1", "two cups")
    assert (d.left(benefit), d.state(benefit), d.total()) == (0, BenefitState.REDEEMED, 1)
    told = d.session.scalars(select(AuditEntry).where(AuditEntry.event == Event.BENEFIT_REDEEMED)).one()
    assert told.facts == {"title": "Coffee", "count": 1, "receipt": "0001", "note": "S-1"}


def test_13_5_count(d):
    d.change(max_redemptions=5)
    benefit = d.issue()
    d.redeem(benefit, 3)
    assert (d.left(benefit), d.state(benefit)) == (2, BenefitState.PARTLY_REDEEMED)


def test_13_5_count_too_big(d):
    d.change(max_redemptions=5)
    benefit = d.issue()
    d.redeem(benefit, 3)
    refusal = refused("no_redemptions_left", d.redeem, benefit, 3)
    assert refusal.field == "count"
    assert "3 redemptions were asked for and 2 of 5 are left" in refusal.message
    assert (d.left(benefit), d.total()) == (2, 3)


@pytest.mark.parametrize("count", [0, -1, 1_001])
def test_13_5_count_invalid(d, count):
    assert refused("count", d.redeem, d.issue(), count).field == "count"


def test_13_5_expired(d):
    benefit = d.issue()
    d.at = benefit.expires_at
    d.redeem(benefit)
    other = d.issue(d.other, expires_on=date(2026, 4, 5))
    d.at = other.expires_at + timedelta(seconds=1)
    assert "It expired on 5 April 2026 23:59" in refused("expired", d.redeem, other).message


def test_13_5_void(d):
    benefit = d.issue()
    d.do(benefits.void, benefits.VoidBenefit(benefit.id, "lost"))
    refused("void", d.redeem, benefit)


def test_archived_goes_on_unless_redeeming_stops_with_it(d):
    first, second = d.issue(), d.issue()
    d.change(is_archived=True)
    d.redeem(first)
    d.change(stops_redemptions=True)
    refused("archived", d.redeem, second)


def test_global_limit_reached_leaves_both_counters_alone(d):
    d.change(max_global_redemptions=1)
    first, second = d.issue(), d.issue(d.other)
    d.redeem(first)
    refused("global_limit_reached", d.redeem, second)
    assert (d.left(second), d.total()) == (1, 1)


def test_an_unknown_benefit_is_not_found(d):
    with pytest.raises(NotFound):
        benefits.redeem(d.work(), benefits.RedeemBenefit(999_999, "AAAA"))


def test_one_used_up_says_when_where_by_whom(d):
    place = d.make.location(title="Till 3")
    benefit = d.issue()
    d.redeem(benefit, location_id=place.id)
    message = refused("no_redemptions_left", d.redeem, benefit).message
    assert message.startswith(
        f"Used on 1 March 2026 11:30:00 ({MELBOURNE}) at Till 3 by {d.actor.label} (receipt 0001)."
    )


def test_13_5_idempotent_redeem(d):
    benefit = d.issue()
    command = benefits.RedeemBenefit(benefit.id, "K7QD")
    stamp = RequestStamp("key", "content")
    answers = {
        perform(d.session, d.actor, d.at, lambda work: benefits.attempt(work, command), stamp).id for _ in range(3)
    }
    assert len(answers) == 1
    assert d.total() == 1


def test_an_attempt_refused_after_the_limits_moved_takes_them_back(d, monkeypatch):
    def overtaken(*_):
        raise Conflict("voucher.overtaken", "Somebody moved the code.")

    pooled(d, 1)
    benefit = d.issue()
    assert benefit.voucher_id is not None
    monkeypatch.setattr(redeeming.codes, "follow", overtaken)
    kept = d.do(benefits.attempt, benefits.RedeemBenefit(benefit.id, "K7QD"))
    assert kept.reason == "voucher.overtaken"
    d.session.refresh(benefit)
    d.session.refresh(d.definition)
    assert (benefit.redeemed_count, d.definition.total_global_redemptions) == (0, 0)
    assert d.session.scalar(select(func.count()).select_from(Redemption)) == 0


def test_a_refused_attempt_is_kept_with_its_reason_and_its_table(d):
    benefit = d.issue()
    d.redeem(benefit)
    kept = d.do(benefits.attempt, benefits.RedeemBenefit(benefit.id, "K7QD"))
    assert isinstance(kept, RedemptionAttempt)
    assert (kept.reason, kept.benefit_id, kept.field) == ("no_redemptions_left", benefit.id, "count")
    assert [words for words, against, *_ in kept.gates if against] == ["enough redemptions of it are left"]
    assert read_ledger.attempts(d.session, benefit.id) == [kept]


def test_13_5_return_partial(d):
    d.change(max_redemptions=3, max_global_redemptions=10)
    benefit = d.issue()
    line = d.redeem(benefit, 3)
    back = d.give_back(line, 2)
    assert (back.kind, back.original_id, d.left(benefit), d.total()) == (RedemptionKind.RETURN, line.id, 2, 1)


def test_13_5_return_too_many(d):
    d.change(max_redemptions=3)
    benefit = d.issue()
    line = d.redeem(benefit, 3)
    d.give_back(line, 2)
    assert refused("nothing_to_return", d.give_back, line, 2).field == "count"
    assert (d.left(benefit), d.total()) == (2, 1)


def test_what_another_redemption_took_does_not_come_back_of_this_one(d):
    d.change(max_redemptions=3)
    benefit = d.issue()
    line = d.redeem(benefit)
    d.redeem(benefit, 2)
    refused("nothing_to_return", d.give_back, line, 2)


def test_13_5_return_after_expiry(d):
    benefit = d.issue()
    line = d.redeem(benefit)
    d.forward(days=40)
    d.give_back(line, 1)
    assert (d.left(benefit), d.state(benefit)) == (1, BenefitState.EXPIRED)


def test_13_5_reversal_inside(d):
    d.change(max_redemptions=3)
    benefit = d.issue()
    line = d.redeem(benefit, 2)
    d.forward(minutes=9, seconds=59)
    back = d.reverse(line)
    assert (back.kind, back.count, d.left(benefit), d.total()) == (RedemptionKind.REVERSAL, 2, 3, 0)


def test_13_5_reversal_outside_points_at_returning(d):
    line = d.redeem(d.issue())
    d.forward(minutes=10, seconds=1)
    assert "return it instead" in refused("reversal_window_passed", d.reverse, line).message


def test_13_5_reversal_twice(d):
    line = d.redeem(d.issue())
    d.reverse(line)
    refused("already_reversed", d.reverse, line)
    refused("nothing_to_return", d.give_back, line, 1)


def test_somebody_elses_redemption_is_reversed_by_whoever_changes_benefits(d, make):
    line = d.redeem(d.issue())
    editor, d.actor = d.actor, make.actor("till")
    refused("not_own", d.reverse, line)
    d.actor = editor
    d.reverse(line)


def test_undo_is_ones_own_and_of_the_last_minute(d, make):
    line = d.redeem(d.issue())
    undo = benefits.UndoRedemption(line.id, "AAAA")
    somebody, d.actor = d.actor, make.actor("till")
    refused("not_own", d.do, benefits.undo, undo)
    d.actor = somebody
    d.forward(seconds=61)
    refused("undo_window_passed", d.do, benefits.undo, undo)
    d.forward(seconds=-1)
    assert d.do(benefits.undo, undo).kind is RedemptionKind.REVERSAL


def test_13_5_history(d):
    d.give_back(d.redeem(d.issue()), 1)
    d.do(benefits.attempt, benefits.RedeemBenefit(d.issue().id, "AAAA", 2))
    for table in (Redemption, BenefitChange, RedemptionAttempt):
        for statement in (update(table).values(at=table.at), delete(table)):
            with pytest.raises(IntegrityError, match="never"), d.session.begin_nested():
                d.session.execute(statement)


def test_13_5_reconcile_names_the_benefit_and_both_numbers(d):
    benefit = d.issue()
    d.redeem(benefit)
    d.session.execute(text("update benefits set redeemed_count = 0"))
    (check,) = [item for item in INVARIANTS if item.name == "redemptions of a benefit counted"]
    assert broken(d.session, check) == [f"{benefit.id}:0:1"]
    d.session.execute(text("update benefits set redeemed_count = 1"))


# 13.6 Extend, reassign, void, expire


def extend(d, benefit, **more):
    return d.do(benefits.extend, benefits.ExtendBenefit(benefit.id, **more))


@pytest.fixture
def x(d):
    """A benefit that may be extended and handed over; it ends on 30 March local."""
    d.change(is_extendable=True, is_reassignable=True, period=29)
    return d.issue()


def test_13_6_bulk_extend(d):
    d.change(is_extendable=True)
    first, second, void = d.issue(), d.issue(d.other), d.issue()
    d.do(benefits.void, benefits.VoidBenefit(void.id, "by mistake"))
    command = benefits.ExtendBenefits((first.id, second.id, void.id), extend_days=7)
    [[left, why]] = d.do(benefits.extend_several, command).passed_over
    assert (left, why[:17]) == (void.id, "It was made void ")
    assert {read.get(d.session, one.id).expires_at for one in (first, second)} == {
        datetime(2026, 4, 7, 13, 59, 59, tzinfo=UTC)  # days of the calendar: the clocks change in between
    }
    rows = read.several(d.session, None, [first.id, void.id])
    why = benefit_gates.to_extend(d.session, rows)
    assert "made void" in why[void.id]
    assert refused(
        "already_extended", d.do, benefits.extend_several, benefits.ExtendBenefits((first.id,), extend_days=1)
    )
    refused("extend_args", d.do, benefits.extend_several, benefits.ExtendBenefits((first.id,)))


def test_13_6_extend_days(d, x):
    assert x.expires_at == datetime(2026, 3, 30, 12, 59, 59, tzinfo=UTC)
    longer = extend(d, x, extend_days=14)
    assert (longer.expires_at, longer.extended_at) == (datetime(2026, 4, 13, 13, 59, 59, tzinfo=UTC), T)


def test_13_6_extend_date(d, x):
    assert extend(d, x, extend_date=date(2026, 5, 1)).expires_at == datetime(2026, 5, 1, 13, 59, 59, tzinfo=UTC)


def test_13_6_both_neither(d, x):
    refused("extend_args", extend, d, x)
    refused("extend_args", extend, d, x, extend_days=1, extend_date=date(2026, 5, 1))
    assert read.get(d.session, x.id).expires_at == datetime(2026, 3, 30, 12, 59, 59, tzinfo=UTC)


def test_13_6_backwards(d, x):
    assert refused("extend_backwards", extend, d, x, extend_date=date(2026, 3, 29)).field == "extend_date"


def code_until(d, benefit):
    return d.session.get_one(Voucher, benefit.voucher_id, populate_existing=True).expires_at - timedelta(seconds=1)


def test_6_2_cap_by_end_at_is_no_cap_and_the_history_says_so(d, x):
    d.change(end_at=datetime(2026, 4, 3, 12, 59, 59, tzinfo=UTC))
    d.do(benefits.extend, benefits.ExtendBenefit(x.id, extend_days=4))
    assert "longer" not in read.changes(d.session, x.id)[0].note
    d.do(benefits.set_expiry, benefits.SetExpiry(x.id, date(2026, 5, 1), "sorry"))
    assert read.get(d.session, x.id).expires_at > d.definition.end_at
    assert read.changes(d.session, x.id)[0].note == (
        "From 3 April 2026 23:59 (Australia/Melbourne) to 1 May 2026 23:59 (Australia/Melbourne). sorry. It lasts longer than "
        "its definition, which ends on 3 April 2026 23:59 (Australia/Melbourne)."
    )


def test_6_4_a_code_of_ours_lasts_as_long_as_its_benefit(d):
    d.change(is_extendable=True)
    pooled(d, 1)
    benefit = d.issue()
    assert code_until(d, benefit) == benefit.expires_at == datetime(2026, 3, 11, 12, 59, 59, tzinfo=UTC)
    benefit = d.do(benefits.extend, benefits.ExtendBenefit(benefit.id, extend_days=300))
    assert code_until(d, benefit) == benefit.expires_at == datetime(2027, 1, 5, 12, 59, 59, tzinfo=UTC)
    (line,) = d.session.scalars(select(VoucherChange).where(VoucherChange.note.startswith("lasts to")))
    assert (line.status, line.voucher_id) == (VoucherStatus.ALLOCATED, benefit.voucher_id)
    benefit = d.do(benefits.set_expiry, benefits.SetExpiry(benefit.id, date(2027, 2, 1), "sorry"))
    assert code_until(d, benefit) == benefit.expires_at
    d.do(benefits.set_expiry, benefits.SetExpiry(benefit.id, date(2026, 4, 1), "less"))
    assert code_until(d, benefit) == datetime(2027, 2, 1, 12, 59, 59, tzinfo=UTC)


def test_6_4_a_code_of_ours_lasts_no_longer_than_its_type(d):
    d.change(is_extendable=True)
    kind = pooled(d, 1)
    kind.static_expiry_on = date(2026, 3, 20)
    d.session.commit()
    benefit = d.do(benefits.extend, benefits.ExtendBenefit(d.issue().id, extend_days=30))
    assert code_until(d, benefit) == datetime(2026, 3, 20, 12, 59, 59, tzinfo=UTC)
    assert "longer than its code, which is good until 20 March 2026" in read.changes(d.session, benefit.id)[0].note


def test_6_4_a_code_out_of_a_file_keeps_its_end(d):
    d.change(is_extendable=True)
    pooled(d, 1)
    d.session.execute(update(VoucherBatch).values(upload={"good": 1}))
    d.session.commit()
    benefit = d.issue()
    before = code_until(d, benefit)
    benefit = d.do(benefits.extend, benefits.ExtendBenefit(benefit.id, extend_days=30))
    assert code_until(d, benefit) == before < benefit.expires_at
    assert "longer than its code, which is good until 11 March 2026" in read.changes(d.session, benefit.id)[0].note


def test_13_6_once_and_then_only_by_setting_the_end_with_a_reason(d, x):
    extend(d, x, extend_days=1)
    refused("already_extended", extend, d, x, extend_days=1)
    refused("reason", d.do, benefits.set_expiry, benefits.SetExpiry(x.id, date(2026, 6, 1), " "))
    d.do(benefits.set_expiry, benefits.SetExpiry(x.id, date(2026, 6, 1), "shop was closed"))
    assert read.get(d.session, x.id).expires_at == datetime(2026, 6, 1, 13, 59, 59, tzinfo=UTC)
    told = d.session.scalars(select(AuditEntry).where(AuditEntry.event == Event.BENEFIT_EXPIRY_SET)).one()
    assert told.facts["reason"] == "shop was closed"


def test_extend_not_extendable_is_refused(d):
    refused("not_extendable", extend, d, d.issue(), extend_days=1)


def test_13_6_extend_expired(d, x):
    d.at = x.expires_at + timedelta(days=1)
    assert d.state(x) is BenefitState.EXPIRED
    extend(d, x, extend_days=7)
    assert d.state(x) is BenefitState.ACTIVE


def test_13_6_extend_redeemed(d, x):
    d.redeem(x)
    refused("no_redemptions_left", extend, d, x, extend_days=7)


def reassign(d, benefit, person, **more):
    return d.do(benefits.reassign, benefits.ReassignBenefit(benefit.id, person, **more))


def test_13_6_reassign(d, x):
    d.change(max_redemptions=2)
    benefit = d.issue()
    d.redeem(benefit)
    moved = reassign(d, benefit, d.other.email.upper(), note="asked by phone")
    assert (moved.profile_id, d.left(moved)) == (d.other.id, 1)
    assert [line.redemption.count for line in read_ledger.ledger(d.session, benefit.id)] == [1]
    assert [line.profile_id for line in read.changes(d.session, benefit.id)] == [d.person.id, None]


def test_13_6_reassign_used_up(d, x):
    d.redeem(x)
    refused("no_redemptions_left", reassign, d, x, d.other.external_id)


def test_13_6_reassign_same(d, x):
    assert refused("same_profile", reassign, d, x, d.person.external_id).field == "person"


def test_reassign_to_nobody_is_refused(d, x):
    assert refused("profile.unknown", reassign, d, x, "X-404").field == "person"


def test_reassign_not_allowed_is_refused(d):
    refused("not_reassignable", reassign, d, d.issue(), d.other.external_id)


def test_13_6_reassign_non_reclaimable(d, x):
    d.change(is_claimable=True)
    d.claim(d.other)
    assert refused("claimed_before", reassign, d, x, d.other.external_id).field == "is_confirmed"
    assert reassign(d, x, d.other.external_id, is_confirmed=True).profile_id == d.other.id


def test_13_6_void(d, x):
    target = d.make.target(site_id=d.definition.site_id)
    d.change(remind_target_id=target.id, notify_remind_offset_days=-3)
    kind = pooled(d, 1)
    benefit = d.issue()
    gone = d.do(benefits.void, benefits.VoidBenefit(benefit.id, "issued twice"))
    assert d.state(gone) is BenefitState.VOID
    notice = d.session.scalars(select(Notice).execution_options(populate_existing=True)).one()
    assert (notice.status, notice.reason) == (NoticeStatus.SKIPPED, "void")
    assert d.session.get_one(Voucher, benefit.voucher_id, populate_existing=True).status is VoucherStatus.CANCELLED
    d.session.refresh(kind)
    assert (kind.idle_count, kind.cancelled_count) == (0, 1)


def test_13_6_void_keeps_the_record_and_counts_it(d, x):
    refused("reason", d.do, benefits.void, benefits.VoidBenefit(x.id, ""))
    gone = d.do(benefits.void, benefits.VoidBenefit(x.id, "issued twice"))
    assert (d.state(gone), gone.void_reason, gone.voided_by) == (BenefitState.VOID, "issued twice", d.actor.label)
    refused("void", d.do, benefits.void, benefits.VoidBenefit(x.id, "again"))
    d.session.refresh(d.definition)
    assert (d.definition.total_global_created, d.definition.total_global_voided) == (1, 1)


def test_13_6_void_undo(d, x):
    d.do(benefits.void, benefits.VoidBenefit(x.id, "issued twice"))
    d.forward(minutes=5)
    back = d.do(benefits.restore, benefits.RestoreBenefit(x.id))
    assert (d.state(back), back.void_reason) == (BenefitState.ACTIVE, "")
    d.do(benefits.void, benefits.VoidBenefit(x.id, "after all"))
    d.forward(minutes=10, seconds=1)
    refused("void_window_passed", d.do, benefits.restore, benefits.RestoreBenefit(x.id))
    assert moves(d, x) == [BenefitMove.ISSUED, BenefitMove.VOIDED, BenefitMove.RESTORED, BenefitMove.VOIDED]


def test_13_6_expire(d, x):
    d.at = x.expires_at + timedelta(seconds=1)
    assert d.state(x) is BenefitState.EXPIRED


def sweep(d):
    return perform(d.session, d.actor, d.at, benefits.tell_expired)


def test_13_6_expired_event(d, x):
    assert sweep(d) == 0
    d.at = x.expires_at + timedelta(hours=1)
    assert [sweep(d), sweep(d)] == [1, 0]
    extend(d, x, extend_days=7)
    assert sweep(d) == 0
    d.forward(days=30)
    assert [sweep(d), sweep(d)] == [1, 0]
    assert moves(d, x) == [BenefitMove.ISSUED, BenefitMove.EXPIRED, BenefitMove.EXTENDED, BenefitMove.EXPIRED]
    told = d.session.scalars(select(BenefitChange.at).where(BenefitChange.move == BenefitMove.EXPIRED)).first()
    assert told == x.expires_at.replace(tzinfo=UTC) or told < d.at


# Why not, at any instant


def test_the_table_of_a_benefit_at_another_instant(d):
    d.change(max_redemptions=1)
    benefit = d.issue()
    d.forward(hours=1)
    d.redeem(benefit)

    def shut(at):
        then = benefit_past.facts(d.session, read.get(d.session, benefit.id), at)
        found = gates_to_redeem(d.definition.facts, then, 1, at)
        return [gate.reason.code for gate in found if gate.reason]

    assert shut(T) == []
    assert shut(T - timedelta(minutes=1)) == ["not_started"]
    assert shut(d.at) == ["no_redemptions_left"]
    assert shut(T + timedelta(days=60)) == ["expired", "no_redemptions_left"]


def test_the_list_finds_every_state_that_the_rules_name(d):
    d.change(max_redemptions=2)
    active, partly, used, void = (d.issue() for _ in range(4))
    d.redeem(partly)
    d.redeem(used, 2)
    d.do(benefits.void, benefits.VoidBenefit(void.id, "issued twice"))
    later = d.issue(issued_on=date(2026, 4, 20))
    expired = d.issue(expires_on=date(2026, 3, 2))
    d.forward(days=3)
    for state, benefit in (
        (BenefitState.ACTIVE, active),
        (BenefitState.PARTLY_REDEEMED, partly),
        (BenefitState.REDEEMED, used),
        (BenefitState.VOID, void),
        (BenefitState.SCHEDULED, later),
        (BenefitState.EXPIRED, expired),
    ):
        rows = lists.page(d.session, None, Filter(state=state), d.at)
        assert [(row.id, row.state(d.at)) for row in rows] == [(benefit.id, state)]


def test_lines_of_the_ledger_are_told_with_what_came_back(d):
    d.change(max_redemptions=3)
    benefit = d.issue()
    line = d.redeem(benefit, 3)
    d.give_back(line, 1)
    assert [(one.redemption.kind, one.returned) for one in read_ledger.ledger(d.session, benefit.id)] == [
        (RedemptionKind.RETURN, 0),
        (RedemptionKind.REDEEM, 1),
    ]
    assert read_ledger.sheet(d.session, line.id, None).returned == 1
    assert read_ledger.id_of_receipt(d.session, line.receipt, None) == line.id
    assert d.session.scalar(select(func.count()).select_from(Redemption)) == 2
