"""benefits.md 13.8, row by row: notices planned, moved, left out, sent once, tried again and sent again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support.benefits import T, programme
from webapp.adapters.mail import Letterhead, ListSender, NotSent
from webapp.adapters.mail import Refused as MailRefused
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, Refused
from webapp.domain.notices import NoticeKind, NoticeStatus, Skip
from webapp.domain.outbox import OutboxStatus
from webapp.jobs import notices as sweep
from webapp.jobs import outbox as outbox_job
from webapp.models import AuditEntry, Notice, OutboxMessage
from webapp.services import benefits, notices, profiles

PLANNED, SENDING, SENT, SKIPPED, FAILED = NoticeStatus
ISSUE, REMIND, EXTEND = NoticeKind
PAPER = Letterhead("Largesse <largesse@example.org>", "example.org")


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.fixture
def d(make, actor, monkeypatch):
    """The programme of section 13 with one target for every kind of notice."""
    found = programme(make, actor)
    target = make.target(site_id=found.definition.site_id, title="All about it")
    found.target = target
    found.change(issue_target_id=target.id, remind_target_id=target.id, extend_target_id=target.id)
    found.person.email = "pia@example.org"
    found.session.commit()
    monkeypatch.setattr("webapp.adapters.clock.now", lambda: found.at)
    return found


def leads(d, **days):
    """`leads(d, remind=(-14, 9))`"""
    for kind, (offset, hour) in days.items():
        d.change(**{f"notify_{kind}_offset_days": offset, f"notify_{kind}_offset_hour": hour})


def rows(d, benefit=None):
    d.session.rollback()
    wanted = select(Notice).order_by(Notice.id).execution_options(populate_existing=True)
    return d.session.scalars(wanted if benefit is None else wanted.where(Notice.benefit_id == benefit.id)).all()


def only(d):
    (row,) = rows(d)
    return row


def due(d):
    return [(row.kind, row.due_at) for row in rows(d)]


def connect(d):
    bind = d.session.get_bind()
    return lambda: Session(bind, expire_on_commit=False, join_transaction_mode="create_savepoint")


def send(d, sender=None):
    """What is due at `d.at` goes to the outbox, and the outbox sends it; gives the sender."""
    d.session.commit()
    sender = sender or ListSender(PAPER)
    sweep.run_due(connect(d))
    outbox_job.run_due(connect(d), sender, "me")
    d.session.expire_all()
    return sender


def until(d, moment):
    d.at = moment


def test_13_8_none(d):
    d.issue()
    assert rows(d) == []


def test_an_offset_without_a_target_plans_nothing(d):
    leads(d, remind=(-14, 9))
    d.change(remind_target_id=None)
    d.issue()
    assert rows(d) == []


def test_13_8_issue_immediate(d):
    leads(d, issue=(0, None))
    d.issue()
    assert due(d) == [(ISSUE, T)]


def test_13_8_issue_past_due(d):
    leads(d, issue=(0, 9))
    d.issue()
    assert due(d) == [(ISSUE, utc(2026, 2, 28, 22))]
    assert len(send(d).sent) == 1
    assert only(d).status is SENT


def test_13_8_issue_1_day(d):
    leads(d, issue=(1, 9))
    d.issue()
    assert due(d) == [(ISSUE, utc(2026, 3, 1, 22))]
    until(d, utc(2026, 3, 1, 21, 59))
    assert send(d).sent == []
    until(d, utc(2026, 3, 1, 22))
    assert len(send(d).sent) == 1


def test_backdated(d):
    leads(d, issue=(0, None))
    d.issue(issued_on=date(2026, 2, 19))
    assert (only(d).status, only(d).reason) == (SKIPPED, Skip.BACKDATED)


def test_13_8_remind(d):
    leads(d, remind=(-14, 9))
    d.issue()
    assert due(d) == [(REMIND, utc(2026, 3, 16, 22))]


def test_13_8_extend_schedule_offset(d):
    d.change(notify_schedule_offset=2, is_extendable=True)
    leads(d, extend=(-3, 18))
    d.issue()
    assert due(d) == [(EXTEND, utc(2026, 3, 28, 5))]
    assert only(d).status is PLANNED


def test_13_8_too_short(d):
    leads(d, remind=(-14, 9))
    d.issue(expires_on=date(2026, 3, 3))
    assert (only(d).status, only(d).reason) == (SKIPPED, Skip.TOO_SHORT)


def test_past_already_by_more_than_a_day(d):
    leads(d, remind=(-14, 9))
    d.issue(issued_on=date(2026, 2, 1), expires_on=date(2026, 3, 12))
    assert (only(d).status, only(d).reason) == (SKIPPED, Skip.LATE)


def test_past_already_by_less_than_a_day_goes_out_at_once(d):
    leads(d, remind=(-14, 9))
    d.issue(issued_on=date(2026, 2, 1), expires_on=date(2026, 3, 15))
    assert (only(d).status, only(d).due_at) == (PLANNED, utc(2026, 2, 28, 22))
    assert len(send(d).sent) == 1


def test_13_8_after_expiry(d):
    leads(d, remind=(14, 9))
    d.issue()
    assert due(d) == [(REMIND, utc(2026, 4, 13, 23))]
    until(d, utc(2026, 4, 13, 23))
    assert len(send(d).sent) == 1  # a win-back is meant for an expired benefit


@pytest.mark.parametrize(
    ("zone", "last", "hour", "at"),
    [
        pytest.param("America/New_York", date(2026, 3, 8), 2, utc(2026, 3, 8, 7), id="13.8 DST gap"),
        pytest.param("Europe/London", date(2026, 10, 25), 1, utc(2026, 10, 25, 0), id="13.8 DST fold"),
    ],
)
def test_dst(d, zone, last, hour, at):
    leads(d, remind=(0, hour))
    d.issue(zone=zone, expires_on=last)
    assert due(d) == [(REMIND, at)]
    until(d, at)
    sender = send(d)
    until(d, at + timedelta(hours=1))
    send(d, sender)
    assert len(sender.sent) == 1


def test_13_8_timezone_per_benefit(d):
    leads(d, remind=(-14, 9))
    d.issue(zone="Australia/Perth")
    d.issue(d.other, zone="Australia/Melbourne")
    assert [at for _, at in due(d)] == [utc(2026, 3, 17, 1), utc(2026, 3, 16, 22)]


def test_13_8_never_expires(d):
    d.change(period=None, is_extendable=True)
    leads(d, issue=(0, None), remind=(-14, 9), extend=(-3, 9))
    d.issue()
    assert [kind for kind, _ in due(d)] == [ISSUE]


def test_13_8_redeemed_cancels(d):
    leads(d, remind=(-14, 9))
    benefit = d.issue()
    line = d.redeem(benefit)
    assert (only(d).status, only(d).reason) == (SKIPPED, "redeemed")
    d.give_back(line, 1)
    assert (only(d).status, only(d).reason) == (PLANNED, "")


def test_13_8_partly_redeemed_keeps(d):
    d.change(max_redemptions=3)
    leads(d, remind=(-14, 9))
    d.redeem(d.issue())
    until(d, utc(2026, 3, 16, 22))
    assert len(send(d).sent) == 1
    assert only(d).status is SENT


def test_void_cancels_and_restoring_plans_again(d):
    leads(d, remind=(-14, 9))
    benefit = d.issue()
    d.do(benefits.void, benefits.VoidBenefit(benefit.id, "a slip"))
    assert (only(d).status, only(d).reason) == (SKIPPED, "void")
    d.do(benefits.restore, benefits.RestoreBenefit(benefit.id))
    assert (only(d).status, only(d).reason) == (PLANNED, "")


def test_13_8_extension_replans(d):
    d.change(is_extendable=True)
    leads(d, remind=(-14, 9))
    benefit = d.issue()
    until(d, utc(2026, 3, 16, 22))
    sender = send(d)
    d.do(benefits.extend, benefits.ExtendBenefit(benefit.id, extend_days=14))
    assert [(row.status, row.due_at) for row in rows(d)] == [
        (SENT, utc(2026, 3, 16, 22)),
        (PLANNED, utc(2026, 3, 30, 22)),
    ]
    until(d, utc(2026, 3, 30, 22))
    assert len(send(d, sender).sent) == 2


def test_an_unsent_reminder_moves_with_the_end_and_back(d):
    leads(d, remind=(-14, 9))
    benefit = d.issue()
    d.do(benefits.set_expiry, benefits.SetExpiry(benefit.id, date(2026, 4, 30), "asked for"))
    assert [(row.status, row.reason) for row in rows(d)] == [(SKIPPED, Skip.MOVED), (PLANNED, "")]
    d.do(benefits.set_expiry, benefits.SetExpiry(benefit.id, date(2026, 3, 31), "a slip"))
    assert [(row.status, row.reason) for row in rows(d)] == [(PLANNED, ""), (SKIPPED, Skip.MOVED)]


def test_13_8_extend_notice_suppressed(d):
    d.change(is_extendable=True)
    leads(d, extend=(-3, 9))
    benefit = d.issue()
    d.do(benefits.extend, benefits.ExtendBenefit(benefit.id, extend_days=14))
    assert [row.reason for row in rows(d)] == [Skip.MOVED, Skip.NOT_EXTENDABLE]
    d.change(is_extendable=False)
    d.issue(d.other)
    assert rows(d)[-1].reason == Skip.NOT_EXTENDABLE


def test_handing_over_tells_the_new_owner_and_the_old_one_no_more(d):
    d.change(is_reassignable=True)
    leads(d, issue=(0, None), remind=(-14, 9))
    benefit = d.issue()
    send(d)
    d.forward(days=3)
    d.do(benefits.reassign, benefits.ReassignBenefit(benefit.id, d.other.external_id))
    assert [(row.kind, row.profile_id, row.status) for row in rows(d)] == [
        (ISSUE, d.person.id, SENT),
        (REMIND, d.person.id, SKIPPED),
        (ISSUE, d.other.id, PLANNED),
        (REMIND, d.other.id, PLANNED),
    ]
    assert [row.reason for row in rows(d)][1] == Skip.HANDED_OVER
    assert [mail["To"] for mail in send(d).sent] == [d.other.email]


def test_13_8_opt_out(d):
    leads(d, issue=(0, None), remind=(-14, 9))
    d.issue()
    d.person.consents = {"email_reminders": False}
    d.session.commit()
    assert len(send(d).sent) == 1
    until(d, utc(2026, 3, 16, 22))
    assert send(d).sent == []
    assert [(row.status, row.reason) for row in rows(d)] == [(SENT, ""), (SKIPPED, "opted out")]


@pytest.mark.parametrize(
    ("consents", "reason"),
    [
        ({"email_optout": True}, Skip.OPTED_OUT),
        ({"email_bounced": True}, Skip.BOUNCED),
        ({"email_benefits": False}, Skip.OPTED_OUT),
    ],
)
def test_consents_are_asked_for_when_it_is_due(d, consents, reason):
    leads(d, issue=(1, 9))
    d.issue()
    assert only(d).status is PLANNED
    d.person.consents = consents
    d.session.commit()
    until(d, utc(2026, 3, 1, 22))
    assert send(d).sent == []
    assert (only(d).status, only(d).reason) == (SKIPPED, reason)


def test_somebody_without_an_address_is_left_out(d):
    leads(d, issue=(0, None))
    d.person.email = ""
    d.session.commit()
    d.issue()
    send(d)
    assert only(d).reason == Skip.NO_ADDRESS


def test_13_8_payload(d):
    leads(d, issue=(0, None))
    benefit = d.issue(redeem_code_pos="OPEN-SESAME-7Q")
    (mail,) = send(d).sent
    assert mail["To"] == "pia@example.org"
    assert mail["Subject"] == "Coffee for you"
    assert mail.get_content().strip() == f"Dear {d.person.first_name}, OPEN-SESAME-7Q is good until 31 March 2026."
    row = only(d)
    assert "OPEN" not in row.body
    assert "31 March 2026" in row.body
    assert (row.status, row.sent_at, row.attempts, benefit.id) == (SENT, d.at, 1, row.benefit_id)


def test_what_is_put_in_is_not_looked_at_again(d):
    leads(d, issue=(0, None))
    d.person.first_name = "((benefit.code))"
    d.session.commit()
    d.issue(redeem_code_pos="OPEN-SESAME-7Q")
    (mail,) = send(d).sent
    assert mail.get_content().startswith("Dear ((benefit.code)), OPEN-SESAME-7Q")


def test_13_8_target_condition(d):
    leads(d, issue=(0, None))
    d.target.condition = {"in": ["vip", {"var": "flattened_tags"}]}
    d.other.tags = ["vip"]
    d.session.commit()
    d.issue()
    d.issue(d.other)
    assert [mail["To"] for mail in send(d).sent] == [d.other.email]
    assert [row.reason for row in rows(d)] == [Skip.CONDITION, ""]


def test_an_archived_target_sends_nothing(d):
    leads(d, issue=(0, None))
    d.issue()
    d.target.archived_at = T
    d.session.commit()
    send(d)
    assert only(d).reason == Skip.ARCHIVED


def failing(*errors):
    left = list(errors)

    def fail(_message):
        if left:
            raise left.pop(0)

    return ListSender(PAPER, fail=fail)


def test_13_8_retry(d):
    leads(d, issue=(0, None))
    d.issue()
    sender = failing(NotSent("451 try again later"))
    send(d, sender)
    assert only(d).status is SENDING
    d.forward(minutes=1)
    send(d, sender)
    assert (only(d).status, only(d).attempts, len(sender.sent)) == (SENT, 1, 1)
    assert d.session.scalars(select(OutboxMessage.attempts)).one() == 2


def test_13_8_dead_letter(d):
    leads(d, issue=(0, None))
    d.issue()
    send(d, failing(MailRefused("550 no such person")))
    assert (only(d).status, only(d).reason) == (FAILED, "550 no such person")
    d.do(notices.resend, notices.ResendNotice(only(d).id))
    assert len(send(d).sent) == 1
    assert only(d).status is SENT


def test_13_8_exactly_once(d):
    leads(d, issue=(0, None))
    d.issue()
    sender = send(d)
    sweep.run_due(connect(d))
    send(d, sender)
    assert len(sender.sent) == 1


def test_13_8_catch_up(d):
    leads(d, issue=(1, 9), remind=(-14, 9))
    first, second = d.issue(), d.issue(d.other, expires_on=date(2026, 3, 29))
    until(d, utc(2026, 3, 17, 1))
    send(d)
    assert [(row.benefit_id, row.kind, row.status) for row in rows(d)] == [
        (first.id, ISSUE, SENT),
        (first.id, REMIND, SENT),
        (second.id, ISSUE, SENT),
        (second.id, REMIND, SKIPPED),
    ]
    assert rows(d)[-1].reason == Skip.LATE
    assert [to for (to,) in d.session.execute(select(OutboxMessage.recipient).order_by(OutboxMessage.id))] == [
        "pia@example.org",
        d.other.email,
        "pia@example.org",
    ]


def test_a_reminder_of_an_expired_benefit_is_never_sent(d):
    leads(d, remind=(0, 9))
    d.issue()
    until(d, utc(2026, 3, 31, 13))
    send(d)
    assert only(d).reason == Skip.EXPIRED


def test_13_8_edit_definition(d):
    leads(d, remind=(-14, 9))
    benefit = d.issue()
    leads(d, remind=(-7, 9))
    assert due(d) == [(REMIND, utc(2026, 3, 16, 22))]
    d.do(lambda work, _: notices.replan(work, benefit, d.definition), None)
    assert due(d) == [(REMIND, utc(2026, 3, 23, 22))]
    leads(d, remind=(None, None))
    d.do(lambda work, _: notices.replan(work, benefit, d.definition), None)
    assert only(d).reason == Skip.DROPPED


def test_13_8_resend(d):
    leads(d, issue=(0, None))
    d.issue()
    sender = send(d)
    d.forward(days=3)
    d.do(notices.resend, notices.ResendNotice(only(d).id))
    assert (only(d).status, only(d).due_at) == (PLANNED, d.at)
    assert len(send(d, sender).sent) == 2
    told = d.session.scalars(select(AuditEntry).where(AuditEntry.event == Event.NOTICE_RESENT)).one()
    assert told.actor == d.actor.label


def test_resending_is_refused_where_it_is_certain_that_nothing_would_go(d):
    leads(d, issue=(0, None))
    benefit = d.issue()
    with pytest.raises(Conflict):
        d.do(notices.resend, notices.ResendNotice(only(d).id))
    send(d)
    d.do(benefits.void, benefits.VoidBenefit(benefit.id, "a slip"))
    with pytest.raises(Refused, match="It would not be sent: void"):
        d.do(notices.resend, notices.ResendNotice(only(d).id))


def test_what_waits_in_the_outbox_is_held_back_too(d):
    leads(d, issue=(0, None))
    benefit = d.issue()
    sweep.run_due(connect(d))
    assert only(d).status is SENDING
    d.do(benefits.void, benefits.VoidBenefit(benefit.id, "a slip"))
    assert send(d).sent == []
    assert (only(d).status, only(d).reason) == (SKIPPED, "void")
    message = d.session.scalars(select(OutboxMessage)).one()
    assert (message.status, message.error) == (OutboxStatus.SKIPPED, "void")


def test_what_was_written_anew_takes_the_place_of_what_still_waits(d):
    leads(d, issue=(0, None))
    benefit = d.issue()
    sweep.run_due(connect(d))
    d.do(benefits.void, benefits.VoidBenefit(benefit.id, "a slip"))
    d.do(benefits.restore, benefits.RestoreBenefit(benefit.id))
    assert len(send(d).sent) == 1
    assert (only(d).status, only(d).attempts) == (SENT, 2)
    found = d.session.execute(select(OutboxMessage.status, OutboxMessage.error).order_by(OutboxMessage.id))
    assert [tuple(row) for row in found] == [
        (OutboxStatus.SKIPPED, "it was written anew since"),
        (OutboxStatus.SENT, ""),
    ]


def test_a_claim_is_told_of_as_well(d):
    d.change(is_claimable=True)
    leads(d, issue=(0, None))
    d.claim()
    assert due(d) == [(ISSUE, T)]


def test_nothing_is_planned_with_an_issue_that_is_taken_back(d):
    leads(d, issue=(0, None))
    d.change(is_archived=True)
    with pytest.raises(Refused):
        d.issue()
    assert rows(d) == []


def test_notices_follow_a_person_who_turned_out_to_be_another(d):
    leads(d, remind=(-14, 9))
    d.change(is_reassignable=True)
    kept, passed_on = d.issue(), d.issue(d.other)
    d.do(benefits.reassign, benefits.ReassignBenefit(passed_on.id, d.person.external_id))
    d.do(profiles.merge, profiles.MergeProfiles(d.other.id, d.person.id, "same phone"))
    assert [(row.benefit_id, row.profile_id, row.status) for row in rows(d)] == [
        (kept.id, d.other.id, PLANNED),
        (passed_on.id, d.other.id, SKIPPED),
        (passed_on.id, d.person.id, PLANNED),
    ]
    until(d, utc(2026, 3, 16, 22))
    assert len(send(d).sent) == 2


def test_an_erased_person_is_told_nothing_and_what_was_written_goes(d):
    leads(d, issue=(0, None), remind=(-14, 9))
    d.issue()
    send(d)
    d.do(profiles.erase, profiles.EraseProfile(d.person.id, str(d.person.id), "mark"))
    assert [(row.status, row.body, row.subject) for row in rows(d)] == [(SENT, "", ""), (SKIPPED, "", "")]
    assert rows(d)[1].reason == Skip.ERASED
