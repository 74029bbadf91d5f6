"""Organisations in bulk: the rows of a file, put beside what is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Table, bindparam, select, update

from webapp.domain import organisations as rules
from webapp.domain.errors import Refused
from webapp.domain.sites import checked_zone
from webapp.models import ImportChange, Organisation
from webapp.queries import organisation_types as read_types
from webapp.queries import organisations as read
from webapp.queries.matching import among
from webapp.services import bulk, tree
from webapp.services.work import Work

_TABLE = cast(Table, Organisation.__table__)
_NAMES = ("external_id", "title", "type_id", "timezone", "address", "search_text", "parent_id")
_OWN = ("title", "type_id", "timezone", "address", "search_text")


@dataclass(frozen=True, slots=True)
class OrganisationRow:
    """One row of a file. ``external_id`` says which organisation; None leaves what is there, on a new one it is empty.

    ``parent`` is the external id of the one above, empty for the top; ``type`` is the name of a type, empty for none;
    ``timezone`` is empty for that of the account. Texts are trimmed and no longer than their columns.
    """

    external_id: str
    title: str
    parent: str | None = None
    type: str | None = None
    timezone: str | None = None
    address: str | None = None


@dataclass(slots=True)
class _Place:
    """An organisation as the batch sees it: what is stored, and what it is to be."""

    external_id: str
    stored: dict[str, Any] | None
    wanted: dict[str, Any]
    parent: str | None


def put(work: Work, organisation_rows: Sequence[OrganisationRow], run_id: int | None = None) -> tuple[int, int]:
    """Create or change organisations in one batch; gives (created, changed). The same rows again change nothing.

    A parent is one that is there already or another row of the batch, in any order; of two rows with one id the later
    counts. With ``run_id`` an ``ImportChange`` is written for each row written: ``before`` is empty for one that is new,
    and holds the old values of what changed for the others (``parent`` as an external id). Raises ``Refused`` on
    ``parent``, ``type`` or ``timezone`` and writes nothing then.
    """
    tree.hold(work)
    places = _places(work, organisation_rows)
    parents = {place.parent for place in places if place.parent} - {place.external_id for place in places}
    ids = read.ids(work.session, sorted(parents))
    for external_id in sorted(parents - ids.keys()):
        raise rules.unknown(external_id, "parent")
    ids |= {place.external_id: place.stored["id"] for place in places if place.stored}
    fresh = [place for place in places if place.stored is None]
    _insert(work, fresh, ids)
    changed = _update(work, [place for place in places if place.stored])
    _move(work, [place for place in places if place.stored], ids, changed)
    if run_id is not None:
        _remember(work, run_id, fresh, changed, ids)
    return len(fresh), len(changed)


def _places(work: Work, organisation_rows: Sequence[OrganisationRow]) -> list[_Place]:
    latest = {row.external_id: row for row in organisation_rows}
    stored = _stored(work, latest)
    types = read_types.ids(work.session)
    return [
        _Place(row.external_id, stored.get(row.external_id), _wanted(row, types), row.parent) for row in latest.values()
    ]


def _stored(work: Work, external_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    columns = (Organisation.id, Organisation.path, Organisation.external_id, *(_TABLE.c[name] for name in _OWN))
    wanted = select(*columns, Organisation.parent_id).where(
        among(work.session, Organisation.external_id, list(external_ids))
    )
    return {row.external_id: dict(row._mapping) for row in work.session.execute(wanted)}


def _wanted(row: OrganisationRow, types: Mapping[str, int]) -> dict[str, Any]:
    """The columns the row has something to say about."""
    values: dict[str, Any] = {
        "title": row.title,
        "search_text": rules.search_text(row.title, rules.checked_external_id(row.external_id)),
    }
    if row.type is not None:
        if row.type and row.type not in types:
            raise Refused("organisation.type", f"There is no organisation type «{row.type[:60]}».", "type")
        values["type_id"] = types.get(row.type)
    if row.timezone is not None:
        values["timezone"] = checked_zone(row.timezone) if row.timezone else ""
    if row.address is not None:
        values["address"] = row.address
    return values


def _insert(work: Work, fresh: Sequence[_Place], ids: dict[str, int]) -> None:
    """Level by level: a row whose parent is not there yet waits for it."""
    waiting = list(fresh)
    while waiting:
        level = [place for place in waiting if not place.parent or place.parent in ids]
        if not level:
            raise Refused(
                "organisation.cycle",
                f"«{waiting[0].external_id}» and «{waiting[0].parent}» stand below one another, in a ring. One of them needs "
                "another parent.",
                "parent",
            )
        level.sort(key=lambda place: place.external_id)
        rows = [tuple(_columns(place, ids).values()) for place in level]
        same = {
            "path": "", "attributes": {}, "member_count": 0, "version": 1, "created_at": work.now, "updated_at": work.now,
        }  # fmt: skip
        bulk.insert_rows(work.session, _TABLE, _NAMES, rows, same)
        tree.give_paths(work)
        ids |= read.ids(work.session, [place.external_id for place in level])
        waiting = [place for place in waiting if place.external_id not in ids]
    _check_depth(work, fresh)


def _columns(place: _Place, ids: Mapping[str, int]) -> dict[str, Any]:
    empty = {"type_id": None, "timezone": "", "address": ""}
    values = empty | place.wanted | {"external_id": place.external_id, "parent_id": ids.get(place.parent or "")}
    return {name: values[name] for name in _NAMES}


def _check_depth(work: Work, fresh: Sequence[_Place]) -> None:
    """Nothing new stands deeper than the tree may be, or right below what is archived already."""
    external_ids = [place.external_id for place in fresh]
    for paths in (external_ids[start : start + 5_000] for start in range(0, len(external_ids), 5_000)):
        found = work.session.scalars(
            select(Organisation.path).where(among(work.session, Organisation.external_id, paths))
        )
        deepest = max(found, key=rules.depth)
        rules.may_stand_below("", "", rules.depth(deepest), "", "").require()


def _update(work: Work, places: Sequence[_Place]) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Write what differs; gives before and after of each row that changed, by its external id."""
    changed = {}
    values = []
    for place in places:
        stored = place.stored or {}
        after = {name: value for name, value in place.wanted.items() if stored[name] != value}
        if after:
            changed[place.external_id] = ({name: stored[name] for name in after}, after)
            values.append(
                {"own_id": stored["id"]} | {f"new_{name}": place.wanted.get(name, stored[name]) for name in _OWN}
            )
    if values:
        statement = (
            update(_TABLE)
            .where(_TABLE.c.id == bindparam("own_id"))
            .values(
                **{name: bindparam(f"new_{name}") for name in _OWN}, updated_at=work.now, version=_TABLE.c.version + 1
            )
        )
        work.session.connection().execute(statement, values)
    return changed


