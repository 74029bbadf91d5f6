"""Reads about sites."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from webapp.domain.errors import NotFound
from webapp.models import Reward, Site, VoucherType
from webapp.queries.exports import flow


@dataclass(frozen=True, slots=True)
class SiteRow:
    """One line of the list of sites."""

    id: int
    name: str
    title: str
    organiser: str
    timezone: str
    reward_count: int
    voucher_type_count: int


def get(session: Session, name: str, scope: frozenset[int] | None) -> Site:
    """The site called ``name``; ``NotFound`` outside ``scope``."""
    statement = select(Site).where(Site.name == name)
    if scope is not None:
        statement = statement.where(Site.id.in_(scope))
    found = session.scalars(statement).one_or_none()
    if found is None:
        raise _missing()
    return found


def get_by_id(session: Session, site_id: int, scope: frozenset[int] | None = None) -> Site:
    """The site; ``NotFound`` outside ``scope``."""
    found = session.get(Site, site_id)
    if found is None or (scope is not None and site_id not in scope):
        raise _missing()
    return found


def first(session: Session) -> Site | None:
    """The oldest site, whose clock is that of the account; None while there is none."""
    return session.scalars(select(Site).order_by(Site.id).limit(1)).one_or_none()


def page(session: Session, scope: frozenset[int] | None, search: str = "", *, size: int = 200) -> list[SiteRow]:
    """Sites by title, with what they hold."""
    rewards = select(func.count()).where(Reward.site_id == Site.id).correlate(Site).scalar_subquery()
    types = select(func.count()).where(VoucherType.site_id == Site.id).correlate(Site).scalar_subquery()
    statement = select(Site.id, Site.name, Site.title, Site.organiser, Site.timezone, rewards, types)
    statement = statement.where(*_listed(scope, search)).order_by(func.lower(Site.title), Site.id)
    return [SiteRow(*row) for row in session.execute(statement.limit(size))]


def _listed(scope: frozenset[int] | None, search: str) -> list[ColumnElement[bool]]:
    """Which sites the list shows, and its export has."""
    shown: list[ColumnElement[bool]] = [] if scope is None else [Site.id.in_(scope)]
    if search:
        shown.append(Site.title.icontains(search, autoescape=True) | Site.organiser.icontains(search, autoescape=True))
    return shown


EXPORT = ("name", "title", "organiser", "timezone", "staff_domains", "created_at")


def stream(session: Session, scope: frozenset[int] | None, search: str = "") -> Iterator[tuple[object, ...]]:
    """Sites as ``EXPORT`` names them, by title as ``page`` lists them."""
    statement = select(*(getattr(Site, name) for name in EXPORT)).where(*_listed(scope, search))
    statement = statement.order_by(func.lower(Site.title), Site.id)
    yield from (tuple(row) for row in flow(session, statement))


def names(session: Session, scope: frozenset[int] | None = None) -> dict[int, str]:
    """Title by id, in order of title."""
    statement = select(Site.id, Site.title)
    if scope is not None:
        statement = statement.where(Site.id.in_(scope))
    return dict(session.execute(statement.order_by(func.lower(Site.title), Site.id)).all())


def handles(session: Session) -> list[str]:
    """The names that files know the sites by."""
    return list(session.scalars(select(Site.name).order_by(Site.name)))


def _missing() -> NotFound:
    return NotFound("site.unknown", "There is no such site.")
