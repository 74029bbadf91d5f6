"""Reads of locations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from webapp.domain.errors import NotFound
from webapp.domain.profiles import fold
from webapp.models import Location, Organisation
from webapp.queries.exports import flow
from webapp.queries.matching import begins, few, has_word
from webapp.queries.subtrees import Within, inside

PAGE = 50


@dataclass(frozen=True, slots=True)
class ListedLocation:
    """One line of the list."""

    id: int
    external_id: str
    title: str
    timezone: str
    organisation_id: int | None
    organisation: str | None
    is_published: bool
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class LocationSheet:
    """A location and the organisation it belongs to, if any."""

    location: Location
    organisation: Organisation | None


def sheet(session: Session, location_id: int, within: Within = None) -> LocationSheet:
    """The location as it stands in the database now; ``NotFound`` outside ``within``."""
    wanted = (
        select(Location, Organisation)
        .outerjoin(Organisation, Organisation.id == Location.organisation_id)
        .where(Location.id == location_id, inside(within))
    )
    found = session.execute(wanted.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound("location.unknown", "There is no such location.")
    return LocationSheet(*found)


def find(session: Session, external_id: str) -> Location | None:
    """The location that files know by this id, if there is one."""
    return session.scalars(select(Location).where(Location.external_id == external_id)).one_or_none()


def page(
    session: Session,
    within: Within,
    *,
    search: str = "",
    is_closed: bool = False,
    after: int | None = None,
    size: int = PAGE,
) -> list[ListedLocation]:
    """Locations by title, one more than ``size`` when there are further ones; ``after`` is the last id seen."""
    statement = (
        select(
            Location.id,
            Location.external_id,
            Location.title,
            Location.timezone,
            Organisation.id,
            Organisation.title,
            Location.is_published,
            Location.closed_at,
        )
        .outerjoin(Organisation, Organisation.id == Location.organisation_id)
        .where(inside(within), *_listed(session, search, is_closed=is_closed))
        .order_by(Location.search_text, Location.id)
        .limit(size + 1)
    )
    if after is not None:
        last = select(Location.search_text).where(Location.id == after).scalar_subquery()
        beyond = or_(Location.search_text > last, Location.id > after)
        statement = statement.where(and_(Location.search_text >= last, beyond))
    return [ListedLocation(*row) for row in session.execute(statement)]


def _listed(session: Session, search: str, *, is_closed: bool | None) -> list[ColumnElement[bool]]:
    """Which locations the list shows, and its export has; open and closed ones when ``is_closed`` is None."""
    shown: list[ColumnElement[bool]] = []
    if is_closed is not None:
        shown.append(Location.closed_at.is_not(None) if is_closed else Location.closed_at.is_(None))
    return [*shown, _matches(session, search)] if search else shown


def _matches(session: Session, search: str) -> ColumnElement[bool]:
    """Whether a word of the title, or the id, begins with ``search``."""
    folded, own = fold(search), begins(Location.external_id, search.strip())
    return or_(begins(Location.search_text, folded), has_word(session, Location.search_text, folded), own)


def counts(session: Session, within: Within) -> tuple[int, int]:
    """How many locations are open, and how many closed for good; neither is counted beyond ``MOST_COUNTED`` + 1."""
    every = select(Location.id)
    if within is not None:
        every = every.outerjoin(Organisation, Organisation.id == Location.organisation_id).where(inside(within))
    parts = (every.where(*_listed(session, "", is_closed=closed)) for closed in (False, True))
    row = session.execute(few(*parts)).one()
    return row[0], row[1]


EXPORT = ("external_id", "title", "timezone", "organisation", "is_published", "closed_at")


def stream(
    session: Session, within: Within = None, search: str = "", *, is_closed: bool | None = None
) -> Iterator[tuple[object, ...]]:
    """Locations as ``EXPORT`` names them, by title as ``page`` lists them, holding a few rows at a time."""
    columns = (Location.external_id, Location.title, Location.timezone, Organisation.external_id)
    statement = (
        select(*columns, Location.is_published, Location.closed_at)
        .outerjoin(Organisation, Organisation.id == Location.organisation_id)
        .where(inside(within), *_listed(session, search, is_closed=is_closed))
        .order_by(Location.search_text, Location.id)
    )
    for row in flow(session, statement):
        yield tuple(row)
