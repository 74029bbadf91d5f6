"""What a handler sees of the job it works on: its arguments, how far it is, and the one way to go on."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event as Flag
from typing import Any, TypeVar, cast

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapp.adapters import clock, collector
from webapp.config import Settings
from webapp.domain.errors import NotFound
from webapp.domain.identity import Actor
from webapp.domain.jobs import JobStatus
from webapp.models import Job
from webapp.queries import files
from webapp.services.work import Work, changed_rows, perform

T = TypeVar("T")
Cursor = dict[str, Any]
_SWEPT_AFTER = 16  # steps


class Interrupted(Exception):
    """The job must not go on in this process; a handler lets it pass."""


class Cancelled(Interrupted):
    """Somebody asked for the end of the job."""


class LeaseLost(Interrupted):
    """Another runner has the job now; nothing of this step was written."""


class HandedOver(Interrupted):
    """This process stops; the next runner goes on from the cursor."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The last word of a job: a sentence, and the file it made, if any."""

    message: str
    result_file_id: int | None = None


@dataclass
class RunningJob:
    """A job under way. ``cursor`` is what the last step saved: all there is to go on from after a kill."""

    id: int
    kind: str
    arguments: Mapping[str, Any]
    cursor: Cursor
    done: int
    total: int
    actor: Actor
    owner: str
    sessions: Callable[[], Session]
    lease: timedelta
    stopping: Flag = field(default_factory=Flag)
    starts: int = 1
    is_cancel_wanted: bool = False
    steps: int = 0  # taken in this process
    settings: Settings = field(default_factory=Settings.from_environment)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; keep it short, an open one keeps SQLite from tidying its log."""
        with self.sessions() as session:
            yield session

    def open_binary(self, file_id: int, start: int = 0) -> io.BufferedReader:
        """A stored file from byte ``start``; every piece is fetched in a short session of its own."""

        def fetch(number: int) -> bytes:
            with self.read() as session:
                return files.piece(session, file_id, number)

        with self.read() as session:
            size = files.get(session, file_id).size
        return io.BufferedReader(files.StoredReader(fetch, size, start), files.PIECE)

    def open_text(self, file_id: int, encoding: str = "utf-8-sig", *, start: int = 0) -> io.TextIOWrapper:
        """The same as text for ``csv``, line ends untouched."""
        return io.TextIOWrapper(self.open_binary(file_id, start), encoding, newline="")

    def step(
        self,
        act: Callable[[Work], T],
        *,
        done: int | Callable[[T], int] | None = None,
        total: int | Callable[[T], int] | None = None,
        cursor: Cursor | Callable[[T], Cursor] | None = None,
        message: str | Callable[[T], str] | None = None,
    ) -> T:
        """One transaction: see that the job is still ours, ``act``, save how far we are. All of it or nothing.

        Each keyword is the new value, or a function of what ``act`` gave. ``act`` may run again after a
        passing fault of the database, so it must not change anything but through its ``Work``.
        Raises ``Cancelled``, ``LeaseLost`` or ``HandedOver`` when the job must not go on here.
        """
        if self.stopping.is_set():
            raise HandedOver

        def within(work: Work) -> tuple[T, dict[str, Any]]:
            self._hold(work)
            result = act(work)
            given = {"done": done, "total": total, "cursor": cursor, "message": message}
            values = {
                name: value(result) if callable(value) else value for name, value in given.items() if value is not None
            }
            if "message" in values:
                values["message"] = str(values["message"])[:500]
            self._save(work, values | {"attempts": 0})
            return result, values

        with self.sessions() as session:
            result, saved = perform(session, self.actor, clock.now(), within)
        self.steps += 1
        if self.steps % _SWEPT_AFTER == 0:
            collector.sweep()
        self.done = cast(int, saved.get("done", self.done))
        self.total = cast(int, saved.get("total", self.total))
        self.cursor = cast(Cursor, saved.get("cursor", self.cursor))
        return result

    def _hold(self, work: Work) -> None:
        """Lock the row and extend the lease, or say why this runner may not go on."""
        held = changed_rows(
            work.session,
            update(Job)
            .where(
                Job.id == self.id,
                Job.owner == self.owner,
                Job.status == JobStatus.RUNNING,
                Job.is_cancel_wanted.is_(False),
            )
            .values(lease_until=work.now + self.lease, version=Job.version + 1),
        )
        if held:
            return
        now = work.session.execute(select(Job.owner, Job.status).where(Job.id == self.id)).one_or_none()
        if now is None:
            raise NotFound("job.unknown", f"There is no job {self.id} any more.")
        raise Cancelled if now == (self.owner, JobStatus.RUNNING) else LeaseLost

    def _save(self, work: Work, values: dict[str, Any]) -> None:
        work.session.execute(
            update(Job).where(Job.id == self.id).values(values).execution_options(synchronize_session=False)
        )


Handler = Callable[[RunningJob], Outcome]
