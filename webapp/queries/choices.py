"""What a person may choose from in a form."""

from __future__ import annotations

from sqlalchemy import not_, select
from sqlalchemy.orm import Session

from webapp.domain.identity import Where
from webapp.models import BenefitDefinition, Group, Location, Organisation, Site, VoucherType
from webapp.queries import reaches

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


def organisations(session: Session, most: int = 200) -> list[tuple[int, str]] | None:
    """Ids and titles of the organisations in use, each below its parent («North / Hull»); None when there are more."""
    wanted = select(Organisation.id, Organisation.title, Organisation.path).where(Organisation.archived_at.is_(None))
    rows = session.execute(wanted.order_by(Organisation.search_text).limit(most + 1)).all()
    if len(rows) > most:
        return None
    titles = {number: title for number, title, _ in rows}
    found = []
    for number, _, path in rows:
        above = [titles[int(part)] for part in path.split("/") if part and int(part) in titles]
        found.append((number, " / ".join(above)))
    return sorted(found, key=lambda pair: (pair[1].casefold(), pair[0]))


def organisation_known_as(session: Session, external_id: str) -> int | None:
    """The organisation in use that files know by this id, if there is one."""
    wanted = select(Organisation.id).where(Organisation.external_id == external_id, Organisation.archived_at.is_(None))
    return session.scalar(wanted)


def zones(session: Session, scope: frozenset[int] | None) -> dict[str, str]:
    """The time zone of each site in scope, by its id as a form sends it."""
    statement = select(Site.id, Site.timezone).limit(MOST)
    if scope is not None:
        statement = statement.where(Site.id.in_(scope))
    return {str(row[0]): row[1] for row in session.execute(statement)}


def locations(session: Session, where: Where = None, most: int = 200) -> list[tuple[int, str]]:
    """Ids and titles of the locations that are not closed for good, by title.

    Whoever works within organisations only is offered theirs, and those of none.
    """
    wanted = select(Location.id, Location.title).where(Location.closed_at.is_(None))
    if bound := reaches.only_parts(where):
        wanted = wanted.where(reaches.places(bound, Location.organisation_id))
    return [(row[0], row[1]) for row in session.execute(wanted.order_by(Location.title, Location.id).limit(most))]


def location(session: Session, where: Where, location_id: int) -> str | None:
    """The title of a location ``locations`` could offer, closed or not."""
    wanted = select(Location.title).where(Location.id == location_id)
    if bound := reaches.only_parts(where):
        wanted = wanted.where(reaches.places(bound, Location.organisation_id))
    return session.scalar(wanted)


def definitions(session: Session, scope: frozenset[int] | None, *, claimable: bool = False) -> list[tuple[int, str]]:
    """Ids and names of the definitions in scope that staff may issue, or people claim, by name."""
    allowed = BenefitDefinition.is_claimable if claimable else BenefitDefinition.is_assignable
    wanted = (
        select(BenefitDefinition.id, BenefitDefinition.name, Site.title)
        .join(Site, Site.id == BenefitDefinition.site_id)
        .where(allowed, not_(BenefitDefinition.is_archived))
        .order_by(BenefitDefinition.name, BenefitDefinition.id)
        .limit(MOST)
    )
    if scope is not None:
        wanted = wanted.where(BenefitDefinition.site_id.in_(scope))
    return [(row[0], f"{row[1]} – {row[2]}") for row in session.execute(wanted)]


def definition(session: Session, scope: frozenset[int] | None, definition_id: int) -> str | None:
    """The name of a definition in scope, whatever its state, as the list of those that are open has it."""
    wanted = select(BenefitDefinition.name, Site.title).join(Site, Site.id == BenefitDefinition.site_id)
    wanted = wanted.where(BenefitDefinition.id == definition_id)
    if scope is not None:
        wanted = wanted.where(BenefitDefinition.site_id.in_(scope))
    row = session.execute(wanted).one_or_none()
    return None if row is None else f"{row[0]} – {row[1]}"


def definition_names(session: Session, scope: frozenset[int] | None) -> list[tuple[int, str]]:
    """Ids and names of every definition in scope, to narrow a list by."""
    wanted = select(BenefitDefinition.id, BenefitDefinition.name).order_by(BenefitDefinition.name, BenefitDefinition.id)
    if scope is not None:
        wanted = wanted.where(BenefitDefinition.site_id.in_(scope))
    return [(row[0], row[1]) for row in session.execute(wanted.limit(MOST))]


def groups(session: Session) -> list[tuple[int, str]]:
    """Ids and titles of the groups in use with how many members they have, by title."""
    wanted = select(Group.id, Group.title, Group.member_count).where(Group.archived_at.is_(None))
    rows = session.execute(wanted.order_by(Group.title, Group.id).limit(MOST))
    return [(row[0], f"{row[1]} – {row[2]:,} members") for row in rows]


def group(session: Session, group_id: int) -> str | None:
    """The title of a group, archived or not."""
    return session.scalar(select(Group.title).where(Group.id == group_id))


def organisation(session: Session, organisation_id: int) -> str | None:
    """The title of an organisation, archived or not."""
    return session.scalar(select(Organisation.title).where(Organisation.id == organisation_id))
