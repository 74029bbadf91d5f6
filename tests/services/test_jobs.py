"""Queueing long work and asking for its end."""

from __future__ import annotations

import pytest

from webapp.domain.audit import Event
from webapp.domain.errors import NotFound, Refused
from webapp.domain.jobs import JobStatus
from webapp.models import Job
from webapp.queries import jobs as read
from webapp.services import jobs
from webapp.services.work import Work


def test_a_new_job_waits_in_the_name_of_whoever_started_it(work, make):
    site = make.site()
    job = jobs.enqueue(work, jobs.NewJob("count", "Count", site.id, "sites:1", {"to": 3}, total=3))
    assert (job.status, job.created_by, job.created_by_id) == (JobStatus.QUEUED, "Ann Able", work.actor.staff_id)
    assert read.latest(work.session, "sites:1") is job


def test_a_waiting_job_is_cancelled_at_once_and_its_service_is_told(work, make, monkeypatch):
    told: list[tuple[int, JobStatus]] = []

    def ending(_work: Work, job: Job) -> None:
        told.append((job.id, job.status))

    monkeypatch.setitem(jobs.ENDINGS, "count", ending)
    job = make.job()
    jobs.cancel(work, jobs.CancelJob(job.id))
    assert (job.status, job.finished_at) == (JobStatus.CANCELLED, work.now)
    assert told == [(job.id, JobStatus.CANCELLED)]
    assert [item["event"] for item in work.events] == [Event.JOB_CANCELLED]


def test_a_running_job_is_only_asked_to_stop(work, make):
    job = make.job(status=JobStatus.RUNNING, owner="somebody")
    jobs.cancel(work, jobs.CancelJob(job.id))
    assert (job.status, job.is_cancel_wanted, job.version) == (JobStatus.RUNNING, True, 2)


@pytest.mark.parametrize("status", [JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED])
def test_a_finished_job_cannot_be_cancelled(work, make, status):
    job = make.job(status=status)
    with pytest.raises(Refused, match=f"already {status}"):
        jobs.cancel(work, jobs.CancelJob(job.id))


def test_an_unknown_job_cannot_be_cancelled(work):
    with pytest.raises(NotFound):
        jobs.cancel(work, jobs.CancelJob(404))


def test_a_person_sees_the_jobs_of_their_sites_and_their_own(session, make):
    here, there = make.site(), make.site()
    me = make.staff("editor")
    seen = make.job(site_id=here.id)
    mine = make.job(created_by_id=me.id)
    hidden = make.job(site_id=there.id)
    scope = frozenset({here.id})
    assert [row.id for row in read.page(session, scope, own=me.id)] == [mine.id, seen.id]
    assert [row.id for row in read.active(session, scope)] == [seen.id]
    assert read.get(session, hidden.id, None).id == hidden.id
    with pytest.raises(NotFound):
        read.get(session, hidden.id, scope, own=me.id)


def test_jobs_are_paged_by_id_and_counted_by_state(session, make):
    ids = [make.job(status=JobStatus.DONE).id for _ in range(5)]
    assert [row.id for row in read.page(session, None, size=2)] == ids[:-3:-1]
    assert [row.id for row in read.page(session, None, before=ids[3], size=2)] == [ids[2], ids[1]]
    assert read.page(session, None, status=JobStatus.FAILED) == []
    assert read.counts(session, None)[JobStatus.DONE] == 5
