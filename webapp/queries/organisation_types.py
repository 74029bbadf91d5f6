"""Reads of the types that organisations have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.domain.errors import NotFound
from webapp.models import Organisation, OrganisationType
from webapp.queries.exports import flow

MOST = 500
EXPORT = ("name", "title")


@dataclass(frozen=True, slots=True)
class ListedType:
    """One line of the list; ``organisation_count`` counts archived ones as well."""

    id: int
    name: str
    title: str
    organisation_count: int


def get(session: Session, organisation_type_id: int) -> OrganisationType:
    """The type as it stands in the database now, or ``NotFound``."""
    wanted = select(OrganisationType).where(OrganisationType.id == organisation_type_id)
    found = session.scalars(wanted.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound("organisation_type.unknown", "There is no such organisation type.")
    return found


def page(session: Session, size: int = MOST) -> list[ListedType]:
    """Types by title, with how many organisations are of each."""
    count = select(func.count()).where(Organisation.type_id == OrganisationType.id).scalar_subquery()
    statement = select(OrganisationType.id, OrganisationType.name, OrganisationType.title, count)
    rows = session.execute(statement.order_by(func.lower(OrganisationType.title), OrganisationType.id).limit(size))
    return [ListedType(*row) for row in rows]


def titles(session: Session) -> list[tuple[int, str]]:
    """Ids and titles, by title, to choose from."""
    statement = select(OrganisationType.id, OrganisationType.title).limit(MOST)
    rows = session.execute(statement.order_by(func.lower(OrganisationType.title), OrganisationType.id))
    return [(row[0], row[1]) for row in rows]


def count_of(session: Session, organisation_type_id: int) -> int:
    """How many organisations are of the type, archived ones as well."""
    return session.scalar(select(func.count()).where(Organisation.type_id == organisation_type_id)) or 0


def ids(session: Session) -> dict[str, int]:
    """Id of every type by the name that files use."""
    return dict(session.execute(select(OrganisationType.name, OrganisationType.id)).all())


def stream(session: Session) -> Iterator[tuple[object, ...]]:
    """Every type as ``EXPORT`` names it, by title."""
    statement = select(OrganisationType.name, OrganisationType.title)
    statement = statement.order_by(func.lower(OrganisationType.title), OrganisationType.id)
    for row in flow(session, statement):
        yield tuple(row)