def _move(
    work: Work,
    places: Sequence[_Place],
    ids: Mapping[str, int],
    changed: dict[str, tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    """Move what stands elsewhere now. A move that would make a ring waits for the others to go first."""
    waiting = [
        place
        for place in places
        if place.parent is not None and place.stored and place.stored["parent_id"] != ids.get(place.parent)
    ]
    while waiting:
        left = [place for place in waiting if not _moved(work, place, changed)]
        if len(left) == len(waiting):
            _moved(work, left[0], changed, must=True)
        waiting = left


def _moved(
    work: Work,
    place: _Place,
    changed: dict[str, tuple[dict[str, Any], dict[str, Any]]],
    *,
    must: bool = False,
) -> bool:
    own = read.find(work.session, place.external_id)
    parent = read.find(work.session, place.parent) if place.parent else None
    if own is None:
        raise AssertionError("it is there")
    path = parent.path if parent else ""
    verdict = rules.may_stand_below(
        own.title, own.path, tree.levels(work, own.path), parent.title if parent else "", path
    )
    if must:
        verdict.require()
    if verdict.ok:
        old = work.session.get(Organisation, own.parent_id) if own.parent_id else None
        before, after = changed.setdefault(place.external_id, ({}, {}))
        before["parent"], after["parent"] = old.external_id if old else "", place.parent
        tree.move(work, own, parent.id if parent else None, path)
    return verdict.ok


def _remember(
    work: Work,
    run_id: int,
    fresh: Sequence[_Place],
    changed: Mapping[str, tuple[dict[str, Any], dict[str, Any]]],
    ids: Mapping[str, int],
) -> None:
    rows: list[tuple[Any, ...]] = [
        (ids[place.external_id], {}, place.wanted | {"parent": place.parent or ""}) for place in fresh
    ]
    rows += [(ids[external_id], before, after) for external_id, (before, after) in changed.items()]
    bulk.insert_rows(
        work.session, cast(Table, ImportChange.__table__), ("subject_id", "before", "after"), rows, {"run_id": run_id}
    )
