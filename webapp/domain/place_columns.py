"""What the rows of files of tiers, locations, types of organisations and sites can tell."""

from __future__ import annotations

from webapp.domain.import_kinds import Cell, Column, ImportKind

_NAME = Column("name", "Name", ("name", "handle"), "Says which; it never changes.", Cell.KEY, 60, is_needed=True)
_TITLE = Column("title", "Title", ("title",), most=120, is_needed=True)
_ZONE_NAMES = ("timezone", "zone", "tz")

PLACE_COLUMNS: dict[ImportKind, tuple[Column, ...]] = {
    ImportKind.TIERS: (
        _NAME,
        _TITLE,
        Column("rank", "Rank", ("rank", "order"), "The highest is the best.", Cell.WHOLE, 4, is_needed=True),
    ),
    ImportKind.LOCATIONS: (
        Column(
            "external_id",
            "Location ID",
            ("externalid", "locationid", "storeid", "id"),
            "Says which location; a new id makes a new one.",
            Cell.KEY,
            64,
            is_needed=True,
        ),
        Column("title", "Title", ("title", "name", "location", "store"), is_needed=True),
        Column("timezone", "Time zone", _ZONE_NAMES, "Such as Europe/London.", most=64),
        Column(
            "organisation",
            "Organisation ID",
            ("organisation", "organisationid", "organization", "orgid"),
            "Whose it is; empty for nobody\u2019s.",
            Cell.KEY,
            64,
        ),
        Column("is_published", "Shown to people", ("ispublished", "published"), "yes or no.", Cell.YES_NO, 5),
        Column("closed_at", "Closed at", ("closedat", "closed"), "For good.", Cell.MOMENT, 40),
    ),
    ImportKind.ORGANISATION_TYPES: (_NAME, _TITLE),
    ImportKind.SITES: (
        _NAME,
        _TITLE,
        Column("organiser", "Organiser", ("organiser", "organizer"), most=120, is_needed=True),
        Column("timezone", "Time zone", _ZONE_NAMES, "Such as Europe/London.", most=64, is_needed=True),
        Column("staff_domains", "Staff domains", ("staffdomains",), "Separated by commas.", most=500),
        Column("created_at", "Created at", ("createdat",), "Kept for new sites.", Cell.MOMENT, 40),
    ),
}
