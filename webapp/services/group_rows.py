"""Groups and memberships in bulk: the rows of a file, put beside what is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from webapp.domain import groups as rules
from webapp.domain import organisations as organisation_rules
from webapp.domain.groups import GroupKind, Registration
from webapp.domain.profiles import email_key
from webapp.domain.table_rows import was_archived
from webapp.models import Group, ImportChange, Membership, Organisation
from webapp.queries import groups as read
from webapp.queries import memberships as read_members
from webapp.queries import organisations as read_organisations
from webapp.queries.matching import among_ids
from webapp.queries.memberships import Named
from webapp.services import bulk
from webapp.services.work import Work

_NAMES = ("group_id", "profile_id", "organisation_id", "joined_at")
_TERMS = ("title", "kind", "registration", "notes")
_EMPTY = {"kind": GroupKind.PRIMARY, "registration": Registration.CLOSED, "notes": ""}
Key = tuple[int, int, int | None]  # group, person, organisation


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One row of a file. ``name`` says which group, empty is the name made from ``title``; None leaves what is there."""

    name: str
    title: str
    kind: GroupKind | None = None
    registration: Registration | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class MembershipRow:
    """One row of a file: ``group`` by name, the person by member id, else by e-mail; ``organisation`` empty for none.

    ``joined_at`` is UTC, None for now; it counts only for a membership that is new.
    """

    group: str
    external_id: str = ""
    email: str = ""
    organisation: str = ""
    joined_at: datetime | None = None


def put(work: Work, group_rows: Sequence[GroupRow], run_id: int | None = None) -> tuple[int, int]:
    """Create or change groups in one batch; gives (created, changed). The same rows again change nothing.

    Of two rows with one name the later counts. With ``run_id`` an ``ImportChange`` is written for each row written, with
    an empty ``before`` for one that is new. Raises ``Refused`` on ``name``.
    """
    wanted = {rules.checked_name(row.name, row.title): row for row in group_rows}
    there = read.known(work.session, list(wanted))
    notes: list[tuple[Group, dict[str, Any], dict[str, Any]]] = []
    for name, row in sorted(wanted.items()):
        said = {term: getattr(row, term) for term in _TERMS if getattr(row, term) is not None}
        group = there.get(name)
        if group is None:
            group = Group(name=name, created_at=work.now, **(_EMPTY | said))
            work.session.add(group)
            notes.append((group, {}, said))
        elif after := {term: value for term, value in said.items() if getattr(group, term) != value}:
            notes.append((group, {term: getattr(group, term) for term in after}, after))
            for term, value in after.items():
                setattr(group, term, value)
            group.version += 1
    work.session.flush()
    if run_id is not None:
        lines = [(group.id, before, after) for group, before, after in notes]
        names = ("subject_id", "before", "after")
        bulk.insert_rows(work.session, cast(Table, ImportChange.__table__), names, lines, {"run_id": run_id})
    created = sum(1 for _, before, _ in notes if not before)
    return created, len(notes) - created


def join(work: Work, membership_rows: Sequence[MembershipRow], run_id: int | None = None) -> tuple[int, int]:
    """Put people into groups in one batch; gives (created, 0): a membership has nothing to change.

    Whoever is in the group within that organisation already stays as they are, so the same rows again change nothing.
    The new rows carry ``run_id``, by which ``take_back`` finds them. Raises ``Refused`` on ``group``, ``person`` or
    ``organisation`` for what is unknown or was archived when they joined, and writes nothing then.
    """
    groups = _groups(work, membership_rows)
    organisations = _organisations(work, membership_rows)
    wanted: dict[Key, datetime] = {}
    people = _people(work.session, membership_rows)
    for row in membership_rows:
        key = _key(row, groups, organisations, people)
        if key is None:
            raise rules.unknown_person(row.external_id or row.email)
        wanted.setdefault(key, row.joined_at or work.now)
    # Whoever joined last is written last, so that lists by id begin with them.
    there = _there(work.session, wanted)
    fresh = sorted(wanted.keys() - there, key=lambda key: (key[0], wanted[key], key[1], key[2] or 0))
    lines = [(*key, wanted[key]) for key in fresh]
    bulk.insert_rows(work.session, cast(Table, Membership.__table__), _NAMES, lines, {"import_run_id": run_id})
    _count(work, Counter(key[0] for key in fresh), Counter(key[2] for key in fresh if key[2] is not None))
    return len(fresh), 0


