"""Takes jobs from the queue one after another, keeps them alive, and closes them."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event as Flag
from threading import Thread
from typing import TypeVar

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from webapp.adapters import clock
from webapp.config import Settings
from webapp.domain.errors import Busy, DomainError, Refused
from webapp.domain.identity import SYSTEM, Actor
from webapp.domain.jobs import JobStatus
from webapp.jobs.running import Cancelled, HandedOver, Handler, LeaseLost, Outcome, RunningJob
from webapp.models import Job
from webapp.queries import jobs as read
from webapp.services import jobs, leases
from webapp.services.work import Work, changed_rows, perform

T = TypeVar("T")
LEASE = timedelta(seconds=30)
NAME = "jobs"
MOST_STARTS = 5  # starts without one step in between: the job itself must be what ends the process
_FAULT = "The program failed at this job. Tell the administrator the reference {}; the log has the rest."
log = logging.getLogger(__name__)


def _free(now: datetime) -> ColumnElement[bool]:
    """Jobs to be had: they wait, or whoever ran them is gone."""
    return or_(Job.status == JobStatus.QUEUED, (Job.status == JobStatus.RUNNING) & (Job.lease_until < now))


def process_name() -> str:
    """A name for this process that no other has, on any host."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"


@dataclass
class Runner:
    """Runs queued jobs while it holds the lease «jobs»; of all processes on all hosts one does."""

    sessions: Callable[[], Session]
    kinds: Mapping[str, Handler]
    owner: str = field(default_factory=process_name)
    lease: timedelta = LEASE
    stopping: Flag = field(default_factory=Flag)
    settings: Settings = field(default_factory=Settings.from_environment)

    def drain(self) -> int:
        """Run jobs until none waits, and say how many; 0 when another process is the runner."""
        count = 0
        if self.stopping.is_set() or not self._is_wanted() or not self._lead():
            return 0
        try:
            while not self.stopping.is_set() and self._lead() and (job := self._claim()):
                self._run(job)
                count += 1
        finally:
            self._write(lambda work: leases.give_back(work, NAME, self.owner))
        return count

    def stop(self) -> None:
        """Ask for a clean end: the job under way is handed over before its next step."""
        self.stopping.set()

    def _is_wanted(self) -> bool:
        """Whether anything waits: a look costs no write, and it is taken every second."""
        with self.sessions() as session:
            return session.execute(select(Job.id).where(_free(clock.now())).limit(1)).first() is not None

    def _lead(self) -> bool:
        return self._write(lambda work: leases.take(work, NAME, self.owner, self.lease))

    def _claim(self) -> RunningJob | None:
        """The next job that waits, or whose runner has died; its row names us from now on."""

        def act(work: Work) -> RunningJob | None:
            free = _free(work.now)
            first = select(Job.id).where(free).order_by(Job.id).limit(1).scalar_subquery()
            job_id = work.session.execute(
                update(Job)
                .where(Job.id == first, free)
                .values(
                    status=JobStatus.RUNNING,
                    owner=self.owner,
                    lease_until=work.now + self.lease,
                    attempts=Job.attempts + 1,
                    version=Job.version + 1,
                )
                .returning(Job.id)
                .execution_options(synchronize_session=False)
            ).scalar_one_or_none()
            return None if job_id is None else self._begin(work, job_id)

        return self._write(act)

    def _begin(self, work: Work, job_id: int) -> RunningJob:
        job = read.get(work.session, job_id)
        job.started_at = job.started_at or work.now
        return RunningJob(
            id=job.id,
            kind=job.kind,
            arguments=job.arguments,
            cursor=job.cursor,
            done=job.done,
            total=job.total,
            actor=read.starter(work.session, job),
            owner=self.owner,
            sessions=self.sessions,
            lease=self.lease,
            stopping=self.stopping,
            starts=job.attempts,
            settings=self.settings,
            is_cancel_wanted=job.is_cancel_wanted,
        )

    def _run(self, job: RunningJob) -> None:
        try:
            with self._kept_alive(job):
                outcome = self._handle(job)
        except Cancelled:
            self._close(job, JobStatus.CANCELLED)
        except HandedOver:
            self._hand_over(job, starts=0)
        except (Busy, OperationalError):
            log.warning("Job %s waits for the database and goes on from its last step.", job.id, exc_info=True)
            self._hand_over(job, starts=job.starts)
        except LeaseLost:
            log.warning("Job %s went to another runner; what this one had begun was not written.", job.id)
        except DomainError as error:
            self._close(job, JobStatus.FAILED, error=error.message)
        except Exception:
            reference = secrets.token_hex(6)
            log.exception("Job %s (%s) failed, reference %s", job.id, job.kind, reference)
            self._close(job, JobStatus.FAILED, error=_FAULT.format(reference))
        else:
            self._close(job, JobStatus.DONE, outcome=outcome)

    def _handle(self, job: RunningJob) -> Outcome:
        if job.is_cancel_wanted:
            raise Cancelled
        if job.starts > MOST_STARTS:
            raise Refused(
                "job.given_up", f"The job was started {MOST_STARTS} times and never took a step. Start it anew."
            )
        if job.kind not in self.kinds:
            raise Refused("job.kind_unknown", f"This version of the program runs no jobs of the kind «{job.kind}».")
        return self.kinds[job.kind](job)

    def _close(self, job: RunningJob, status: JobStatus, *, outcome: Outcome | None = None, error: str = "") -> None:
        def act(work: Work) -> None:
            row = self._own(work, job)
            if row is not None:
                row.result_file_id = outcome.result_file_id if outcome else row.result_file_id
                jobs.end(work, row, status, message=outcome.message if outcome else "", error=error)

        self._write(act, job.actor)

    def _hand_over(self, job: RunningJob, starts: int) -> None:
        def act(work: Work) -> None:
            row = self._own(work, job)
            if row is not None:
                row.status, row.owner, row.lease_until, row.attempts = JobStatus.QUEUED, "", None, starts

        self._write(act)

    def _own(self, work: Work, job: RunningJob) -> Job | None:
        """The job's row, locked, if it is still ours."""
        is_ours = changed_rows(
            work.session,
            update(Job).where(self._mine(job)).values(version=Job.version + 1),
        )
        return read.get(work.session, job.id) if is_ours else None

    def _mine(self, job: RunningJob) -> ColumnElement[bool]:
        return (Job.id == job.id) & (Job.owner == self.owner) & (Job.status == JobStatus.RUNNING)

    @contextmanager
    def _kept_alive(self, job: RunningJob) -> Iterator[None]:
        """Renew both leases from a second thread, for steps that work long outside a transaction."""
        ended = Flag()

        def renew() -> None:
            while not ended.wait(self.lease.total_seconds() / 3):
                try:
                    self._write(lambda work: self._renew(work, job))
                except (Busy, DBAPIError):
                    log.warning("The lease of job %s could not be renewed; trying again.", job.id)

        keeper = Thread(target=renew, name=f"lease-{job.id}", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            ended.set()
            keeper.join()

    def _renew(self, work: Work, job: RunningJob) -> None:
        leases.take(work, NAME, self.owner, self.lease)
        work.session.execute(
            update(Job)
            .where(self._mine(job))
            .values(lease_until=work.now + self.lease)
            .execution_options(synchronize_session=False)
        )

    def _write(self, act: Callable[[Work], T], actor: Actor = SYSTEM) -> T:
        with self.sessions() as session:
            return perform(session, actor, clock.now(), act)
