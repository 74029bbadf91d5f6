"""The rail and the top bar: what this person may open, and where they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from flask import Flask, current_app, g, request, url_for

from webapp.adapters import clock
from webapp.domain import saved_views as rules
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import saved_views as read
from webapp.web.access import actor
from webapp.web.filters import account_zone, iso, zone_sign
from webapp.web.paging import text


class Item(NamedTuple):
    """One line of the rail. What it needs is what its view ``requires``, so the two cannot disagree."""

    label: str
    icon: str
    endpoint: str


# product.md section 2; the rule is drawn between the groups.
RAIL: tuple[tuple[Item, ...], ...] = (
    (
        Item("Today", "inbox", "today.index"),
        Item("People", "users", "profiles.index"),
        Item("Benefits", "gift", "benefit_definitions.index"),
        Item("Till", "scan-line", "till.index"),
        Item("Vouchers", "ticket", "voucher_types.index"),
        Item("Rewards", "trophy", "rewards.index"),
        Item("Fulfilment", "package", "fulfilment.index"),
        Item("Messages", "mail", "notifications.index"),
        Item("Reports", "chart-column", "reports.index"),
    ),
    (
        Item("Sites", "globe", "sites.index"),
        Item("Imports & exports", "arrow-left-right", "imports.index"),
        Item("Jobs", "list-checks", "jobs.index"),
        Item("Audit", "scroll-text", "audit.index"),
        Item("Staff", "user-cog", "staff.index"),
        Item("Settings", "settings", "settings.index"),
        Item("Help", "circle-question-mark", "help.index"),
    ),
)
# The lists that share the line «People» of the rail, as tabs.
PEOPLE: tuple[Item, ...] = (
    Item("People", "users", "profiles.index"),
    Item("Organisations", "building-2", "organisations.index"),
    Item("Groups", "users", "groups.index"),
    Item("Modules", "circle-check", "modules.index"),
    Item("Tiers", "medal", "tiers.index"),
    Item("Locations", "map-pin", "locations.index"),
)
# The lists of benefits, as tabs.
BENEFITS: tuple[Item, ...] = (
    Item("Definitions", "gift", "benefit_definitions.index"),
    Item("Issued", "gift", "benefits.index"),
    Item("Batches", "gift", "benefit_batches.index"),
    Item("Targets", "mail", "targets.index"),
)
_BELOW = {
    "benefits": "benefit_definitions",
    "benefit_batches": "benefit_definitions",
    "targets": "benefit_definitions",
    "exports": "imports",
    "vouchers": "voucher_types",
    "organisations": "profiles",
    "organisation_types": "profiles",
    "groups": "profiles",
    "modules": "profiles",
    "tiers": "profiles",
    "locations": "profiles",
}  # screens that have no line of their own: the line they belong to
_OF_SITES = frozenset({"profiles.index", "modules.index"})  # the others belong to the whole account
_AUDIT = Permission.AUDIT_VIEW
_INSECURE = "Insecure local mode: sign-in travels unencrypted. Use it on this machine only, never on a network."
_OPTIONAL = "The second factor is optional: draw supervisors and administrators may sign in with a password alone."
_SMALL_TEAM = "Small-team mode is on: one person may hold conflicting roles, and every draw certificate says so."


@dataclass(frozen=True, slots=True)
class Link:
    """One line of the rail as the layout draws it."""

    label: str
    icon: str
    url: str
    current: bool
    badge: str | None = None


def register(app: Flask) -> None:
    """Give every template the facts its layout reads."""
    app.jinja_env.globals.setdefault("static_url", _static_url)
    app.context_processor(_context)


def _static_url(filename: str) -> str:
    return url_for("static", filename=filename)


def navigation() -> list[list[Link]]:
    """The groups of the rail, without what is not installed or not this person's; empty groups fall away."""
    groups = [[_link(item) for item in map(_opened, group) if may_open(item.endpoint)] for group in RAIL]
    return [group for group in groups if group]


def people_tabs(current: str) -> list[dict[str, Any]]:
    """The tabs of the People page that this person may open; ``current`` is the blueprint of the one on screen."""
    return [
        {"label": item.label, "url": url_for(item.endpoint), "current": item.endpoint == f"{current}.index"}
        for item in PEOPLE
        if _reaches(item)
    ]


def benefit_tabs(current: str) -> list[dict[str, Any]]:
    """What benefits are made from, and the benefits people hold; ``current`` is the blueprint of the one on screen."""
    return [
        {"label": item.label, "url": url_for(item.endpoint), "current": item.endpoint == f"{current}.index"}
        for item in BENEFITS
        if may_open(item.endpoint)
    ]


