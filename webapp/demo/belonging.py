"""What the people of the sample programme belong to: organisations in a tree, in use and archived."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from webapp.domain.groups import GroupKind, Registration
from webapp.domain.permissions import Role
from webapp.queries import profiles as read_profiles
from webapp.services import groups, organisation_types, organisations

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
# Title, kind, who comes in, notes.
_GROUPS = (
    ("Baristas", GroupKind.PRIMARY, Registration.CLOSED, "Everybody who works at a counter."),
    ("Regulars", GroupKind.PRIMARY, Registration.REVIEWED, "Ten cups or more a month."),
    ("Harbour news", GroupKind.MAILING_LIST, Registration.OPEN, "One letter a month."),
    ("Beans by post", GroupKind.SUBSCRIPTION, Registration.OPEN, ""),
    ("Summer 2025", GroupKind.PRIMARY, Registration.CLOSED, "Over; kept for its history."),
)
_SHOPS = ("HBR01", "QAY02", "PIE03", "LOF04", "ROW", "NW-WALK", "")
_ARCHIVED = "KIOSK"
_AGO = timedelta(days=78)


def build(builder: Builder) -> None:
    """Everything people belong to; the entrants are there already."""
    _organisations(builder)
    _groups(builder)


def _organisations(builder: Builder) -> None:
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


def _groups(builder: Builder) -> None:
    made = []
    for title, kind, registration, notes in _GROUPS:
        command = groups.CreateGroup(title=title, kind=kind, registration=registration, notes=notes)
        made.append(builder.do(Role.EDITOR, _AGO, partial(groups.create, command=command)))
    with builder.sessions() as session:
        place = read_profiles.EXPORT.index("external_id")
        people = [str(row[place]) for row in read_profiles.stream(session) if row[place]]
    for number, group in enumerate(made):
        rows = [
            groups.MembershipRow(group.name, member_id, "", _SHOPS[(place + number) % len(_SHOPS)])
            for place, member_id in enumerate(people[number * 20 : number * 20 + 90])
        ]
        builder.do(Role.EDITOR, timedelta(days=60 - number), partial(groups.join, membership_rows=rows))
    last = groups.ArchiveGroup(made[-1].id)
    builder.do(Role.EDITOR, timedelta(days=10), partial(groups.archive, command=last))
