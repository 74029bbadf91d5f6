"""Uploads a file, chooses its columns, checks it and imports it; the long parts are jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select, update
from sqlalchemy.exc import NoResultFound

from webapp.domain import import_options
from webapp.domain import imports as rules
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict
from webapp.domain.import_columns import ImportKind
from webapp.domain.import_options import ArchivedRows, EmptyCells, ImportOptions, KnownRows
from webapp.domain.imports import ImportContract, ImportStatus, Survey
from webapp.domain.jobs import JobStatus
from webapp.domain.permissions import Permission
from webapp.domain.verdicts import Verdict
from webapp.models import ImportMapping, ImportRun, Job
from webapp.queries import imports as read
from webapp.queries.imports import RunSheet
from webapp.services import entries, files, jobs
from webapp.services.import_tables import KINDS as TABLES
from webapp.services.jobs import NewJob
from webapp.services.work import Work, changed_rows, name_of

CHECK, APPLY = "entries.check", "entries.import"
# What can be uploaded without naming a reward.
UPLOADABLE = (ImportKind.PROFILES, *TABLES)
_MEDIA_TYPES = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file that was read from end to end without a fault; ``pieces`` can be gone through more than once."""

    name: str
    survey: Survey
    pieces: Iterable[bytes]


@dataclass(frozen=True, slots=True)
class UploadEntries:
    """A file of entries for one reward. ``encoding`` is what was chosen, the survey of ``file`` says what it is."""

    reward_id: int
    file: IncomingFile
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class UploadRows:
    """A file of people, organisations or the like; ``encoding`` as in ``UploadEntries``."""

    kind: ImportKind
    file: IncomingFile
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class ChooseColumns:
    """Which column of the file, counted from 1, holds what: ``places`` by our names, None for what the file does not tell.

    The rest says what rows do to what is there already; None is as usual for the kind.
    """

    run_id: int
    places: Mapping[str, int | None] = field(default_factory=dict)
    known_rows: KnownRows | None = None
    empty_cells: EmptyCells | None = None
    archived_rows: ArchivedRows | None = None


@dataclass(frozen=True, slots=True)
class ApplyImport:
    """Import what was checked; the contract says what bad rows do to the good ones."""

    run_id: int
    contract: ImportContract


@dataclass(frozen=True, slots=True)
class CancelImport:
    """Stop the check or the import that is under way."""

    run_id: int


def upload(work: Work, command: UploadEntries) -> ImportRun:
    """Keep a file that was read without a fault, with the columns guessed or remembered.

    ``Refused`` when the reward takes no entries.
    """
    reward = entries.may_enter(work, command.reward_id)
    return _upload(work, command.file, ImportKind.ENTRIES, reward.title, reward_id=reward.id, site_id=reward.site_id)


def upload_rows(work: Work, command: UploadRows) -> ImportRun:
    """Keep a file of people, organisations or the like that was read without a fault."""
    return _upload(work, command.file, command.kind, rules.target(command.kind))


def _upload(
    work: Work,
    incoming: IncomingFile,
    kind: ImportKind,
    target: str,
    *,
    reward_id: int | None = None,
    site_id: int | None = None,
) -> ImportRun:
    survey = incoming.survey
    file = files.store(work, incoming.name, _MEDIA_TYPES.get(survey.encoding, "text/csv"), incoming.pieces)
    columns = read.columns(work.session, kind)
    remembered, chosen = read.remembered(work.session, kind, list(survey.headings))
    remembered = rules.usable(columns, remembered, survey.headings)
    run = ImportRun(
        kind=kind,
        reward_id=reward_id,
        site_id=site_id,
        file_id=file.id,
        encoding=survey.encoding,
        headings=list(survey.headings),
        line_count=survey.line_count,
        record_count=survey.record_count,
        mapping=remembered or rules.guess(columns, survey.headings),
        options=import_options.options(kind, chosen).stored(),
        created_at=work.now,
        created_by_id=work.actor.staff_id,
        created_by=work.actor.label,
    )
    work.session.add(run)
    work.session.flush()
    work.record(Event.IMPORT_STARTED, run, site_id, file=file.name, reward=target, sha256=file.sha256)
    return run


def positions(mapping: dict[str, str], headings: list[str]) -> dict[str, int | None]:
    """A mapping as ``ChooseColumns`` takes it."""
    return {name: headings.index(heading) + 1 for name, heading in mapping.items()}


