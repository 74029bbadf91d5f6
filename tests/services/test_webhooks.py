"""benefits.md 13.8 for targets that are webhooks: payload, signature, SSRF, retry, dead letter, resend, gates, secrets."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.support.benefits import T, programme
from tests.support.webhook_secrets import SECRETS
from webapp.adapters.mail import Letterhead, ListSender, Unreachable
from webapp.adapters.mail import Refused as MailRefused
from webapp.adapters.webhooks import HttpPoster
from webapp.domain.audit import Event
from webapp.domain.ciphers import Unopenable
from webapp.domain.errors import Refused
from webapp.domain.notices import NoticeKind, NoticeStatus, Skip, TargetKind
from webapp.domain.outbox import OutboxStatus
from webapp.domain.webhook_secrets import SecretMaker, delivery_id
from webapp.jobs import notices as sweep
from webapp.jobs import outbox as outbox_job
from webapp.jobs import webhooks as webhook_job
from webapp.models import AuditEntry, Notice, OutboxMessage, Target
from webapp.services import benefits, notices, profiles, targets
from webapp.services import outbox as outbox_service

PLANNED, SENDING, SENT, SKIPPED, FAILED = NoticeStatus
PAPER = Letterhead("Largesse <largesse@example.org>", "example.org")
HERE = HttpPoster(frozenset({"127.0.0.1"}))
TERMS = {"title": "To the desk", "url": "https://hooks.example.org/in", "payload": '{"code": "((benefit.code))"}'}


@pytest.fixture
def d(make, actor, monkeypatch, receiver):
    """The programme of section 13; a webhook tells of the issue and reminds, two weeks before the end at nine."""
    found = programme(make, actor)
    target = make.webhook(receiver.url, site_id=found.definition.site_id, title="To the desk")
    found.target = target
    found.change(issue_target_id=target.id, notify_issue_offset_days=0)
    found.person.first_name = 'Pia "Q" ((x)) \\ Öhm\n'
    found.session.commit()
    monkeypatch.setattr("webapp.adapters.clock.now", lambda: found.at)
    return found


def connect(d):
    bind = d.session.get_bind()
    return lambda: Session(bind, expire_on_commit=False, join_transaction_mode="create_savepoint")


def send(d, poster=HERE, secrets=SECRETS):
    """What is due at `d.at` goes to the outbox, and from there to the receiver; gives how many were taken."""
    d.session.commit()
    sweep.run_due(connect(d))
    done = webhook_job.run_due(connect(d), poster, secrets, "me")
    d.session.expire_all()
    return done


def rows(d, model=Notice):
    d.session.rollback()
    return d.session.scalars(select(model).order_by(model.id).execution_options(populate_existing=True)).all()


def only(d, model=Notice):
    (row,) = rows(d, model)
    return row


def test_13_8_payload(d, receiver):
    """JSON whatever the values are, the last day local, the code whole in what leaves and by its last signs in the row."""
    d.issue(redeem_code_pos="OPENSESAME7Q")
    assert send(d) == 1
    (got,) = receiver.got
    assert json.loads(got.body) == {
        "code": "OPENSESAME7Q",
        "until": "31 March 2026",
        "to": 'Pia "Q" ((x)) \\ Öhm\n',
    }
    row, message = only(d), only(d, OutboxMessage)
    assert json.loads(row.body)["until"] == "31 March 2026"
    assert "OPEN" not in row.body
    assert (row.status, row.sent_at, row.subject) == (SENT, d.at, "To the desk")
    assert (message.recipient, message.subject, message.webhook_id) == ("127.0.0.1", "To the desk", d.target.id)
    assert (message.status, message.answer) == (OutboxStatus.SENT, "The receiver answered 204 No Content")
    assert got.id == delivery_id(message.id, message.created_at)


def test_13_8_ssrf_a_target_that_leads_inside_by_now_sends_nothing(d, receiver):
    """It was saved while the operator vouched for the host; it is judged again when it leaves."""
    d.issue()
    send(d, HttpPoster())
    assert receiver.got == []
    assert only(d).status is FAILED
    assert "goes to https://" in only(d).reason
    assert only(d, OutboxMessage).attempts == 1


def test_13_8_ssrf_a_name_that_stands_for_an_address_inside_sends_nothing(d, receiver):
    d.target.url = "https://hooks.example.org/in"
    d.session.commit()
    d.issue()
    send(d, HttpPoster(resolve=lambda _host, _port: ["127.0.0.1"]))
    assert only(d).status is FAILED
    assert "stands for 127.0.0.1, which is not on the public network" in only(d).reason


def test_13_8_retry(d, receiver):
    receiver.answers = [500]
    d.issue()
    assert send(d) == 0
    message = only(d, OutboxMessage)
    assert (only(d).status, message.status, message.due_at) == (SENDING, OutboxStatus.RETRY, T + timedelta(minutes=1))
    assert message.error == "The receiver answered 500 Internal Server Error"
    assert send(d) == 0
    d.forward(minutes=1)
    assert send(d) == 1
    message = only(d, OutboxMessage)
    assert (only(d).status, message.attempts, message.error) == (SENT, 2, "")
    assert len(receiver.got) == 2
    assert len(set(receiver.ids)) == 1
    assert receiver.got[0].body == receiver.got[1].body


@pytest.mark.parametrize("is_webhook", [True, False], ids=["webhook", "e-mail"])
def test_the_waits_are_1_5_30_minutes_2_and_12_hours(d, make, receiver, is_webhook):
    """Section 8.4, for e-mails of notices too; then it is a dead letter."""
    receiver.answers = [503] * 9
    if not is_webhook:
        d.change(issue_target_id=make.target(site_id=d.definition.site_id).id)
    d.issue()

    def refuse(_message):
        raise Unreachable("nobody there")

    waits = []
    while True:
        send(d)
        outbox_job.run_due(connect(d), ListSender(PAPER, fail=refuse), "me")
        message = only(d, OutboxMessage)
        if message.status is OutboxStatus.FAILED:
            break
        waits.append((message.due_at - d.at) // timedelta(minutes=1))
        d.at = message.due_at
    assert waits == [1, 5, 30, 120, 720]
    assert (only(d).status, message.attempts) == (FAILED, 6)


def test_13_8_dead_letter(d, receiver):
    receiver.answers = [503] * 6
    d.issue()
    for minutes in (1, 5, 30, 120, 720, 0):
        send(d)
        d.forward(minutes=minutes)
    assert (only(d).status, only(d).reason) == (FAILED, "The receiver answered 503 Service Unavailable")
    assert only(d, OutboxMessage).status is OutboxStatus.FAILED
    d.forward(days=2)
    assert send(d) == 0
    d.do(outbox_service.resend, outbox_service.ResendMessage(only(d, OutboxMessage).id))
    assert send(d) == 1
    assert only(d).status is SENT
    assert len(set(receiver.ids)) == 1  # the very message again, so under its name


def test_what_will_never_work_is_a_dead_letter_at_once(d, receiver):
    receiver.answers = [410]
    d.issue()
    send(d)
    assert (only(d).status, only(d).reason) == (FAILED, "The receiver answered 410 Gone")
    assert only(d, OutboxMessage).attempts == 1


def test_13_8_resend(d, receiver):
    """Somebody wants it to arrive a second time: written anew, under another name, with their own in the log."""
    d.issue()
    send(d)
    d.forward(hours=1)
    d.do(notices.resend, notices.ResendNotice(only(d).id))
    assert send(d) == 1
    assert (only(d).status, only(d).attempts) == (SENT, 2)
    assert len(set(receiver.ids)) == 2
    told = d.session.scalars(select(AuditEntry).where(AuditEntry.event == Event.NOTICE_RESENT)).one()
    assert told.actor == d.actor.label


def test_13_8_exactly_once(d, receiver):
    d.issue()
    assert send(d) == 1
    sweep.run_due(connect(d))
    assert send(d) == 0
    assert len(receiver.got) == 1


def test_an_email_is_never_posted_and_a_delivery_never_mailed(d, make, receiver):
    """With a mail server that is away, and with receivers that are, the other way goes on."""
    d.issue()
    d.change(issue_target_id=make.target(site_id=d.definition.site_id).id)
    d.issue(d.other)
    sweep.run_due(connect(d))
    sender = ListSender(PAPER)
    outbox_job.run_due(connect(d), sender, "me")
    assert [mail["To"] for mail in sender.sent] == [d.other.email]
    assert receiver.got == []
    assert webhook_job.run_due(connect(d), HERE, SECRETS, "me") == 1
    assert len(receiver.got) == 1


def test_a_receiver_that_does_not_answer_holds_up_no_other(d, make, receiver):
    """Of what waits for it one is tried in a round; the others of the batch are given back untried."""
    silent = make.webhook("http://127.0.0.1:9/", site_id=d.definition.site_id)
    d.change(issue_target_id=silent.id)
    for _ in range(3):
        d.issue()
    d.change(issue_target_id=d.target.id)
    d.issue()
    assert send(d) == 1
    assert len(receiver.got) == 1
    assert [(row.status, row.attempts) for row in rows(d, OutboxMessage)] == [
        (OutboxStatus.RETRY, 1),
        (OutboxStatus.QUEUED, 0),
        (OutboxStatus.QUEUED, 0),
        (OutboxStatus.SENT, 1),
    ]


@pytest.mark.parametrize(
    ("kind", "consents", "reason"),
    [
        (NoticeKind.ISSUE, {"email_optout": True}, Skip.OPTED_OUT),
        (NoticeKind.ISSUE, {"email_benefits": False}, Skip.OPTED_OUT),
        (NoticeKind.REMIND, {"email_reminders": False}, Skip.OPTED_OUT),
        (NoticeKind.ISSUE, {"email_reminders": False}, None),
        (NoticeKind.ISSUE, {"email_bounced": True}, None),
        (NoticeKind.ISSUE, {}, None),
    ],
)
def test_13_8_opt_out(d, make, receiver, kind, consents, reason):
    """Who opted out is told of to nobody; that e-mails bounce or lack an address is about e-mails alone."""
    d.person.consents, d.person.email = consents, ""
    d.change(issue_target_id=None, notify_issue_offset_days=None)
    make.notice(d.issue(), d.target, kind=kind, due_at=d.at)
    send(d)
    assert len(receiver.got) == (0 if reason else 1)
    assert (only(d).status, only(d).reason) == ((SKIPPED, reason) if reason else (SENT, ""))


def test_13_8_target_condition(d, receiver):
    d.target.condition = {"in": ["vip", {"var": "flattened_tags"}]}
    d.session.commit()
    d.issue()
    send(d)
    assert receiver.got == []
    assert only(d).reason == Skip.CONDITION


def test_what_waits_is_held_back_when_the_benefit_goes(d, receiver):
    receiver.answers = [500]
    benefit = d.issue()
    send(d)
    d.do(benefits.void, benefits.VoidBenefit(benefit.id, "a slip"))
    d.forward(minutes=1)
    assert send(d) == 0
    assert len(receiver.got) == 1
    assert (only(d).status, only(d).reason) == (SKIPPED, "void")


def test_an_erased_person_is_told_of_no_more(d, receiver):
    receiver.answers = [500]
    d.change(notify_issue_offset_days=0)
    d.issue()
    send(d)
    d.do(profiles.erase, profiles.EraseProfile(d.person.id, str(d.person.id), "mark"))
    d.forward(minutes=1)
    assert send(d) == 0
    message = only(d, OutboxMessage)
    assert (message.status, message.body, only(d).body) == (OutboxStatus.SKIPPED, "", "")
    assert len(receiver.got) == 1


def create(d, **changes):
    command = {"site_id": d.definition.site_id, "kind": TargetKind.WEBHOOK, "secrets": SECRETS} | TERMS | changes
    return d.do(targets.create, targets.CreateTarget(**command))


def test_a_webhook_is_made_with_a_secret_that_is_kept_enciphered(d):
    made = create(d)
    secret = SECRETS.open(made.name, made.secret)
    assert secret.startswith("whsec_")
    assert "whsec" not in made.secret
    assert made.secret_made_at == d.at
    with pytest.raises(Unopenable):
        SECRETS.open("another", made.secret)
    entries = d.session.scalars(select(AuditEntry)).all()
    assert not any(made.secret in str(entry.facts) or secret in str(entry.facts) for entry in entries)


def test_a_new_secret_signs_what_waits_and_is_told_without_it(d, receiver):
    receiver.answers = [500]
    d.issue()
    send(d)
    before = d.target.secret
    d.do(targets.renew_secret, targets.RenewSecret(d.target.id, SECRETS))
    d.session.refresh(d.target)
    assert SECRETS.open(d.target.name, d.target.secret) != SECRETS.open(d.target.name, before)
    d.forward(minutes=1)
    send(d)
    first, second = receiver.got
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    told = d.session.scalars(select(AuditEntry).where(AuditEntry.event == Event.TARGET_RENEWED)).one()
    assert told.facts == {"title": "To the desk"}


def test_a_secret_under_another_key_sends_nothing_and_says_so(d, receiver):
    d.issue()
    send(d, secrets=SecretMaker(b"another key of thirty-two bytes!", bytes))
    assert receiver.got == []
    assert "Make a new one" in only(d).reason


def test_an_email_has_no_secret(d, make):
    target = make.target(site_id=d.definition.site_id)
    with pytest.raises(Refused, match="only webhooks are signed"):
        d.do(targets.renew_secret, targets.RenewSecret(target.id, SECRETS))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": ""}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"payload": "{"}, "payload"),
        ({"payload": '{"a": "((benefit.cod))"}'}, "payload"),
        ({"kind": TargetKind.EMAIL, "subject": "", "body": "x"}, "subject"),
        ({"kind": TargetKind.EMAIL, "subject": "x", "body": ""}, "body"),
    ],
)
def test_a_target_is_refused_at_its_field(d, changes, field):
    with pytest.raises(Refused) as refused:
        create(d, **changes)
    assert refused.value.field == field
    assert d.session.scalar(select(func.count()).select_from(Target)) == 1


def test_changing_a_webhook_leaves_kind_and_secret_and_tells_the_address(d):
    made = create(d)
    secret = made.secret
    change = targets.ChangeTarget(target_id=made.id, version=made.version, **TERMS | {"url": "https://8.8.8.8/"})
    changed = d.do(targets.change, change)
    assert (changed.kind, changed.url, changed.secret) == (TargetKind.WEBHOOK, "https://8.8.8.8/", secret)
    told = d.session.scalars(select(AuditEntry).where(AuditEntry.event == Event.TARGET_CHANGED)).one()
    assert told.facts["changes"] == "address from «https://hooks.example.org/in» to «https://8.8.8.8/»"


def test_refusals_of_the_mail_server_stay_what_they_were(d, make):
    d.change(issue_target_id=make.target(site_id=d.definition.site_id).id)
    d.issue()

    def refuse(_message):
        raise MailRefused("550 no such person")

    sweep.run_due(connect(d))
    outbox_job.run_due(connect(d), ListSender(PAPER, fail=refuse), "me")
    assert (only(d).status, only(d).reason) == (FAILED, "550 no such person")
