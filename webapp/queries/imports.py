"""Reads of uploads: one with all its page shows, lists, the problems of its rows, and what a job needs to know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import Session

from webapp.domain import import_columns, import_options
from webapp.domain.errors import NotFound
from webapp.domain.import_columns import Column, ImportKind
from webapp.domain.import_options import ImportOptions
from webapp.domain.imports import ImportStatus, Outcome, RunFacts, guess, heading_hash, target
from webapp.domain.person_columns import fact_column
from webapp.models import ImportMapping, ImportProblem, ImportRun, Job, Reward, Site, StoredFile
from webapp.queries import profiles as read_profiles
from webapp.queries import rewards
from webapp.queries.exports import WALKED, walk

PAGE = 50


@dataclass(frozen=True, slots=True)
class RunSheet:
    """An upload with everything its page shows; ``reward`` is None for anything but entries."""

    run: ImportRun
    file: StoredFile
    reward: Reward | None
    site: Site | None

    @property
    def target(self) -> str:
        """What the rows go into, in words."""
        return self.reward.title if self.reward else target(ImportKind(self.run.kind))

    @property
    def facts(self) -> RunFacts:
        run = self.run
        return RunFacts(
            run.status,
            run.contract,
            run.good_count,
            run.bad_count,
            self.file.name,
            written=run.entry_count if run.reward_id else run.created_count + run.changed_count,
            undoing=run.undo_job_id is not None,
            undone=run.undone_at is not None,
            in_part=bool(run.undone),
        )


@dataclass(frozen=True, slots=True)
class RunRow:
    """One line of the list of imports."""

    id: int
    file: str
    kind: str
    reward: str | None
    reward_name: str | None
    status: ImportStatus
    record_count: int
    good_count: int
    duplicate_count: int
    bad_count: int
    entry_count: int
    created_at: datetime
    created_by: str
    undone_at: datetime | None

    @property
    def target(self) -> str:
        """What the rows went into, in words."""
        return self.reward or target(ImportKind(self.kind))


_LISTED: list[Any] = [
    ImportRun.id,
    StoredFile.name,
    ImportRun.kind,
    Reward.title,
    Reward.name,
    ImportRun.status,
    ImportRun.record_count,
    ImportRun.good_count,
    ImportRun.duplicate_count,
    ImportRun.bad_count,
    ImportRun.entry_count,
    ImportRun.created_at,
    ImportRun.created_by,
    ImportRun.undone_at,
]


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """One reason against one row."""

    id: int
    line: int
    column: str
    value: str
    reason: str


def sheet(session: Session, run_id: int, scope: frozenset[int] | None) -> RunSheet:
    """The upload, fresh from the database; ``NotFound`` outside ``scope``. A file of people belongs to every site."""
    statement = (
        select(ImportRun, StoredFile, Reward, Site)
        .join(StoredFile, StoredFile.id == ImportRun.file_id)
        .outerjoin(Reward, Reward.id == ImportRun.reward_id)
        .outerjoin(Site, Site.id == ImportRun.site_id)
        .where(ImportRun.id == run_id, _visible(scope))
        .execution_options(populate_existing=True)
    )
    found = session.execute(statement).one_or_none()
    if found is None:
        raise NotFound("import.not_found", "There is no such import.")
    return RunSheet(*found)


def _visible(scope: frozenset[int] | None) -> ColumnElement[bool]:
    return true() if scope is None else ImportRun.site_id.in_(scope)


def page(
    session: Session,
    scope: frozenset[int] | None,
    *,
    reward_id: int | None = None,
    before: int | None = None,
    size: int = PAGE,
) -> list[RunRow]:
    """Uploads, the newest first, one more than ``size`` when there are further ones; ``before`` is the last id seen."""
    statement = (
        select(*_LISTED)
        .join(StoredFile, StoredFile.id == ImportRun.file_id)
        .outerjoin(Reward, Reward.id == ImportRun.reward_id)
        .where(_visible(scope))
        .order_by(ImportRun.id.desc())
        .limit(size + 1)
    )
    if reward_id is not None:
        statement = statement.where(ImportRun.reward_id == reward_id)
    if before is not None:
        statement = statement.where(ImportRun.id < before)
    return [RunRow(*row) for row in session.execute(statement)]


EXPORT = tuple(name for name in RunRow.__dataclass_fields__ if name != "reward")


def stream(session: Session, scope: frozenset[int] | None) -> Iterator[tuple[object, ...]]:
    """Uploads as ``EXPORT`` names them, the newest first."""
    for row in walk(lambda last: page(session, scope, before=last, size=WALKED)):
        yield tuple(getattr(row, name) for name in EXPORT)


def problems(
    session: Session, run_id: int, outcome: Outcome, *, after: int | None = None, size: int = PAGE
) -> list[ProblemRow]:
    """The problems of one sort in the order of the file, one more than ``size`` when there are further ones."""
    statement = (
        select(ImportProblem.id, ImportProblem.line, ImportProblem.column, ImportProblem.value, ImportProblem.reason)
        .where(ImportProblem.run_id == run_id, ImportProblem.outcome == outcome)
        .order_by(ImportProblem.id)
        .limit(size + 1)
    )
    if after is not None:
        statement = statement.where(ImportProblem.id > after)
    return [ProblemRow(*row) for row in session.execute(statement)]


def columns(session: Session, kind: ImportKind) -> tuple[Column, ...]:
    """What a row of this kind can tell; of people also the further facts there are, archived ones too."""
    if kind is not ImportKind.PROFILES:
        return import_columns.columns(kind)
    facts = read_profiles.definitions(session, archived=True)
    return import_columns.columns(kind, [(one.name, one.title) for one in facts])


def remembered(session: Session, kind: ImportKind, headings: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The columns and options chosen last time for a file with these headings; empty the first time.

    A fact there was not then could not be chosen: its column is guessed.
    """
    statement = select(ImportMapping.mapping, ImportMapping.options, ImportMapping.used_at).where(
        ImportMapping.kind == kind, ImportMapping.heading_hash == heading_hash(headings)
    )
    found = session.execute(statement).one_or_none()
    if found is None:
        return {}, {}
    left = [heading for heading in headings if heading not in found.mapping.values()]
    return guess(_facts_since(session, kind, found.used_at), left) | dict(found.mapping), dict(found.options)


