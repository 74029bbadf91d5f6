"""Reads of who is in which group, within which organisation, and whom a member id or an e-mail means."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from webapp.domain.errors import NotFound
from webapp.domain.profiles import email_key
from webapp.models import Group, Membership, Organisation, Profile
from webapp.queries import people_named
from webapp.queries.exports import flow
from webapp.queries.matching import among, among_ids, aside
from webapp.queries.subtrees import Within, inside

PAGE = 50


@dataclass(frozen=True, slots=True)
class Member:
    """One membership; ``place`` is the organisation it is within on the page of a group, and the group elsewhere."""

    id: int
    profile_id: int
    external_id: str | None
    first_name: str
    last_name: str
    email: str
    place_id: int | None
    place: str | None
    joined_at: datetime

    @property
    def called(self) -> str:
        name = f"{self.first_name} {self.last_name}".strip()
        return name or self.email or self.external_id or f"Person {self.profile_id}"


@dataclass(frozen=True, slots=True)
class Named:
    """Whom names mean: the id of the person in the end, after every merge."""

    by_external_id: dict[str, int]
    by_email: dict[str, int]

    def find(self, external_id: str, email: str) -> int | None:
        """The person with the member id, else the one who answers to the e-mail."""
        found = self.by_external_id.get(external_id) if external_id else None
        return found if found is not None or not email else self.by_email.get(email_key(email))


def page(
    session: Session, group_id: int, within: Within, *, search: str = "", before: int | None = None, size: int = PAGE
) -> list[Member]:
    """Members of a group, the newest first, one more than ``size`` when there are further ones."""
    shown = _listed(group_id, within, search)
    if search and (people := people_named.few(session, search)) is not None:
        of_group = (Membership.group_id == group_id, among_ids(session, Membership.profile_id, people))
        shown = [Membership.id.in_(select(Membership.id).where(*of_group)), inside(within)]
    statement = (
        select(
            Membership.id,
            Profile.id,
            Profile.external_id,
            Profile.first_name,
            Profile.last_name,
            Profile.email,
            Organisation.id,
            Organisation.title,
            Membership.joined_at,
        )
        .join(Profile, Profile.id == Membership.profile_id)
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .where(*shown)
        .order_by(Membership.id.desc())
        .limit(size + 1)
    )
    if before is not None:
        statement = statement.where(Membership.id < before)
    return [Member(*row) for row in session.execute(statement)]


def _listed(group_id: int | None, within: Within, search: str) -> list[ColumnElement[bool]]:
    """Which members the page of a group shows, and its export has; None is every group."""
    shown = [inside(within)] if group_id is None else [Membership.group_id == group_id, inside(within)]
    return [*shown, aside(people_named.matches(search))] if search else shown


def get(session: Session, group_id: int, membership_id: int, within: Within = None) -> Membership:
    """A membership of the group; ``NotFound`` outside ``within``."""
    wanted = (
        select(Membership)
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.id == membership_id, Membership.group_id == group_id, inside(within))
    )
    found = session.scalars(wanted).one_or_none()
    if found is None:
        raise NotFound("membership.unknown", "There is no such member of this group.")
    return found


def people(session: Session, external_ids: Collection[str], email_keys: Collection[str]) -> Named:
    """Whom these member ids and e-mail keys mean; unknown ones are left out."""
    merged: dict[int, int] = {}
    found = Named(
        _ids(session, Profile.external_id, external_ids, merged), _ids(session, Profile.email_key, email_keys, merged)
    )
    while waiting := set(merged.values()) - merged.keys():
        rows = session.execute(select(Profile.id, Profile.merged_into_id).where(Profile.id.in_(waiting))).all()
        merged |= {row[0]: row[1] or row[0] for row in rows}
    for names in (found.by_external_id, found.by_email):
        names.update({name: _end(number, merged) for name, number in names.items()})
    return found


def _ids(
    session: Session,
    column: InstrumentedAttribute[str | None],
    names: Collection[str],
    merged: dict[int, int],
) -> dict[str, int]:
    """Id by name; rows that turned out to be somebody else are noted in ``merged``."""
    found = {}
    if names:
        wanted = select(column, Profile.id, Profile.merged_into_id).where(among(session, column, list(names)))
        for name, number, target in session.execute(wanted):
            found[str(name)] = number
            if target is not None:
                merged[number] = target
    return found


def _end(number: int, merged: dict[int, int]) -> int:
    while (target := merged.get(number, number)) != number:
        number = target
    return number


EXPORT = ("group", "external_id", "email", "organisation", "joined_at")


def stream(
    session: Session, within: Within = None, group_id: int | None = None, search: str = ""
) -> Iterator[tuple[object, ...]]:
    """Memberships as ``EXPORT`` names them, holding a few rows at a time.

    Of one group as ``page`` lists them, the newest first; of all groups the oldest first.
    """
    statement = (
        select(Group.name, Profile.external_id, Profile.email, Organisation.external_id, Membership.joined_at)
        .join(Group, Group.id == Membership.group_id)
        .join(Profile, Profile.id == Membership.profile_id)
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .where(*_listed(group_id, within, search))
        .order_by(Membership.id if group_id is None else Membership.id.desc())
    )
    for row in flow(session, statement):
        yield tuple(row)


def person_named(session: Session, name: str) -> Profile | None:
    """The person with this member id, else the one who answers to this e-mail; of merged ones whoever they are now."""
    typed = name.strip()
    if not typed:
        return None
    ways = or_(Profile.external_id == typed, Profile.email_key == email_key(typed))
    rows = session.scalars(select(Profile).where(ways).limit(2)).all()
    found = next((row for row in rows if row.external_id == typed), rows[0] if rows else None)
    while found is not None and found.merged_into_id is not None:
        found = session.get(Profile, found.merged_into_id)
    return found
