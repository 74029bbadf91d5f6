"""What the people of the sample programme belong to: organisations in a tree, groups, modules they completed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from webapp.domain.groups import GroupKind, Registration
from webapp.domain.modules import LapseUnit
from webapp.domain.permissions import Role
from webapp.queries import profiles as read_profiles
from webapp.services import groups, locations, modules, organisation_types, organisations, tiers

if TYPE_CHECKING:
    from webapp.demo.programme import Builder
    from webapp.models import Site

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
# Path, title, lapses after, counted in.
_MODULES = (
    ("/barista/basics/m1", "Espresso basics", 12, LapseUnit.MONTHS),
    ("/barista/basics/m2", "Milk and foam", 90, LapseUnit.DAYS),
    ("/barista/safety/m1", "Hygiene at the counter", 2, LapseUnit.YEARS),
    ("/barista/history/m1", "Where coffee comes from", None, LapseUnit.MONTHS),
    ("/barista/old/m1", "The old till", 1, LapseUnit.MONTHS),
)
_SHOPS = ("HBR01", "QAY02", "PIE03", "LOF04", "ROW", "NW-WALK", "")
_TIERS = (("Sailor", 1), ("Mate", 2), ("Captain", 3), ("Admiral", 4))
# External id, title, external id of the organisation, zone, whether people see it.
_LOCATIONS = (
    ("HBR01-BAR", "Quay Street counter", "HBR01", "", True),
    ("HBR01-CART", "Harbour cart", "HBR01", "", True),
    ("QAY02-BAR", "Front Street counter", "QAY02", "", True),
    ("PIE03-BAR", "Pier Road counter", "PIE03", "", True),
    ("LOF04-BAR", "Svolvær counter", "LOF04", "Europe/Oslo", True),
    ("ROAST", "Roastery, staff only", "HC", "", False),
    ("MARKET", "Saturday market stall", "", "", True),
)
_CLOSED = "MARKET"
_ARCHIVED = "KIOSK"
_AGO = timedelta(days=78)


def build(builder: Builder, site: Site) -> None:
    """Everything people belong to; the entrants are there already, the modules are of ``site``."""
    _organisations(builder)
    with builder.sessions() as session:
        place = read_profiles.EXPORT.index("external_id")
        people = [str(row[place]) for row in read_profiles.stream(session) if row[place]]
    _groups(builder, people)
    _modules(builder, site, people)
    _tiers(builder)
    _locations(builder)


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


def _groups(builder: Builder, people: Sequence[str]) -> None:
    made = []
    for title, kind, registration, notes in _GROUPS:
        command = groups.CreateGroup(title=title, kind=kind, registration=registration, notes=notes)
        made.append(builder.do(Role.EDITOR, _AGO, partial(groups.create, command=command)))
    for number, group in enumerate(made):
        rows = [
            groups.MembershipRow(group.name, member_id, "", _SHOPS[(place + number) % len(_SHOPS)])
            for place, member_id in enumerate(people[number * 20 : number * 20 + 90])
        ]
        builder.do(Role.EDITOR, timedelta(days=60 - number), partial(groups.join, membership_rows=rows))
    last = groups.ArchiveGroup(made[-1].id)
    builder.do(Role.EDITOR, timedelta(days=10), partial(groups.archive, command=last))


def _modules(builder: Builder, site: Site, people: Sequence[str]) -> None:
    """Completions that hold, that lapsed, and that never lapse; the last module is archived."""
    for number, (path, title, after, unit) in enumerate(_MODULES):
        command = modules.CreateModule(site_id=site.id, path=path, title=title, lapses_after=after, lapses_unit=unit)
        module = builder.do(Role.EDITOR, _AGO, partial(modules.create, command=command))
        rows = [
            modules.CompletionRow(
                f"{site.name}:{path}", member_id, "", builder.now - timedelta(days=3 + 7 * place), 60 + place % 41
            )
            for place, member_id in enumerate(people[number * 5 : number * 5 + 70])
        ]
        builder.do(Role.EDITOR, timedelta(days=2), partial(modules.complete, completion_rows=rows))
    last = modules.ArchiveModule(module.id)
    builder.do(Role.EDITOR, timedelta(days=1), partial(modules.archive, command=last))


def _tiers(builder: Builder) -> None:
    for title, rank in _TIERS:
        command = tiers.CreateTier(title=title, rank=rank)
        builder.do(Role.EDITOR, _AGO, partial(tiers.create, command=command))


def _locations(builder: Builder) -> None:
    for external_id, title, organisation, timezone, is_published in _LOCATIONS:
        command = locations.CreateLocation(
            external_id=external_id,
            title=title,
            organisation=organisation,
            timezone=timezone,
            is_published=is_published,
        )
        location = builder.do(Role.EDITOR, _AGO, partial(locations.create, command=command))
        if external_id == _CLOSED:
            last = locations.CloseLocation(location.id)
            builder.do(Role.EDITOR, timedelta(days=30), partial(locations.close, command=last))
