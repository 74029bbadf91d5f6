"""Reads of organisations: the list, one with everything around it, and what an import or a form knows them by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from webapp.domain import organisations as rules
from webapp.domain.errors import NotFound
from webapp.domain.profiles import fold
from webapp.models import Group, Location, Membership, Organisation, OrganisationType, Profile, StaffGrant
from webapp.queries.exports import flow
from webapp.queries.matching import among, among_ids, begins, has_word
from webapp.queries.memberships import Member
from webapp.queries.subtrees import Within, inside

PAGE = 50
_PARENT = aliased(Organisation)
# The same rows once more, for what the index on the text alone can answer: which fit, and in which order.
_TEXT = aliased(Organisation)
_DEPTH = func.length(Organisation.path) - func.length(func.replace(Organisation.path, "/", ""))
_IN_USE = Organisation.archived_at.is_(None)
_ARCHIVED = Organisation.archived_at.is_not(None)


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; empty and None are no limit."""

    search: str = ""
    type_id: int | None = None
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class ListedOrganisation:
    """One line of the list; ``parent`` is the title of the one it stands below."""

    id: int
    external_id: str
    title: str
    type: str | None
    parent_id: int | None
    parent: str | None
    path: str
    member_count: int
    archived_at: datetime | None

    @property
    def level(self) -> int:
        return rules.depth(self.path)


@dataclass(frozen=True, slots=True)
class Above:
    """One of the organisations above another."""

    id: int
    title: str
    external_id: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """An organisation, the titles of its type and of the one it stands below, and those above it that one may see.

    ``below`` is told to whoever sees the organisation, as lists and files tell it; ``above`` has the topmost first.
    """

    organisation: Organisation
    type: str | None
    below: str | None
    above: list[Above]

    @property
    def parent(self) -> str:
        """The id of the one right above, as files know it; empty at the top of what one may see."""
        return self.above[-1].external_id if self.above else ""


