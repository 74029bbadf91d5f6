"""Checks an upload row by row, and imports what is good, in steps that survive a kill."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from webapp.adapters import randomness, spreadsheets
from webapp.adapters.scratch import Scratch
from webapp.domain import imports as rules
from webapp.domain.errors import Conflict, Refused
from webapp.domain.import_rows import Draft, Fault, RowRules, shown
from webapp.domain.imports import COLUMNS, ImportKind, Outcome
from webapp.domain.profiles import resolve
from webapp.jobs.running import Handler, RunningJob
from webapp.jobs.running import Outcome as Ending
from webapp.queries import entries, profiles
from webapp.queries import imports as read
from webapp.queries.imports import Plan
from webapp.services import import_steps as steps
from webapp.services.import_steps import MOST_PROBLEMS, NotedProblem, Tally
from webapp.services.imports import APPLY, CHECK

CHUNK = 2_000
SAMPLE = 8
RIVALS = 5
Row = tuple[int, int, list[str]]  # record from 1, physical line, values


def _rows(job: RunningJob, plan: Plan) -> Iterator[Row]:
    stream = job.open_binary(plan.file_id)
    encoding = plan.encoding if plan.encoding in spreadsheets.ENCODINGS else spreadsheets.AUTOMATIC
    table = spreadsheets.open_table(stream, plan.file_name, encoding)
    return ((record, line, values) for record, (line, values) in enumerate(table.rows, start=1))


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _row_rules(plan: Plan) -> RowRules:
    with_entry = plan.kind is ImportKind.ENTRIES
    return RowRules(plan.headings, plan.mapping, plan.zone, plan.uploaded_at, with_entry)


def _plan(job: RunningJob) -> Plan:
    with job.read() as session:
        return read.plan(session, int(job.arguments["run_id"]))


def check(job: RunningJob) -> Ending:
    """Read the whole file, count, and note what is wrong with which row. Begins anew after a kill: it writes no rows."""
    plan = _plan(job)
    if not job.step(lambda work: steps.begin_check(work, plan.run_id), done=0, total=plan.line_count):
        return _checked(job, plan)
    with Scratch() as scratch:
        inspection = Inspection(plan, _row_rules(plan), scratch)
        try:
            for chunk in _chunks(_rows(job, plan)):
                _check_chunk(job, inspection, chunk)
        except Refused as fault:
            problem = fault.message
            job.step(lambda work: steps.refuse(work, plan, problem))
            return Ending(f"The file was refused: {problem}")
        tally = inspection.tally()
    job.step(lambda work: steps.finish_check(work, plan, tally), done=plan.line_count)
    return _checked(job, plan)


def _checked(job: RunningJob, plan: Plan) -> Ending:
    with job.read() as session:
        run = read.sheet(session, plan.run_id, None).run
    words = f"{run.good_count:,} good, {run.duplicate_count:,} duplicate and {run.bad_count:,} bad"
    return Ending(f"{words} of {run.record_count:,} records.", run.rejects_file_id)


def _check_chunk(job: RunningJob, inspection: Inspection, chunk: list[Row]) -> None:
    with job.read() as session:
        problems, rejected = inspection.look_at(session, chunk)
    plan = inspection.plan
    heading = spreadsheets.csv_bytes([rules.reject_headings(plan.headings)], mark=True)
    rejects = spreadsheets.csv_bytes(rejected) if rejected else b""
    record, line, _ = chunk[-1]
    job.step(
        lambda work: steps.note(work, plan, problems, heading, rejects),
        done=min(line, plan.line_count),
        message=f"{record:,} records read, {inspection.bad:,} of them bad",
    )


@dataclass
class Inspection:
    """One pass over a file: what every row is, and what the whole comes to."""

    plan: Plan
    row_rules: RowRules
    scratch: Scratch
    records: int = 0
    good: int = 0
    duplicates: int = 0
    bad: int = 0
    without_receipt: int = 0
    sample: list[dict[str, Any]] = field(default_factory=list)

    def look_at(self, session: Any, chunk: Sequence[Row]) -> tuple[list[NotedProblem], list[list[str]]]:
        """The problems of these rows, and those rows as the rejects file shows them."""
        problems: list[NotedProblem] = []
        rejected: list[list[str]] = []
        drafts: list[tuple[int, Draft]] = []
        for record, line, values in chunk:
            judged = self.row_rules.judge(line, values)
            if isinstance(judged, list):
                self.bad += 1
                problems += self._problems(record, line, judged)
                rejected.append(self._reject(line, values, judged))
            else:
                drafts.append((record, judged))
        self.records += len(chunk)
        fresh, repeated = self._apart(session, drafts)
        problems += repeated
        self._count_people(session, fresh)
        self._keep_sample(fresh)
        self.good += len(fresh)
        kept = [item for item in problems if self._is_kept(item)]
        return sorted(kept, key=lambda item: item.record), rejected

    def _is_kept(self, item: NotedProblem) -> bool:
        return (self.bad if item.outcome is Outcome.BAD else self.duplicates) <= MOST_PROBLEMS

    def _problems(self, record: int, line: int, faults: Iterable[Fault]) -> Iterator[NotedProblem]:
        for fault in faults:
            yield NotedProblem(record, line, Outcome.BAD, self._heading(fault.column), shown(fault.value), fault.reason)

    def _heading(self, column: str) -> str:
        """The file's own heading where the fault is; ours when the file has none for it."""
        if not column:
            return ""
        ours = next(item.heading for item in COLUMNS[self.plan.kind] if item.name == column)
        return self.plan.mapping.get(column, ours)

    def _reject(self, line: int, values: Sequence[str], faults: Sequence[Fault]) -> list[str]:
        width = len(rules.original_headings(self.plan.headings))
        own, beyond = [*values[:width], *[""] * (width - len(values))], values[len(self.plan.headings) :]
        columns = "; ".join(dict.fromkeys(self._heading(fault.column) for fault in faults if fault.column))
        return [*own, str(line), columns, " ".join(fault.reason for fault in faults), *beyond]

    def _apart(self, session: Any, drafts: Sequence[tuple[int, Draft]]) -> tuple[list[Draft], list[NotedProblem]]:
        """Good rows, and those whose receipt counts already: in the reward, or on an earlier good row."""
        receipts = {draft.receipt for _, draft in drafts if draft.receipt}
        entered = entries.numbers(session, self.plan.reward_id, sorted(receipts)) if self.plan.reward_id else {}
        seen = self.scratch.receipts(receipts)
        fresh: list[Draft] = []
        repeated: list[NotedProblem] = []
        for record, draft in drafts:
            reason = self._repeats(record, draft, entered, seen)
            if reason:
                self.duplicates += 1
                heading = self._heading("receipt") if self.plan.reward_id else ""
                repeated.append(
                    NotedProblem(record, draft.line, Outcome.DUPLICATE, heading, shown(draft.receipt), reason)
                )
                continue
            fresh.append(draft)
            if draft.receipt:
                seen[draft.receipt] = draft.line
        self.scratch.add_receipts((draft.receipt, draft.line) for draft in fresh if draft.receipt)
        return fresh, repeated

    def _repeats(self, record: int, draft: Draft, entered: dict[str, int], seen: dict[str, int]) -> str:
        if not draft.receipt:
            self.without_receipt += 1
            return _imported_before(record, self.plan)
        if draft.receipt in entered:
            number = entered[draft.receipt]
            return f"The receipt «{shown(draft.receipt)}» is already entered, as entry {number:,}."
        if draft.receipt in seen:
            return f"The receipt «{shown(draft.receipt)}» is already on line {seen[draft.receipt]:,} of this file."
        return ""

    def _count_people(self, session: Any, drafts: Sequence[Draft]) -> None:
        ids = {draft.external_id for draft in drafts if draft.external_id}
        keys = {draft.email_key for draft in drafts if draft.email_key}
        known = profiles.known(session, sorted(ids), sorted(keys))
        found = resolve(drafts, self.scratch.overlay(known, ids, keys))
        self.scratch.keep(found.people, found.merged)

    def _keep_sample(self, drafts: Sequence[Draft]) -> None:
        for draft in drafts[: SAMPLE - len(self.sample)]:
            row = draft._asdict() | {"entered_at": draft.entered_at.isoformat()}
            self.sample.append({name: value for name, value in row.items() if name != "email_key"})

    def tally(self) -> Tally:
        new, known = self.scratch.people()
        findings = {
            "new_people": new,
            "known_people": known,
            "cleaned": self.row_rules.cleaned,
            "without_receipt": self.without_receipt,
            "sample": self.sample,
        }
        return Tally(self.records, self.good, self.duplicates, self.bad, findings)


