"""Reads of modules and of who completed them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, literal, or_, select, true, tuple_
from sqlalchemy.orm import Session

from webapp.domain.errors import NotFound
from webapp.domain.modules import LapseUnit, has_lapsed
from webapp.models import Completion, Module, Profile, Site
from webapp.queries import people_named
from webapp.queries.exports import flow
from webapp.queries.matching import among_ids, aside, begins, few

Scope = frozenset[int] | None
PAGE = 50


@dataclass(frozen=True, slots=True)
class ListedModule:
    """One line of the list."""

    id: int
    site: str
    site_name: str
    path: str
    title: str
    lapses_after: int | None
    lapses_unit: LapseUnit
    completion_count: int
    archived_at: datetime | None


@dataclass(frozen=True, slots=True)
class ListedCompletion:
    """One completion of a module."""

    id: int
    profile_id: int
    external_id: str | None
    first_name: str
    last_name: str
    email: str
    completed_at: datetime
    score: int | None
    lapses_at: datetime | None

    @property
    def called(self) -> str:
        name = f"{self.first_name} {self.last_name}".strip()
        return name or self.email or self.external_id or f"Person {self.profile_id}"

    def has_lapsed(self, now: datetime) -> bool:
        return has_lapsed(self.lapses_at, now)


@dataclass(frozen=True, slots=True)
class ModuleSheet:
    """A module and the site whose days count for it."""

    module: Module
    site: Site


def _within(scope: Scope) -> ColumnElement[bool]:
    return true() if scope is None else Module.site_id.in_(scope)


def sheet(session: Session, module_id: int, scope: Scope = None) -> ModuleSheet:
    """The module as it stands in the database now, with its site; ``NotFound`` outside ``scope``."""
    wanted = select(Module, Site).join(Site, Site.id == Module.site_id).where(Module.id == module_id, _within(scope))
    found = session.execute(wanted.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound("module.unknown", "There is no such module.")
    return ModuleSheet(*found)


def page(
    session: Session,
    scope: Scope,
    *,
    search: str = "",
    is_archived: bool = False,
    after: int | None = None,
    size: int = PAGE,
) -> list[ListedModule]:
    """Modules by site and path, one more than ``size`` when there are further ones; ``after`` is the last id seen."""
    statement = (
        select(
            Module.id,
            Site.title,
            Site.name,
            Module.path,
            Module.title,
            Module.lapses_after,
            Module.lapses_unit,
            Module.completion_count,
            Module.archived_at,
        )
        .join(Site, Site.id == Module.site_id)
        .where(*_listed(scope, search, is_archived=is_archived))
        .order_by(Module.site_id, Module.path)
        .limit(size + 1)
    )
    if after is not None and (last := _place(session, after)) is not None:
        statement = statement.where(tuple_(Module.site_id, Module.path) > tuple_(*map(literal, last)))
    return [ListedModule(*row) for row in session.execute(statement)]


def _place(session: Session, module_id: int) -> tuple[int, str] | None:
    """Where in the list a module stands: known before the list is asked for, it is a bound that an index serves."""
    row = session.execute(select(Module.site_id, Module.path).where(Module.id == module_id)).one_or_none()
    return None if row is None else (row[0], row[1])


def _listed(scope: Scope, search: str, *, is_archived: bool) -> list[ColumnElement[bool]]:
    """Which modules the list shows, and its export has."""
    shown = [_within(scope), Module.archived_at.is_not(None) if is_archived else Module.archived_at.is_(None)]
    if search:
        shown.append(or_(Module.title.icontains(search, autoescape=True), begins(Module.path, search)))
    return shown


def counts(session: Session, scope: Scope) -> tuple[int, int]:
    """How many modules are in use, and how many archived; neither is counted beyond ``MOST_COUNTED`` + 1."""
    parts = (select(Module.id).where(*_listed(scope, "", is_archived=archived)) for archived in (False, True))
    row = session.execute(few(*parts)).one()
    return row[0], row[1]


def completions(
    session: Session, module_id: int, *, search: str = "", before: int | None = None, size: int = PAGE
) -> list[ListedCompletion]:
    """Completions of a module, the newest first, one more than ``size`` when there are further ones."""
    shown = _completed(module_id, search)
    if search and (people := people_named.few(session, search)) is not None:
        of_module = (Completion.module_id == module_id, among_ids(session, Completion.profile_id, people))
        shown = [Completion.id.in_(select(Completion.id).where(*of_module))]
    statement = (
        select(
            Completion.id,
            Profile.id,
            Profile.external_id,
            Profile.first_name,
            Profile.last_name,
            Profile.email,
            Completion.completed_at,
            Completion.score,
            Completion.lapses_at,
        )
        .join(Profile, Profile.id == Completion.profile_id)
        .where(*shown)
        .order_by(Completion.id.desc())
        .limit(size + 1)
    )
    if before is not None:
        statement = statement.where(Completion.id < before)
    return [ListedCompletion(*row) for row in session.execute(statement)]


def _completed(module_id: int | None, search: str) -> list[ColumnElement[bool]]:
    """Which completions the page of a module shows, and its export has; None is every module."""
    shown: list[ColumnElement[bool]] = [] if module_id is None else [Completion.module_id == module_id]
    return [*shown, aside(people_named.matches(search))] if search else shown


def known(session: Session, references: Collection[tuple[str, str]]) -> dict[tuple[str, str], tuple[Module, str]]:
    """The modules of these site names and paths, each with the zone of its site."""
    sites = {site for site, _ in references}
    wanted = (
        select(Module, Site.name, Site.timezone)
        .join(Site, Site.id == Module.site_id)
        .where(Site.name.in_(sites), Module.path.in_({path for _, path in references}))
        .execution_options(populate_existing=True)
    )
    found = {(name, module.path): (module, zone) for module, name, zone in session.execute(wanted)}
    return {key: found[key] for key in references if key in found}


EXPORT = ("module", "title", "lapses_after", "lapses_unit", "completion_count", "archived_at")
EXPORT_COMPLETIONS = ("module", "external_id", "email", "completed_at", "score", "lapses_at")
_REFERENCE = Site.name.concat(":").concat(Module.path)


def stream(
    session: Session, scope: Scope = None, search: str = "", *, is_archived: bool | None = None
) -> Iterator[tuple[object, ...]]:
    """Modules as ``EXPORT`` names them, by site and path, holding a few rows at a time.

    As ``page`` lists them when ``is_archived`` is given, else every one.
    """
    columns = (Module.title, Module.lapses_after, Module.lapses_unit, Module.completion_count, Module.archived_at)
    shown = [_within(scope)] if is_archived is None else _listed(scope, search, is_archived=is_archived)
    statement = select(_REFERENCE, *columns).join(Site, Site.id == Module.site_id).where(*shown)
    for row in flow(session, statement.order_by(Module.site_id, Module.path)):
        yield tuple(row)


def stream_completions(
    session: Session, scope: Scope = None, module_id: int | None = None, search: str = ""
) -> Iterator[tuple[object, ...]]:
    """Completions as ``EXPORT_COMPLETIONS`` names them, holding a few rows at a time.

    Of one module as ``completions`` lists them, the newest first; of all modules the oldest first.
    """
    columns = (Profile.external_id, Profile.email, Completion.completed_at, Completion.score, Completion.lapses_at)
    statement = (
        select(_REFERENCE, *columns)
        .select_from(Completion)
        .join(Module, Module.id == Completion.module_id)
        .join(Site, Site.id == Module.site_id)
        .join(Profile, Profile.id == Completion.profile_id)
        .where(_within(scope), *_completed(module_id, search))
        .order_by(Completion.id if module_id is None else Completion.id.desc())
    )
    for row in flow(session, statement):
        yield tuple(row)
