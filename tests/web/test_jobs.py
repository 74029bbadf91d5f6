"""The screens of long work: list, progress that costs nothing while nothing moves, cancel, result."""

from __future__ import annotations

import pytest

from tests.pages import Page
from tests.support.clock import NOW
from webapp.domain.jobs import JobStatus
from webapp.domain.permissions import Permission
from webapp.models import Job
from webapp.services import jobs
from webapp.services.work import Work

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


def test_the_list_says_what_runs_and_who_started_it(console, make):
    make.job(title="Import of entrants.csv", status=JobStatus.RUNNING, owner="x", done=2_000, total=50_000)
    page = console.get("/jobs")
    assert page.texts("tbody th a") == ["Import of entrants.csv"]
    assert "2,000 of 50,000" in page.text
    assert "Ann Able" in page.texts("tbody td")


def test_an_empty_list_says_what_jobs_are(console):
    assert "No jobs yet" in console.get("/jobs").text


def test_the_list_is_narrowed_by_state_and_says_so_when_none_match(console, make):
    done = make.job(status=JobStatus.DONE, finished_at=NOW)
    make.job(status=JobStatus.FAILED, finished_at=NOW, error="No.")
    assert console.get("/jobs?status=done").texts("tbody th a") == [done.title]
    assert console.get("/jobs?status=cancelled").texts("tbody th a") == []
    assert len(console.get("/jobs?status=nonsense").texts("tbody th a")) == 2


def test_the_list_is_paged(console, make, session):
    session.add_all(Job(kind="count", title=f"Job {n:02d}", created_at=NOW, created_by="Ann") for n in range(1, 54))
    session.commit()
    first = console.get("/jobs")
    assert first.texts("tbody th a")[0] == "Job 53"
    second = console.get(str(first.one("a[rel=next]")["href"]))
    assert second.texts("tbody th a") == ["Job 03", "Job 02", "Job 01"]
    assert second.texts("a[rel=prev]") == ["Newer"]


def test_a_job_shows_its_progress_and_asks_again(console, make):
    job = make.job(status=JobStatus.RUNNING, owner="x", done=3, total=10, message="Checked 3 of 10 rows")
    page = console.get(f"/jobs/{job.id}")
    assert "Checked 3 of 10 rows" in page.text
    poll = page.one("[hx-trigger]")
    assert str(poll["hx-trigger"]).startswith("every 2s")
    part = console.part(str(poll["hx-get"]))
    assert part.one("progress")["value"] == "3"


def test_progress_that_has_not_moved_costs_no_body_and_three_statements(console, make):
    job = make.job(status=JobStatus.RUNNING, owner="x", done=3, total=10)
    tag = str(console.get(f"/jobs/{job.id}").one("[hx-ptag]")["hx-ptag"])
    same = console.get(f"/jobs/{job.id}/progress", 304, headers={**PARTIAL, "HX-PTag": tag})
    assert same.response.get_data() == b""
    assert len(console.statements) <= 3
    job.done, job.version = 4, job.version + 1
    make.add(job)
    moved = console.get(f"/jobs/{job.id}/progress", headers={**PARTIAL, "HX-PTag": tag})
    assert moved.one("progress")["value"] == "4"


def test_without_htmx_the_progress_address_leads_to_the_page(console, make):
    job = make.job()
    assert console.get(f"/jobs/{job.id}/progress", 303).response.headers["Location"] == f"/jobs/{job.id}"


@pytest.mark.parametrize("status", [JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED])
def test_a_finished_job_asks_no_more(console, make, status):
    job = make.job(status=status, finished_at=NOW, error="Why it failed." if status is JobStatus.FAILED else "")
    page = console.get(f"/jobs/{job.id}")
    assert page.soup.select("[hx-trigger]") == []
    assert page.soup.select(f"form[action='/jobs/{job.id}/cancel']") == []
    assert ("Why it failed." in page.text) is (status is JobStatus.FAILED)


