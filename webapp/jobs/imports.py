"""Checks an upload row by row, and imports what is good, in steps that survive a kill."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial

from webapp.adapters import judging, randomness, spreadsheets
from webapp.adapters.judging import Part, Reading
from webapp.adapters.scratch import Scratch
from webapp.domain import imports as rules
from webapp.domain.errors import Conflict, Refused
from webapp.domain.import_columns import ROWS, ImportKind
from webapp.domain.import_rows import Draft
from webapp.domain.person_rows import PersonDraft
from webapp.domain.table_rows import TableDraft
from webapp.jobs.import_checks import Inspection, TableInspection, imported_before
from webapp.jobs.people_files import PeopleInspection, Sieve
from webapp.jobs.running import Handler, RunningJob
from webapp.jobs.running import Outcome as Ending
from webapp.queries import imports as read
from webapp.queries import known_people
from webapp.queries.imports import Plan
from webapp.services import import_steps as steps
from webapp.services import import_undo, table_options
from webapp.services.import_tables import KINDS as TABLES
from webapp.services.import_undo import UNDO
from webapp.services.imports import APPLY, CHECK
from webapp.services.work import Work

CHUNK = 4_000
RIVALS = 5
AnyInspection = Inspection | TableInspection | PeopleInspection


def _parts(job: RunningJob, plan: Plan, size: int, after: int = 0) -> Generator[Part, None, None]:
    """The rows of the file behind the record ``after``, judged, ``size`` at a time."""
    there = None
    if plan.kind is ImportKind.PROFILES:
        with job.read() as session:
            there = known_people.there(session)
    reading = Reading(
        plan.kind,
        plan.file_name,
        plan.encoding,
        plan.headings,
        plan.mapping,
        plan.zone,
        plan.uploaded_at,
        size,
        after,
        there,
    )
    return judging.parts(reading, partial(job.open_binary, plan.file_id), plan.record_count)


def _plan(job: RunningJob) -> Plan:
    with job.read() as session:
        return read.plan(session, int(job.arguments["run_id"]))


def check(job: RunningJob) -> Ending:
    """Read the whole file, count, and note what is wrong with which row. Begins anew after a kill: it writes no rows."""
    plan = _plan(job)
    if not job.step(lambda work: steps.begin_check(work, plan.run_id), done=0, total=plan.line_count):
        return _checked(job, plan)
    with Scratch() as scratch:
        inspection = _inspection(plan, scratch)
        size = TABLES[plan.kind].most if plan.kind in TABLES else CHUNK
        try:
            with closing(_parts(job, plan, size)) as parts:
                for part in parts:
                    _check_part(job, inspection, part)
        except Refused as fault:
            problem = fault.message
            job.step(lambda work: steps.refuse(work, plan, problem))
            return Ending(f"The file was refused: {problem}")
        tally = inspection.tally()
    job.step(lambda work: steps.finish_check(work, plan, tally), done=plan.line_count)
    return _checked(job, plan)


def _inspection(plan: Plan, scratch: Scratch) -> AnyInspection:
    if plan.kind in TABLES:
        return TableInspection(plan, scratch)
    return PeopleInspection(plan, scratch) if plan.kind is ImportKind.PROFILES else Inspection(plan, scratch)


def _checked(job: RunningJob, plan: Plan) -> Ending:
    with job.read() as session:
        run = read.sheet(session, plan.run_id, None).run
    words = f"{run.good_count:,} good, {run.duplicate_count:,} duplicate and {run.bad_count:,} bad"
    return Ending(f"{words} of {run.record_count:,} records.", run.rejects_file_id)


def _check_part(job: RunningJob, inspection: AnyInspection, part: Part) -> None:
    with job.read() as session:
        problems, rejected = inspection.look_at(session, part)
    plan = inspection.plan
    heading = spreadsheets.csv_bytes([rules.reject_headings(plan.headings)], mark=True)
    rejects = spreadsheets.csv_bytes(rejected) if rejected else b""
    job.step(
        lambda work: steps.note(work, plan, problems, heading, rejects),
        done=min(part.line, plan.line_count),
        message=f"{part.record:,} records read, {inspection.bad:,} of them bad",
    )


def apply(job: RunningJob) -> Ending:
    """Write the good rows, a chunk to a transaction with the place reached; goes on from there after a kill."""
    plan = _plan(job)
    if plan.kind in TABLES:
        return _apply_table(job, plan)
    if plan.kind is ImportKind.PROFILES:
        return _apply_people(job, plan)
    with closing(_parts(job, plan, CHUNK, int(job.cursor.get("record", 0)))) as parts:
        for part in parts:
            drafts = [
                draft
                for record, draft in zip(part.records, part.drafts, strict=True)
                if isinstance(draft, Draft) and (draft.receipt or not imported_before(record, plan))
            ]
            _apply_chunk(job, plan, drafts, part.record)
    job.step(lambda work: steps.finish(work, plan), done=plan.record_count, total=plan.record_count)
    with job.read() as session:
        run = read.sheet(session, plan.run_id, None).run
    return Ending(
        f"{run.entry_count:,} entries, {run.created_count:,} new people; {run.bad_count:,} bad rows left out."
    )


def _apply_people(job: RunningJob, plan: Plan) -> Ending:
    """The rows of a file of people; the first of several about the same person counts."""
    start = int(job.cursor.get("record", 0))
    with Scratch() as scratch, closing(_parts(job, plan, CHUNK)) as parts:
        sieve = Sieve(scratch)
        for part in parts:
            drafts = sieve.sift([draft for draft in part.drafts if isinstance(draft, PersonDraft)])[0]
            if part.record > start:  # else it was written before a kill
                _step(job, plan, partial(_take_in, plan, drafts), part.record)
    return _written(job, plan)


def _take_in(plan: Plan, drafts: list[PersonDraft], work: Work) -> None:
    steps.apply_people(work, plan, drafts)


def _apply_table(job: RunningJob, plan: Plan) -> Ending:
    """The rows of a file of organisations, groups or the like; the first of several about the same thing counts."""
    kind = TABLES[plan.kind]
    start = int(job.cursor.get("record", 0))
    with Scratch() as scratch, closing(_parts(job, plan, kind.most)) as parts:
        for part in parts:
            drafts = [draft for draft in part.drafts if isinstance(draft, TableDraft)]
            with job.read() as session:
                bad = kind.refers(session, drafts)
                sound = [draft for draft in drafts if draft.line not in bad]
                found = table_options.settle(session, plan, kind, sound)
            names = {draft.line: "\n".join(draft.key) for draft in drafts if draft.line not in {*bad, *found.faults}}
            seen = scratch.receipts(set(names.values()))
            first = {name: line for line, name in reversed(names.items())}
            fresh = [
                draft
                for draft in drafts
                if (name := names.get(draft.line)) and name not in seen and first[name] == draft.line
            ]
            scratch.add_receipts((names[draft.line], draft.line) for draft in fresh)
            if part.record > start:  # else it was written before a kill
                _step(job, plan, partial(_put, plan, fresh), part.record)
    return _written(job, plan)


def _written(job: RunningJob, plan: Plan) -> Ending:
    job.step(lambda work: steps.finish(work, plan), done=plan.record_count, total=plan.record_count)
    with job.read() as session:
        run = read.sheet(session, plan.run_id, None).run
    words = f"{run.created_count:,} new and {run.changed_count:,} changed"
    return Ending(f"{ROWS[plan.kind][1].capitalize()}: {words}; {run.bad_count:,} bad rows left out.")


def _put(plan: Plan, drafts: list[TableDraft], work: Work) -> None:
    steps.apply_table(work, plan, drafts)


def _apply_chunk(job: RunningJob, plan: Plan, drafts: list[Draft], record: int) -> None:
    _step(job, plan, lambda work: steps.apply_rows(work, plan, drafts, randomness.entropy), record)


def _step(job: RunningJob, plan: Plan, act: Callable[[Work], object], record: int) -> None:
    for attempt in range(1, RIVALS + 1):
        try:
            job.step(
                act,
                done=record,
                total=plan.record_count,
                cursor={"record": record},
                message=f"{record:,} of {plan.record_count:,} records imported",
            )
        except Conflict:
            # Another import created one of these at the same moment; now they are known.
            if attempt == RIVALS:
                raise
        else:
            return


def undo(job: RunningJob) -> Ending:
    """Take an import back, a chunk to a transaction; goes on after a kill with what is still there."""
    plan = _plan(job)
    while job.step(
        lambda work: import_undo.take_back(work, plan, CHUNK),
        done=lambda found: min(job.done + found.count, plan.record_count),
    ).count:
        pass
    job.step(lambda work: import_undo.finish(work, plan), done=plan.record_count, total=plan.record_count)
    with job.read() as session:
        told = read.sheet(session, plan.run_id, None).run.undone
    gone, stay = sum(told[name] for name in ("gone", "withdrawn", "restored", "people")), told["left_count"]
    return Ending(f"{gone:,} rows taken back, {stay:,} stay.")


KINDS: dict[str, Handler] = {CHECK: check, APPLY: apply, UNDO: undo}
