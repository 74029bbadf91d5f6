"""Files of modules and completions: what their rows refer to, how they are written, how they are taken back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from webapp.domain import modules as rules
from webapp.domain.import_columns import ImportKind
from webapp.domain.import_rows import shown
from webapp.domain.modules import LapseUnit
from webapp.domain.table_rows import TableDraft
from webapp.models import Completion, ImportChange, Module
from webapp.queries import modules as read
from webapp.queries import sites as read_sites
from webapp.queries import table_rows as read_standing
from webapp.services import module_rows, modules
from webapp.services.module_rows import CompletionRow, ModuleRow
from webapp.services.modules import ArchiveModule, RestoreModule
from webapp.services.table_kinds import (
    Faults,
    Found,
    TableKind,
    archived,
    before,
    kept,
    look_for_person,
    people_of,
    refusal,
    run_sql,
)
from webapp.services.work import Work


def _module_references(session: Session, drafts: Sequence[TableDraft]) -> Faults:
    """The address must be one, on a site there is."""
    found = Found()
    sites = set(read_sites.handles(session))
    for draft in drafts:
        if told := refusal(rules.parts, draft.values["module"]):
            found.add(draft, "module", told)
        elif (site := rules.parts(draft.values["module"])[0]) not in sites:
            found.add(draft, "module", f"There is no site called «{shown(site)}».")
    return found.faults


def _put_modules(work: Work, drafts: Sequence[TableDraft], run_id: int) -> tuple[int, int]:
    rows = [
        ModuleRow(
            draft.values["module"],
            draft.values["title"],
            draft.values["lapses_after"],
            LapseUnit(draft.values["lapses_unit"] or LapseUnit.MONTHS),
        )
        for draft in drafts
    ]
    return module_rows.put(work, rows, run_id)


def _take_back_module(work: Work, change: ImportChange) -> str:
    found = work.session.get(Module, change.subject_id, populate_existing=True)
    if found is None:
        return ""
    if kept({name: getattr(found, name) for name in change.after}) != change.after:
        return f"«{found.title}» ({found.path}) was changed since."
    if change.before:
        run_sql(work, update(Module).where(Module.id == found.id).values(**before(change), version=Module.version + 1))
        return ""
    if found.completion_count:
        return f"«{found.title}» ({found.path}) is used: {found.completion_count:,} completions."
    run_sql(work, delete(Module).where(Module.id == found.id))
    work.session.expunge(found)
    return ""


def _completion_references(session: Session, drafts: Sequence[TableDraft]) -> Faults:
    """The person and the module must be there, the module not archived by then, the score within 0 to 100."""
    people = people_of(session, drafts)
    wrong = {name: refusal(rules.parts, name) for name in {str(draft.values["module"]) for draft in drafts}}
    there = read.known(session, [rules.parts(name) for name, told in wrong.items() if not told])
    found = Found()
    for draft in drafts:
        look_for_person(found, draft, people)
        if told := wrong[draft.values["module"]]:
            found.add(draft, "module", told)
        else:
            module = there.get(rules.parts(draft.values["module"]))
            at = draft.values["completed_at"]
            archived(found, draft, "module", module[0] if module else None, "module", at=at)
        if told := refusal(rules.checked_score, draft.values["score"]):
            found.add(draft, "score", told)
        ends, at = draft.values["lapses_at"], draft.values["completed_at"]
        if ends and ends <= at:
            words = (
                f"It would lapse at {ends:%Y-%m-%d %H:%M} UTC, and it was completed at {at:%Y-%m-%d %H:%M} UTC; write a "
                "later moment, or leave it empty for never."
            )
            found.add(draft, "lapses_at", words)
    return found.faults


def _complete(work: Work, drafts: Sequence[TableDraft], run_id: int) -> tuple[int, int]:
    return module_rows.complete(work, _completion_rows(drafts), run_id)


def _foresee_completions(session: Session, drafts: Sequence[TableDraft]) -> tuple[set[str], set[str]]:
    new, changed = module_rows.foresee(session, _completion_rows(drafts))
    return {repr(key) for key in new}, {repr(key) for key in changed}


def _completion_rows(drafts: Sequence[TableDraft]) -> list[CompletionRow]:
    return [
        CompletionRow(
            draft.values["module"],
            draft.values["external_id"] or "",
            draft.values["email"] or "",
            draft.values["completed_at"],
            draft.values["score"],
            draft.values["lapses_at"] or None,
            has_no_end=draft.values["lapses_at"] == "",
        )
        for draft in drafts
    ]


def _take_back_completion(work: Work, change: ImportChange) -> str:
    found = work.session.get(Completion, change.subject_id, populate_existing=True)
    if found is None:
        return ""
    if kept({name: getattr(found, name) for name in change.after}) != change.after:
        title = work.session.get_one(Module, found.module_id).title
        return f"A completion of «{title}» at {found.completed_at:%Y-%m-%d %H:%M} UTC was changed since."
    run_sql(work, update(Completion).where(Completion.id == found.id).values(**before(change)))
    return ""


KINDS: dict[ImportKind, TableKind] = {
    ImportKind.MODULES: TableKind(
        _module_references,
        read_standing.modules,
        _put_modules,
        _take_back_module,
        lambda work, own_id: modules.restore(work, RestoreModule(own_id)),
        lambda work, own_id, at: modules.archive(work, ArchiveModule(own_id, at)),
    ),
    ImportKind.COMPLETIONS: TableKind(
        _completion_references,
        read_standing.nothing,
        _complete,
        _take_back_completion,
        foresees=_foresee_completions,
        take_all_back=module_rows.take_back,
    ),
}
