"""The screens of targets and notices: write one, see it as it arrives, archive it, and send a notice again (13.8)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.support.clock import NOW
from webapp.domain.audit import Event
from webapp.domain.notices import NoticeStatus, TargetKind
from webapp.domain.outbox import OutboxStatus
from webapp.domain.placeholders import NAMES
from webapp.models import AuditEntry, Notice, Target

NEW = "/targets/new"


def typed(site, **changes):
    words = {"title": "Before it ends", "subject": "((definition.name)) ends", "body": "Dear ((profile.first_name)),"}
    return words | {"site_id": str(site.id)} | changes


@pytest.fixture
def site(make):
    return make.site(title="Harbour")


def refused(console, site, field, **changes):
    page = console.post(NEW, typed(site, **changes), status=422)
    return page.texts(f"#{field}-error")[0]


def test_a_target_is_written_and_shown_as_it_arrives(console, site, session):
    location = console.post(NEW, typed(site)).response.headers["Location"]
    page = console.get(location)
    assert "Ten pounds off beans ends" in page.text
    assert "Dear Ada," in page.text
    found = session.scalars(select(Target)).one()
    assert (found.name, found.condition, found.site_id) == ("before-it-ends", {}, site.id)
    console.get("/targets").one(f"a[href='/targets/{found.id}']")


def test_13_8_template_error(console, site):
    """An unknown placeholder is refused at its field, with its line and the one it may be meant for."""
    body = "Hello,\nyour code is ((benefit.cod))."
    assert (
        refused(console, site, "body", body=body)
        == "Line 2: there is no ((benefit.cod)); did you mean ((benefit.code))?"
    )
    assert "there is no ((x.__class__))" in refused(console, site, "subject", subject="((x.__class__))")
    assert "does not end" in refused(console, site, "body", body="((benefit.code")
    page = console.post(NEW, typed(site, body="{{ 7 * 7 }} {% x %} ((definition.name))"))
    assert "{{ 7 * 7 }} {% x %} Ten pounds off beans" in console.get(page.response.headers["Location"]).text


def test_a_condition_that_cannot_be_read_is_refused_at_its_field(console, site):
    assert "frob" in refused(console, site, "condition", condition='{"frob": [1]}')


def test_every_placeholder_has_a_sample(console, site):
    body = "\n".join(f"(({name}))" for name in NAMES)
    page = console.post(NEW, typed(site, body=body))
    shown = console.get(page.response.headers["Location"]).one("#letter").get_text()
    assert "((" not in shown


def test_the_form_shows_what_is_typed_so_far(console, site):
    page = console.post("/targets/preview", typed(site, body="Good until ((benefit.expires_on))."), status=200)
    assert "Good until" in page.one("#preview").get_text()
    wrong = console.post("/targets/preview", typed(site, body="((nothing))"), status=200)
    assert "there is no ((nothing))" in wrong.one("#preview").get_text()


def test_13_8_payload(console, make, site):
    """For a person: their newest benefit, its last day local, of its code the last signs only."""
    target = make.target(site_id=site.id)
    definition = make.benefit_definition(site_id=site.id, issue_target_id=target.id, notify_issue_offset_days=0)
    person = make.profile(external_id="M-7", first_name="Pia")
    make.benefit(definition, person, redeem_code_pos="OPENSESAME7Q2", expires_at=NOW + timedelta(days=3, hours=6))
    page = console.get(f"/targets/{target.id}?q=M-7")
    assert "Dear Pia, ••••" in page.text
    assert "is good until 6 March 2026." in page.text
    assert "OPENSESAME" not in page.text
    assert "nobody has the member id" in console.get(f"/targets/{target.id}?q=M-8").text


def test_change_archive_and_restore(console, make, site, session):
    target = make.target(site_id=site.id)
    at = f"/targets/{target.id}"
    console.submit(console.get(f"{at}/edit"), body="Other words.")
    assert "Other words." in console.get(at).text
    page = console.get(f"{at}/edit")
    target.version += 1
    session.commit()
    conflict = console.submit(page, body="Too late", status=409)
    assert "Too late" in conflict.text
    console.submit(console.get(f"{at}/archive"))
    assert console.get("/targets?show=archived").one(f"a[href='{at}']")
    console.submit(console.get(f"{at}/restore"))
    assert console.get("/targets").one(f"a[href='{at}']")


def test_a_target_of_another_site_is_not_there(make, site, signed_in):
    other = make.target()
    signed_in("editor", site_id=site.id).get(f"/targets/{other.id}", status=404)


def test_13_8_target_required(console, make, site):
    """An offset without a target is a field error, and a target is one of the same site."""
    new = {"name": "A coffee", "handle": "d", "period": "30", "site_id": str(site.id), "notify_issue_offset_days": "0"}
    page = console.post("/benefits/definitions/new", new, status=422)
    assert "has no target" in page.texts("#issue_target_id-error")[0]
    other = make.target()
    page = console.post("/benefits/definitions/new", new | {"issue_target_id": str(other.id)}, status=422)
    assert page.texts("#issue_target_id-error") == ["Choose a target of the site «Harbour»."]
    away = make.target(site_id=site.id, archived_at=NOW)
    own = make.target(site_id=site.id)
    console.post("/benefits/definitions/new", new | {"issue_target_id": str(away.id)}, status=422)
    console.post("/benefits/definitions/new", new | {"issue_target_id": str(own.id)})


def test_a_definition_from_before_keeps_its_offset_and_its_checklist_says_what_is_missing(console, make):
    old = make.benefit_definition(notify_remind_offset_days=-7, is_published=False)
    at = f"/benefits/definitions/{old.id}"
    assert "There is no target for: reminder" in console.get(at).text
    console.submit(console.get(f"{at}/publish"), status=422)
    page = console.submit(console.get(f"{at}/edit"), status=422)
    assert "has no target" in page.texts("#remind_target_id-error")[0]


def test_a_target_that_was_archived_since_stays_where_it_is(console, make):
    target = make.target(archived_at=NOW)
    found = make.benefit_definition(
        site_id=target.site_id, remind_target_id=target.id, notify_remind_offset_days=-7, is_published=False
    )
    at = f"/benefits/definitions/{found.id}/edit"
    assert f"{target.title}, archived" in console.get(at).text
    console.submit(console.get(at), name="Another name")


def test_13_8_too_short(console, make):
    benefit = make.benefit(expires_at=NOW + timedelta(days=9))
    target = make.target()
    skipped = "the benefit is shorter than the lead time"
    make.notice(benefit, target, kind="remind", status=NoticeStatus.SKIPPED, reason=skipped)
    assert "The benefit is shorter than the lead time" in console.get(f"/benefits/{benefit.id}").text


def test_13_8_resend(console, make, session, moment):
    benefit, target = make.benefit(expires_at=NOW + timedelta(days=9)), make.target()
    sent = make.notice(benefit, target, status=NoticeStatus.SENT, sent_at=NOW, subject="A coffee", body="Dear Pia")
    assert "Dear Pia" in console.get(f"/benefits/{benefit.id}").text
    confirm = console.get(f"/benefits/notices/{sent.id}/resend")
    assert "a second time" in confirm.text
    assert session.get_one(Notice, sent.id, populate_existing=True).status is NoticeStatus.SENT
    console.submit(confirm)
    assert session.get_one(Notice, sent.id, populate_existing=True).status is NoticeStatus.PLANNED
    told = session.scalars(select(AuditEntry).where(AuditEntry.event == Event.NOTICE_RESENT)).one()
    assert told.actor == "Ann Able"
    console.submit(console.get(f"/benefits/notices/{sent.id}/resend"), status=409)


def test_13_8_edit_definition_planning_anew_states_how_many(console, make):
    definition = make.benefit_definition(total_global_created=2)
    for _ in range(2):
        make.benefit(definition)
    page = console.get(f"/benefits/definitions/{definition.id}/replan")
    assert "2" in page.texts(".consequences b")
    assert console.submit(page).response.headers["Location"].startswith("/jobs/")


HOOK = {
    "kind": "webhook",
    "title": "To the desk",
    "url": "https://hooks.example.org/in?desk=7",
    "payload": '{"to": "((profile.first_name))", "until": "((benefit.expires_on))", "code": "((benefit.code))"}',
}


def hooked(site, **changes):
    return HOOK | {"site_id": str(site.id)} | changes


@pytest.fixture
def no_network(monkeypatch):
    """Whoever looks up a name or calls somebody while a form is saved fails the test."""

    def refuse(*asked, **_):
        raise AssertionError(f"asked for {asked}")

    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr("socket.create_connection", refuse)


@pytest.mark.usefixtures("no_network")
def test_a_webhook_is_written_its_secret_shown_once_and_never_again(console, site, session, caplog):
    caplog.set_level("DEBUG")
    location = console.post(NEW, hooked(site)).response.headers["Location"]
    made = session.scalars(select(Target)).one()
    assert location == f"/targets/{made.id}/secret"
    secret = console.get(location).one("#webhook-secret").get_text()
    assert secret.startswith("whsec_")
    assert (made.kind, made.subject, made.url) == (TargetKind.WEBHOOK, "To the desk", HOOK["url"])
    assert secret not in made.secret
    assert console.get(location, status=303).response.headers["Location"] == f"/targets/{made.id}"
    page = console.get(f"/targets/{made.id}")
    assert "https://hooks.example.org/in?desk=7" in page.text
    assert "Secret made" in page.text
    for at in (f"/targets/{made.id}", f"/targets/{made.id}/edit", "/targets", "/audit"):
        text = console.get(at).text
        assert "whsec_" not in text
        assert made.secret not in text
    assert secret not in caplog.text
    assert made.secret not in caplog.text
    row = console.get("/targets").one("tbody tr")
    assert "webhook" in row.get_text()
    assert "hooks.example.org" in row.get_text()
    assert "desk=7" not in row.get_text()


def test_a_new_secret_is_confirmed_shown_once_and_told(console, site, session):
    location = console.post(NEW, hooked(site)).response.headers["Location"]
    first = console.get(location).one("#webhook-secret").get_text()
    target = session.scalars(select(Target)).one()
    at = f"/targets/{target.id}/renew-secret"
    page = console.get(at)
    assert "until it has the new secret" in page.text
    assert session.scalars(select(Target.secret)).one() == target.secret  # a look changes nothing
    location = console.submit(page).response.headers["Location"]
    second = console.get(location).one("#webhook-secret").get_text()
    assert second.startswith("whsec_")
    assert second != first
    console.get(location, status=303)
    assert session.scalars(select(AuditEntry.event)).all().count(Event.TARGET_RENEWED) == 1


def test_a_form_sent_twice_makes_one_webhook_and_shows_its_secret_once(console, site, session):
    typed_once = hooked(site, request_key="k1")
    location = console.post(NEW, typed_once).response.headers["Location"]
    console.get(location).one("#webhook-secret")
    assert console.post(NEW, typed_once).response.headers["Location"] == location
    console.get(location, status=303)
    assert len(session.scalars(select(Target)).all()) == 1


def test_an_email_has_no_secret_to_show(console, make, site):
    target = make.target(site_id=site.id)
    console.get(f"/targets/{target.id}/secret", status=303)
    assert "only webhooks have a secret" in console.get(f"/targets/{target.id}/renew-secret", status=422).text
    assert "Make a new secret" not in console.get(f"/targets/{target.id}").text


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/", "https://2130706433/", "https://0x7f.1/", "https://[::ffff:10.0.0.1]/", "https://localhost/",
     "https://nas.local/", "https://169.254.169.254/latest", "http://hooks.example.org/", "https://a:b@hooks.example.org/"],
)  # fmt: skip
def test_13_8_ssrf(console, site, session, url):
    """Refused at its field, what was typed is kept, and nothing is asked of anybody."""
    page = console.post(NEW, hooked(site, url=url), status=422)
    assert page.texts("#url-error")
    assert page.one("#url")["value"] == url
    assert session.scalars(select(Target)).all() == []


def test_13_8_ssrf_unless_the_operator_lists_the_host(console, site, session, app, settings, monkeypatch):
    monkeypatch.setitem(app.extensions, "largesse", replace(settings, webhook_hosts=("desk", "10.0.0.7")))
    console.post(NEW, hooked(site, url="http://desk:8080/in"))
    console.post(NEW, hooked(site, url="https://0xa000007/in"))
    console.post(NEW, hooked(site, url="https://10.0.0.8/in"), status=422)
    assert len(session.scalars(select(Target)).all()) == 2


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ('{"a":\n"((benefit.cod))"}', "Line 2: there is no ((benefit.cod)); did you mean ((benefit.code))?"),
        ('{"days":\n((benefit.days_left))}', "Line 2: this is not JSON"),
        ("", "this is not JSON"),
    ],
)
def test_13_8_template_error_of_a_webhook(console, site, payload, words):
    page = console.post(NEW, hooked(site, payload=payload), status=422)
    assert words in page.texts("#payload-error")[0]
    if payload:
        preview = console.post("/targets/preview", hooked(site, payload=payload), status=200)
        assert words in preview.one("#preview").get_text()


def test_13_8_payload_of_a_webhook(console, make, site):
    """The preview is JSON, with the local date, for whoever it is looked at."""
    console.post(NEW, hooked(site))
    page = console.post("/targets/preview", hooked(site), status=200)
    assert json.loads(page.one("#preview pre").get_text())["to"] == "Ada"
    target = make.webhook(site_id=site.id)
    definition = make.benefit_definition(site_id=site.id, issue_target_id=target.id, notify_issue_offset_days=0)
    person = make.profile(external_id="M-7", first_name='Pia "\\ </pre>')
    make.benefit(definition, person, redeem_code_pos="OPENSESAME7Q2", expires_at=NOW + timedelta(days=3, hours=6))
    shown = console.get(f"/targets/{target.id}?q=M-7").one("#letter pre").get_text()
    found = json.loads(shown)
    assert (found["until"], found["to"]) == ("6 March 2026", 'Pia "\\ </pre>')
    assert found["code"].startswith("••••")
    assert "OPENSESAME" not in shown


def test_a_webhook_is_changed_and_stays_one(console, make, site, session):
    target = make.webhook(site_id=site.id)
    at = f"/targets/{target.id}"
    page = console.get(f"{at}/edit")
    assert page.texts("#subject") == []
    console.submit(page, url="https://hooks.example.org/other", kind="email")
    session.refresh(target)
    assert (target.kind, target.url) == (TargetKind.WEBHOOK, "https://hooks.example.org/other")
    assert "https://hooks.example.org/other" in console.get(at).text


def test_the_page_shows_the_last_deliveries_with_what_was_said(console, make, site):
    target = make.webhook(site_id=site.id)
    to = {"webhook_id": target.id, "recipient": "hooks.example.org", "body": '{"code": "WHOLE"}'}
    said, unsaid = "The receiver answered 204 No Content", "The receiver answered 503 Service Unavailable"
    make.message(**to, status=OutboxStatus.SENT, sent_at=NOW, attempts=1, answer=said)
    make.message(**to, status=OutboxStatus.RETRY, attempts=2, error=unsaid)
    page = console.get(f"/targets/{target.id}")
    rows = [row.get_text() for row in page.soup.select("#deliveries tbody tr")]
    assert unsaid in rows[0]
    assert "2 tries; again" in rows[0]
    assert said in rows[1]
    assert "msg_" in rows[1]
    assert "WHOLE" not in page.text
    listed = console.get("/notifications").text
    assert unsaid in listed
    assert "hooks.example.org" in listed


def test_targets_leave_as_a_file_without_their_secrets(console, make, site):
    target = make.webhook(site_id=site.id)
    answer = console.submit(console.get("/targets/export"), "#form", status=200)
    text = answer.response.get_data(as_text=True)
    assert "https://hooks.example.org/in" in text
    assert target.secret not in text
    assert "secret" not in text.splitlines()[0]
