"""One runner in this process: steps, failures, cancelling, handing over."""

from __future__ import annotations

import gc
import logging
import weakref
from datetime import timedelta
from threading import Event as Flag

from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests.support.jobs import run_jobs
from webapp.adapters import clock
from webapp.domain.audit import Event
from webapp.domain.errors import Refused
from webapp.domain.jobs import JobStatus
from webapp.jobs import registry
from webapp.jobs.runner import MOST_STARTS, Runner
from webapp.jobs.running import Outcome, RunningJob
from webapp.models import AuditEntry, Job, Lease
from webapp.services import files, jobs
from webapp.services.work import Work

TO = 5


def count(job: RunningJob) -> Outcome:
    """Writes one line a step into a file that grows; whatever happened before is in the cursor."""
    file_id = job.cursor.get("file")
    if file_id is None:
        file_id = job.step(
            lambda work: files.begin(work, "count.txt", "text/plain").id, cursor=lambda made: {"file": made}
        )
    for number in range(job.done + 1, TO + 1):
        job.step(
            lambda work, line=f"{number}\n": files.append(work, file_id, line.encode()),
            done=number,
            total=TO,
            message=lambda size: f"{size} bytes",
        )
    job.step(lambda work: files.finish(work, file_id))
    return Outcome(f"Counted to {TO}.", file_id)


def test_a_job_runs_to_its_end_and_leaves_its_result(session, make):
    job = make.job(created_by_id=make.staff("editor").id)
    assert run_jobs(session, {"count": count}) == 1
    assert (job.status, job.done, job.total, job.message) == (JobStatus.DONE, TO, TO, "Counted to 5.")
    assert (job.owner, job.lease_until) == ("", None)
    assert job.started_at is not None
    assert job.finished_at is not None
    file = session.get_one(files.StoredFile, job.result_file_id)
    assert file.size == 10


def test_jobs_run_one_after_another_in_the_order_they_came(session, make):
    order: list[int] = []

    def run(job: RunningJob) -> Outcome:
        order.append(job.id)
        return Outcome("Done.")

    ids = [make.job().id for _ in range(3)]
    assert run_jobs(session, {"count": run}) == 3
    assert order == ids


def test_a_handler_acts_as_whoever_started_the_job_with_the_rights_of_today(session, make):
    site = make.site()
    member = make.staff("editor", site_id=site.id)
    seen = []

    def run(job: RunningJob) -> Outcome:
        seen.append(job.actor)
        return Outcome("Done.")

    make.job(created_by_id=member.id, created_by=member.name)
    run_jobs(session, {"count": run})
    assert [(actor.label, actor.staff_id, sorted(actor.roles)) for actor in seen] == [
        (member.name, member.id, ["editor"])
    ]


def test_a_refusal_is_shown_as_it_is_and_told_to_the_service(session, make, monkeypatch):
    def run(_job: RunningJob) -> Outcome:
        raise Refused("count.no", "There is nothing to count. Add something first.")

    told: list[str] = []
    monkeypatch.setitem(jobs.ENDINGS, "count", lambda _work, job: told.append(job.error))
    job = make.job()
    run_jobs(session, {"count": run})
    assert (job.status, job.error) == (JobStatus.FAILED, "There is nothing to count. Add something first.")
    assert told == [job.error]
    facts = session.query(AuditEntry).filter_by(event=Event.JOB_FAILED).one().facts
    assert facts == {"title": job.title, "error": job.error}


def test_a_fault_is_logged_under_the_reference_people_read(session, make, caplog):
    def run(_job: RunningJob) -> Outcome:
        raise ZeroDivisionError("secret inside")

    job = make.job()
    with caplog.at_level(logging.ERROR):
        run_jobs(session, {"count": run})
    assert job.status is JobStatus.FAILED
    assert "secret inside" not in job.error
    reference = job.error.partition("reference ")[2].partition(";")[0]
    assert len(reference) == 12
    assert reference in caplog.text
    assert "secret inside" in caplog.text


def test_a_step_that_fails_leaves_nothing_of_itself(session, make):
    def run(job: RunningJob) -> Outcome:
        job.step(lambda _work: None, done=1)

        def act(work: Work) -> None:
            files.begin(work, "lost.txt", "text/plain")
            raise Refused("no", "No.")

        job.step(act, done=2)
        return Outcome("never")

    job = make.job()
    run_jobs(session, {"count": run})
    assert job.done == 1
    assert session.query(files.StoredFile).count() == 0


class Cycle:
    """What refers to itself, as a statement of the database library does."""

    def __init__(self) -> None:
        self.me = self