def foresee(session: Session, membership_rows: Sequence[MembershipRow]) -> set[Key]:
    """The memberships ``join`` would make of these rows; what it would refuse is passed over."""
    groups = {name: group.id for name, group in read.known(session, {row.group for row in membership_rows}).items()}
    organisations = read_organisations.ids(session, {row.organisation for row in membership_rows if row.organisation})
    people = _people(session, membership_rows)
    found = {_key(row, groups, organisations, people) for row in membership_rows}
    wanted = {key for key in found if key is not None}
    return wanted - _there(session, wanted)


def _people(session: Session, membership_rows: Sequence[MembershipRow]) -> Named:
    """Whom the rows mean."""
    ids = {row.external_id for row in membership_rows if row.external_id}
    return read_members.people(session, ids, {email_key(row.email) for row in membership_rows if row.email})


def _key(row: MembershipRow, groups: Mapping[str, int], organisations: Mapping[str, int], people: Named) -> Key | None:
    """Which membership the row is about; None where somebody or something it names is not there."""
    group, person = groups.get(row.group), people.find(row.external_id, row.email)
    within = organisations.get(row.organisation) if row.organisation else None
    if group is None or person is None or (row.organisation and within is None):
        return None
    return group, person, within


def take_back(work: Work, run_id: int) -> int:
    """Take away the memberships an import made, and count them off; gives how many there were."""
    mine = Membership.import_run_id == run_id
    _hold(work, sorted(work.session.scalars(select(Membership.group_id).where(mine).distinct())))
    groups, organisations = _made(work, run_id, Membership.group_id), _made(work, run_id, Membership.organisation_id)
    work.session.execute(delete(Membership).where(mine).execution_options(synchronize_session=False))
    _count(work, groups, organisations)
    return -sum(groups.values())


def _made(
    work: Work, run_id: int, column: InstrumentedAttribute[int] | InstrumentedAttribute[int | None]
) -> dict[int, int]:
    """How many fewer members each row of ``column`` has without that import."""
    counted = select(column, func.count()).where(Membership.import_run_id == run_id)
    rows = work.session.execute(counted.group_by(column))
    return {own_id: -count for own_id, count in rows if own_id is not None}


def _groups(work: Work, membership_rows: Sequence[MembershipRow]) -> dict[str, int]:
    """Id by name of groups, held until the transaction ends: whoever joins one at the same moment waits."""
    names = {row.group for row in membership_rows}
    found = read.known(work.session, sorted(names))
    for row in sorted(membership_rows, key=attrgetter("group")):
        if row.group not in found:
            raise rules.unknown(row.group)
        group = found[row.group]
        rules.may_join(group.title, is_archived=was_archived(group.archived_at, row.joined_at)).require()
    _hold(work, sorted(group.id for group in found.values()))
    return {name: group.id for name, group in found.items()}


def _hold(work: Work, group_ids: Sequence[int]) -> None:
    work.session.execute(select(Group.id).where(Group.id.in_(group_ids)).order_by(Group.id).with_for_update()).all()


def _organisations(work: Work, membership_rows: Sequence[MembershipRow]) -> dict[str, int]:
    within = sorted((row for row in membership_rows if row.organisation), key=attrgetter("organisation"))
    found = read_organisations.known(work.session, sorted({row.organisation for row in within}))
    for row in within:
        if row.organisation not in found:
            raise organisation_rules.unknown(row.organisation, "organisation")
        there = found[row.organisation]
        is_archived = was_archived(there.archived_at, row.joined_at)
        organisation_rules.may_use(there.title, is_archived=is_archived, field="organisation").require()
    return {name: organisation.id for name, organisation in found.items()}


def _there(session: Session, wanted: Collection[Key]) -> set[Key]:
    """The memberships there are already, of these people in these groups."""
    columns = (Membership.group_id, Membership.profile_id, Membership.organisation_id)
    rows = session.execute(
        select(*columns).where(
            Membership.group_id.in_({key[0] for key in wanted}),
            among_ids(session, Membership.profile_id, {key[1] for key in wanted}),
        )
    )
    return {(row[0], row[1], row[2]) for row in rows}


def _count(work: Work, groups: Mapping[int, int], organisations: Mapping[int, int]) -> None:
    """Move the counters; groups before organisations, each in the order of their ids, so that rivals never lock up."""
    for table, counts in ((Group.__table__, groups), (Organisation.__table__, organisations)):
        changes = [{"own_id": own_id, "more": more} for own_id, more in sorted(counts.items()) if more]
        if changes:
            statement = (
                update(cast(Table, table))
                .where(table.c.id == bindparam("own_id"))
                .values(member_count=table.c.member_count + bindparam("more"))
            )
            work.session.connection().execute(statement, changes)
