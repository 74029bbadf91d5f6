"""Reads of what files tell of organisations, groups and the like, as it stands now."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from webapp.domain import modules as module_rules
from webapp.domain.errors import Refused
from webapp.domain.import_columns import COLUMNS, ImportKind
from webapp.models import BenefitDefinition, Group, Location, Organisation, OrganisationType, Reward, Site, Tier
from webapp.queries import benefit_definitions as read_definitions
from webapp.queries import groups as read_groups
from webapp.queries import modules as read_modules
from webapp.queries import rewards as read_rewards
from webapp.queries.matching import among

Key = tuple[str, ...]


class Standing(NamedTuple):
    """One row of ours: ``values`` as files name and write them, ``title`` for a sentence."""

    id: int
    values: dict[str, Any]
    title: str
    archived_at: datetime | None
    zone: str = "UTC"  # in which its days are meant


def organisations(session: Session, keys: Collection[Key]) -> dict[Key, Standing]:
    """By their ids in files."""
    if not keys:
        return {}
    above = aliased(Organisation)
    names = ("external_id", "title", "parent", "type", "timezone", "address")
    columns = (
        Organisation.external_id,
        Organisation.title,
        above.external_id,
        OrganisationType.name,
        Organisation.timezone,
        Organisation.address,
    )
    wanted = (
        select(Organisation.id, Organisation.archived_at, *columns)
        .outerjoin(above, above.id == Organisation.parent_id)
        .outerjoin(OrganisationType, OrganisationType.id == Organisation.type_id)
        .where(among(session, Organisation.external_id, [key[0] for key in keys]))
    )
    return {
        (row[2],): Standing(row[0], dict(zip(names, row[2:], strict=True)), row[3], row[1])
        for row in session.execute(wanted)
    }


def groups(session: Session, keys: Collection[Key]) -> dict[Key, Standing]:
    """By their names."""
    found = read_groups.known(session, [key[0] for key in keys])
    return {(name,): Standing(one.id, _group(one), one.title, one.archived_at) for name, one in found.items()}


def _group(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "title": group.title,
        "kind": str(group.kind),
        "registration": str(group.registration),
        "notes": group.notes,
    }


def modules(session: Session, keys: Collection[Key]) -> dict[Key, Standing]:
    """By site and path; what is no address is nowhere."""
    addresses = {}
    for key in keys:
        try:
            addresses[module_rules.parts(key[0])] = key
        except Refused:
            continue
    found = read_modules.known(session, list(addresses))
    return {
        addresses[address]: Standing(
            one.id,
            {
                "module": addresses[address][0],
                "title": one.title,
                "lapses_after": one.lapses_after,
                "lapses_unit": str(one.lapses_unit),
            },
            one.title,
            one.archived_at,
        )
        for address, (one, _) in found.items()
    }


def nothing(_session: Session, _keys: Collection[Key]) -> dict[Key, Standing]:
    """For rows that are put beside what is there by whom they mean."""
    return {}


def tiers(session: Session, keys: Collection[Key]) -> dict[Key, Standing]:
    """By their names."""
    return _plain(session, Tier, ("name", "title", "rank"), keys)


def organisation_types(session: Session, keys: Collection[Key]) -> dict[Key, Standing]:
    """By their names."""
    return _plain(session, OrganisationType, ("name", "title"), keys)


def sites(session: Session, keys: Collection[Key]) -> dict[Key, Standing]:
    """By their names."""
    return _plain(session, Site, ("name", "title", "organiser", "timezone", "staff_domains"), keys)


def _plain(session: Session, model: Any, names: Collection[str], keys: Collection[Key]) -> dict[Key, Standing]:
    columns = [getattr(model, name) for name in names]
    rows = session.execute(select(model.id, *columns).where(model.name.in_([key[0] for key in keys])))
    return {(row[1],): Standing(row[0], dict(zip(names, row[1:], strict=True)), row[2], None) for row in rows}


def locations(session: Session, keys: Collection[Key]) -> dict[Key, Standing]:
    """By their ids in files; one closed for good counts as archived."""
    names = ("external_id", "title", "timezone", "organisation", "is_published", "closed_at")
    columns = (Location.external_id, Location.title, Location.timezone, Organisation.external_id, Location.is_published)
    wanted = (
        select(Location.id, *columns, Location.closed_at)
        .outerjoin(Organisation, Organisation.id == Location.organisation_id)
        .where(Location.external_id.in_([key[0] for key in keys]))
    )
    return {
        (row[1],): Standing(row[0], dict(zip(names, row[1:], strict=True)), row[2], row[6])
        for row in session.execute(wanted)
    }


def definitions(session: Session, keys: Collection[Key]) -> dict[Key, Standing]:
    """Benefit definitions by their handles, with their values as the export names them."""
    wanted = among(session, BenefitDefinition.handle, [key[0] for key in keys])
    found: dict[Key, Standing] = {}
    for own_id, told in read_definitions.told(session, wanted):
        values = {column.name: told[column.name] for column in COLUMNS[ImportKind.DEFINITIONS]}
        values |= {name: values[name] or None for name in _NOTHING}
        del values["created_at"]  # it never changes
        at = told["updated_at"] if told["is_archived"] else None
        found[(told["handle"],)] = Standing(own_id, values, told["name"], at)
    return found


_NOTHING = ("tags", "meta", "claim_condition", "view_condition", "notify_schedule_offset")  # empty is as none


def rewards(session: Session, keys: Collection[Key]) -> dict[Key, Standing]:
    """By their names, with their values as the export names them."""
    found: dict[Key, Standing] = {}
    for own_id, zone, told in read_rewards.told(session, among(session, Reward.name, [key[0] for key in keys])):
        values = {column.name: told[column.name] for column in COLUMNS[ImportKind.REWARDS]}
        found[(told["name"],)] = Standing(own_id, values, told["title"], None, zone)
    return found
