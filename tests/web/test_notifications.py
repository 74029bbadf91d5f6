"""The list of messages, and sending one again."""

from webapp.domain.outbox import OutboxStatus
from webapp.models import AuditEntry, OutboxMessage


def test_messages_are_listed_without_their_words(console, make):
    make.message(subject="Your invitation", body="a secret link", recipient="ada@example.org")
    page = console.get("/notifications")
    assert "ada@example.org" in page.text
    assert "a secret link" not in page.text
    assert page.soup.select("td.actions button") == []


def test_13_8_dead_letter_is_listed_and_sent_again_once(console, make, session):
    message = make.message(status=OutboxStatus.FAILED, attempts=9, error="No such mailbox")
    page = console.get("/notifications?status=failed")
    assert "No such mailbox" in page.text
    console.submit(page, "td.actions form")
    session.expire_all()
    assert session.get(OutboxMessage, message.id).status is OutboxStatus.QUEUED
    assert session.query(AuditEntry).filter_by(event="message.resent").count() == 1
    page = console.post(f"/notifications/{message.id}/resend", {}, status=303)
    assert "only a failed or skipped one is sent again" in console.get("/notifications").text


def test_what_does_not_match_says_so(console):
    assert "No messages yet" in console.get("/notifications").text
    assert console.get("/notifications?status=sent").texts("h1") == ["Messages"]
    assert console.get("/notifications?status=nonsense&before=x").texts("h1") == ["Messages"]


def test_messages_belong_to_administrators_of_every_site(signed_in, make):
    signed_in("editor").get("/notifications", status=403)
    signed_in("administrator", site_id=make.site().id).get("/notifications", status=404)