def test_a_waiting_job_is_cancelled_by_its_button(console, make):
    job = make.job()
    page = console.get(f"/jobs/{job.id}")
    answer = console.submit(page, f"form[action='/jobs/{job.id}/cancel']")
    assert "Job cancelled" in console.follow(answer).text
    assert job.status is JobStatus.CANCELLED


def test_cancelling_from_the_card_answers_with_the_card(console, make):
    job = make.job(status=JobStatus.RUNNING, owner="x")
    part = console.post(f"/jobs/{job.id}/cancel", {}, 200, headers=PARTIAL)
    assert part.one("section")["id"] == f"job-{job.id}"
    assert "Stops before its next step" in part.text
    assert job.is_cancel_wanted


def test_a_finished_job_says_why_it_cannot_be_cancelled(console, make):
    job = make.job(status=JobStatus.DONE, finished_at=NOW)
    answer = console.post(f"/jobs/{job.id}/cancel", {})
    assert "already done" in console.follow(answer).text


def test_from_the_card_too_a_refusal_is_read_at_its_place(console, make):
    job = make.job(status=JobStatus.DONE, finished_at=NOW)
    part = console.post(f"/jobs/{job.id}/cancel", {}, 422, headers=PARTIAL)
    assert "already done" in part.one(".job__error").get_text()


def test_the_result_is_for_whoever_started_the_job(console, signed_in, make, actor):
    file = make.file(b"a,b\n1,2\n", "rejects «1».csv")
    mine = make.job(status=JobStatus.DONE, finished_at=NOW, result_file_id=file.id, created_by_id=actor.staff_id)
    answer = console.get(f"/jobs/{mine.id}/result").response
    assert answer.get_data() == b"a,b\n1,2\n"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Content-Length"] == "8"
    assert answer.headers["Cache-Control"] == "no-store"
    other = signed_in("editor")
    assert "Download result" not in other.get(f"/jobs/{mine.id}").text
    other.get(f"/jobs/{mine.id}/result", 403)


def test_a_kind_may_name_the_permission_its_result_needs(signed_in, make, monkeypatch):
    monkeypatch.setitem(jobs.RESULT_NEEDS, "count", Permission.ENTRIES_IMPORT)
    job = make.job(status=JobStatus.DONE, finished_at=NOW, result_file_id=make.file().id, site_id=make.site().id)
    signed_in("editor").get(f"/jobs/{job.id}/result")
    refused = signed_in("fulfilment").get(f"/jobs/{job.id}/result", 403)
    assert "«editor»" in refused.text


def test_a_job_without_a_result_has_none_to_fetch(console, make):
    console.get(f"/jobs/{make.job().id}/result", 404)


def test_jobs_of_other_sites_are_not_there(signed_in, make):
    here, there = make.site(), make.site()
    job = make.job(site_id=there.id)
    editor = signed_in("editor", site_id=here.id)
    assert editor.get("/jobs").texts("tbody th a") == []
    missing = editor.get("/jobs/404404", 404)
    hidden = editor.get(f"/jobs/{job.id}", 404)
    assert _told(missing) == _told(hidden).replace(f"job {job.id}.", "job 404404.")
    editor.get(f"/jobs/{job.id}/progress", 404)
    editor.get(f"/jobs/{job.id}/result", 404)
    editor.post(f"/jobs/{job.id}/cancel", {}, 404)


def test_a_person_without_the_permission_is_told_who_can_grant_it(signed_in):
    assert "An administrator can give you the role" in signed_in("viewer").get("/jobs", 403).text


def test_hostile_titles_are_only_text(console, make, work: Work):
    make.job(title="<script>alert(1)</script>", message="<b hx-get=/x>", status=JobStatus.DONE, finished_at=NOW)
    page = console.get("/jobs")
    assert page.texts("tbody th a") == ["<script>alert(1)</script>"]


def _told(page: Page) -> str:
    """What an error page says, but for its reference."""
    return page.text.replace(page.response.headers["X-Request-Id"], "")
