"""Files of organisations, groups and the like: what their rows refer to, how they are written, how they are taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Executable, delete, update
from sqlalchemy.orm import Session

from webapp.domain.import_rows import Fault, shown
from webapp.domain.imports import ImportKind
from webapp.domain.table_rows import TableDraft
from webapp.models import ImportChange, Organisation
from webapp.queries import organisation_types as read_types
from webapp.queries import organisations as read_organisations
from webapp.services import organisations
from webapp.services.organisations import OrganisationRow
from webapp.services.work import Work

Faults = Mapping[int, Sequence[Fault]]  # by line


@dataclass(frozen=True, slots=True)
class TableKind:
    """One kind of file.

    ``refers`` tells which rows name something there is not; ``known`` which of the keys are there already; ``put``
    writes rows and gives (created, changed), the same rows again change nothing; ``take_back`` undoes one change, or says
    why it stays. ``most`` rows are read as one, and a
    file may not have more when ``is_whole`` (its rows name one another).
    """

    refers: Callable[[Session, Sequence[TableDraft]], Faults]
    known: Callable[[Session, Sequence[TableDraft]], set[tuple[str, ...]]]
    put: Callable[[Work, Sequence[TableDraft], int], tuple[int, int]]
    take_back: Callable[[Work, ImportChange], str]
    most: int = 2_000
    is_whole: bool = False


def _organisation_references(session: Session, drafts: Sequence[TableDraft]) -> Faults:
    """A parent must be there or in the file; a type must be there."""
    types = read_types.ids(session)
    own = {draft.values["external_id"] for draft in drafts}
    wanted = {str(draft.values["parent"]) for draft in drafts if draft.values["parent"]} - own
    parents = set(read_organisations.ids(session, sorted(wanted))) | own
    found: dict[int, list[Fault]] = {}
    for draft in drafts:
        parent, kind = draft.values["parent"], draft.values["type"]
        if parent and parent not in parents:
            words = f"There is no organisation «{shown(parent)}», neither here nor in this file."
            found.setdefault(draft.line, []).append(Fault("parent", shown(parent), words))
        if kind and kind not in types:
            names = ", ".join(sorted(types)) or "none yet"
            words = f"There is no organisation type «{shown(kind)}»; the types are: {names}."
            found.setdefault(draft.line, []).append(Fault("type", shown(kind), words))
    return found


def _known_organisations(session: Session, drafts: Sequence[TableDraft]) -> set[tuple[str, ...]]:
    return {(name,) for name in read_organisations.ids(session, [draft.key[0] for draft in drafts])}


def _put_organisations(work: Work, drafts: Sequence[TableDraft], run_id: int) -> tuple[int, int]:
    return organisations.put(work, [OrganisationRow(**draft.values) for draft in drafts], run_id)


def _take_back_organisation(work: Work, change: ImportChange) -> str:
    """A new one goes unless somebody uses it; a changed one becomes what it was unless somebody changed it since."""
    found = work.session.get(Organisation, change.subject_id, populate_existing=True)
    if found is None:
        return ""
    called = f"«{found.title}» ({found.external_id})"
    parent = work.session.get(Organisation, found.parent_id) if found.parent_id else None
    now = {name: getattr(found, name) for name in change.after if name != "parent"}
    now |= {"parent": parent.external_id if parent else ""} if "parent" in change.after else {}
    if any(now[name] != value for name, value in change.after.items() if name in now):
        return f"{called} was changed since."
    if change.before:
        values = {name: value for name, value in change.before.items() if name != "parent"}
        _run(work, update(Organisation).where(Organisation.id == found.id).values(**values, updated_at=work.now))
        if "parent" in change.before:
            work.session.refresh(found)
            organisations.put(work, [OrganisationRow(found.external_id, found.title, parent=change.before["parent"])])
        return ""
    uses = read_organisations.uses(work.session, found.id)
    if uses:
        return f"{called} is used: {uses}."
    _run(work, delete(Organisation).where(Organisation.id == found.id))
    work.session.expunge(found)
    return ""


def _run(work: Work, statement: Executable) -> None:
    work.session.execute(statement, execution_options={"synchronize_session": False})


KINDS: dict[ImportKind, TableKind] = {
    ImportKind.ORGANISATIONS: TableKind(
        _organisation_references,
        _known_organisations,
        _put_organisations,
        _take_back_organisation,
        most=20_000,
        is_whole=True,
    ),
}