def choose_columns(work: Work, command: ChooseColumns) -> ImportRun:
    """Fix which column is what, remember it for the next file like this, and queue the check.

    ``Refused`` when the columns do not tell enough, or once the import has begun.
    """
    sheet = read.sheet(work.session, command.run_id, None)
    headings, kind = list(sheet.run.headings), ImportKind(sheet.run.kind)
    mapping = {name: headings[place - 1] for name, place in command.places.items() if place and place <= len(headings)}
    mapping = rules.usable(read.columns(work.session, kind), mapping, headings)
    rules.may_check(kind, mapping).require()
    _move(work, sheet, rules.CHECKABLE, ImportStatus.CHECKING, rules.may_choose_columns(sheet.facts))
    run = sheet.run
    run.mapping, run.problem = mapping, ""
    run.options = _chosen(run, command).stored()
    _remember(work, run)
    job = jobs.enqueue(
        work, NewJob(CHECK, f"Check {sheet.file.name}", run.site_id, name_of(run), {"run_id": run.id}, run.line_count)
    )
    run.check_job_id = job.id
    return run


def _move(
    work: Work, sheet: RunSheet, sources: tuple[ImportStatus, ...], target: ImportStatus, verdict: Verdict
) -> None:
    """The status decides who was first; the explanation comes after."""
    stands = (ImportRun.id == sheet.run.id, ImportRun.status.in_(sources), ImportRun.undo_job_id.is_(None))
    moved = changed_rows(work.session, update(ImportRun).where(*stands).values(status=target))
    if not moved:
        verdict.require()
        raise Conflict("import.changed", "Somebody else went on with this import at the same moment; look again.")
    work.session.refresh(sheet.run)


def _chosen(run: ImportRun, command: ChooseColumns) -> ImportOptions:
    names = ImportOptions.__dataclass_fields__
    chosen = {name: value for name in names if (value := getattr(command, name))}
    return import_options.options(ImportKind(run.kind), run.options | chosen)


def _remember(work: Work, run: ImportRun) -> None:
    name = rules.heading_hash(run.headings)
    wanted = select(ImportMapping).where(ImportMapping.kind == run.kind, ImportMapping.heading_hash == name)
    try:
        row = work.session.scalars(wanted).one()
    except NoResultFound:
        row = ImportMapping(kind=run.kind, heading_hash=name)
        work.session.add(row)
    row.mapping, row.options, row.used_at = run.mapping, run.options, work.now


def apply(work: Work, command: ApplyImport) -> ImportRun:
    """Queue the import of what was checked, or go on with one that was stopped.

    ``Refused`` before anything is written: for bad rows under all-or-nothing, without a good row, or when the
    reward takes no entries any more.
    """
    sheet = read.sheet(work.session, command.run_id, None)
    run = sheet.run
    before = run.status
    run.contract = command.contract
    rules.may_apply(sheet.facts).require()
    if run.reward_id is not None:
        entries.may_enter(work, run.reward_id)
    _move(work, sheet, rules.APPLICABLE, ImportStatus.APPLYING, rules.may_apply(sheet.facts))
    run.contract, run.problem = command.contract, ""
    job = jobs.enqueue(
        work,
        NewJob(APPLY, f"Import {sheet.file.name}", run.site_id, name_of(run), {"run_id": run.id}, run.record_count),
    )
    if before is ImportStatus.CANCELLED and run.apply_job_id is not None:
        stopped = work.session.get_one(Job, run.apply_job_id)
        job.cursor, job.done = stopped.cursor, stopped.done
    run.apply_job_id = job.id
    return run


def cancel(work: Work, command: CancelImport) -> ImportRun:
    """Ask for the end of what is under way; an import keeps what it wrote and can go on later.

    ``Refused`` when nothing is under way.
    """
    sheet = read.sheet(work.session, command.run_id, None)
    run = sheet.run
    job_id = run.check_job_id if run.status is ImportStatus.CHECKING else run.apply_job_id
    rules.may_cancel(sheet.facts).require()
    if job_id is not None:
        jobs.cancel(work, jobs.CancelJob(job_id))
    return run


def _stopped(work: Work, job: Job) -> None:
    """A check that did not end can be started anew; an import that did not end can go on where it stopped."""
    sheet = read.sheet(work.session, int(job.arguments["run_id"]), None)
    run = sheet.run
    was = ImportStatus.CHECKING if job.kind == CHECK else ImportStatus.APPLYING
    if run.status is not was:
        return
    run.status = ImportStatus.UPLOADED if job.kind == CHECK else ImportStatus.CANCELLED
    run.problem = job.error[:1000]
    if job.status is JobStatus.FAILED:
        work.record(Event.IMPORT_REFUSED, run, run.site_id, file=sheet.file.name, problem=job.error[:300])


jobs.ENDINGS[CHECK] = _stopped
jobs.ENDINGS[APPLY] = _stopped
jobs.RESULT_NEEDS[CHECK] = Permission.ENTRIES_IMPORT
