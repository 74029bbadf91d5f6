"""Reads of tiers."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from webapp.domain.errors import NotFound
from webapp.models import Profile, Tier
from webapp.queries.exports import flow

PAGE = 50
EXPORT = ("name", "title", "rank")


def get(session: Session, tier_id: int) -> Tier:
    """The tier as it stands in the database now, or ``NotFound``."""
    wanted = select(Tier).where(Tier.id == tier_id).execution_options(populate_existing=True)
    found = session.scalars(wanted).one_or_none()
    if found is None:
        raise NotFound("tier.unknown", "There is no such tier.")
    return found


def page(session: Session, *, above: int | None = None, size: int = PAGE) -> list[tuple[Tier, bool]]:
    """Tiers from the lowest rank up, and whether anybody has each; one more than ``size`` when there are further ones.

    ``above`` is the last rank seen.
    """
    statement = select(Tier, exists().where(Profile.tier_id == Tier.id)).order_by(Tier.rank).limit(size + 1)
    if above is not None:
        statement = statement.where(Tier.rank > above)
    return [(row[0], row[1]) for row in session.execute(statement)]


def every(session: Session) -> list[Tier]:
    """Every tier in the order of rank."""
    return list(session.scalars(select(Tier).order_by(Tier.rank)))


def is_held(session: Session, tier_id: int) -> bool:
    """Whether anybody has the tier."""
    return bool(session.scalar(select(exists().where(Profile.tier_id == tier_id))))


def at_rank(session: Session, rank: int) -> Tier | None:
    """The tier with this rank, if there is one."""
    return session.scalars(select(Tier).where(Tier.rank == rank)).one_or_none()


def stream(session: Session) -> Iterator[tuple[object, ...]]:
    """Every tier as ``EXPORT`` names it, in the order of rank."""
    statement = select(Tier.name, Tier.title, Tier.rank).order_by(Tier.rank)
    for row in flow(session, statement):
        yield tuple(row)
