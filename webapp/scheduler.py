"""When regular work is done: a few fixed beats in the serving process. What is due stands in tables."""

from __future__ import annotations

import importlib
import logging
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Any, TypeVar

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from webapp import jobs
from webapp.adapters import clock, mail, randomness, webhooks
from webapp.config import Settings
from webapp.domain import webhook_secrets
from webapp.domain.errors import Busy
from webapp.domain.identity import SYSTEM
from webapp.domain.webhook_secrets import SecretMaker
from webapp.jobs import outbox, registry
from webapp.jobs import webhooks as webhook_jobs
from webapp.jobs.runner import Runner, process_name
from webapp.queries.health import SCHEDULER, SCHEDULER_LEASE
from webapp.services import leases
from webapp.services.work import Work, perform

T = TypeVar("T")
STOP_WITHIN = 10.0  # seconds (reliability.md P28)
log = logging.getLogger(__name__)
# Seconds between beats. «alone»: of all processes one does it, the one that holds the lease «scheduler».
_ALONE = {"sweep": 30, "notices": 30, "audit": 5, "anchors": 60, "nightly": 600, "housekeeping": 3600}
_BEATS = {"jobs": 1, "outbox": 2, "webhooks": 2, "heartbeat": 10}


@dataclass
class Scheduler:
    """Beats until it is stopped. ``tick`` does everything that is due once, without any thread."""

    settings: Settings
    sessions: Callable[[], Session]
    owner: str = field(default_factory=process_name)

    def __post_init__(self) -> None:
        self._runner = Runner(self.sessions, registry.kinds(), self.owner, settings=self.settings)
        self._stop_once = Lock()
        self._is_stopped = False
        self._sender = mail.sender(self.settings)
        self._poster = webhooks.poster(self.settings)
        self._secrets = SecretMaker(webhook_secrets.key(self.settings.secret_key), randomness.entropy)
        installed = {module.name for module in pkgutil.iter_modules(jobs.__path__)}
        self._alone = {name: seconds for name, seconds in _ALONE.items() if name in installed}
        # daemon: a beat that hangs must not keep a process alive that was told to stop.
        self._beats: Any = BackgroundScheduler(timezone="UTC", daemon=True)

    def start(self) -> None:
        """Begin to beat, the first of each at once."""
        for name, seconds in (self._alone | _BEATS).items():
            self._beats.add_job(
                self._beat,
                "interval",
                args=[name],
                seconds=seconds,
                next_run_time=clock.now(),
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
        self._beats.start()

    def stop(self) -> None:
        """Claim nothing more, hand the job under way to the next process, give back the lease."""
        self._runner.stop()
        with self._stop_once:
            if not self._is_stopped:
                self._end()
            self._is_stopped = True

    def _end(self) -> None:
        if self._beats.running:
            ending = Thread(target=self._beats.shutdown, name="scheduler-stop", daemon=True)
            ending.start()
            ending.join(STOP_WITHIN)
        self._write(lambda work: leases.give_back(work, SCHEDULER, self.owner))

    def tick(self) -> dict[str, int]:
        """Do once whatever is due now; gives how much of each kind was done. Then somebody else may lead."""
        leads = self.lead()
        done = {name: self._do(name) for name in self._alone if leads}
        done |= {name: self._do(name) for name in ("jobs", "outbox", "webhooks")}
        self._write(lambda work: leases.give_back(work, SCHEDULER, self.owner))
        return done

    def lead(self) -> bool:
        """Whether this process does what only one may do, from now for the lease's span; also the heartbeat."""
        return self._write(lambda work: leases.take(work, SCHEDULER, self.owner, SCHEDULER_LEASE))

    def _beat(self, name: str) -> None:
        """One beat; a fault is logged and the next beat tries again."""
        try:
            if name == "heartbeat":
                self._leads = self.lead()
            elif name not in self._alone or self._leads:
                self._do(name)
        except (Busy, DBAPIError):
            log.warning("The beat «%s» waits for the database.", name, exc_info=True)

    _leads = False

    def _do(self, name: str) -> int:
        if name == "jobs":
            return self._runner.drain()
        if name == "outbox":
            return outbox.run_due(self.sessions, self._sender, self.owner)
        if name == "webhooks":
            return webhook_jobs.run_due(self.sessions, self._poster, self._secrets, self.owner)
        done: int = importlib.import_module(f"webapp.jobs.{name}").run_due(self.sessions)
        return done

    def _write(self, act: Callable[[Work], T]) -> T:
        with self.sessions() as session:
            return perform(session, SYSTEM, clock.now(), act)
