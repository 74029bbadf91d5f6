"""Looks at the rows of a file before anything is written: what every one is, and what the whole comes to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from webapp.adapters.judging import BadRow, Part
from webapp.adapters.scratch import Scratch
from webapp.domain import imports as rules
from webapp.domain.errors import Refused
from webapp.domain.exports import unguard
from webapp.domain.import_columns import ROWS, ImportKind
from webapp.domain.import_rows import Draft, Fault, shown
from webapp.domain.imports import Outcome
from webapp.domain.profiles import resolve
from webapp.domain.table_rows import TableDraft, told
from webapp.queries import entries, profiles
from webapp.queries.imports import Plan
from webapp.services import table_options
from webapp.services.import_steps import MOST_PROBLEMS, NotedProblem, Tally
from webapp.services.import_tables import KINDS as TABLES

SAMPLE, LONGEST_SAMPLE = 8, 200


@dataclass
class Inspection:
    """One pass over a file: what every row is, and what the whole comes to."""

    plan: Plan
    scratch: Scratch
    records: int = 0
    good: int = 0
    duplicates: int = 0
    bad: int = 0
    cleaned: int = 0
    without_receipt: int = 0
    sample: list[dict[str, Any]] = field(default_factory=list)

    def look_at(self, session: Any, part: Part) -> tuple[list[NotedProblem], list[list[str]]]:
        """The problems of these rows, and those rows as the rejects file shows them."""
        problems, rejected = told_bad(self.plan, part.bad)
        self.bad += len(part.bad)
        self.records += part.count
        self.cleaned = part.cleaned
        pairs = zip(part.records, part.drafts, strict=True)
        fresh, repeated = self._apart(session, [(record, draft) for record, draft in pairs if isinstance(draft, Draft)])
        self._count_people(session, fresh)
        self._keep_sample(fresh)
        self.good += len(fresh)
        kept = [item for item in (*problems, *repeated) if is_kept(item, self.bad, self.duplicates)]
        return sorted(kept, key=lambda item: item.record), rejected

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
                heading = _heading(self.plan, "receipt") if self.plan.reward_id else ""
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
            return imported_before(record, self.plan)
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
            "cleaned": self.cleaned,
            "without_receipt": self.without_receipt,
            "sample": self.sample,
        }
        return Tally(self.records, self.good, self.duplicates, self.bad, findings)


@dataclass
class TableInspection:
    """One pass over a file of organisations, groups or the like."""

    plan: Plan
    scratch: Scratch
    records: int = 0
    good: int = 0
    duplicates: int = 0
    bad: int = 0
    cleaned: int = 0
    new: int = 0
    changed: int = 0
    sample: list[dict[str, Any]] = field(default_factory=list)

    def look_at(self, session: Any, part: Part) -> tuple[list[NotedProblem], list[list[str]]]:
        """The problems of these rows, and those rows as the rejects file shows them."""
        kind = TABLES[self.plan.kind]
        if kind.is_whole and self.records:
            raise Refused(
                "import.too_many",
                f"The file has more than {kind.most:,} rows; {ROWS[self.plan.kind][1]} name one another, so a file is read"
                " whole. Split it, the upper levels first.",
            )
        drafts = [draft for draft in part.drafts if isinstance(draft, TableDraft)]
        refers = dict(kind.refers(session, drafts))
        found = table_options.settle(session, self.plan, kind, [one for one in drafts if one.line not in refers])
        refers |= found.faults
        seen = self.scratch.receipts({_joined(draft) for draft in drafts})
        bad = list(part.bad)
        repeated: list[NotedProblem] = []
        fresh: list[TableDraft] = []
        for record, cells, draft in zip(part.records, part.rows, drafts, strict=True):
            if draft.line in refers:
                bad.append(BadRow(record, draft.line, cells, list(refers[draft.line])))
                continue
            first = seen.setdefault(_joined(draft), draft.line)
            if first == draft.line:
                fresh.append(draft)
            else:
                self.duplicates += 1
                repeated.append(_twice(self.plan.kind, record, draft, first))
        problems, rejected = told_bad(self.plan, sorted(bad))
        self.bad += len(bad)
        self.scratch.add_receipts((_joined(draft), draft.line) for draft in fresh)
        self.records += part.count
        self.cleaned = part.cleaned
        self.good += len(fresh)
        self._count(session, fresh)
        for draft in fresh[: SAMPLE - len(self.sample)]:
            self.sample.append({"line": draft.line} | {name: _told(value) for name, value in draft.values.items()})
        kept = [item for item in (*problems, *repeated) if is_kept(item, self.bad, self.duplicates)]
        return sorted(kept, key=lambda item: item.record), rejected

    def _count(self, session: Any, fresh: Sequence[TableDraft]) -> None:
        """Of the rows that count, how many are new, and how many would change what is there."""
        if foresees := TABLES[self.plan.kind].foresees:
            new, changed = foresees(session, fresh)
            seen = self.scratch.receipts({f"\t{name}" for name in new | changed})  # no row is called so
            self.new += sum(f"\t{name}" not in seen for name in new)
            self.changed += sum(f"\t{name}" not in seen for name in changed)
            self.scratch.add_receipts((f"\t{name}", 0) for name in new | changed)
            return
        found = table_options.settle(session, self.plan, TABLES[self.plan.kind], fresh)
        self.new += found.new
        self.changed += len(fresh) - found.new - len(found.same)

    def tally(self) -> Tally:
        """What the whole comes to."""
        findings = {"new": self.new, "changed": self.changed, "cleaned": self.cleaned, "sample": self.sample}
        return Tally(self.records, self.good, self.duplicates, self.bad, findings)


def _joined(draft: TableDraft) -> str:
    return "\n".join(draft.key)


def _twice(kind: ImportKind, record: int, draft: TableDraft, first: int) -> NotedProblem:
    words = f"The row is about the same {ROWS[kind][0]} as line {first:,} of this file, which counts."
    return NotedProblem(record, draft.line, Outcome.DUPLICATE, "", shown(" · ".join(filter(None, draft.key))), words)


def _told(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = told(value)
    return text if len(text) <= LONGEST_SAMPLE else f"{text[: LONGEST_SAMPLE - 1]}…"


def is_kept(item: NotedProblem, bad: int, duplicates: int) -> bool:
    """Whether the screen shows it; the rejects file has all."""
    return (bad if item.outcome is Outcome.BAD else duplicates) <= MOST_PROBLEMS


def told_bad(plan: Plan, rows: Iterable[BadRow]) -> tuple[list[NotedProblem], list[list[str]]]:
    """What is wrong with bad rows, and the rows as the rejects file has them."""
    problems: list[NotedProblem] = []
    rejected: list[list[str]] = []
    for record, line, values, faults in rows:
        problems += _problems(plan, record, line, faults)
        rejected.append(_reject(plan, line, values, faults))
    return problems, rejected


def _problems(plan: Plan, record: int, line: int, faults: Iterable[Fault]) -> Iterator[NotedProblem]:
    for fault in faults:
        yield NotedProblem(record, line, Outcome.BAD, _heading(plan, fault.column), shown(fault.value), fault.reason)


def _heading(plan: Plan, column: str) -> str:
    """The file's own heading where the fault is; ours when the file has none for it."""
    if not column:
        return ""
    ours = next(item.heading for item in plan.columns if item.name == column)
    return plan.mapping.get(column, ours)


def _reject(plan: Plan, line: int, values: Sequence[str], faults: Sequence[Fault]) -> list[str]:
    width = len(rules.original_headings(plan.headings))
    cells = [unguard(value) for value in values]  # they are guarded when the file is written
    own, beyond = [*cells[:width], *[""] * (width - len(cells))], cells[len(plan.headings) :]
    columns = "; ".join(dict.fromkeys(_heading(plan, fault.column) for fault in faults if fault.column))
    return [*own, str(line), columns, " ".join(fault.reason for fault in faults), *beyond]


def imported_before(record: int, plan: Plan) -> str:
    """Without a receipt a row can only be told to be a repeat by the file being the very same."""
    if record > plan.repeated_until or plan.reward_id is None:
        return ""
    return "This very file was imported before, and the row has no receipt to tell it from the one that is there."
