"""Reads of tiers."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from webapp.domain.errors import NotFound
from webapp.models import Profile, Tier
from webapp.queries.exports import flow

MOST = 1_000
EXPORT = ("name", "title", "rank")


def get(session: Session, tier_id: int) -> Tier:
    """The tier as it stands in the database now, or ``NotFound``."""
    wanted = select(Tier).where(Tier.id == tier_id).execution_options(populate_existing=True)
    found = session.scalars(wanted).one_or_none()
    if found is None:
        raise NotFound("tier.unknown", "There is no such tier.")
    return found


def page(session: Session) -> list[tuple[Tier, bool]]:
    """Every tier in the order of rank, and whether anybody has it."""
    held = exists().where(Profile.tier_id == Tier.id)
    return [(row[0], row[1]) for row in session.execute(select(Tier, held).order_by(Tier.rank).limit(MOST))]


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
