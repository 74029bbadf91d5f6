"""What the people of the sample programme belong to: organisations in a tree, in use and archived."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from webapp.domain.permissions import Role
from webapp.services import organisation_types, organisations

if TYPE_CHECKING:
    from webapp.demo.programme import Builder

_TYPES = ("Head office", "Region", "Coffee shop", "Club")
# External id, title, number of its type, external id of the one above, zone, address.
_TREE = (
    ("HC", "Harbour Coffee", 0, "", "", "1 Quay Street, Whitby"),
    ("HC-NORTH", "Northern region", 1, "HC", "", ""),
    ("HC-SOUTH", "Southern region", 1, "HC", "", ""),
    ("HBR01", "Harbour Coffee Whitby", 2, "HC-NORTH", "", "1 Quay Street, Whitby"),
    ("QAY02", "Harbour Coffee Tynemouth", 2, "HC-NORTH", "", "22 Front Street, Tynemouth"),
    ("PIE03", "Harbour Coffee Brighton", 2, "HC-SOUTH", "", "3 Pier Road, Brighton"),
    ("LOF04", "Harbour Coffee Lofoten", 2, "HC-NORTH", "Europe/Oslo", "Kaigata 4, Svolvær"),
    ("ROW", "Whitby Rowing Club", 3, "HBR01", "", "The Boathouse, Whitby"),
    ("KIOSK", "Station kiosk", 2, "HC-SOUTH", "", "Platform 2, Lewes"),
    ("NW", "Northwind Outdoor", 0, "", "Australia/Sydney", "88 Ridge Road, Katoomba"),
    ("NW-WALK", "Katoomba Walkers", 3, "NW", "Australia/Sydney", ""),
)
_ARCHIVED = "KIOSK"
_AGO = timedelta(days=78)


def build(builder: Builder) -> None:
    """Everything people belong to."""
    _organisations(builder)


def _organisations(builder: Builder) -> dict[str, int]:
    types = []
    for title in _TYPES:
        kind = organisation_types.CreateOrganisationType(title=title)
        types.append(builder.do(Role.EDITOR, _AGO, partial(organisation_types.create, command=kind)).id)
    ids = {}
    for external_id, title, number, parent, timezone, address in _TREE:
        command = organisations.CreateOrganisation(
            external_id=external_id,
            title=title,
            type_id=types[number],
            parent=parent,
            timezone=timezone,
            address=address,
        )
        ids[external_id] = builder.do(Role.EDITOR, _AGO, partial(organisations.create, command=command)).id
    archive = organisations.ArchiveOrganisation(ids[_ARCHIVED])
    builder.do(Role.EDITOR, timedelta(days=20), partial(organisations.archive, command=archive))
    return ids
