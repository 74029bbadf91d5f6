"""Granian around the application: workers, a scheduler in each, and a stop that answers everybody first."""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.util import Finalize
from threading import Event, Thread
from typing import Any

from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.mp import MPServer
from sqlalchemy.orm import Session

from webapp.adapters import collector
from webapp.app import create_app
from webapp.cli import waking
from webapp.config import Settings
from webapp.extensions import db
from webapp.scheduler import Scheduler
from webapp.web import logs

GRACE = 30  # seconds to finish requests in (reliability.md section 10)
LOOK = 2  # seconds between two looks at the parent
MOST_WORKERS = 4
# Granian's own lines go where ours go, as JSON.
_LOG = {"formatters": {}, "handlers": {}, "loggers": {"_granian": {"handlers": [], "propagate": True}}}


class _Server(MPServer):
    """Tells the workers to claim nothing more before it stops them; a second signal ends them at once."""

    def __init__(self, lifeline: Connection, **options: Any) -> None:
        super().__init__(**options)
        self._lifeline = lifeline

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        if self.interrupt_signal:
            for worker in self.wrks:
                worker.kill()
        untyped: Any = super()
        untyped.signal_handler_interrupt(*args, **kwargs)

    def _stop_workers(self) -> None:
        self._lifeline.close()
        untyped: Any = super()
        untyped._stop_workers()


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until TERM or INT; a worker that dies is replaced. One worker on SQLite, several on PostgreSQL."""
    logs.configure(settings.log_level)
    # Workers read the one end; the other is closed when this process stops, or when it dies.
    end, lifeline = multiprocessing.Pipe(duplex=False)
    server = _Server(
        lifeline,
        target="webapp",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=15_000),
        websockets=False,
        workers=1 if settings.is_sqlite else min(MOST_WORKERS, os.cpu_count() or 1),
        blocking_threads=settings.threads,
        log_dictconfig=_LOG,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE,
    )
    waking.listen()
    server.serve(target_loader=partial(load, settings, os.getpid(), end, lifeline), wrap_loader=False)


def load(settings: Settings, parent: int, end: Connection, lifeline: Connection) -> Flask:
    """The application of one worker process, a scheduler started beside it.

    ``parent`` is told, not asked for: it may be gone before a worker has come this far.
    """
    lifeline.close()  # our copy: while any is open, nobody would see the parent go
    logs.configure(settings.log_level)
    app = create_app(settings)
    collector.settle()
    scheduler = _start_scheduler(app, settings) if settings.scheduler else None
    Thread(target=_watch, args=(end, parent, scheduler), name="lifeline", daemon=True).start()
    if scheduler:
        Finalize(None, scheduler.stop, exitpriority=100)
    waking.listen(scheduler.stop if scheduler else lambda: None)
    return app


def _start_scheduler(app: Flask, settings: Settings) -> Scheduler:
    with app.app_context():
        engine = db.engine
    scheduler = Scheduler(settings, lambda: Session(engine, expire_on_commit=False))
    scheduler.start()
    return scheduler


def _watch(end: Connection, parent: int, scheduler: Scheduler | None) -> None:
    """Wait for the parent to stop; then stop the scheduler at once, while requests are still being answered."""
    with suppress(EOFError, OSError):
        # The pipe says so at once; asking who the parent is finds out even when a sibling still holds the other end.
        while os.getppid() == parent and not end.poll(LOOK):
            pass
    if scheduler:
        scheduler.stop()
    if os.getppid() != parent:  # it was killed: a worker nobody watches over must not serve on
        os.kill(os.getpid(), signal.SIGTERM)
        Event().wait(GRACE)
        os._exit(1)
