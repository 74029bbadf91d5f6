"""What every kind of table in a file is made of, and the looks at people and archives they share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.domain.errors import DomainError
from webapp.domain.import_rows import Fault, shown
from webapp.domain.table_rows import TableDraft, told, was_archived
from webapp.models import Group, ImportChange, Module, Organisation
from webapp.queries import memberships as read_people
from webapp.queries.memberships import Named
from webapp.queries.table_rows import Key, Standing
from webapp.services.work import Work

Faults = Mapping[int, Sequence[Fault]]  # by line


def nothing_archived(_work: Work, _own_id: int) -> None:
    """For kinds that cannot be archived."""


def never_archived(_work: Work, _own_id: int, _at: datetime) -> None:
    """For kinds that cannot be archived."""


def unhindered(_session: Session, _going: Mapping[int, Standing], _drafts: Sequence[TableDraft]) -> dict[int, str]:
    """For kinds that can be archived at any time."""
    return {}


def unchecked(_session: Session, _now: datetime, _rows: Sequence[tuple[TableDraft, Standing | None]]) -> Faults:
    """For kinds whose cells can be judged one by one."""
    return {}


def as_told(draft: TableDraft, _old: Standing) -> TableDraft:
    """For kinds whose rows mean the same wherever they stand."""
    return draft


@dataclass(frozen=True, slots=True)
class TableKind:
    """One kind of file.

    ``refers`` tells which rows name something there is not; ``standing`` what is there under the keys; ``put`` writes rows and gives (created, changed), the same rows again change nothing; ``take_back`` undoes one change, or says
    why it stays; ``take_all_back`` does that for what carries the number of its import and needs no look one by one.
    Where rows have changed places, so that none can go back alone, ``take_back_together`` undoes several at once and gives
    the ids of those changes.
    ``hinders`` tells of rows that would archive what is there, given by line, why they cannot, the whole file considered.
    ``holds`` tells what is wrong with rows as they are to be written, each beside what is there; the moment is that of the upload.
    ``meant`` is what a row that is put beside what is there comes to.
    ``foresees`` names what rows would make and change where that hangs on whom they mean, so that ``standing`` knows of none.
    ``most`` rows are read as one, and a
    file may not have more when ``is_whole`` (its rows name one another).
    """

    refers: Callable[[Session, Sequence[TableDraft]], Faults]
    standing: Callable[[Session, Collection[Key]], dict[Key, Standing]]
    put: Callable[[Work, Sequence[TableDraft], int], tuple[int, int]]
    take_back: Callable[[Work, ImportChange], str]
    restore: Callable[[Work, int], object] = nothing_archived
    archive: Callable[[Work, int, datetime], object] = never_archived
    hinders: Callable[[Session, Mapping[int, Standing], Sequence[TableDraft]], Mapping[int, str]] = unhindered
    holds: Callable[[Session, datetime, Sequence[tuple[TableDraft, Standing | None]]], Faults] = unchecked
    meant: Callable[[TableDraft, Standing], TableDraft] = as_told
    foresees: Callable[[Session, Sequence[TableDraft]], tuple[set[str], set[str]]] | None = None
    take_all_back: Callable[[Work, int], int] | None = None
    take_back_together: Callable[[Work, Sequence[ImportChange]], Collection[int]] | None = None
    most: int = 2_000
    is_whole: bool = False


class Found:
    """The faults of some rows, by line."""

    def __init__(self) -> None:
        self.faults: dict[int, list[Fault]] = {}

    def add(self, draft: TableDraft, column: str, words: str) -> None:
        self.faults.setdefault(draft.line, []).append(Fault(column, shown(told(draft.values[column])), words))


def people_of(session: Session, drafts: Sequence[TableDraft]) -> Named:
    """Whom the member ids and e-mails of these rows mean."""
    values = [draft.values for draft in drafts]
    return read_people.people(
        session,
        sorted({str(one["external_id"]) for one in values if one["external_id"]}),
        sorted({str(one["email"]) for one in values if one["email"]}),
    )


def look_for_person(found: Found, draft: TableDraft, people: Named) -> None:
    """Note that nobody is meant, on the column that names them."""
    told = person_fault(people, draft.values)
    if told:
        found.add(draft, "external_id" if draft.values["external_id"] else "email", told)


def refusal(check: Callable[..., object], *arguments: Any) -> str:
    """Why ``check`` refuses these, or an empty text."""
    try:
        check(*arguments)
    except DomainError as refusal:
        return refusal.message
    return ""


def put_back(work: Work, act: Callable[[], object], used: str) -> str:
    """Undo one row within a savepoint; gives why it stays, ``used`` when something else holds on to it."""

    def silent() -> str:
        act()
        return ""

    return attempted(work, silent, used)


def attempted(work: Work, act: Callable[[], str], used: str) -> str:
    """What ``act`` says, within a savepoint; why it could not be done, ``used`` where the database would not have it."""
    told = len(work.events)
    try:
        with work.session.begin_nested():
            return act()
    except DomainError as refusal:
        why = refusal.message
    except IntegrityError:
        why = used
    del work.events[told:]  # what did not happen is not told
    return why


def person_fault(people: Named, values: Mapping[str, Any]) -> str:
    """Why nobody is meant, or an empty text."""
    external_id, email = values["external_id"] or "", values["email"] or ""
    if people.find(external_id, email) is not None:
        return ""
    return f"Nobody has the member id or e-mail «{shown(external_id or email)}»."


def archived(
    found: Found,
    draft: TableDraft,
    column: str,
    there: Group | Module | Organisation | None,
    noun: str,
    *,
    at: datetime | None = None,
) -> None:
    """Note what is not there, or is and was archived by the moment ``at`` the row tells of, or by now."""
    if there is None:
        found.add(draft, column, f"There is no {noun} «{shown(str(draft.values[column]))}».")
    elif was_archived(there.archived_at, at):
        found.add(draft, column, f"The {noun} «{shown(there.title)}» is archived; restore it first.")


def nothing(_work: Work, _change: ImportChange) -> str:
    """For kinds whose rows carry the number of their import."""
    return ""


def before(change: ImportChange) -> dict[str, Any]:
    """The old values of a change as the columns take them."""
    return {
        name: datetime.fromisoformat(value) if name.endswith("_at") and isinstance(value, str) else value
        for name, value in change.before.items()
    }


def kept(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as a change keeps them."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def run_sql(work: Work, statement: Executable) -> None:
    """A bulk statement past the session, which is asked anew afterwards."""
    work.session.execute(statement, execution_options={"synchronize_session": False})
