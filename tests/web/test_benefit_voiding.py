"""benefits.md 13.9 «bulk select»: all that match are made void by a job, after their number was confirmed."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, update

from tests.support.benefits import T, programme
from tests.support.clock import NOW
from tests.support.jobs import run_jobs
from webapp.domain.audit import Event
from webapp.domain.benefit_lists import MOST_COUNTED, MOST_VOIDED, may_void
from webapp.domain.jobs import JobStatus
from webapp.domain.redemptions import BenefitMove
from webapp.models import AuditEntry, Benefit, BenefitChange, BenefitDefinition, Job
from webapp.queries import benefits as read
from webapp.queries import files
from webapp.queries.invariants import INVARIANTS, broken
from webapp.services import benefits, jobs
from webapp.services.benefits import VoidBenefit
from webapp.services.jobs import CancelJob

ABOUT = [item for item in INVARIANTS if "benefit" in item.sql or "voucher" in item.sql]
WHY = "Printed with the wrong price"


@pytest.fixture
def d(make, actor, moment):
    moment.now = T
    found = programme(make, actor, max_redemptions=2)
    yield found
    found.session.rollback()
    assert {item.name: broken(found.session, item) for item in ABOUT if broken(found.session, item)} == {}


def issue_many(d, count):
    row = {"definition_id": d.definition.id, "terms_number": 1, "profile_id": d.person.id, "source": "staff"}
    row |= {"zone": "UTC", "issued_at": T, "created_at": T, "max_redemptions": 2}
    d.session.execute(insert(Benefit), [row] * count)
    total = BenefitDefinition.total_global_created
    d.session.execute(update(BenefitDefinition).values(total_global_created=total + count))
    d.session.commit()


def job(d):
    d.session.commit()
    return d.session.scalars(
        select(Job).order_by(Job.id.desc()).limit(1).execution_options(populate_existing=True)
    ).one()


def void_count(d):
    return d.session.scalar(select(func.count(Benefit.voided_at)))


def told(d):
    return d.session.scalars(select(AuditEntry.facts).where(AuditEntry.event == Event.BENEFITS_VOIDED)).all()


def confirmed(console, url, **typed):
    return console.submit(console.get(url), "#form", **{"reason": WHY} | typed)


def left(d):
    text = files.open_text(d.session, job(d).result_file_id)
    return [tuple(row.values()) for row in csv.DictReader(text)]


def test_13_9_bulk_select(console, d):
    issue_many(d, 3_214)
    other = d.issue(d.other)
    page = console.get(f"/benefits?q={d.person.external_id}&ends=never")
    form = page.one("#bulk")
    assert form.select_one("label[for=bulk-all]").get_text(strip=True) == "All 3,214 benefits that match"
    sent = [(one["name"], one["value"]) for one in form.select("input[type=hidden]")] + [("all", "yes")]
    address = f"{form.select_one('button[formaction$=void]')['formaction']}?" + "&".join(
        "=".join(pair) for pair in sent
    )
    page = console.get(address)
    assert "3,214 benefits match." in page.text
    assert "Make 3,214 benefits void" in page.texts("#form button")
    shown = console.follow(console.submit(page, "#form", reason=WHY))
    assert "3,214 benefits are being made void." in shown.text
    assert void_count(d) == 0
    run_jobs(d.session)
    assert (job(d).status, job(d).message, job(d).result_file_id) == (JobStatus.DONE, "3,214 made void.", None)
    assert void_count(d) == 3_214
    assert read.get(d.session, other.id).voided_at is None
    lines = select(BenefitChange.benefit_id).where(BenefitChange.move == BenefitMove.VOIDED, BenefitChange.note == WHY)
    assert len(set(d.session.scalars(lines))) == 3_214
    assert told(d) == [{"title": "Coffee", "count": 3_214, "left": 0, "reason": WHY}]
    assert "made 3,214 of «Coffee» void together" in console.get("/audit").text.replace("Made", "made")


def test_13_9_bulk_select_lists_those_that_cannot_be_made_void(console, d):
    first, before, meanwhile, used = d.issue(), d.issue(), d.issue(), d.issue()
    d.redeem(used)
    d.do(benefits.void, VoidBenefit(before.id, "lost"))
    page = console.get(f"/benefits/void?all=yes&definition={d.definition.id}")
    assert page.texts(".consequences b") == ["3", "1", "1"]
    console.submit(page, "#form", reason=WHY)
    d.do(benefits.void, VoidBenefit(meanwhile.id, "lost too"))
    later = d.issue()
    run_jobs(d.session)
    assert job(d).message == "2 made void, 2 left as they were; the file says why."
    why = f"It was made void on 1 March 2026 11:30 (Australia/Melbourne) by {d.actor.label}."
    assert left(d) == [(str(before.id), why), (str(meanwhile.id), why)]
    reasons = {one.id: read.get(d.session, one.id).void_reason for one in (first, before, meanwhile, used, later)}
    assert list(reasons.values()) == [WHY, "lost", "lost too", WHY, ""]
    assert told(d) == [{"title": "Coffee", "count": 2, "left": 2, "reason": WHY}]
    assert console.get(f"/jobs/{job(d).id}").soup.select(f"a[href='/jobs/{job(d).id}/result']")
    console.follow(console.submit(console.get(f"/benefits/{first.id}/restore"), "main form"))
    assert read.get(d.session, first.id).voided_at is None


def test_13_9_bulk_select_of_ticked_ones(console, d):
    first, other, third = d.issue(), d.issue(d.other), d.issue()
    page = console.get("/benefits")
    assert page.soup.select("#bulk-all") == []  # one page, narrowed to nothing
    page = console.get(f"/benefits/void?ids={first.id}&ids={third.id}&ids=x&ids=99999999999999999999&state=void")
    assert "2 benefits ticked." in page.text
    console.submit(page, "#form", reason=WHY)
    run_jobs(d.session)
    assert [read.get(d.session, one.id).voided_at is None for one in (first, other, third)] == [False, True, False]


def test_13_9_bulk_select_states_the_number_anew_when_it_changed(console, d):
    d.issue()
    page = console.get("/benefits/void?all=yes&state=active")
    d.issue(d.other)
    page = console.submit(page, "#form", status=409, reason=WHY)
    assert "2 benefits match now, not 1 as the page said." in page.text
    assert page.one("#reason")["value"] == WHY
    assert page.one("[name=stated]")["value"] == "2"
    console.submit(page, "#form")
    run_jobs(d.session)
    assert void_count(d) == 2


@pytest.mark.parametrize("stated", ["", "x", "-1", "٣", "9" * 30])
def test_a_number_that_is_none_was_not_stated(console, d, stated):
    d.issue()
    page = console.get("/benefits/void?all=yes&state=active")
    console.post("/benefits/void?all=yes&state=active", page.fields("#form") | {"stated": stated, "reason": WHY}, 409)


def test_13_9_bulk_select_needs_a_reason_and_a_choice(console, d):
    d.issue()
    page = console.get("/benefits/void?all=yes&state=active")
    assert console.submit(page, "#form", status=422).one("#reason-error")
    assert "Say why" in console.submit(page, "#form", status=422, reason="x").one("#reason-error").get_text()
    for nothing in ("", "?all=yes", "?ids=x", "?all=no&state=active", "?all=yes&size=20&sort=id"):
        page = console.get(f"/benefits/void{nothing}")
        assert "No benefit was chosen" in page.text
        assert page.soup.select("#form") == []
    assert "None of them can be made void" in console.get("/benefits/void?all=yes&state=void").text
    console.get("/benefits/void?all=yes&colour=red", status=422)
    console.post("/benefits/void?all=yes", {"stated": "1", "reason": WHY}, 200)
    assert d.session.scalars(select(Job.id)).all() == []


def test_13_9_bulk_select_goes_no_further_than_one_may(console, signed_in, d, make):
    elsewhere = make.benefit(make.benefit_definition(), d.person)
    mine = d.issue()
    editor = signed_in("editor", site_id=d.definition.site_id)
    page = editor.get("/benefits/void?all=yes&ends=yes")
    page = editor.get(f"/benefits/void?ids={mine.id}&ids={elsewhere.id}")
    assert "1 benefit ticked." in page.text
    editor.submit(page, "#form", reason=WHY)
    assert job(d).site_id == d.definition.site_id
    run_jobs(d.session)
    assert read.get(d.session, elsewhere.id).voided_at is None
    till = signed_in("till")
    till.get("/benefits/void?all=yes&ends=yes", 403)
    till.post("/benefits/void?all=yes&ends=yes", {}, 403)
    assert till.get("/benefits").soup.select("#bulk") == []


def test_13_9_bulk_select_asks_for_the_password_and_goes_on_with_what_was_chosen(console, d, moment):
    d.issue()
    page = console.get("/benefits/void?all=yes&state=active")
    moment.now = NOW + timedelta(minutes=11)
    asked = console.submit(page, "#form", status=401, reason=WHY)
    assert "Confirm it is you" in asked.text
    assert any("all=yes&state=active" in str(form.get("action")) for form in asked.soup.select("form"))


def test_a_job_that_was_stopped_tells_what_it_did(console, d):
    d.issue()
    confirmed(console, "/benefits/void?all=yes&state=active")
    d.do(jobs.cancel, CancelJob(job(d).id))
    assert (job(d).status, void_count(d), told(d)) == (JobStatus.CANCELLED, 0, [])


def test_so_many_are_counted_and_no_more(console, d, monkeypatch):
    monkeypatch.setattr("webapp.blueprints.benefits.views.MOST_COUNTED", 3)
    for _ in range(6):
        d.issue()
    page = console.get("/benefits?state=active&size=2")
    assert page.one("label[for=bulk-all]").get_text(strip=True) == "All 3+ benefits that match"
    assert MOST_COUNTED == 10_000


@pytest.mark.parametrize(
    ("count", "void", "code"),
    [(0, 0, "void.nothing"), (3, 3, "void.nothing"), (MOST_VOIDED + 1, 0, "void.too_many"), (MOST_VOIDED, 0, None)],
)
def test_how_many_can_be_made_void(count, void, code):
    assert next((one.code for one in may_void(count, void).reasons), None) == code


def test_the_file_of_those_left_is_a_table(console, d):
    before = d.issue()
    d.issue()
    d.do(benefits.void, VoidBenefit(before.id, "lost"))
    confirmed(console, f"/benefits/void?all=yes&definition={d.definition.id}")
    run_jobs(d.session)
    answer = console.client.get(f"/jobs/{job(d).id}/result").get_data()
    assert answer.startswith(b"\xef\xbb\xbfbenefit,reason\r\n")
    assert len(list(csv.reader(io.StringIO(answer.decode("utf-8-sig"))))) == 2
