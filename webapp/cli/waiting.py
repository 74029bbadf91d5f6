"""Runs a job here, or waits while the server runs it; a bar on a terminal shows how far it is."""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Thread
from typing import Any

import click

from webapp.adapters import collector
from webapp.cli import runtime
from webapp.domain.errors import Refused
from webapp.domain.jobs import FINISHED
from webapp.jobs import registry
from webapp.jobs.runner import Runner
from webapp.queries import files
from webapp.queries import jobs as read_jobs

_LOOK_AGAIN = 0.2  # seconds


def finish(subject: str, kind: str, label: str) -> None:
    """Return when the latest job of ``kind`` about ``subject`` has ended; ``Refused`` when it failed."""
    runner = Runner(runtime.sessions, registry.kinds(), settings=runtime.settings())
    collector.settle()
    with click.progressbar(length=1, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        while True:
            worker = Thread(target=runner.drain, daemon=True)
            worker.start()
            while worker.is_alive():
                worker.join(_LOOK_AGAIN)
                if sys.stderr.isatty():
                    _show(bar, subject, kind)
            job = _job(subject, kind)
            if job.status in FINISHED:
                break
    if job.error:
        raise Refused("job.failed", job.error)


def _job(subject: str, kind: str) -> Any:
    with runtime.session() as session:
        return read_jobs.latest(session, subject, kind)


def _show(bar: Any, subject: str, kind: str) -> None:
    job = _job(subject, kind)
    if job.total:
        bar.length = job.total
        bar.update(job.done - bar.pos)


def keep_rejects(file_id: int | None, file: Path) -> None:
    """The stored rejects as ``FILE.rejects.csv`` beside the file, whole or not at all."""
    if file_id is None:
        return
    target = file.with_name(f"{file.name}.rejects.csv")
    half = target.with_name(f"{target.name}.part")
    with runtime.session() as session, half.open("wb") as out:
        out.writelines(files.read(session, file_id))
    half.replace(target)
    click.echo(f"The bad rows are in {target}.", err=True)
