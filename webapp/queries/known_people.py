"""Reads of people as the rows of a file meet them: by member id, address, identity, or name and first moment."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, String, cast, select, type_coerce
from sqlalchemy.orm import Session

from webapp.domain.person_changes import KEPT
from webapp.domain.person_lists import Definition
from webapp.domain.person_rows import PersonDraft, There
from webapp.domain.profiles import fold
from webapp.models import Location, Profile, ProfileIdentity, Tier
from webapp.queries import profiles as read
from webapp.queries.matching import among, among_ids

Row = dict[str, Any]
_NAMES = ("id", *KEPT, "email_key", "merged_into_id", "erased_at", "created_at", "version")
_LISTS = ("tags", "statuses", "consents", "attributes")
_MOMENTS = ("joined_at", "erased_at", "created_at")
_COLUMNS = [cast(Profile.__table__.c[name], String) if name in _LISTS else Profile.__table__.c[name] for name in _NAMES]
# As SQLite stores them: of a million rows most have one of a few moments, and SQLAlchemy would read each anew.
_BARE = [
    type_coerce(column, String) if name in (*_MOMENTS, "gender") else column
    for name, column in zip(_NAMES, _COLUMNS, strict=True)
]
# Most people have the same few lists, so that reading each once is what keeps a million rows quick. They are never changed.
_read = lru_cache(20_000)(json.loads)


@lru_cache(20_000)
def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


@dataclass(slots=True)
class KnownPeople:
    """Whoever some rows may mean, each the person in the end, after every merge."""

    by_id: dict[str, Row] = field(default_factory=dict)
    by_email: dict[str, Row] = field(default_factory=dict)
    by_identity: dict[tuple[str, str], tuple[Row, bool]] = field(default_factory=dict)  # with: is it active
    by_name: dict[tuple[str, str, datetime], Row] = field(default_factory=dict)


def there(session: Session) -> There:
    """What the rows of a file of people may name."""
    tiers = session.execute(select(Tier.name, Tier.id)).all()
    locations = session.execute(select(Location.external_id, Location.id)).all()
    facts = read.definitions(session, archived=True)
    return There(
        {row[0]: row[1] for row in tiers},
        {row[0]: row[1] for row in locations},
        {one.name: Definition(one.kind, one.choices) for one in facts},
    )


def known(session: Session, drafts: Sequence[PersonDraft]) -> KnownPeople:
    """Everybody these rows may mean."""
    ids = {draft.external_id for draft in drafts if draft.external_id}
    keys = {draft.email_key for draft in drafts if draft.email_key}
    rows = _rows(session, among(session, Profile.external_id, sorted(ids))) if ids else {}
    keys -= {row["email_key"] for row in rows.values()}  # each belongs to one person
    if keys:
        rows |= _rows(session, among(session, Profile.email_key, sorted(keys)))
    elsewhere = _identities(session, {one.identifier for draft in drafts for one in draft.identities})
    rows |= _missing(session, rows, {number for number, _ in elsewhere.values()})
    while targets := {row["merged_into_id"] for row in rows.values() if row["merged_into_id"]} - rows.keys():
        rows |= _missing(session, rows, targets)
    found = KnownPeople(by_name=_nameless(session, drafts))
    for row in rows.values():
        true = _true(row, rows) if row["merged_into_id"] else row
        if row["external_id"]:
            found.by_id[row["external_id"]] = true
        if row["email_key"]:
            found.by_email[row["email_key"]] = true
    found.by_identity = {pair: (_true(rows[number], rows), active) for pair, (number, active) in elsewhere.items()}
    return found


def by_number(session: Session, ids: Collection[int]) -> dict[int, Row]:
    """These people as they are stored, merged and erased ones too."""
    return _missing(session, {}, ids)


def _rows(session: Session, wanted: ColumnElement[bool]) -> dict[int, Row]:
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    found = session.connection().execute(select(*(_BARE if is_sqlite else _COLUMNS)).where(wanted)).all()
    if not found:
        return {}
    columns: dict[str, Iterable[Any]] = dict(zip(_NAMES, zip(*found, strict=True), strict=True))
    columns |= {name: map(_read, columns[name]) for name in _LISTS}
    if is_sqlite:
        columns |= {name: map(_moment, columns[name]) for name in _MOMENTS}
    return {row[0]: dict(zip(_NAMES, row, strict=True)) for row in zip(*columns.values(), strict=True)}


def _missing(session: Session, rows: dict[int, Row], ids: Collection[int]) -> dict[int, Row]:
    wanted = set(ids) - rows.keys()
    return _rows(session, among_ids(session, Profile.id, sorted(wanted))) if wanted else {}


def _true(row: Row, rows: dict[int, Row]) -> Row:
    while row["merged_into_id"]:
        row = rows[row["merged_into_id"]]
    return row


def _identities(session: Session, identifiers: Collection[str]) -> dict[tuple[str, str], tuple[int, bool]]:
    if not identifiers:
        return {}
    columns = (
        ProfileIdentity.system,
        ProfileIdentity.identifier,
        ProfileIdentity.profile_id,
        ProfileIdentity.is_active,
    )
    rows = session.execute(select(*columns).where(among(session, ProfileIdentity.identifier, sorted(identifiers))))
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def _nameless(session: Session, drafts: Iterable[PersonDraft]) -> dict[tuple[str, str, datetime], Row]:
    """People without member id and address, by their names and the moment since when they are known."""
    names = {
        fold(f"{draft.first_name} {draft.last_name}")[:250]
        for draft in drafts
        if not draft.external_id and not draft.email_key
    }
    if not names:
        return {}
    nobody = Profile.external_id.is_(None) & Profile.email_key.is_(None) & Profile.merged_into_id.is_(None)
    rows = _rows(session, nobody & among(session, Profile.name_key, sorted(names)))
    return {(row["first_name"], row["last_name"], row["created_at"]): row for row in rows.values()}