def _imported_before(record: int, plan: Plan) -> str:
    """Without a receipt a row can only be told to be a repeat by the file being the very same."""
    if record > plan.repeated_until or plan.reward_id is None:
        return ""
    return "This very file was imported before, and the row has no receipt to tell it from the one that is there."


def apply(job: RunningJob) -> Ending:
    """Write the good rows, a chunk to a transaction with the place reached; goes on from there after a kill."""
    plan = _plan(job)
    judge = _row_rules(plan).judge
    start = int(job.cursor.get("record", 0))
    rows = (row for row in _rows(job, plan) if row[0] > start)
    for chunk in _chunks(rows):
        judged = ((record, judge(line, values)) for record, line, values in chunk)
        drafts = [
            draft
            for record, draft in judged
            if not isinstance(draft, list) and (draft.receipt or not _imported_before(record, plan))
        ]
        _apply_chunk(job, plan, drafts, chunk[-1][0])
    job.step(lambda work: steps.finish(work, plan), done=plan.record_count, total=plan.record_count)
    with job.read() as session:
        run = read.sheet(session, plan.run_id, None).run
    return Ending(
        f"{run.entry_count:,} entries, {run.created_count:,} new people; {run.bad_count:,} bad rows left out."
    )


def _apply_chunk(job: RunningJob, plan: Plan, drafts: list[Draft], record: int) -> None:
    for attempt in range(1, RIVALS + 1):
        try:
            job.step(
                lambda work: steps.apply_rows(work, plan, drafts, randomness.entropy),
                done=record,
                total=plan.record_count,
                cursor={"record": record},
                message=f"{record:,} of {plan.record_count:,} records imported",
            )
        except Conflict:
            # Another import created one of these people at the same moment; now they are known.
            if attempt == RIVALS:
                raise
        else:
            return


KINDS: dict[str, Handler] = {CHECK: check, APPLY: apply}
