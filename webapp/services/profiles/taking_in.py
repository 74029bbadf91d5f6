"""Writes the people of a file in bulk: new ones, and what differs on those known."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, select, update

from webapp.domain import person_changes as rules
from webapp.domain import search
from webapp.domain.errors import Conflict
from webapp.domain.import_options import ImportOptions
from webapp.domain.person_changes import KEPT, Changed, Fresh
from webapp.domain.person_lists import Identity
from webapp.domain.person_rows import PersonDraft
from webapp.domain.profiles import Person, search_columns, search_keys
from webapp.models import ImportChange, Profile, ProfileIdentity
from webapp.queries import known_people as read
from webapp.queries.matching import among_ids
from webapp.services import bulk
from webapp.services.profiles import at_sites, indexing
from webapp.services.profiles.indexing import Findable
from webapp.services.work import Work

_TABLE = cast(Table, Profile.__table__)
_IDENTITIES = cast(Table, ProfileIdentity.__table__)
_CHANGES = cast(Table, ImportChange.__table__)
_KEYS = ("search_text", "name_key", "phone_key")
_FOUND_BY = {"external_id", "first_name", "last_name", "email", "phone"}
_INDEXED = {"first_name", "last_name", "home_phone", "email", "email_key"}


def take_in(
    work: Work, drafts: Sequence[PersonDraft], options: ImportOptions, told: Collection[str], run_id: int
) -> tuple[int, int]:
    """Create and change people as the rows say; gives (created, changed). The same rows again change nothing.

    No two rows may mean one person. New people carry ``run_id``; of each one changed the old values are kept, so that
    the import can be taken back. Rows that have become impossible since their check are passed over. Raises
    ``Conflict`` when a rival changes or creates the same people at this moment; the caller does it again.
    """
    found = rules.intake(drafts, read.known(work.session, drafts), options, told)
    _insert(work, found.fresh, run_id)
    _change(work, found.changed, run_id)
    return len(found.fresh), len(found.changed)


def _insert(work: Work, fresh: Sequence[Fresh], run_id: int) -> None:
    """In the order of the file, so that lists show people as it has them."""
    if not fresh:
        return
    ids = bulk.reserve_ids(work.session, _TABLE, len(fresh))
    bulk.insert_columns(
        work.session, _TABLE, {"id": ids} | _columns(fresh, work.now), {"import_run_id": run_id, "version": 1}
    )
    indexing.learn(work, [(one.draft.first_name, one.draft.last_name) for one in fresh])
    indexing.add_terms(
        work,
        [
            (number, term)
            for number, (draft, key) in zip(ids, fresh, strict=True)
            for term in search.terms(draft.first_name, draft.last_name, draft.home_phone, "" if key else draft.email)
        ],
    )
    _identify(work, [(number, one) for number, (draft, _) in zip(ids, fresh, strict=True) for one in draft.identities])


def _columns(fresh: Sequence[Fresh], now: datetime) -> dict[str, Sequence[Any]]:
    """What is written of new people, column by column."""
    drafts = [one.draft for one in fresh]
    told = dict(zip(PersonDraft._fields, zip(*drafts, strict=True), strict=True))
    columns: dict[str, Sequence[Any]] = {name: told[name] for name in KEPT}
    columns["external_id"] = [value or None for value in told["external_id"]]
    columns["email_key"] = [one.email_key or None for one in fresh]
    columns |= {name: _told(told[name]) for name in ("consents", "attributes")}
    columns |= {name: [value or now for value in told[name]] for name in ("created_at", "updated_at")}
    return columns | search_columns(drafts)


def _told(values: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Without names that stand for nothing; what rows share they share still."""
    ids = list(map(id, values))
    known = {
        number: {name: value for name, value in one.items() if value is not None} if None in one.values() else one
        for number, one in dict(zip(ids, values, strict=True)).items()
    }
    return list(map(known.__getitem__, ids))


def _identify(work: Work, rows: Sequence[tuple[int, Identity]]) -> None:
    values = [(number, *one) for number, one in rows]
    names = ("profile_id", "system", "identifier", "is_active")
    bulk.insert_rows(work.session, _IDENTITIES, names, values, {"created_at": work.now})


def _change(work: Work, changed: Sequence[Changed], run_id: int) -> None:
    if not changed:
        return
    _hold(work, {one.person["id"]: one.person["version"] for one in changed})
    lines = [
        (one.person["id"], plain({name: one.person[name] for name in one.values}), plain(one.values) | _names(one))
        for one in changed
    ]
    bulk.insert_rows(work.session, _CHANGES, ("subject_id", "before", "after"), lines, {"run_id": run_id})
    write(work, [(one.person, one.values) for one in changed])
    _identify(work, [(one.person["id"], identity) for one in changed for identity in one.identities])
    at_sites.follow(work.session, [one.person["id"] for one in changed])


def _hold(work: Work, versions: Mapping[int, int]) -> None:
    """Nobody may have changed these people since they were read, nor do so before this is written."""
    wanted = select(Profile.id, Profile.version).where(
        among_ids(work.session, Profile.id, sorted(versions)),
        Profile.erased_at.is_(None),
        Profile.merged_into_id.is_(None),
    )
    rows = work.session.execute(wanted.order_by(Profile.id).with_for_update()).all()
    if {row[0]: row[1] for row in rows} != versions:
        raise Conflict("profile.changed", "Somebody changed one of these people at this moment; it is done again.")


def write(work: Work, changes: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> None:
    """Put values in place of those of people as they were read, and keep the people findable."""
    if not changes:
        return
    names = (*KEPT, "email_key", *_KEYS)
    rows = []
    for person, values in changes:
        row = {**person, **values}
        row |= _search_keys(row)
        rows.append({f"new_{name}": row[name] for name in names} | {"own_id": person["id"]})
    statement = (
        update(_TABLE)
        .where(_TABLE.c.id == bindparam("own_id"))
        .values({name: bindparam(f"new_{name}") for name in names})
        .values(updated_at=work.now, version=_TABLE.c.version + 1)
    )
    work.session.connection().execute(statement, rows)
    called = [(person, {**person, **values}) for person, values in changes if not _INDEXED.isdisjoint(values)]
    indexing.renew(work, [_findable(new) for _, new in called])
    indexing.forget(work, {old[name] for old, _ in called for name in ("first_name", "last_name") if old[name]})


def _findable(row: Mapping[str, Any]) -> Findable:
    shared = "" if row["email_key"] else row["email"]
    return Findable(row["id"], row["first_name"], row["last_name"], row["home_phone"], shared)


def _search_keys(row: Mapping[str, Any]) -> dict[str, str]:
    return search_keys(Person(None, **{name: row[name] for name in _FOUND_BY}))


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as they are kept for taking the import back."""
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


def _names(one: Changed) -> dict[str, Any]:
    return {"identities": [list(identity[:2]) for identity in one.identities]} if one.identities else {}
