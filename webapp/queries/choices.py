"""What a person may choose from in a form."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.models import Site, VoucherType

MOST = 500


def sites(session: Session, scope: frozenset[int] | None) -> list[tuple[int, str]]:
    """Ids and titles of the sites in scope, by title."""
    statement = select(Site.id, Site.title).order_by(Site.title).limit(MOST)
    if scope is not None:
        statement = statement.where(Site.id.in_(scope))
    return [(row[0], row[1]) for row in session.execute(statement)]


def voucher_types(session: Session, scope: frozenset[int] | None) -> list[tuple[int, str]]:
    """Ids and titles of the voucher types in scope with how many codes are free, by title."""
    statement = (
        select(VoucherType.id, VoucherType.title, VoucherType.idle_count, Site.title)
        .join(Site, Site.id == VoucherType.site_id)
        .order_by(Site.title, VoucherType.title)
        .limit(MOST)
    )
    if scope is not None:
        statement = statement.where(VoucherType.site_id.in_(scope))
    return [(row[0], f"{row[1]} – {row[3]}, {row[2]:,} free") for row in session.execute(statement)]


def zones(session: Session, scope: frozenset[int] | None) -> dict[str, str]:
    """The time zone of each site in scope, by its id as a form sends it."""
    statement = select(Site.id, Site.timezone).limit(MOST)
    if scope is not None:
        statement = statement.where(Site.id.in_(scope))
    return {str(row[0]): row[1] for row in session.execute(statement)}
