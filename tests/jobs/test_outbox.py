"""Messages on their way: nothing twice, nothing lost, refusals visible (P9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from tests.support.clock import NOW
from tests.support.databases import settings_for
from webapp.adapters import clock, mail
from webapp.adapters.engines import engine_options
from webapp.adapters.mail import Letterhead, ListSender, NotSent, Outgoing, Refused, Unreachable
from webapp.domain.identity import SYSTEM
from webapp.domain.outbox import OutboxStatus
from webapp.jobs import outbox
from webapp.models import OutboxMessage
from webapp.queries import health
from webapp.services import outbox as service
from webapp.services.work import Work, perform

PAPER = Letterhead("Largesse <largesse@example.org>", "example.org")


@pytest.fixture
def send(session, moment) -> Callable[..., int]:
    """Runs one round with a sender, on the test's own connection at the stopped clock."""
    bind = session.get_bind()

    def send(sender: mail.Sender | None, owner: str = "me") -> int:
        session.commit()
        done = outbox.run_due(
            lambda: Session(bind, expire_on_commit=False, join_transaction_mode="create_savepoint"), sender, owner
        )
        session.expire_all()
        return done

    return send


def failing(error: NotSent) -> ListSender:
    def fail(_message: Outgoing) -> None:
        raise error

    return ListSender(PAPER, fail=fail)


def test_a_due_message_leaves_once(send, make):
    message, sender = make.message(subject="You won £25"), ListSender(PAPER)
    assert send(sender) == 1
    assert (message.status, message.sent_at, message.attempts) == (OutboxStatus.SENT, NOW, 1)
    assert send(sender) == 0
    [mail_sent] = sender.sent
    assert (mail_sent["To"], mail_sent["Subject"]) == (message.recipient, "You won £25")
    assert mail_sent["Message-ID"] == f"<outbox-{message.id}@example.org>"
    assert mail_sent["Auto-Submitted"] == "auto-generated"


def test_a_message_that_is_not_due_waits(send, make, moment):
    message, sender = make.message(due_at=NOW + timedelta(hours=1)), ListSender(PAPER)
    assert send(sender) == 0
    moment.forward(hours=1)
    assert send(sender) == 1
    assert message.sent_at == moment.now


def test_without_a_mail_server_messages_stay_queued(send, make):
    message = make.message()
    assert send(None) == 0
    assert (message.status, message.attempts) == (OutboxStatus.QUEUED, 0)