def saved_views() -> dict[str, Any] | None:
    """The views of the list on screen with their addresses, and where what it shows now is saved; one statement."""
    screen, _, view = str(request.endpoint).partition(".")
    if screen not in rules.SCREENS or view != "index":
        return None
    mine = actor().staff_id or 0
    now = rules.normalised(request.query_string.decode("ascii", "replace"))
    views = [
        {
            "title": row.title,
            "url": f"{request.path}?{row.query}",
            "current": row.query == now,
            "owner": "" if row.staff_id == mine else row.owner,
        }
        for row in read.page(db.session(), mine, [screen])
    ]
    save = url_for("saved_views.new", screen=screen.replace("_", "-"))
    return {"views": views, "save_url": f"{save}?{now}" if now else save}


def _reaches(item: Item) -> bool:
    """Whether the person may open a tab; what belongs to the whole account asks for a role on every site."""
    view = current_app.view_functions.get(item.endpoint)
    permission = getattr(view, "permission", Permission.PUBLIC)
    if not may_open(item.endpoint) or item.endpoint in _OF_SITES:
        return may_open(item.endpoint)
    if getattr(view, "within", False):
        return actor().organisations(permission) != frozenset()
    return actor().sites(permission) is None


def _opened(item: Item) -> Item:
    """«People» leads to the first of its tabs that is open to this person, «Imports & exports» to the one or the other."""
    if item.endpoint == "imports.index" and not may_open(item.endpoint):
        return item._replace(endpoint="exports.index")
    if item.endpoint != PEOPLE[0].endpoint:
        return item
    return next((item._replace(endpoint=tab.endpoint) for tab in PEOPLE if _reaches(tab)), item)


def _link(item: Item) -> Link:
    here, there = (str(name or "").partition(".")[0] for name in (request.endpoint, item.endpoint))
    return Link(item.label, item.icon, url_for(item.endpoint), _BELOW.get(here, here) == _BELOW.get(there, there))


def may_open(endpoint: str, site_id: int | None = None) -> bool:
    """Whether this person may open the screen, on this site or on any: its view says what it needs."""
    view = current_app.view_functions.get(endpoint)
    permission = getattr(view, "permission", None)
    if permission is None:
        return False
    if permission in (Permission.PUBLIC, Permission.SIGNED_IN):
        return True
    return actor().may(permission, site_id, within=getattr(view, "within", False))


def log_url(table: str, row_id: int, site_id: int | None = None) -> str | None:
    """Where the audit log tells of one thing; None for whoever may not read it there. What is of no site needs every site."""
    person = actor()
    sees = person.sites(_AUDIT) is None if site_id is None else person.may(_AUDIT, site_id)
    return url_for("audit.index", subject=f"{table}:{row_id}") if person.may(_AUDIT) and sees else None


def _context() -> dict[str, Any]:
    person = g.get("staff")
    has_accounts = "auth.sign_out" in current_app.view_functions
    return {
        "navigation": navigation,
        "log_url": log_url,
        "people_tabs": people_tabs,
        "benefit_tabs": benefit_tabs,
        "saved_views": saved_views,
        "actor": person,
        "clock": _clock(clock.now()),
        "theme": _theme(),
        "banner": _banner(),
        "search_url": url_for("search.index") if person and "search.index" in current_app.view_functions else None,
        "search_text": text("q") if request.endpoint == "search.index" else "",
        "sign_out_url": url_for("auth.sign_out") if person and has_accounts else None,
        "account_url": url_for("account.show") if person else None,
        "site_url": _site_url() if person and person.has_sites else None,
    }


def _site_url() -> str:
    """Where the site of the lists is chosen, and the way back to this page."""
    here = request.full_path.rstrip("?") if request.method == "GET" and request.endpoint != "account.site" else None
    return url_for("account.site", next=here)


def _clock(now: datetime) -> dict[str, str]:
    local = now.astimezone(ZoneInfo(account_zone()))
    return {"iso": iso(now), "text": f"{local.day} {local:%b, %H:%M}", "zone": zone_sign(local)}


def _theme() -> str:
    chosen = request.cookies.get("theme", "")
    return chosen if chosen in {"light", "dark"} else ""


def _banner() -> str | None:
    person = g.get("staff")
    notices = [
        _INSECURE if current_app.extensions["largesse"].insecure_local else "",
        _SMALL_TEAM if person is not None and person.is_small_team else "",
        _OPTIONAL if person is not None and person.is_second_factor_optional else "",
    ]
    return " ".join(notice for notice in notices if notice) or None
