"""Modules and completions in bulk: the rows of a file, put beside what is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from webapp.domain import groups as people_rules
from webapp.domain import modules as rules
from webapp.domain.errors import Refused
from webapp.domain.modules import LapseUnit
from webapp.domain.profiles import email_key
from webapp.domain.table_rows import was_archived
from webapp.models import Completion, ImportChange, Module, Site
from webapp.queries import memberships as read_people
from webapp.queries import modules as read
from webapp.queries.matching import among_ids
from webapp.queries.memberships import Named
from webapp.services import bulk
from webapp.services.work import Work

_COMPLETIONS = cast(Table, Completion.__table__)
_NAMES = ("module_id", "profile_id", "completed_at", "score", "lapses_at")
Key = tuple[int, int, datetime]  # module, person, moment
Standing = tuple[int | None, datetime | None]  # score, end


@dataclass(frozen=True, slots=True)
class ModuleRow:
    """One row of a file: ``module`` is «site:/p1/c1/m1». Completions lapse ``lapses_after`` units later, None is never."""

    module: str
    title: str
    lapses_after: int | None = None
    lapses_unit: LapseUnit = LapseUnit.MONTHS


@dataclass(frozen=True, slots=True)
class CompletionRow:
    """One row of a file: ``module`` is «site:/p1/c1/m1», the person a member id, else an e-mail.

    ``completed_at`` is UTC, ``score`` per cent. ``lapses_at`` is given when the file says it, or ``has_no_end``; else the
    rule of the module fixes the end of a new one, and the end of one that is there stays.
    """

    module: str
    external_id: str
    email: str
    completed_at: datetime
    score: int | None = None
    lapses_at: datetime | None = None
    has_no_end: bool = False


def put(work: Work, module_rows: Sequence[ModuleRow], run_id: int | None = None) -> tuple[int, int]:
    """Create or change modules in one batch; gives (created, changed). The same rows again change nothing.

    With ``run_id`` an ``ImportChange`` is written for each row written, with an empty ``before`` for one that is new.
    Raises ``Refused`` on ``module`` for a site that is unknown or a path that cannot be one.
    """
    wanted = {rules.parts(row.module): row for row in module_rows}
    there = read.known(work.session, list(wanted))
    sites = dict(
        work.session.execute(select(Site.name, Site.id).where(Site.name.in_({key[0] for key in wanted}))).all()
    )
    notes: list[tuple[Module, dict[str, Any], dict[str, Any]]] = []
    for (site, path), row in sorted(wanted.items()):
        if site not in sites:
            raise Refused("module.site", f"There is no site called «{site[:60]}».", "module")
        said = {"title": row.title, "lapses_after": row.lapses_after, "lapses_unit": row.lapses_unit}
        if (site, path) not in there:
            module = Module(site_id=sites[site], path=path, created_at=work.now, **said)
            work.session.add(module)
            notes.append((module, {}, said))
            continue
        module = there[site, path][0]
        if after := {name: value for name, value in said.items() if getattr(module, name) != value}:
            notes.append((module, {name: getattr(module, name) for name in after}, after))
            for name, value in after.items():
                setattr(module, name, value)
            module.version += 1
    work.session.flush()
    if run_id is not None:
        lines = [(module.id, before, after) for module, before, after in notes]
        names = ("subject_id", "before", "after")
        bulk.insert_rows(work.session, cast(Table, ImportChange.__table__), names, lines, {"run_id": run_id})
    created = sum(1 for _, before, _ in notes if not before)
    return created, len(notes) - created


def complete(work: Work, completion_rows: Sequence[CompletionRow], run_id: int | None = None) -> tuple[int, int]:
    """Record completions in one batch; gives (created, changed): changed ones got another score or end.

    The same person, module and moment is one completion, so the same rows again change nothing. The new rows carry
    ``run_id``, by which ``take_back`` finds them; for a changed one an ``ImportChange`` keeps what it was. Raises
    ``Refused`` on ``module``, ``person``, ``score`` or ``completed_on`` for what is unknown, was archived by then or is
    to come, and writes nothing then.
    """
    modules = _modules(work, completion_rows)
    people = _people(work.session, completion_rows)
    wanted: dict[Key, Standing] = {}
    told: dict[Key, CompletionRow] = {}
    for row in completion_rows:
        module, zone = modules[row.module]
        person = people.find(row.external_id, row.email)
        if person is None:
            raise people_rules.unknown_person(row.external_id or row.email)
        is_archived = was_archived(module.archived_at, row.completed_at)
        if is_archived or row.completed_at > work.now:
            at = row.completed_at
            rules.may_complete(module.title, is_archived=is_archived, completed_at=at, now=work.now).require()
        ends = None if row.has_no_end else row.lapses_at or _end(row, module, zone)
        key = (module.id, person, row.completed_at)
        wanted[key], told[key] = (rules.checked_score(row.score), ends), row
    there = _there(work.session, wanted)
    # The latest is written last, so that lists by id begin with it.
    fresh = sorted(wanted.keys() - there.keys(), key=itemgetter(0, 2, 1))
    lines = [(*key, *wanted[key]) for key in fresh]
    bulk.insert_rows(work.session, _COMPLETIONS, _NAMES, lines, {"import_run_id": run_id})
    changed = _differing(told, there)
    _change(work, [(there[key][0], old, new) for key, old, new in changed], run_id)
    _count(work, Counter(key[0] for key in fresh))
    return len(fresh), len(changed)


def foresee(session: Session, completion_rows: Sequence[CompletionRow]) -> tuple[set[Key], set[Key]]:
    """The completions ``complete`` would make of these rows, and those it would change; what it would refuse is passed over."""
    modules = read.known(session, [rules.parts(row.module) for row in completion_rows])
    people = _people(session, completion_rows)
    told: dict[Key, CompletionRow] = {}
    for row in completion_rows:
        module, person = modules.get(rules.parts(row.module)), people.find(row.external_id, row.email)
        if module is not None and person is not None:
            told[module[0].id, person, row.completed_at] = row
    there = _there(session, told)
    return told.keys() - there.keys(), {key for key, _, _ in _differing(told, there)}


def _differing(
    told: Mapping[Key, CompletionRow], there: Mapping[Key, tuple[int, int | None, datetime | None]]
) -> list[tuple[Key, Standing, Standing]]:
    """The completions that are there and get another score or end, each with the old ones and the new."""
    return [
        (key, (score, ends), new)
        for key, (_, score, ends) in sorted(there.items())
        if (new := _put_together(told[key], score, ends)) != (score, ends)
    ]


def _people(session: Session, completion_rows: Sequence[CompletionRow]) -> Named:
    """Whom the rows mean."""
    ids = {row.external_id for row in completion_rows if row.external_id}
    return read_people.people(session, ids, {email_key(row.email) for row in completion_rows if row.email})


def _change(work: Work, changed: Sequence[tuple[int, Standing, Standing]], run_id: int | None) -> None:
    """Give completions another score or end; with ``run_id`` the old ones are kept for taking the import back."""
    if not changed:
        return
    if run_id is not None:
        lines = [(own_id, _plain(old), _plain(new)) for own_id, old, new in changed]
        names = ("subject_id", "before", "after")
        bulk.insert_rows(work.session, cast(Table, ImportChange.__table__), names, lines, {"run_id": run_id})
    statement = update(_COMPLETIONS).where(_COMPLETIONS.c.id == bindparam("own_id"))
    statement = statement.values(score=bindparam("new_score"), lapses_at=bindparam("new_end"))
    rows = [{"own_id": own_id, "new_score": score, "new_end": ends} for own_id, _, (score, ends) in changed]
    work.session.connection().execute(statement, rows)


def _plain(standing: Standing) -> dict[str, Any]:
    score, ends = standing
    return {"score": score, "lapses_at": ends.isoformat() if ends else None}


def _end(row: CompletionRow, module: Module, zone: str) -> datetime | None:
    return rules.lapses_at(row.completed_at, module.lapses_after, module.lapses_unit, zone)


def _put_together(row: CompletionRow, score: int | None, ends: datetime | None) -> Standing:
    """Score and end of a completion that is there, with what the row tells of them."""
    is_told = row.has_no_end or row.lapses_at is not None
    return score if row.score is None else row.score, row.lapses_at if is_told else ends


def take_back(work: Work, run_id: int) -> int:
    """Take away the completions an import made, and count them off; gives how many there were."""
    mine = Completion.import_run_id == run_id
    rows = work.session.execute(select(Completion.module_id, func.count()).where(mine).group_by(Completion.module_id))
    gone = {module_id: -count for module_id, count in rows}
    work.session.execute(delete(Completion).where(mine).execution_options(synchronize_session=False))
    _count(work, gone)
    return -sum(gone.values())


def _modules(work: Work, completion_rows: Sequence[CompletionRow]) -> dict[str, tuple[Module, str]]:
    """By reference the modules, with the zones of their sites; they are held until the transaction ends."""
    references = {row.module: rules.parts(row.module) for row in completion_rows}
    found = read.known(work.session, list(references.values()))
    for text, key in sorted(references.items()):
        if key not in found:
            raise rules.unknown(text)
    ids = sorted({module.id for module, _ in found.values()})
    work.session.execute(select(Module.id).where(Module.id.in_(ids)).order_by(Module.id).with_for_update()).all()
    return {text: found[key] for text, key in references.items()}


def _there(session: Session, wanted: Mapping[Key, object]) -> dict[Key, tuple[int, int | None, datetime | None]]:
    """Id, score and end of the completions there are already, of these people in these modules at these moments."""
    columns = (Completion.module_id, Completion.profile_id, Completion.completed_at)
    more = (Completion.id, Completion.score, Completion.lapses_at)
    rows = session.execute(
        select(*columns, *more).where(
            Completion.module_id.in_({key[0] for key in wanted}),
            among_ids(session, Completion.profile_id, {key[1] for key in wanted}),
        )
    )
    found = {(row[0], row[1], row[2]): (row[3], row[4], row[5]) for row in rows}
    return {key: value for key, value in found.items() if key in wanted}


def _count(work: Work, modules: Mapping[int, int]) -> None:
    """Move the counters in the order of the ids, so that rivals never lock up."""
    table = cast(Table, Module.__table__)
    changes = [{"own_id": own_id, "more": more} for own_id, more in sorted(modules.items()) if more]
    if changes:
        statement = update(table).where(table.c.id == bindparam("own_id"))
        work.session.connection().execute(
            statement.values(completion_count=table.c.completion_count + bindparam("more")), changes
        )
