"""Files of people: what every row is and does, and the rows as they are written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from webapp.adapters.judging import BadRow, Part
from webapp.adapters.scratch import Scratch
from webapp.domain import person_changes
from webapp.domain.exports import unguard
from webapp.domain.import_rows import Fault, shown
from webapp.domain.imports import Outcome
from webapp.domain.person_cells import tidy
from webapp.domain.person_rows import PersonDraft
from webapp.jobs.import_checks import SAMPLE, is_kept, told_bad
from webapp.queries import known_people as read
from webapp.queries.imports import Plan
from webapp.services.import_steps import NotedProblem, Tally


class Sieve:
    """Keeps the first of several rows about one person, across the whole file."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._has_alone = False  # has any row so far an address and no member id

    def sift(self, drafts: Sequence[PersonDraft]) -> tuple[list[PersonDraft], dict[int, int], dict[int, Fault]]:
        """The first rows; by line those that repeat one, with its line; and those that are at odds with one."""
        if not self._has_alone and all(draft.external_id and not draft.identities for draft in drafts):
            return (*self._members(drafts), {})
        if not self._has_alone and not all(draft.external_id for draft in drafts):
            self._has_alone = True
            self._scratch.index_addresses("e")
        named = [(draft, self._names(draft)) for draft in drafts]
        seen = self._scratch.receipts({name for _, names in named for name in names})
        before = set(seen)
        first: list[PersonDraft] = []
        again: dict[int, int] = {}
        odd: dict[int, Fault] = {}
        for draft, names in named:
            line = next((seen[name] for name in names if name[0] in _WHO and name in seen), None)
            other = next((seen[name] for name in names if name[0] == "i" and name in seen), None)
            if line is not None:
                again[draft.line] = line
            elif other is not None and (draft.external_id or draft.email_key):
                odd[draft.line] = Fault("identities", "", f"An identity of this row stands on line {other:,} already.")
            elif other is not None:
                again[draft.line] = other
            else:
                first.append(draft)
                for name in _kept(draft, names):
                    seen.setdefault(name, draft.line)
        self._scratch.add_receipts((name, line) for name, line in seen.items() if name not in before)
        return first, again, odd

    def _members(self, drafts: Sequence[PersonDraft]) -> tuple[list[PersonDraft], dict[int, int]]:
        """The same where every row of the file so far has a member id, and of these none has anything else."""
        names = [f"m{draft.external_id}" for draft in drafts]
        seen = self._scratch.receipts(names)
        if not seen and len(set(names)) == len(names):
            first, again = list(drafts), {}
        else:
            lines = dict(zip(reversed(names), (draft.line for draft in reversed(drafts)), strict=True)) | seen
            again = {
                draft.line: lines[name] for name, draft in zip(names, drafts, strict=True) if lines[name] != draft.line
            }
            first = [draft for draft in drafts if draft.line not in again]
        self._scratch.add_receipts(sorted((f"m{draft.external_id}", draft.line) for draft in first))
        self._scratch.add_addresses((draft.email_key, draft.line) for draft in first if draft.email_key)
        return first, again

    def _names(self, draft: PersonDraft) -> list[str]:
        """What the row calls the person: a member id (m), an address alone (e, o), identities (i), a name (n)."""
        if draft.external_id:
            found = [f"m{draft.external_id}"]
            if self._has_alone and draft.email_key:
                found.append(f"o{draft.email_key}")  # an earlier row had the address and no member id
        elif draft.email_key:
            found = [f"e{draft.email_key}"]
        else:
            found = [] if draft.identities else [f"n{draft.first_name}\n{draft.last_name}\n{draft.created_at}"]
        return found + [f"i{one.system}\n{one.identifier}" for one in draft.identities] if draft.identities else found


_WHO = frozenset("meon")


def _kept(draft: PersonDraft, names: Sequence[str]) -> Iterator[str]:
    """By what later rows may mean the same person."""
    for name in names:
        if name[0] != "o":
            yield name
    if draft.email_key:
        yield f"e{draft.email_key}"
        if not draft.external_id:
            yield f"o{draft.email_key}"


@dataclass
class PeopleInspection:
    """One pass over a file of people."""

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
    _sieve: Sieve = field(init=False)

    def __post_init__(self) -> None:
        self._sieve = Sieve(self.scratch)

    def look_at(self, session: Session, part: Part) -> tuple[list[NotedProblem], list[list[str]]]:
        """The problems of these rows, and those rows as the rejects file shows them."""
        drafts = [draft for draft in part.drafts if isinstance(draft, PersonDraft)]
        first, again, odd = self._sieve.sift(drafts)
        told = person_changes.told(self.plan.mapping.keys())
        found = person_changes.intake(first, read.known(session, first), self.plan.options, told)
        faults = odd | found.faults
        bad, repeated = list(part.bad), []
        if faults or again or len(self.sample) < SAMPLE:  # else the cells are not even unpacked
            for record, cells, draft in zip(part.records, part.rows, drafts, strict=True):
                if draft.line in faults:
                    bad.append(BadRow(record, draft.line, cells, [faults[draft.line]]))
                elif draft.line in again:
                    repeated.append(_twice(record, draft, again[draft.line]))
                elif len(self.sample) < SAMPLE:
                    self.sample.append(self._shown(draft, cells))
        self._count(found, part, len(bad), len(repeated))
        problems, rejected = told_bad(self.plan, sorted(bad))
        kept = [item for item in (*problems, *repeated) if is_kept(item, self.bad, self.duplicates)]
        return sorted(kept, key=lambda item: item.record), rejected

    def _count(self, found: person_changes.Intake, part: Part, bad: int, repeated: int) -> None:
        self.records += part.count
        self.cleaned = part.cleaned
        self.bad += bad
        self.duplicates += repeated
        self.new += len(found.fresh)
        self.changed += len(found.changed)
        self.good += len(found.fresh) + len(found.changed) + found.same

    def _shown(self, draft: PersonDraft, cells: list[str]) -> dict[str, Any]:
        row: dict[str, Any] = {"line": draft.line}
        for name, heading in self.plan.mapping.items():
            row[name] = tidy(unguard(cells[self.plan.headings.index(heading)]))
        for name in ("joined_at", "created_at", "updated_at"):
            moment = getattr(draft, name)
            row[name] = moment.isoformat() if moment else ""
        return row

    def tally(self) -> Tally:
        """What the whole comes to."""
        findings = {"new": self.new, "changed": self.changed, "cleaned": self.cleaned, "sample": self.sample}
        return Tally(self.records, self.good, self.duplicates, self.bad, findings)


def _twice(record: int, draft: PersonDraft, first: int) -> NotedProblem:
    words = f"The row is about the same person as line {first:,} of this file; the first of such rows alone is read."
    return NotedProblem(record, draft.line, Outcome.DUPLICATE, "", shown(draft.external_id or draft.email), words)