def test_a_long_job_drops_the_cycles_of_its_steps(session, make):
    made: list[weakref.ref[Cycle]] = []

    def run(job: RunningJob) -> Outcome:
        gc.disable()
        try:
            for _ in range(40):
                job.step(lambda _work: made.append(weakref.ref(Cycle())))
        finally:
            gc.enable()
        return Outcome(f"{sum(one() is not None for one in made)} are left.")

    job = make.job()
    run_jobs(session, {"count": run})
    assert job.message == "8 are left."  # those since the last sweep, at the 32nd step


def test_an_unknown_kind_fails_with_a_sentence(session, make):
    job = make.job(kind="from.the.future")
    run_jobs(session, {})
    assert job.error == "This version of the program runs no jobs of the kind «from.the.future»."


def test_cancelling_stops_before_the_next_step(session, make):
    def run(job: RunningJob) -> Outcome:
        job.step(lambda _work: None, done=1, total=9)
        with job.read() as reading:
            reading.execute(update(Job).where(Job.id == job.id).values(is_cancel_wanted=True))
            reading.commit()
        job.step(lambda _work: None, done=2)
        return Outcome("never")

    job = make.job()
    run_jobs(session, {"count": run})
    assert (job.status, job.done) == (JobStatus.CANCELLED, 1)


def test_a_job_cancelled_while_nobody_ran_it_ends_without_starting(session, make):
    job = make.job(
        status=JobStatus.RUNNING, owner="dead", lease_until=clock.now() - timedelta(hours=1), is_cancel_wanted=True
    )
    run_jobs(session, {"count": count})
    assert (job.status, job.done) == (JobStatus.CANCELLED, 0)


def test_a_runner_that_lost_its_job_writes_nothing_more(session, make):
    def run(job: RunningJob) -> Outcome:
        with job.read() as reading:
            reading.execute(update(Job).where(Job.id == job.id).values(owner="another"))
            reading.commit()
        job.step(lambda work: files.begin(work, "lost.txt", "text/plain"), done=1)
        return Outcome("never")

    job = make.job()
    run_jobs(session, {"count": run})
    assert (job.status, job.owner, job.done) == (JobStatus.RUNNING, "another", 0)
    assert session.query(files.StoredFile).count() == 0


def test_a_runner_that_is_told_to_stop_hands_the_job_over(session, make):
    stopping = Flag()

    def run(job: RunningJob) -> Outcome:
        job.step(lambda _work: None, done=3, cursor={"at": 3})
        stopping.set()
        job.step(lambda _work: None, done=4)
        return Outcome("never")

    job = make.job()
    assert _runner(session, {"count": run}, stopping=stopping).drain() == 1
    session.expire_all()
    assert (job.status, job.owner, job.done, job.cursor) == (JobStatus.QUEUED, "", 3, {"at": 3})
    assert session.get_one(Lease, "jobs").owner == ""
    assert run_jobs(session, {"count": lambda running: Outcome(f"Went on from {running.cursor['at']}.")}) == 1
    assert job.message == "Went on from 3."


def test_a_database_that_fails_for_a_moment_does_not_fail_the_job(session, make):
    calls: list[int] = []

    def run(_job: RunningJob) -> Outcome:
        calls.append(1)
        if len(calls) < 3:
            raise OperationalError("select 1", {}, Exception("the disk is full"))
        return Outcome("Done after all.")

    job = make.job()
    assert run_jobs(session, {"count": run}) == 3
    assert (job.status, job.message) == (JobStatus.DONE, "Done after all.")


def test_a_job_that_always_ends_its_process_is_given_up(session, make):
    dead = {"status": JobStatus.RUNNING, "owner": "dead", "lease_until": clock.now() - timedelta(hours=1)}
    job = make.job(attempts=MOST_STARTS, **dead)
    run_jobs(session, {"count": count})
    assert job.status is JobStatus.FAILED
    assert job.error == "The job was started 5 times and never took a step. Start it anew."


def test_a_second_runner_waits_while_the_first_holds_the_lease(session, make):
    make.add(Lease(name="jobs", owner="another", until=clock.now() + timedelta(minutes=1)))
    job = make.job()
    assert run_jobs(session, {"count": count}) == 0
    assert job.status is JobStatus.QUEUED


def test_a_look_at_an_empty_queue_writes_nothing(session):
    assert run_jobs(session, {}) == 0
    assert session.get(Lease, "jobs") is None


def test_every_module_of_jobs_is_found():
    assert {"entries.import", "vouchers.print", "draws.seal"} <= registry.kinds().keys()


def _runner(session: Session, kinds, **options) -> Runner:
    bind = session.get_bind()
    return Runner(
        lambda: Session(bind, expire_on_commit=False, join_transaction_mode="create_savepoint"),
        kinds,
        lease=timedelta(hours=1),
        **options,
    )