def test_a_failed_try_is_repeated_after_1_5_15_60_minutes_then_hourly_for_a_day(send, make, moment):
    message, sender = make.message(due_at=NOW), failing(NotSent("greylisted"))
    waits = []
    while message.status is not OutboxStatus.FAILED:
        send(sender)
        waits.append((message.due_at - moment.now) // timedelta(minutes=1))
        moment.now = max(moment.now, message.due_at)
        assert len(waits) < 60
    assert waits[:6] == [1, 5, 15, 60, 60, 60]
    assert timedelta(hours=22) < moment.now - NOW <= timedelta(hours=24)
    assert (message.error, message.attempts) == ("greylisted", len(waits))


def test_a_final_refusal_fails_at_once_and_can_be_sent_again(send, make, work):
    message = make.message()
    send(failing(Refused("550 no such person")))
    assert (message.status, message.error, message.attempts) == (OutboxStatus.FAILED, "550 no such person", 1)
    service.resend(work, service.ResendMessage(message.id))
    work.session.commit()
    assert send(ListSender(PAPER)) == 1


def test_a_message_under_way_is_not_sent_again(work, make):
    message = make.message(status=OutboxStatus.SENT, sent_at=NOW)
    with pytest.raises(service.Refused, match="is sent; only a failed or skipped one"):
        service.resend(work, service.ResendMessage(message.id))


def test_when_nobody_answers_the_rest_is_given_back_untried(send, make):
    messages = [make.message() for _ in range(3)]
    send(failing(Unreachable("no route")))
    assert [m.status for m in messages] == [OutboxStatus.RETRY, OutboxStatus.QUEUED, OutboxStatus.QUEUED]
    assert [m.attempts for m in messages] == [1, 0, 0]


def test_a_message_nobody_needs_any_more_is_skipped_with_the_reason(send, make, monkeypatch):
    monkeypatch.setitem(service.OBJECTIONS, "prize", lambda _session, key, _now: f"{key} was taken back.")
    message, sender = make.message(dedupe_key="prize:7"), ListSender(PAPER)
    assert send(sender) == 0
    assert (message.status, message.error, sender.sent) == (OutboxStatus.SKIPPED, "prize:7 was taken back.", [])


def test_a_claim_whose_sender_died_is_taken_up_after_a_minute(send, make, session, moment):
    message, sender = make.message(), ListSender(PAPER)
    assert len(service.claim(Work(session, SYSTEM, NOW), "dead", 20)) == 1
    assert send(sender) == 0
    moment.forward(seconds=61)
    assert send(sender) == 1
    session.refresh(message)
    assert (message.status, message.attempts) == (OutboxStatus.SENT, 2)


def test_a_sender_that_lost_its_claim_does_not_send(send, make, session, moment):
    make.message()
    second = make.message()
    sender = ListSender(PAPER)

    def slow(message: Outgoing) -> None:
        if message.id != second.id:
            moment.forward(seconds=70)
            assert len(service.claim(Work(session, SYSTEM, moment.now), "rival", 20)) == 2
            session.commit()

    sender.fail = slow
    send(sender)
    assert len(sender.sent) == 1


@pytest.mark.parametrize("text", ["line\r\nBcc: x@example.org", "line\nbreak", "line\rbreak"])
def test_a_line_break_in_a_header_is_refused(send, make, text):
    message = make.message(subject=text)
    assert send(ListSender(PAPER)) == 0
    assert message.status is OutboxStatus.FAILED
    assert "header" in message.error


def test_a_folder_gets_one_file_a_message(send, make, tmp_path):
    message = make.message(body="Grüße\n")
    assert send(mail.FolderSender(tmp_path / "mail", PAPER)) == 1
    [file] = (tmp_path / "mail").iterdir()
    assert file.name == f"{message.id:08d}.eml"


def test_a_refused_recipient_is_seen_as_failed(send, make, smtp, settings):
    message = make.message()
    smtp.refuse("550 no such person")
    send(_smtp(smtp.url))
    assert message.status is OutboxStatus.FAILED
    assert message.error == "The mail server answered 550 no such person"


def test_a_server_that_is_busy_is_asked_again(send, make, smtp):
    message = make.message()
    smtp.refuse("451 try later")
    send(_smtp(smtp.url))
    assert (message.status, message.due_at) == (OutboxStatus.RETRY, NOW + timedelta(minutes=1))


def test_a_server_that_is_not_there_leaves_messages_waiting(send, make):
    message = make.message()
    send(_smtp("smtp://127.0.0.1:9"))
    assert message.status is OutboxStatus.RETRY
    assert "does not answer" in message.error


def test_four_senders_at_once_send_every_message_once(own_database, smtp, repeat):
    number = repeat(200, 10_000)
    engine = create_engine(own_database, **engine_options(own_database, threads=4))

    def sessions() -> Session:
        return Session(engine, expire_on_commit=False)

    _queue(sessions, number)
    with ThreadPoolExecutor(4) as pool:
        senders = [pool.submit(outbox.run_due, sessions, _smtp(smtp.url), f"sender-{n}") for n in range(4)]
        sent = [sender.result() for sender in senders]
    assert sum(sent) == number
    got = Counter(message["Message-ID"] for message in smtp.messages)
    assert len(got) == number
    assert set(got.values()) == {1}
    with sessions() as session:
        assert session.scalar(select(func.count()).where(OutboxMessage.status == OutboxStatus.SENT)) == number
    engine.dispose()


def test_a_sender_killed_between_claiming_and_sending_loses_nothing(own_database, smtp, monkeypatch):
    engine = create_engine(own_database, **engine_options(own_database, threads=4))

    def sessions() -> Session:
        return Session(engine, expire_on_commit=False)

    _queue(sessions, 50)
    with sessions() as session:
        assert len(perform(session, SYSTEM, clock.now(), lambda work: service.claim(work, "killed", 20))) == 20
    assert outbox.run_due(sessions, _smtp(smtp.url), "second") == 30
    later = clock.now() + timedelta(seconds=61)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert outbox.run_due(sessions, _smtp(smtp.url), "second") == 20
    assert Counter(message["Subject"] for message in smtp.messages) == Counter(f"Number {n}" for n in range(50))
    with sessions() as session:
        assert health.facts(session, later).oldest_due_at is None
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "kind"),
    [("", type(None)), ("file:", mail.FolderSender), ("smtp://mail.example.org", mail.SmtpSender)],
)
def test_the_setting_names_the_way_out(tmp_path, url, kind):
    assert isinstance(mail.sender(settings_for("", tmp_path, smtp_url=url)), kind)


@pytest.mark.parametrize("url", ["mail.example.org", "http://mail.example.org", "smtp://"])
def test_a_way_out_that_is_none_is_said_at_once(tmp_path, url):
    with pytest.raises(mail.BadSettings, match="LARGESSE_SMTP_URL"):
        mail.sender(settings_for("", tmp_path, smtp_url=url))


def _smtp(url: str) -> mail.SmtpSender:
    return mail.SmtpSender(url, PAPER)


def _queue(sessions: Callable[[], Session], number: int) -> None:
    past = clock.now() - timedelta(minutes=1)
    with sessions() as session:
        session.add_all(
            OutboxMessage(
                dedupe_key=f"test:{n}",
                recipient=f"p{n}@example.org",
                subject=f"Number {n}",
                body="Hello.\n",
                due_at=past,
                created_at=past,
            )
            for n in range(number)
        )
        session.commit()