def get(session: Session, organisation_id: int, within: Within = None) -> Organisation:
    """The organisation as it stands in the database now; ``NotFound`` outside ``within``."""
    wanted = select(Organisation).where(Organisation.id == organisation_id, inside(within))
    found = session.scalars(wanted.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise _missing()
    return found


def find(session: Session, external_id: str, within: Within = None) -> Organisation | None:
    """The organisation that files know by this id, if there is one within."""
    wanted = select(Organisation).where(Organisation.external_id == external_id, inside(within))
    return session.scalars(wanted.execution_options(populate_existing=True)).one_or_none()


def sheet(session: Session, organisation_id: int, within: Within) -> Sheet:
    """The organisation with its type and the way down to it; ``NotFound`` outside ``within``."""
    wanted = (
        select(Organisation, OrganisationType.title, _PARENT.title)
        .outerjoin(OrganisationType, OrganisationType.id == Organisation.type_id)
        .outerjoin(_PARENT, _PARENT.id == Organisation.parent_id)
        .where(Organisation.id == organisation_id, inside(within))
    )
    found = session.execute(wanted.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise _missing()
    return Sheet(*found, above(session, found[0], within))


def above(session: Session, organisation: Organisation, within: Within) -> list[Above]:
    """From the topmost one may see down to the parent."""
    wanted = select(Organisation.id, Organisation.title, Organisation.external_id).where(
        Organisation.id.in_(rules.ids_in(organisation.path)[:-1]), inside(within)
    )
    return [Above(*row) for row in session.execute(wanted.order_by(func.length(Organisation.path)))]


def page(
    session: Session, within: Within, filters: Filters, *, after: int | None = None, size: int = PAGE
) -> list[ListedOrganisation]:
    """Organisations by title, one more than ``size`` when there are further ones; ``after`` is the last id seen."""
    statement = (
        select(
            Organisation.id,
            Organisation.external_id,
            Organisation.title,
            OrganisationType.title,
            Organisation.parent_id,
            _PARENT.title,
            Organisation.path,
            Organisation.member_count,
            Organisation.archived_at,
        )
        .select_from(_TEXT)
        .join(Organisation, Organisation.id == _TEXT.id)
        .outerjoin(OrganisationType, OrganisationType.id == Organisation.type_id)
        .outerjoin(_PARENT, _PARENT.id == Organisation.parent_id)
        .where(inside(within), *_listed(session, filters))
        .order_by(_TEXT.search_text, _TEXT.id)
        .limit(size + 1)
    )
    if after is not None:
        statement = statement.where(_beyond(after))
    return [ListedOrganisation(*row) for row in session.execute(statement)]


def _listed(session: Session, filters: Filters) -> list[ColumnElement[bool]]:
    """What the list is narrowed to, and its export too."""
    shown: list[ColumnElement[bool]] = [_ARCHIVED if filters.is_archived else _IN_USE]
    if filters.type_id is not None:
        shown.append(Organisation.type_id == filters.type_id)
    if filters.search:
        shown.append(_matches(session, filters.search))
    return shown


def _matches(session: Session, search: str) -> ColumnElement[bool]:
    """Whether a word of the title, or the id, begins with ``search``."""
    folded = fold(search)
    return or_(begins(_TEXT.search_text, folded), has_word(session, _TEXT.search_text, folded))


def _beyond(after: int) -> ColumnElement[bool]:
    last = select(Organisation.search_text).where(Organisation.id == after).scalar_subquery()
    return and_(_TEXT.search_text >= last, or_(_TEXT.search_text > last, _TEXT.id > after))


def children(session: Session, organisation_id: int, size: int = PAGE) -> list[ListedOrganisation]:
    """Those right below, archived ones last, by title; one more than ``size`` when there are further ones."""
    statement = (
        select(
            Organisation.id,
            Organisation.external_id,
            Organisation.title,
            OrganisationType.title,
            Organisation.parent_id,
            Organisation.external_id,
            Organisation.path,
            Organisation.member_count,
            Organisation.archived_at,
        )
        .outerjoin(OrganisationType, OrganisationType.id == Organisation.type_id)
        .where(Organisation.parent_id == organisation_id)
        .order_by(Organisation.archived_at.is_not(None), Organisation.search_text, Organisation.id)
        .limit(size + 1)
    )
    return [ListedOrganisation(*row) for row in session.execute(statement)]


def members(session: Session, organisation_id: int, size: int = PAGE) -> list[Member]:
    """The newest members within this very organisation, with the group they are in."""
    statement = (
        select(
            Membership.id,
            Profile.id,
            Profile.external_id,
            Profile.first_name,
            Profile.last_name,
            Profile.email,
            Group.id,
            Group.title,
            Membership.joined_at,
        )
        .join(Profile, Profile.id == Membership.profile_id)
        .join(Group, Group.id == Membership.group_id)
        .where(Membership.organisation_id == organisation_id)
        .order_by(Membership.id.desc())
        .limit(size)
    )
    return [Member(*row) for row in session.execute(statement)]


def locations(session: Session, organisation_id: int, size: int = PAGE) -> list[Location]:
    """The shops and counters of this very organisation, closed ones last."""
    wanted = (
        select(Location)
        .where(Location.organisation_id == organisation_id)
        .order_by(Location.closed_at.is_not(None), Location.search_text, Location.id)
        .limit(size)
    )
    return list(session.scalars(wanted))


def hindrances(session: Session, organisation_id: int) -> tuple[int, int]:
    """What stands on it: how many children that are not archived, how many roles of staff."""
    below = select(func.count()).where(Organisation.parent_id == organisation_id, _IN_USE).scalar_subquery()
    grants = select(func.count()).where(StaffGrant.organisation_id == organisation_id).scalar_subquery()
    row = session.execute(select(below, grants)).one()
    return row[0], row[1]


def uses(session: Session, organisation_id: int) -> str:
    """What refers to the organisation, in words; empty when nothing does."""
    found = [
        (Organisation, Organisation.parent_id, "organisation below it", "organisations below it"),
        (Membership, Membership.organisation_id, "membership", "memberships"),
        (Location, Location.organisation_id, "location", "locations"),
        (StaffGrant, StaffGrant.organisation_id, "role of staff", "roles of staff"),
    ]
    told = []
    for model, column, one, many in found:
        count = session.scalar(select(func.count()).select_from(model).where(column == organisation_id)) or 0
        if count:
            told.append(f"{count:,} {one if count == 1 else many}")
    return ", ".join(told)


def known(session: Session, external_ids: Collection[str]) -> dict[str, Organisation]:
    """The organisations that files know by these ids."""
    if not external_ids:
        return {}
    wanted = select(Organisation).where(among(session, Organisation.external_id, external_ids))
    found = session.scalars(wanted.execution_options(populate_existing=True))
    return {organisation.external_id: organisation for organisation in found}


def ids(session: Session, external_ids: Collection[str]) -> dict[str, int]:
    """Id by the id that files know; unknown ones are left out."""
    if not external_ids:
        return {}
    wanted = select(Organisation.external_id, Organisation.id)
    rows = session.execute(wanted.where(among(session, Organisation.external_id, external_ids)))
    return {row[0]: row[1] for row in rows}


def ways_up(session: Session, external_ids: Collection[str]) -> dict[str, str]:
    """The id of the parent, empty at the top, of each of these that is there and of everything above it."""
    wanted = select(Organisation.path).where(among(session, Organisation.external_id, external_ids))
    numbers = {number for path in session.scalars(wanted) for number in rules.ids_in(path)}
    if not numbers:
        return {}
    rows = session.execute(
        select(Organisation.external_id, _PARENT.external_id)
        .outerjoin(_PARENT, _PARENT.id == Organisation.parent_id)
        .where(among_ids(session, Organisation.id, sorted(numbers)))
    )
    return {row[0]: row[1] or "" for row in rows}


def hindrances_of(session: Session, ids: Collection[int]) -> tuple[list[tuple[str, int]], Counter[int]]:
    """What keeps these in use: external id and parent of each one in use right below, and how many roles on each."""
    below = select(Organisation.external_id, Organisation.parent_id).where(
        among_ids(session, Organisation.parent_id, ids), Organisation.archived_at.is_(None)
    )
    held = select(StaffGrant.organisation_id).where(among_ids(session, StaffGrant.organisation_id, ids))
    pairs = [(name, parent_id) for name, parent_id in session.execute(below) if parent_id is not None]
    return pairs, Counter(number for number in session.scalars(held) if number is not None)


EXPORT = ("external_id", "title", "type", "parent", "timezone", "address", "member_count", "archived_at")


def stream(session: Session, within: Within = None, filters: Filters | None = None) -> Iterator[tuple[object, ...]]:
    """Organisations as ``EXPORT`` names them, holding a few rows at a time: as ``page`` lists them under ``filters``.

    Without filters it is every one, parents before children.
    """
    statement = (
        select(
            Organisation.external_id,
            Organisation.title,
            OrganisationType.name,
            _PARENT.external_id,
            Organisation.timezone,
            Organisation.address,
            Organisation.member_count,
            Organisation.archived_at,
        )
        .select_from(_TEXT)
        .join(Organisation, Organisation.id == _TEXT.id)
        .outerjoin(OrganisationType, OrganisationType.id == Organisation.type_id)
        .outerjoin(_PARENT, _PARENT.id == Organisation.parent_id)
        .where(inside(within), *(_listed(session, filters) if filters else ()))
        .order_by(*((_TEXT.search_text, _TEXT.id) if filters else (_DEPTH, Organisation.id)))
    )
    for row in flow(session, statement):
        yield tuple(row)


def _missing() -> NotFound:
    return NotFound("organisation.unknown", "There is no such organisation.")
