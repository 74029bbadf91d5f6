"""What was asked of the log, as filters and chips, and where the things it names can be seen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from webapp.domain.timing import day_ends, day_starts, listed_day
from webapp.queries import audit as read
from webapp.web import paging
from webapp.web.filters import account_zone, day
from webapp.web.navigation import may_open

_SUBJECT = re.compile("([a-z_]+):([0-9]+)", re.ASCII)  # a table and an id, as `Event.subject` has them
_ADDRESS = re.compile(r"[0-9A-Fa-f.:%]{2,64}", re.ASCII)

# The noun before the dot of an event, and its word in the filter.
GROUPS: dict[str, str] = {
    "profile": "People",
    "attribute": "Further facts",
    "staff": "Staff",
    "settings": "Settings",
    "site": "Sites",
    "organisation-type": "Organisation types",
    "organisation": "Organisations",
    "group": "Groups",
    "module": "Modules",
    "tier": "Tiers",
    "location": "Locations",
    "voucher-type": "Voucher types",
    "vouchers": "Vouchers",
    "voucher": "Single vouchers",
    "definition": "Benefit definitions",
    "benefit": "Benefits",
    "benefit-batch": "Batches of benefits",
    "benefit-extension": "Extensions taken back",
    "benefits": "Benefits together",
    "target": "Targets",
    "notice": "Notices sent again",
    "notices": "Notices planned anew",
    "reward": "Rewards",
    "import": "Imports",
    "export": "Exports",
    "entries": "Reviews of entries",
    "entry": "Single entries",
    "draw": "Draws",
    "winner": "Winners",
    "slot": "Vacant prizes",
    "job": "Jobs",
    "message": "Messages sent again",
    "view": "Shared views",
}
# The table a subject names → the screen that shows it and the name of its part of the address.
_SCREENS: dict[str, tuple[str, str]] = {
    "benefit_definitions": ("benefit_definitions.show", "definition_id"),
    "benefit_batches": ("benefit_batches.show", "batch_id"),
    "benefits": ("benefits.show", "benefit_id"),
    "draws": ("draws.show", "name"),
    "import_runs": ("imports.show", "run_id"),
    "jobs": ("jobs.show", "job_id"),
    "profiles": ("profiles.show", "profile_id"),
    "groups": ("groups.show", "group_id"),
    "locations": ("locations.show", "location_id"),
    "modules": ("modules.show", "module_id"),
    "organisation_types": ("organisation_types.show", "organisation_type_id"),
    "organisations": ("organisations.show", "organisation_id"),
    "rewards": ("rewards.show", "name"),
    "sites": ("sites.show", "name"),
    "staff_members": ("staff.show", "staff_id"),
    "targets": ("targets.show", "target_id"),
    "tiers": ("tiers.show", "tier_id"),
    "voucher_types": ("voucher_types.show", "voucher_type_id"),
    "vouchers": ("vouchers.show", "voucher_id"),
    "winners": ("fulfilment.show", "winner_id"),
}
# What one row of a table is called.
_CALLED: dict[str, str] = {
    "account_settings": "settings",
    "attribute_definitions": "further fact",
    "benefit_batches": "batch of benefits",
    "entries": "entry",
    "import_runs": "import",
    "export_runs": "export",
    "outbox_messages": "message",
    "profiles": "person",
    "saved_views": "view",
    "staff_members": "member of staff",
    "voucher_batches": "batch of codes",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters of the address: for the query, and as they were written."""

    filters: read.Filters
    values: dict[str, str]

    def chips(self, people: Mapping[int, str], sites: Mapping[int, str]) -> list[dict[str, str]]:
        """One chip for each filter, with the address that lacks it."""
        shown = {
            "staff": ("Person", people.get(self.filters.staff_id or 0, "somebody else")),
            "what": ("About", GROUPS.get(self.filters.group, "")),
            "site": ("Site", sites.get(self.filters.site_id or 0, "another site")),
            "subject": ("Only", _named(self.filters.subject, people)),
            "address": ("Address", self.filters.address),
            "since": ("From", self._day("since")),
            "until": ("To", self._day("until")),
        }
        return [
            {"label": shown[name][0], "value": shown[name][1], "remove_url": self._without(name)}
            for name in self.values
        ]

    def _day(self, name: str) -> str:
        return day(listed_day(self.values.get(name, "")))

    def _without(self, name: str) -> str:
        kept: dict[str, Any] = {key: value for key, value in self.values.items() if key != name}
        return url_for(".index", **kept)


def asked() -> Asked:
    """Reads the address; what makes no sense is not there, and the list says so."""
    since, until = paging.day("since"), paging.day("until")
    filters = read.Filters(
        staff_id=paging.number("staff"),
        group=paging.choice("what", GROUPS) or "",
        subject=paging.matching("subject", _SUBJECT, 80, "profiles:12"),
        address=paging.matching("address", _ADDRESS, 64, "203.0.113.7"),
        site_id=paging.number("site"),
        since=day_starts(since, account_zone()),
        until=day_ends(until, account_zone()),
    )
    given = {
        "staff": filters.staff_id,
        "what": filters.group,
        "site": filters.site_id,
        "subject": filters.subject,
        "address": filters.address,
        "since": since,
        "until": until,
    }
    return Asked(filters, {name: str(value) for name, value in given.items() if value not in (None, "")})


def _named(subject: str, people: Mapping[int, str]) -> str:
    """A member of staff by name; what has no name here by its number, as its page and its address have it."""
    table, _, number = subject.partition(":")
    known = people.get(int(number[:10])) if table == "staff_members" else None
    return known or called(subject)


def called(subject: str) -> str:
    """«person 12», «voucher type 3»."""
    noun = _noun(subject)
    return noun if noun == "settings" else f"{noun} {subject.partition(':')[2]}"


def _this(subject: str) -> str:
    noun = _noun(subject)
    return f"the {noun}" if noun == "settings" else f"this {noun}"


def _noun(subject: str) -> str:
    table = subject.partition(":")[0]
    return _CALLED.get(table) or table.removesuffix("s").replace("_", " ")


def narrower(row: read.AuditRow, question: Asked) -> list[tuple[str, str]]:
    """Where this list is narrowed to what a row is about, or to where it came from."""
    found = []
    for words, name, value in (
        (f"Only {_this(row.subject)}", "subject", row.subject),
        (row.address, "address", row.address),
    ):
        if value and question.values.get(name) != value and (name != "subject" or _SUBJECT.fullmatch(value)):
            values: dict[str, Any] = {**question.values, name: value}
            found.append((words, url_for(".index", **values)))
    return found


def addresses(session: Session, rows: Sequence[read.AuditRow]) -> dict[str, str]:
    """Subject → address, for what this person may open."""
    found = {}
    for subject, (name, site_id) in read.whereabouts(session, {row.subject for row in rows}).items():
        endpoint, part = _SCREENS[subject.partition(":")[0]]
        if may_open(endpoint, site_id):
            values: dict[str, Any] = {part: name}
            found[subject] = url_for(endpoint, **values)
    return found
