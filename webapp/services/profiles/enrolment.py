"""Writes people in bulk, as an import resolved them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Executable, Result, Table, bindparam, delete, select, update

from webapp.domain.profiles import Identified, Person, Resolution, resolve, search_columns
from webapp.models import Profile
from webapp.queries import profiles as read
from webapp.services import bulk
from webapp.services.profiles import at_sites, indexing, moving
from webapp.services.profiles.indexing import Findable
from webapp.services.work import Work

_TABLE = cast(Table, Profile.__table__)


def enrol(work: Work, rows: Sequence[Identified], since: datetime, run_id: int | None = None) -> tuple[list[int], int]:
    """The id of each row's person, and by how many people created after ``since`` there are more now.

    New people carry ``run_id``, the import that brought them.

    Unknown people are created, known ones filled in. See ``domain.profiles.resolve`` for who is one person. A rival that creates the same person at the same
    moment makes the transaction fail with ``Conflict``; the caller runs it again.
    """
    ids = {row.external_id for row in rows if row.external_id}
    keys = {row.email_key for row in rows if row.email_key}
    found = resolve(rows, read.known(work.session, sorted(ids), sorted(keys)))
    created = _write(work, found, since, run_id)
    return [_id(person) for person in found.people], created


def _write(work: Work, found: Resolution, since: datetime, run_id: int | None) -> int:
    everybody = {id(person): person for person in (*found.people, *found.merged)}.values()
    changed = [person for person in everybody if person.id is not None and person.is_changed]
    true = [person for person in found.created if person.merged is None]
    # First whoever gives an address away, then whoever takes it: both databases check uniqueness at once.
    _release(work, [person for person in changed if person.merged is not None and person.email_key is None])
    _insert(work, true, run_id)
    _insert(work, [person for person in found.created if person.merged is not None and person.email_key], run_id)
    _update(work, [person for person in changed if person.merged is None])
    return len(true) - _merge(work, [person for person in changed if person.merged is not None], since)


def _id(person: Person) -> int:
    if person.id is None:
        raise AssertionError("every person has been written")
    return person.id


def _insert(work: Work, people: Sequence[Person], run_id: int | None) -> None:
    """Sorted, so that rivals meet in the same order and the unique indexes fill from one side."""
    if not people:
        return
    ordered = sorted(people, key=lambda person: (person.external_id or "", person.email_key or ""))
    numbers = bulk.reserve_ids(work.session, _TABLE, len(ordered))
    for person, number in zip(ordered, numbers, strict=True):
        person.id = number
    same = {"zone": "", "tags": [], "created_at": work.now, "updated_at": work.now, "import_run_id": run_id}
    bulk.insert_columns(work.session, _TABLE, {"id": numbers} | _columns(ordered), same)
    indexing.add(
        work, [Findable(_id(person), person.first_name, person.last_name, "", _shared(person)) for person in ordered]
    )


def _shared(person: Person) -> str:
    """The address of a person that somebody else answers to."""
    return "" if person.email_key else person.email


_SAME = ("external_id", "email_key", "first_name", "last_name", "email", "phone")


def _columns(people: Sequence[Person]) -> dict[str, list[Any]]:
    """What is written of people, column by column."""
    columns: dict[str, list[Any]] = {name: [getattr(person, name) for person in people] for name in _SAME}
    columns["attributes"] = [_facts(person.postcode) for person in people]
    columns["merged_into_id"] = [person.true.id if person.merged else None for person in people]
    return columns | search_columns(people)


@lru_cache(maxsize=4_096)
def _facts(postcode: str) -> dict[str, str]:
    """What is kept of a postcode; the same object for each, which the insert writes as JSON once. Nobody changes it."""
    return {"postcode": postcode} if postcode else {}


def _release(work: Work, people: Iterable[Person]) -> None:
    ids = [person.id for person in people]
    if ids:
        _run(work, update(Profile).where(Profile.id.in_(ids)).values(email_key=None, merged_into_id=Profile.id))


def _update(work: Work, people: Sequence[Person]) -> None:
    """What was empty is filled in; other attributes than ours stay."""
    if not people:
        return
    kept = _kept(work, people)
    ordered = sorted(people, key=_id)
    columns = _columns(ordered)
    columns["attributes"] = [
        kept[_id(person)][0] | facts for person, facts in zip(ordered, columns["attributes"], strict=True)
    ]
    news = [f"new_{name}" for name in columns]
    rows = [
        dict(zip(("key", *news), (person.id, *values), strict=True))
        for person, values in zip(ordered, zip(*columns.values(), strict=True), strict=True)
    ]
    statement = (
        update(_TABLE)
        .where(_TABLE.c.id == bindparam("key"))
        .values({name: bindparam(new) for name, new in zip(columns, news, strict=True)} | {"updated_at": work.now})
    )
    work.session.connection().execute(statement, rows)
    # What is known is never replaced, so that no word of a name is lost here.
    called = [
        Findable(_id(person), person.first_name, person.last_name, kept[_id(person)][1], _shared(person))
        for person in people
    ]
    indexing.renew(work, called)
    at_sites.follow(work.session, [one.id for one in called])


def _kept(work: Work, people: Sequence[Person]) -> dict[int, tuple[dict[str, Any], str]]:
    """What files of entries do not tell: further facts, and the home phone."""
    wanted = select(Profile.id, Profile.attributes, Profile.home_phone)
    rows = work.session.execute(wanted.where(Profile.id.in_([person.id for person in people])))
    return {row[0]: (row[1], row[2]) for row in rows}


def _merge(work: Work, people: Sequence[Person], since: datetime) -> int:
    """Hand over what people have to whoever they turned out to be.

    A row that nothing refers to any more and that keeps no address goes; else it stays and points at the
    person. Gives how many of ``people`` were created after ``since``.
    """
    count = 0
    for person in people:
        target = _id(person.true)
        moving.move(work, _id(person), target)
        pointing = update(Profile).where(Profile.id == person.id).values(merged_into_id=target, updated_at=work.now)
        created_at = _run(work, pointing.returning(Profile.created_at)).scalar_one()
        indexing.drop(work, [_id(person)])
        at_sites.renew(work.session, [_id(person), target])
        _run(work, delete(Profile).where(Profile.id == person.id, Profile.email_key.is_(None), ~moving.is_used()))
        count += created_at >= since
    return count


def _run(work: Work, statement: Executable) -> Result[Any]:
    return work.session.execute(statement, execution_options={"synchronize_session": False})