def _facts_since(session: Session, kind: ImportKind, at: datetime) -> list[Column]:
    facts = read_profiles.definitions(session, archived=True) if kind is ImportKind.PROFILES else []
    return [fact_column(one.name, one.title) for one in facts if one.created_at >= at]


def twins(session: Session, sheet: RunSheet) -> list[tuple[int, datetime, int]]:
    """Earlier and later imports of the very same file into the same place: id, moment, records they got through.

    Only those that wrote something and were not taken back; newest first.
    """
    run = sheet.run
    statement = (
        select(ImportRun.id, ImportRun.created_at, ImportRun.status, ImportRun.record_count, Job.cursor)
        .join(StoredFile, StoredFile.id == ImportRun.file_id)
        .outerjoin(Job, Job.id == ImportRun.apply_job_id)
        .where(
            StoredFile.sha256 == sheet.file.sha256,
            ImportRun.id != run.id,
            ImportRun.kind == run.kind,
            ImportRun.reward_id == run.reward_id if run.reward_id else ImportRun.reward_id.is_(None),
            or_(ImportRun.entry_count > 0, ImportRun.status == ImportStatus.DONE),
            ImportRun.undone_at.is_(None),
        )
        .order_by(ImportRun.id.desc())
        .limit(20)
    )
    return [
        (row[0], row[1], row[3] if row[2] is ImportStatus.DONE else int((row[4] or {}).get("record", 0)))
        for row in session.execute(statement)
    ]


@dataclass(frozen=True, slots=True)
class Plan:
    """All a job needs to read an upload: it never changes once the columns are chosen.

    ``repeated_until`` is the record up to which the very same file was imported before.
    """

    run_id: int
    kind: ImportKind
    reward_id: int | None
    target: str
    file_id: int
    file_name: str
    encoding: str
    headings: tuple[str, ...]
    mapping: dict[str, str]
    columns: tuple[Column, ...]
    options: ImportOptions
    zone: str
    uploaded_at: datetime
    line_count: int
    record_count: int
    repeated_until: int


def plan(session: Session, run_id: int) -> Plan:
    """The plan of an upload."""
    found = sheet(session, run_id, None)
    run = found.run
    return Plan(
        run_id=run.id,
        kind=ImportKind(run.kind),
        reward_id=run.reward_id,
        target=found.target,
        file_id=run.file_id,
        file_name=found.file.name,
        encoding=run.encoding,
        headings=tuple(run.headings),
        mapping=dict(run.mapping),
        columns=columns(session, ImportKind(run.kind)),
        options=import_options.options(ImportKind(run.kind), run.options),
        zone=found.site.timezone if found.site else "UTC",
        uploaded_at=run.created_at,
        line_count=run.line_count,
        record_count=run.record_count,
        repeated_until=max((reached for _, _, reached in twins(session, found)), default=0),
    )


def reward_of(session: Session, name: str, scope: frozenset[int] | None) -> Reward:
    """The reward a file is uploaded for, with its prizes; ``NotFound`` outside ``scope``."""
    return rewards.sheet(session, name, scope).reward
