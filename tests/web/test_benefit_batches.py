"""The screens of a batch: planned, checked, started, passed over, undone, exported as rejects."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from tests.support.benefits import T, programme
from tests.support.jobs import run_jobs
from webapp.domain.benefit_batches import MOST, BatchStatus
from webapp.models import Benefit, BenefitBatch
from webapp.queries import benefit_batches as read


@pytest.fixture
def d(make, actor, moment):
    moment.now = T
    return programme(make, actor)


def plan(console, d, status=303, **more):
    typed = {"definition_id": d.definition.id, "audience": "list", "listed": d.person.external_id}
    return console.post("/benefits/batches/new", typed | more, status)


def batch(d):
    d.session.commit()
    return read.get(d.session, d.session.scalar(select(func.max(BenefitBatch.id))))


def test_none_yet_says_what_a_batch_is(console):
    assert "No batches yet" in console.get("/benefits/batches").text


def test_the_form_and_the_help_say_how_many_one_batch_takes(console, d):
    assert "One batch takes up to 1,000,000 people." in console.get("/benefits/batches/new").text
    assert f"One batch takes up to {MOST:,} people" in console.get("/help/issued").text


def test_a_batch_from_plan_to_undo(console, d):
    plan(console, d, listed=f"{d.person.external_id}\nM-NOBODY", note="Thanks")
    number = batch(d).id
    assert "Being checked" in console.get(f"/benefits/batches/{number}").text
    run_jobs(d.session)
    page = console.get(f"/benefits/batches/{number}")
    assert "Nobody has the member id «M-NOBODY»." in page.text
    assert "Issue to 1 person" in page.text
    assert "M-NOBODY" in console.get(f"/benefits/batches/{number}/rejects").text
    console.post(f"/benefits/batches/{number}/start", {})
    assert "Being issued" in console.get(f"/benefits/batches/{number}").text
    run_jobs(d.session)
    page = console.get(f"/benefits/batches/{number}")
    assert "Issued 1 of «Coffee» in a batch" in page.text
    assert len(console.get(f"/benefits?batch={number}").soup.select("tbody tr")) == 1
    (benefit,) = d.session.scalars(select(Benefit.id).where(Benefit.batch_id == number))
    assert f"batch {number}" in console.get(f"/benefits/{benefit}").text
    console.get(f"/benefits/batches/{number}/undo")
    console.post(f"/benefits/batches/{number}/undo", {})
    run_jobs(d.session)
    assert batch(d).status is BatchStatus.UNDONE
    assert "1 made void" in console.get(f"/benefits/batches/{number}").text


def test_13_2_provenance(console, d, make):
    number = make.benefit_batch(d.definition).id
    benefit = make.benefit(d.definition, d.person, batch_id=number)
    page = console.get(f"/benefits/{benefit.id}")
    assert f"Origin batch {number}" in page.text
    link = page.one(f'#facts a[href="/benefits/batches/{number}"]')
    assert f"Batch {number}" in link.get_text()
    assert "Coffee" in console.get(link["href"]).text


def test_13_2_preview_of_a_batch_ends_with_its_codes(console, d, make):
    """By the type they all end alike; a code with an end of its own ends its benefit before."""
    kind = make.voucher_type(site_id=d.definition.site_id, valid_for_days=10)
    d.change(voucher_type_id=kind.id)
    number = make.benefit_batch(d.definition, people_count=1).id
    d.session.commit()

    def ends():
        page = console.get(f"/benefits/batches/{number}")
        assert batch(d).ended_at or "end on" in page.one("#start").get_text()
        return " ".join(page.one("#plan").get_text(" ").split()).partition(" Ends ")[2]

    assert ends().startswith("31 March 2026 23:59")
    make.voucher(kind)
    d.session.commit()
    assert ends().startswith("11 March 2026 23:59 (Europe/London), with its code")
    make.voucher(kind, reserved_for_id=d.other.id, expires_at=T + timedelta(days=2))
    d.session.commit()
    assert ends().startswith("3 March 2026 00:29 (Europe/London) at the earliest, each with its code")
    batch(d).issued_on = date(2026, 12, 1)
    d.session.commit()
    assert ends().startswith("11 December 2026 23:59 (Europe/London), with its code")
    kind.static_expiry_on = date(2026, 11, 1)
    d.session.commit()
    assert ends().startswith("31 December 2026 23:59 (Europe/London)")
    made = batch(d)
    made.ended_at, made.status = T, BatchStatus.ISSUED
    d.session.commit()
    assert ends().startswith("31 December 2026 23:59 (Europe/London), or with its code before that")


def test_a_refused_plan_keeps_what_was_typed_and_says_it_on_its_field(console, d):
    page = plan(console, d, 422, listed="", note="Keep me")
    assert "Name at least one person" in page.soup.select_one("#listed-error").text
    assert page.soup.select_one("#note")["value"] == "Keep me"
    page = plan(console, d, 422, audience="group")
    assert "Choose a group" in page.soup.select_one("#group_id-error").text
    page = plan(console, d, 422, audience="file")
    assert "Choose a file" in page.soup.select_one("#file-error").text
    page = plan(console, d, 422, audience="file", file=(io.BytesIO(b"Shoe\n1\n"), "x.csv"))
    assert "No column of the file names people" in page.soup.select_one("#file-error").text
    page = plan(console, d, 422, audience="file", file=(io.BytesIO(b""), "x.csv"))
    assert page.soup.select_one("#file-error")


def test_feature_13_empty_selection_is_refused_on_its_field_and_everybody_is_said_in_words(console, d):
    page = plan(console, d, 422, audience="condition", condition="")
    assert "Say who is meant" in page.soup.select_one("#condition-error").text
    plan(console, d, audience="everybody")
    run_jobs(d.session)
    page = console.get(f"/benefits/batches/{batch(d).id}")
    assert "Everybody, without exception" in page.soup.select_one("#plan").text
    assert "It goes to everybody in the programme, without exception." in page.soup.select_one("#start").text
    assert "Planned a batch of «Coffee» for everybody, without exception" in page.text


def test_who_was_passed_over_stands_there_with_the_way_to_why_not(console, d):
    d.issue()
    plan(console, d, excludes_holders="y")
    run_jobs(d.session)
    number = batch(d).id
    console.post(f"/benefits/batches/{number}/start", {})
    run_jobs(d.session)
    page = console.get(f"/benefits/batches/{number}")
    assert "Holds this benefit already" in page.text
    assert page.soup.select_one(f'a[href^="/benefits/why-not?profile={d.person.id}"]')


def test_a_batch_that_waits_can_be_withdrawn(console, d):
    plan(console, d, audience="everybody", issued_on="2026-03-05", on_the_day="y")
    run_jobs(d.session)
    number = batch(d).id
    assert "Let it wait for its day" in console.get(f"/benefits/batches/{number}").text
    console.post(f"/benefits/batches/{number}/start", {})
    assert "Waits for its day" in console.get(f"/benefits/batches/{number}").text
    page = console.follow(console.post(f"/benefits/batches/{number}/withdraw", {}))
    assert "Withdrawn. It issued nothing." in page.text
    assert batch(d).status is BatchStatus.WITHDRAWN
    assert "Withdrawn" in console.get("/benefits/batches").text


def test_a_batch_of_another_site_is_not_there(signed_in, d, make):
    elsewhere = signed_in("editor", site_id=make.site().id)
    number = make.benefit_batch(d.definition).id
    for address in ("", "/undo", "/rejects", "/progress"):
        elsewhere.get(f"/benefits/batches/{number}{address}", 404)
    elsewhere.post(f"/benefits/batches/{number}/start", {}, 404)
