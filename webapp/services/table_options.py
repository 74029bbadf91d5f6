"""What rows of a file do to what is there already, as was chosen: fill in, replace, leave; clear; bring back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table
from sqlalchemy.orm import Session

from webapp.domain.import_columns import COLUMNS, ROWS, Cell
from webapp.domain.import_options import ARCHIVING, ArchivedRows, ImportOptions, KnownRows
from webapp.domain.import_rows import Fault, shown
from webapp.domain.locations import may_change
from webapp.domain.table_rows import TableDraft
from webapp.models import ImportChange
from webapp.queries.imports import Plan
from webapp.queries.table_rows import Key, Standing
from webapp.services import bulk
from webapp.services.table_kinds import TableKind, kept, refusal
from webapp.services.work import Work


@dataclass(frozen=True, slots=True)
class Settled:
    """Rows as they are to be written. Those in ``same`` say nothing new, those in ``faults`` cannot be, by line."""

    drafts: list[TableDraft]
    same: set[int]
    faults: dict[int, Sequence[Fault]]
    new: int
    archived: list[tuple[Standing, bool]]  # to be brought back, with: does the row say nothing new beside
    going: dict[
        Key, tuple[datetime, bool, bool]
    ]  # to be archived, since when; is it there; does the row say nothing new


def settle(session: Session, plan: Plan, table: TableKind, drafts: Sequence[TableDraft]) -> Settled:
    """Look at what is there and give each row the values it is to have."""
    there = table.standing(session, [draft.key for draft in drafts])
    found = Settled([], set(), {}, sum(draft.key not in there for draft in drafts), [], {})
    above = _above(session, table, drafts, there)
    going = {draft.line: there[draft.key] for draft in drafts if _goes(plan, draft, there.get(draft.key))}
    stays = table.hinders(session, going, drafts) if going else {}
    for draft in drafts:
        old = there.get(draft.key)
        if old is None:
            found.drafts.append(draft)
            if at := draft.values.get("archived_at"):
                found.going[draft.key] = (at, False, False)
        elif plan.options.known_rows is KnownRows.LEAVE:
            found.same.add(draft.line)
        elif fault := _archived(plan, draft, old, above):
            found.faults[draft.line] = [fault]
        elif why := stays.get(draft.line):
            found.faults[draft.line] = [Fault("archived_at", shown(draft.values["archived_at"].isoformat()), why)]
        else:
            _meet(plan, table, draft, old, found)
    found.faults.update(
        table.holds(session, plan.uploaded_at, [(draft, there.get(draft.key)) for draft in found.drafts])
    )
    return replace(found, drafts=[draft for draft in found.drafts if draft.line not in found.faults])


def _meet(plan: Plan, table: TableKind, draft: TableDraft, old: Standing, found: Settled) -> None:
    """What the row makes of what is there already."""
    new = table.meant(_together(plan, draft, old), old)
    is_same = all(_told(new.values[name]) == _told(value) for name, value in old.values.items())
    if "is_archived" in old.values:  # what writes its values archives it and brings it back
        found.same.update([draft.line] if is_same else [])
    elif old.archived_at is not None and plan.kind in ARCHIVING and not draft.values["archived_at"]:
        found.archived.append((old, is_same))
    elif _goes(plan, draft, old):
        found.going[draft.key] = (draft.values["archived_at"], True, is_same)
    elif is_same:
        found.same.add(draft.line)
    elif old.archived_at is not None and plan.kind not in ARCHIVING:
        found.faults[draft.line] = [_closed(plan, draft, old)]
    if not is_same and draft.line not in found.faults:
        found.drafts.append(new)


def _goes(plan: Plan, draft: TableDraft, old: Standing | None) -> bool:
    """Whether the row archives what is there and in use: it replaces what is known, and tells since when."""
    is_told = plan.kind in ARCHIVING and draft.values.get("archived_at") is not None
    return is_told and old is not None and old.archived_at is None and plan.options.known_rows is KnownRows.REPLACE


def _told(value: Any) -> Any:
    return None if value == "" else value


def _closed(plan: Plan, draft: TableDraft, old: Standing) -> Fault:
    words = may_change(old.title, is_closed=True).reasons[0].message
    return Fault(COLUMNS[plan.kind][0].name, shown(draft.key[0]), words)


def _together(plan: Plan, draft: TableDraft, old: Standing) -> TableDraft:
    values = {}
    for column in COLUMNS[plan.kind]:
        new, known = draft.values[column.name], old.values.get(column.name)
        is_told = column.name in plan.mapping and not (column.choices and not new)
        is_told &= column.cell is not Cell.YES_NO or new is not None
        values[column.name] = _value(new, known, plan.options) if is_told else known
    if "is_archived" in values:
        may_go = old.archived_at is not None or plan.options.known_rows is KnownRows.REPLACE
        values["is_archived"] = may_go and bool(draft.values["is_archived"])
    return replace(draft, values=values)


def _value(new: Any, old: Any, options: ImportOptions) -> Any:
    if new in (None, ""):
        return new if options.clears else old
    return old if options.known_rows is KnownRows.FILL and old not in (None, "") else new


def _above(
    session: Session, table: TableKind, drafts: Sequence[TableDraft], there: Mapping[Key, Standing]
) -> dict[str, Standing]:
    """The archived ones that rows about archived ones stand below and that the file does not bring back itself."""
    own = {draft.key for draft in drafts}
    parents = {
        (str(parent),)
        for draft in drafts
        if (old := there.get(draft.key)) and old.archived_at and (parent := old.values.get("parent"))
    }
    found = table.standing(session, sorted(parents - own)) if parents - own else {}
    return {key[0]: one for key, one in found.items() if one.archived_at is not None}


def _archived(plan: Plan, draft: TableDraft, old: Standing, above: Mapping[str, Standing]) -> Fault | None:
    says_so = draft.values.get("archived_at") is not None or draft.values.get("is_archived")
    if old.archived_at is None or plan.kind not in ARCHIVING or says_so:
        return None
    noun, column = ROWS[plan.kind][0], COLUMNS[plan.kind][0].name
    if plan.options.archived_rows is ArchivedRows.REFUSE:
        words = (
            f"The {noun} «{shown(old.title)}» is archived; restore it first, or choose to bring back what is archived."
        )
        return Fault(column, shown(draft.key[0]), words)
    if parent := above.get(str(old.values.get("parent"))):
        words = f"The {noun} «{shown(old.title)}» stands below «{shown(parent.title)}», which is archived; restore that first."
        return Fault(column, shown(draft.key[0]), words)
    return None


def put(work: Work, plan: Plan, table: TableKind, drafts: Sequence[TableDraft]) -> tuple[int, int]:
    """Write rows as the options say, bringing back or archiving what they say so of; gives (created, changed)."""
    found = settle(work.session, plan, table, drafts)
    _bring_back(work, plan, table, [one for one, _ in found.archived])
    created, changed = table.put(work, found.drafts, plan.run_id)
    _put_away(work, plan, table, found.going)
    alone = [*(is_same for _, is_same in found.archived), *(is_same for _, _, is_same in found.going.values())]
    return created, changed + sum(alone)


def _bring_back(work: Work, plan: Plan, table: TableKind, archived: Sequence[Standing]) -> None:
    _remember(work, plan, [(one.id, {"archived_at": one.archived_at}, {"archived_at": None}) for one in archived])
    waiting = list(archived)
    while waiting:  # what stands below another one waits for that
        left = [one for one in waiting if refusal(table.restore, work, one.id)]
        if len(left) == len(waiting):
            table.restore(work, left[0].id)
        waiting = left
    work.session.expire_all()


def _put_away(work: Work, plan: Plan, table: TableKind, going: Mapping[Key, tuple[datetime, bool, bool]]) -> None:
    """Archive with the screen's own verb, which looks what stands in the way and tells the log."""
    if not going:
        return
    work.session.flush()
    numbers = {table_row.id: going[key] for key, table_row in table.standing(work.session, list(going)).items()}
    known = [(number, at) for number, (at, is_there, _) in numbers.items() if is_there]
    _remember(work, plan, [(number, {"archived_at": None}, {"archived_at": at}) for number, at in known])
    waiting = sorted(numbers, reverse=True)
    while waiting:  # what others stand below waits for those
        left = [number for number in waiting if refusal(table.archive, work, number, numbers[number][0])]
        if len(left) == len(waiting):
            table.archive(work, left[0], numbers[left[0]][0])
        waiting = left
    work.session.expire_all()


def _remember(work: Work, plan: Plan, changes: Sequence[tuple[int, Mapping[str, Any], Mapping[str, Any]]]) -> None:
    lines = [(number, kept(before), kept(after)) for number, before, after in changes]
    names = ("subject_id", "before", "after")
    bulk.insert_rows(work.session, cast(Table, ImportChange.__table__), names, lines, {"run_id": plan.run_id})
