"""The screens of targets and notices: write one, see it as it arrives, archive it, and send a notice again (13.8)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.support.clock import NOW
from webapp.domain.notices import NoticeStatus
from webapp.domain.placeholders import NAMES
from webapp.models import Notice, Target

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


def test_template_error(console, site):
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


def test_payload(console, make, site):
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


def test_target_required(console, make, site):
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
    assert "the one chosen before, archived" in console.get(at).text
    console.submit(console.get(at), name="Another name")


def test_too_short_is_seen_on_the_page_and_a_sent_notice_is_sent_again(console, make, session, moment):
    benefit = make.benefit(expires_at=NOW + timedelta(days=9))
    target = make.target()
    skipped = "the benefit is shorter than the lead time"
    make.notice(benefit, target, kind="remind", status=NoticeStatus.SKIPPED, reason=skipped)
    sent = make.notice(benefit, target, status=NoticeStatus.SENT, sent_at=NOW, subject="A coffee", body="Dear Pia")
    page = console.get(f"/benefits/{benefit.id}")
    assert "The benefit is shorter than the lead time" in page.text
    assert "Dear Pia" in page.text
    confirm = console.get(f"/benefits/notices/{sent.id}/resend")
    assert "a second time" in confirm.text
    console.submit(confirm)
    assert session.get_one(Notice, sent.id, populate_existing=True).status is NoticeStatus.PLANNED
    console.submit(console.get(f"/benefits/notices/{sent.id}/resend"), status=409)


def test_planning_anew_states_how_many(console, make):
    definition = make.benefit_definition(total_global_created=2)
    for _ in range(2):
        make.benefit(definition)
    page = console.get(f"/benefits/definitions/{definition.id}/replan")
    assert "2" in page.texts(".consequences b")
    assert console.submit(page).response.headers["Location"].startswith("/jobs/")
