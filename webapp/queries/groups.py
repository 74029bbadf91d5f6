"""Reads of groups."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from webapp.domain.errors import NotFound
from webapp.domain.groups import GroupKind, Registration
from webapp.domain.plurals import counted
from webapp.models import BenefitBatch, Group, Membership
from webapp.queries.exports import flow
from webapp.queries.matching import among, few

PAGE = 50


@dataclass(frozen=True, slots=True)
class ListedGroup:
    """One line of the list."""

    id: int
    name: str
    title: str
    kind: GroupKind
    registration: Registration
    member_count: int
    archived_at: datetime | None


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; empty and None are no limit."""

    search: str = ""
    kind: GroupKind | None = None
    is_archived: bool = False


def get(session: Session, group_id: int) -> Group:
    """The group as it stands in the database now, or ``NotFound``."""
    wanted = select(Group).where(Group.id == group_id).execution_options(populate_existing=True)
    found = session.scalars(wanted).one_or_none()
    if found is None:
        raise NotFound("group.unknown", "There is no such group.")
    return found


def page(session: Session, filters: Filters, *, after: int | None = None, size: int = PAGE) -> list[ListedGroup]:
    """Groups by name, one more than ``size`` when there are further ones; ``after`` is the last id seen."""
    statement = (
        select(Group.id, Group.name, Group.title, Group.kind, Group.registration, Group.member_count, Group.archived_at)
        .where(*_listed(filters))
        .order_by(Group.name)
        .limit(size + 1)
    )
    if after is not None:
        statement = statement.where(Group.name > select(Group.name).where(Group.id == after).scalar_subquery())
    return [ListedGroup(*row) for row in session.execute(statement)]


def _listed(filters: Filters) -> list[ColumnElement[bool]]:
    """What the list is narrowed to, and its export too."""
    shown: list[ColumnElement[bool]] = [
        Group.archived_at.is_not(None) if filters.is_archived else Group.archived_at.is_(None)
    ]
    if filters.kind is not None:
        shown.append(Group.kind == filters.kind)
    if filters.search:
        title, name = (column.icontains(filters.search, autoescape=True) for column in (Group.title, Group.name))
        shown.append(or_(title, name))
    return shown


def counts(session: Session) -> dict[GroupKind | None, int]:
    """How many groups in use there are of each kind; under None how many are archived. Never beyond ``MOST_COUNTED`` + 1."""
    shown = [*(Filters(kind=kind) for kind in GroupKind), Filters(is_archived=True)]
    parts = (select(Group.id).where(*_listed(filters)) for filters in shown)
    return dict(zip((*GroupKind, None), session.execute(few(*parts)).one(), strict=True))


def uses(session: Session, group_id: int) -> str:
    """What refers to the group, in words; empty when nothing does."""
    words = {
        "members": (Membership.group_id, ("member", "members")),
        "batches": (BenefitBatch.group_id, ("batch of benefits", "batches of benefits")),
    }
    parts = [select(func.count()).where(column == group_id).scalar_subquery() for column, _ in words.values()]
    counts = dict(zip(words, session.execute(select(*parts)).one(), strict=True))
    return counted(counts, {name: told for name, (_, told) in words.items()})


def known(session: Session, names: Collection[str]) -> dict[str, Group]:
    """The groups that files know by these names."""
    if not names:
        return {}
    wanted = select(Group).where(among(session, Group.name, names)).execution_options(populate_existing=True)
    return {group.name: group for group in session.scalars(wanted)}


EXPORT = ("name", "title", "kind", "registration", "notes", "member_count", "archived_at")


def stream(session: Session, filters: Filters | None = None) -> Iterator[tuple[object, ...]]:
    """Groups as ``EXPORT`` names them, by name, holding a few rows at a time; every one without ``filters``."""
    columns = [getattr(Group, name) for name in EXPORT]
    statement = select(*columns).where(*(_listed(filters) if filters else ())).order_by(Group.name)
    for row in flow(session, statement):
        yield tuple(row)
