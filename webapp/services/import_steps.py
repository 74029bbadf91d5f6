"""The small transactions of which the check and the import of a file are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update

from webapp.domain import person_changes
from webapp.domain.audit import Event
from webapp.domain.import_columns import ImportKind
from webapp.domain.import_rows import Draft
from webapp.domain.imports import ImportStatus, Outcome, without_sample
from webapp.domain.person_rows import PersonDraft
from webapp.domain.table_rows import TableDraft
from webapp.models import ImportProblem, ImportRun, Job, StoredChunk, StoredFile
from webapp.queries import entries as entry_reads
from webapp.queries.imports import Plan
from webapp.services import entries, files, profiles, table_options
from webapp.services.entries import Entropy
from webapp.services.import_tables import KINDS as TABLES
from webapp.services.work import Work

MOST_PROBLEMS = 100_000  # of each sort kept for the screen; the rejects file holds all
_SHOWN_VALUE, _SHOWN_REASON, _SHOWN_COLUMN = 200, 300, 120


@dataclass(frozen=True, slots=True)
class NotedProblem:
    """One reason against one row, as it is kept."""

    record: int
    line: int
    outcome: Outcome
    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Tally:
    """What a check counted: good + duplicates + bad = records."""

    records: int
    good: int
    duplicates: int
    bad: int
    findings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Applied:
    """What one step of an import wrote."""

    entries: int
    people: int


def begin_check(work: Work, run_id: int) -> bool:
    """Forget what an earlier check of this file noted: a check always begins at the first row.

    False when there is nothing to check any more: a process was killed between the last step and its word.
    """
    run = work.session.get_one(ImportRun, run_id, populate_existing=True)
    if run.status is not ImportStatus.CHECKING:
        return False
    old, run.rejects_file_id = run.rejects_file_id, None
    work.session.flush()
    work.session.execute(delete(ImportProblem).where(ImportProblem.run_id == run_id))
    if old is not None:
        _drop(work, old)
    return True


def _drop(work: Work, file_id: int) -> None:
    """A rejects file half written goes; one that a finished job shows stays."""
    shown = work.session.scalar(select(Job.id).where(Job.result_file_id == file_id).limit(1))
    if shown is None:
        work.session.execute(delete(StoredChunk).where(StoredChunk.file_id == file_id))
        work.session.execute(delete(StoredFile).where(StoredFile.id == file_id))


def note(work: Work, plan: Plan, problems: Sequence[NotedProblem], heading: bytes, rejects: bytes) -> None:
    """Keep the problems of some rows, and the rows themselves in the rejects file, begun with ``heading``."""
    if problems:
        rows = [
            {
                "run_id": plan.run_id,
                "record": item.record,
                "line": item.line,
                "outcome": str(item.outcome),
                "column": item.column[:_SHOWN_COLUMN],
                "value": item.value[:_SHOWN_VALUE],
                "reason": item.reason[:_SHOWN_REASON],
            }
            for item in problems
        ]
        work.session.execute(insert(ImportProblem), rows)
    if not rejects:
        return
    run = work.session.get_one(ImportRun, plan.run_id)
    if run.rejects_file_id is None:
        file = files.begin(work, f"{plan.file_name}.rejects.csv", "text/csv")
        run.rejects_file_id = file.id
        rejects = heading + rejects
    files.append(work, run.rejects_file_id, rejects)


def finish_check(work: Work, plan: Plan, tally: Tally) -> None:
    """Write down what the check counted."""
    run = work.session.get_one(ImportRun, plan.run_id, populate_existing=True)
    run.status = ImportStatus.CHECKED
    run.record_count, run.good_count = tally.records, tally.good
    run.duplicate_count, run.bad_count = tally.duplicates, tally.bad
    run.findings = tally.findings
    if run.rejects_file_id is not None:
        files.finish(work, run.rejects_file_id)
    work.record(
        Event.IMPORT_CHECKED,
        run,
        run.site_id,
        file=plan.file_name,
        records=tally.records,
        good=tally.good,
        duplicates=tally.duplicates,
        bad=tally.bad,
    )


def refuse(work: Work, plan: Plan, problem: str) -> None:
    """The file as a whole cannot be read after all: say why; nothing of it is imported."""
    run = work.session.get_one(ImportRun, plan.run_id, populate_existing=True)
    run.status, run.problem, run.finished_at = ImportStatus.REFUSED, problem[:1000], work.now
    work.record(Event.IMPORT_REFUSED, run, run.site_id, file=plan.file_name, problem=problem[:300])


def apply_rows(work: Work, plan: Plan, drafts: Sequence[Draft], entropy: Entropy) -> Applied:
    """Write some good rows: their people, their entries, their numbers, in one transaction.

    A receipt the reward has by now is passed over. ``Refused`` when the reward takes no entries any more.
    """
    if plan.reward_id is None:
        raise AssertionError("people without entries are written by ``apply_people``")
    entries.hold(work, plan.reward_id)
    taken = entry_reads.numbers(work.session, plan.reward_id, sorted({d.receipt for d in drafts if d.receipt}))
    fresh, seen = [], set(taken)
    for draft in drafts:
        if draft.receipt:
            if draft.receipt in seen:
                continue
            seen.add(draft.receipt)
        fresh.append(draft)
    if not fresh:
        return Applied(0, 0)
    people, created = profiles.enrol(work, fresh, plan.uploaded_at, plan.run_id)
    entries.add(work, plan.reward_id, fresh, people, entropy, plan.run_id)
    return _count(work, plan, Applied(len(fresh), created))


def apply_people(work: Work, plan: Plan, drafts: Sequence[PersonDraft]) -> None:
    """Write some good rows of a file of people, in one transaction."""
    told = person_changes.told(plan.mapping.keys())
    _count_rows(work, plan, *profiles.take_in(work, drafts, plan.options, told, plan.run_id))


def apply_table(work: Work, plan: Plan, drafts: Sequence[TableDraft]) -> None:
    """Write some good rows of a file of organisations, groups or the like, in one transaction.

    ``Refused`` when what a row names has gone since the check.
    """
    if not drafts:
        return
    _count_rows(work, plan, *table_options.put(work, plan, TABLES[plan.kind], drafts))


def _count_rows(work: Work, plan: Plan, created: int, changed: int) -> None:
    work.session.execute(
        update(ImportRun)
        .where(ImportRun.id == plan.run_id)
        .values(created_count=ImportRun.created_count + created, changed_count=ImportRun.changed_count + changed)
        .execution_options(synchronize_session=False)
    )


def _count(work: Work, plan: Plan, applied: Applied) -> Applied:
    work.session.execute(
        update(ImportRun)
        .where(ImportRun.id == plan.run_id)
        .values(
            entry_count=ImportRun.entry_count + applied.entries,
            created_count=ImportRun.created_count + applied.people,
        )
        .execution_options(synchronize_session=False)
    )
    return applied


def finish(work: Work, plan: Plan) -> None:
    """The import is done: settle the counts and tell the log, once."""
    run = work.session.get_one(ImportRun, plan.run_id, populate_existing=True)
    if run.status is not ImportStatus.APPLYING:
        return
    run.status, run.finished_at = ImportStatus.DONE, work.now
    run.findings = without_sample(run.findings)
    if plan.reward_id is not None:
        # Receipts that came in by another way since the check count as duplicates.
        run.good_count = run.entry_count
        run.duplicate_count = run.record_count - run.bad_count - run.good_count
    if plan.kind is not ImportKind.ENTRIES:
        work.record(
            Event.IMPORT_PUT,
            run,
            file=plan.file_name,
            kind=str(plan.kind),
            created=run.created_count,
            changed=run.changed_count,
            bad=run.bad_count,
        )
        return
    work.record(
        Event.IMPORT_APPLIED,
        run,
        run.site_id,
        file=plan.file_name,
        reward=plan.target,
        entries=run.entry_count,
        people=run.created_count,
        bad=run.bad_count,
    )
