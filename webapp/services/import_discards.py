"""Throws uploads away that nobody wants to import: their content goes, what is known of them stays for ever."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select, update

from webapp.domain import imports as rules
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, Refused
from webapp.domain.imports import ImportStatus
from webapp.models import ImportRun, Job
from webapp.queries import imports as read
from webapp.services import files
from webapp.services.work import Work, changed_rows

KEPT = timedelta(days=30)  # after the upload, or its last check
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class DiscardImport:
    """Throw an upload away of which nothing was imported."""

    run_id: int


def discard(work: Work, command: DiscardImport) -> ImportRun:
    """Empty the file and its rejects; who uploaded it, its hash, its columns and what the check counted stay.

    ``Refused`` once its import has begun, and while it is being checked.
    """
    sheet = read.sheet(work.session, command.run_id, None)
    before, verdict = sheet.run.status, rules.may_discard(sheet.facts)
    verdict.require()
    moved = update(ImportRun).where(ImportRun.id == command.run_id, ImportRun.status == before)
    if not changed_rows(work.session, moved.values(status=ImportStatus.DISCARDED, finished_at=work.now)):
        raise Conflict("import.changed", "Somebody else went on with this import at the same moment; look again.")
    run = sheet.run
    work.session.refresh(run)
    run.findings = rules.without_sample(run.findings)
    if before is ImportStatus.UPLOADED:  # a check that was stopped counted something, but not all
        run.findings, run.good_count, run.duplicate_count, run.bad_count = {}, 0, 0, 0
    _empty(work, run)
    work.record(Event.IMPORT_DISCARDED, run, run.site_id, file=sheet.file.name)
    return run


def _empty(work: Work, run: ImportRun) -> None:
    kept = [file_id for file_id in (run.file_id, run.rejects_file_id) if file_id is not None]
    files.empty(work, kept)
    # A job that gave the rejects as its result has nothing to give any more.
    shown = update(Job).where(Job.result_file_id.in_(kept)).values(result_file_id=None)
    work.session.execute(shown.execution_options(synchronize_session=False))


def forget(work: Work) -> int:
    """Throw away what has waited for thirty days; gives how many uploads went."""
    since = func.coalesce(Job.finished_at, ImportRun.created_at)
    old = (
        select(ImportRun.id)
        .outerjoin(Job, Job.id == ImportRun.check_job_id)
        .where(ImportRun.status.in_(rules.DISCARDABLE), since < work.now - KEPT)
        .order_by(ImportRun.id)
        .limit(_AT_ONCE)
    )
    gone = 0
    for run_id in work.session.scalars(old).all():
        with suppress(Conflict, Refused):  # somebody went on with it a moment ago
            discard(work, DiscardImport(run_id))
            gone += 1
    return gone
