"""What the rows of a file can be, and what their columns are called here and elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from webapp.domain.definition_columns import DEFINITION_COLUMNS
from webapp.domain.groups import GroupKind, Registration
from webapp.domain.import_kinds import Cell, Column, ImportKind
from webapp.domain.modules import LapseUnit
from webapp.domain.people import AttributeKind
from webapp.domain.person_columns import CONSENT_COLUMNS, PERSON_COLUMNS, fact_column
from webapp.domain.place_columns import PLACE_COLUMNS
from webapp.domain.reward_columns import REWARD_COLUMNS

__all__ = ["COLUMNS", "KEYS", "NAME_PEOPLE", "ROWS", "TITLES", "Cell", "Column", "ImportKind", "columns"]


_PEOPLE = (
    Column(
        "external_id",
        "Member ID",
        ("memberid", "member", "membernumber", "memberno", "externalid", "customerid", "cardnumber", "userid"),
        "Tells a person apart; without it the e-mail does.",
    ),
    Column("first_name", "First name", ("firstname", "forename", "givenname", "first")),
    Column("last_name", "Surname", ("surname", "lastname", "familyname", "last")),
    Column("email", "E-mail", ("email", "emailaddress", "mail", "mailaddress")),
    Column("phone", "Mobile", ("mobile", "phone", "telephone", "mobilephone", "mobilenumber", "phonenumber", "tel")),
    Column("postcode", "Postcode", ("postcode", "zip", "zipcode", "postalcode", "plz")),
)
_ENTRY = (
    Column("store", "Store", ("store", "shop", "branch", "outlet", "location")),
    Column(
        "entered_at",
        "Entered at",
        ("enteredat", "entered", "entrydate", "entrytime", "date", "datetime", "timestamp", "submittedat", "createdat"),
        "An ISO date and time; without a zone it is read in the zone of the site.",
    ),
    Column(
        "receipt",
        "Receipt",
        ("receipt", "receiptno", "receiptnumber", "receiptid", "reference", "transaction", "transactionid"),
        "The same receipt counts once.",
    ),
    Column(
        "tickets", "Entries", ("entries", "tickets", "chances", "weight", "count"), "How many tickets; 1 when left out."
    ),
)
_WHO = (
    Column(
        "external_id",
        "Member ID",
        _PEOPLE[0].synonyms,
        "Who; without it the e-mail says.",
        Cell.KEY,
        64,
    ),
    Column("email", "E-mail", ("email", "emailaddress", "mail", "mailaddress"), "", Cell.KEY, 254),
)
_ARCHIVED = Column(
    "archived_at",
    "Archived at",
    ("archivedat", "archived"),
    "When it went out of use; what belongs to it comes in first. An empty cell brings nothing back.",
    Cell.MOMENT,
    40,
)
_ORGANISATION = (
    Column(
        "external_id",
        "Organisation ID",
        ("externalid", "organisationid", "organizationid", "orgid", "id"),
        "Says which organisation; a new id makes a new one.",
        Cell.KEY,
        64,
        is_needed=True,
    ),
    Column("title", "Title", ("title", "name", "organisation", "organization", "organisationname"), is_needed=True),
    Column(
        "parent",
        "Parent ID",
        ("parent", "parentid", "parentexternalid", "parentorganisation", "parentorgid"),
        "The id of the one above; empty stands at the top.",
        Cell.KEY,
        64,
    ),
    Column("type", "Type", ("type", "organisationtype", "orgtype"), "The name of a type.", Cell.KEY, 60),
    Column("timezone", "Time zone", ("timezone", "zone", "tz"), "Such as Europe/London.", most=64),
    Column("address", "Address", ("address", "postaladdress"), most=400),
    _ARCHIVED,
)
_GROUP = (
    Column("name", "Name", ("name", "group", "groupname", "handle"), "Says which group.", Cell.KEY, 60, is_needed=True),
    Column("title", "Title", ("title", "grouptitle"), most=120, is_needed=True),
    Column(
        "kind",
        "Kind",
        ("kind", "grouptype", "type"),
        "primary, mailing list or subscription.",
        choices=tuple(map(str, GroupKind)),
    ),
    Column(
        "registration",
        "Registration",
        ("registration", "registrationmode"),
        "open, reviewed or closed.",
        choices=tuple(map(str, Registration)),
    ),
    Column("notes", "Notes", ("notes", "note", "remarks"), "", Cell.PARAGRAPH, 2_000),
    _ARCHIVED,
)
_FACT = (
    Column(
        "name",
        "Name",
        ("name", "fact"),
        "Says which, such as coffee.favourite-roast; it heads the column in files of people.",
        Cell.KEY,
        80,
        is_needed=True,
    ),
    Column("title", "Title", ("title",), "As forms ask for it.", most=120, is_needed=True),
    Column(
        "kind",
        "Kind",
        ("kind", "type"),
        f"{', '.join(AttributeKind)}.",
        is_needed=True,
        choices=tuple(map(str, AttributeKind)),
    ),
    Column("choices", "Choices", ("choices",), "Of a choice only: one on each line.", Cell.PARAGRAPH, 8_000),
    _ARCHIVED,
)
_MEMBERSHIP = (
    *_WHO,
    Column("group", "Group", ("group", "groupname", "groupid"), "The name of a group.", Cell.KEY, 60, is_needed=True),
    Column(
        "organisation",
        "Organisation ID",
        ("organisation", "organisationid", "organization", "orgid", "withinorg", "within"),
        "Within which organisation; empty for none.",
        Cell.KEY,
        64,
    ),
    Column(
        "joined_at", "Joined at", ("joinedat", "joined", "since", "date"), "The upload when left out.", Cell.MOMENT, 40
    ),
)
_MODULE = (
    Column("module", "Module", ("module", "path", "address"), "Such as club:/p1/c1/m1.", Cell.KEY, 261, is_needed=True),
    Column("title", "Title", ("title", "name", "moduletitle"), is_needed=True),
    Column("lapses_after", "Lapses after", ("lapsesafter", "validfor"), "Empty: never.", Cell.WHOLE, 4),
    Column(
        "lapses_unit",
        "Lapses unit",
        ("lapsesunit", "unit"),
        "days, months or years.",
        choices=tuple(map(str, LapseUnit)),
    ),
    _ARCHIVED,
)
_COMPLETION = (
    *_WHO,
    Column("module", "Module", ("module", "path"), "Such as club:/p1/c1/m1.", Cell.KEY, 261, is_needed=True),
    Column(
        "completed_at",
        "Completed at",
        ("completedat", "completed", "date", "datetime", "timestamp"),
        "An ISO date and time.",
        Cell.MOMENT,
        40,
        is_needed=True,
    ),
    Column("score", "Score", ("score", "scoreperc", "percent", "result"), "Per cent.", Cell.WHOLE, 3),
    Column(
        "lapses_at",
        "Lapses at",
        ("lapsesat", "lapses", "validuntil", "expires", "expiresat"),
        "As the module says when left out; an empty cell is never.",
        Cell.END,
        40,
    ),
)
COLUMNS: dict[ImportKind, tuple[Column, ...]] = {
    ImportKind.ENTRIES: _PEOPLE + _ENTRY,
    ImportKind.FACTS: _FACT,
    ImportKind.PROFILES: PERSON_COLUMNS,
    ImportKind.ORGANISATIONS: _ORGANISATION,
    ImportKind.GROUPS: _GROUP,
    ImportKind.MEMBERSHIPS: _MEMBERSHIP,
    ImportKind.MODULES: _MODULE,
    ImportKind.COMPLETIONS: _COMPLETION,
    **PLACE_COLUMNS,
    ImportKind.DEFINITIONS: DEFINITION_COLUMNS,
    ImportKind.REWARDS: REWARD_COLUMNS,
}


def columns(kind: ImportKind, facts: Sequence[tuple[str, str]] = ()) -> tuple[Column, ...]:
    """What a row of this kind can tell. ``facts`` are name and title of the further facts people may have."""
    if kind is not ImportKind.PROFILES:
        return COLUMNS[kind]
    return (*PERSON_COLUMNS, *(fact_column(name, title) for name, title in facts), *CONSENT_COLUMNS)


# Which columns make two rows of one file the same thing.
KEYS: dict[ImportKind, tuple[str, ...]] = {
    ImportKind.FACTS: ("name",),
    ImportKind.ORGANISATIONS: ("external_id",),
    ImportKind.GROUPS: ("name",),
    ImportKind.MEMBERSHIPS: ("external_id", "email", "group", "organisation"),
    ImportKind.MODULES: ("module",),
    ImportKind.COMPLETIONS: ("external_id", "email", "module", "completed_at"),
    ImportKind.TIERS: ("name",),
    ImportKind.LOCATIONS: ("external_id",),
    ImportKind.ORGANISATION_TYPES: ("name",),
    ImportKind.SITES: ("name",),
    ImportKind.DEFINITIONS: ("handle",),
    ImportKind.REWARDS: ("name",),
}
# What rows are called where they are counted.
ROWS: dict[ImportKind, tuple[str, str]] = {
    ImportKind.ENTRIES: ("entry", "entries"),
    ImportKind.FACTS: ("fact", "facts"),
    ImportKind.PROFILES: ("person", "people"),
    ImportKind.ORGANISATIONS: ("organisation", "organisations"),
    ImportKind.GROUPS: ("group", "groups"),
    ImportKind.MEMBERSHIPS: ("membership", "memberships"),
    ImportKind.MODULES: ("module", "modules"),
    ImportKind.COMPLETIONS: ("completion", "completions"),
    ImportKind.TIERS: ("tier", "tiers"),
    ImportKind.LOCATIONS: ("location", "locations"),
    ImportKind.ORGANISATION_TYPES: ("type", "types"),
    ImportKind.SITES: ("site", "sites"),
    ImportKind.DEFINITIONS: ("definition", "definitions"),
    ImportKind.REWARDS: ("reward", "rewards"),
}
# What a kind is called where files of it are chosen.
TITLES: dict[ImportKind, str] = {
    **{kind: many.capitalize() for kind, (_, many) in ROWS.items()},
    ImportKind.FACTS: "Further facts",
    ImportKind.ORGANISATION_TYPES: "Types of organisations",
    ImportKind.DEFINITIONS: "Benefit definitions",
}
# Kinds whose rows say whom they belong to.
NAME_PEOPLE = (ImportKind.ENTRIES, ImportKind.PROFILES, ImportKind.MEMBERSHIPS, ImportKind.COMPLETIONS)
