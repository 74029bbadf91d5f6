"""The list of people, and everything about one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from webapp.adapters import clock
from webapp.domain.entries import WORDS
from webapp.domain.identity import Reach, Where
from webapp.domain.people import attribute_text, birth_in_words, consents_in_words
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import benefits as read_benefits
from webapp.queries import histories, reaches
from webapp.queries import people as read_person
from webapp.queries import profiles as read
from webapp.queries import search as read_search
from webapp.queries.histories import Moment
from webapp.web.access import actor, listed, listed_where, requires, scope, where
from webapp.web.exporting import offer
from webapp.web.filters import ICONS, iso, moment
from webapp.web.paging import number, text
from webapp.web.rendering import go, render

if TYPE_CHECKING:
    from webapp.models import Profile

bp = Blueprint("profiles", __name__, url_prefix="/profiles")
LATEST = 12  # of the history, beside the facts
TABS = {
    "show": "Facts",
    "entries": "Entries and prizes",
    "benefits": "Benefits and vouchers",
    "learning": "Learning",
    "messages": "Messages",
    "history": "History",
}
OF_ORGANISATIONS = frozenset({"show", "benefits", "history"})  # what is of a person, and the benefits they hold


@bp.get("")
@requires(Permission.PROFILES_VIEW, within=True)
def index() -> ResponseReturnValue:
    """People, the newest first, searched by how a name, e-mail, member id or phone begins.

    When nobody's does, whoever the box in the top bar finds: by a further word of a name, or in spite of a slip. An
    address finds whoever shares it as well.
    """
    search, reached = text("q"), listed_where(Permission.PROFILES_VIEW)
    before = number("before")
    rows = read.page(db.session(), reached, search=search, before=before)
    looks_near = before is None and (not rows or ("@" in search and len(rows) <= read.PAGE))
    known = {row.id for row in rows}
    near = read_search.people(db.session(), reached, search) if search and looks_near else []
    return render(
        "profiles/index.html",
        "profiles/_results.html",
        rows=rows[: read.PAGE],
        near=[person for person in near if person.id not in known],
        older=rows[read.PAGE - 1].id if len(rows) > read.PAGE else None,
        is_first=before is None,
        search=search,
        is_bound=isinstance(reached, Reach),
        may_create=actor().may(Permission.PROFILES_EDIT) and actor().sites(Permission.PROFILES_EDIT) is None,
    )


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.PROFILES_VIEW, confirmed=True)
def export() -> ResponseReturnValue:
    """The people of the list as a file."""
    sites, search = listed(Permission.PROFILES_VIEW), text("q")
    return offer("profiles", read.EXPORT, lambda session: read.stream(session, sites, search, as_listed=True))


@bp.get("/<int:profile_id>")
@requires(Permission.PROFILES_VIEW, within=True)
def show(profile_id: int) -> ResponseReturnValue:
    """Facts of one person and their latest history; a merged row leads to who it turned out to be."""
    return _tab(profile_id, "show", _facts)


@bp.get("/<int:profile_id>/entries")
@requires(Permission.PROFILES_VIEW)
def entries(profile_id: int) -> ResponseReturnValue:
    """What the person entered and won."""
    return _tab(profile_id, "entries", _entries)


@bp.get("/<int:profile_id>/benefits")
@requires(Permission.PROFILES_VIEW, within=True)
def benefits(profile_id: int) -> ResponseReturnValue:
    """The benefits and codes the person holds or held, and the benefits that went to somebody else."""
    return _tab(profile_id, "benefits", _benefits)


@bp.get("/<int:profile_id>/learning")
@requires(Permission.PROFILES_VIEW)
def learning(profile_id: int) -> ResponseReturnValue:
    """The modules the person completed."""
    return _tab(profile_id, "learning", _learning)


@bp.get("/<int:profile_id>/messages")
@requires(Permission.PROFILES_VIEW)
def messages(profile_id: int) -> ResponseReturnValue:
    """What was written to the person's addresses, without its words."""
    return _tab(profile_id, "messages", _messages)


@bp.get("/<int:profile_id>/history")
@requires(Permission.PROFILES_VIEW, within=True)
def history(profile_id: int) -> ResponseReturnValue:
    """Everything that happened to the person in one list."""
    return _tab(profile_id, "history", _history)


@dataclass(frozen=True, slots=True)
class Person:
    """Who a tab is about: the row, the rows merged into it, and where the viewer may look."""

    profile: Profile
    aliases: list[tuple[int, str | None]]
    where: Where

    @property
    def scope(self) -> frozenset[int] | None:
        """The sites of which the viewer may see anything, whoever it is of."""
        return reaches.whole(self.where)

    @property
    def ids(self) -> list[int]:
        return [self.profile.id, *(number for number, _ in self.aliases)]

    @property
    def addresses(self) -> list[str]:
        found = [self.profile.email, self.profile.email_key, *(address for _, address in self.aliases)]
        return sorted({address for address in found if address})


def _tab(profile_id: int, tab: str, read_tab: Callable[[Session, Person], dict[str, Any]]) -> ResponseReturnValue:
    """The frame of a person's page with one of its tabs; those that keep to no organisation are of whole sites."""
    session, is_open = db.session(), tab in OF_ORGANISATIONS
    reached = where(Permission.PROFILES_VIEW) if is_open else scope(Permission.PROFILES_VIEW)
    profile = read.get(session, profile_id, reached)
    if profile.merged_into_id is not None:
        return go(f".{tab}", profile_id=profile.merged_into_id)
    person = Person(profile, read_person.aliases(session, profile_id), reached)
    keeps = isinstance(reached, Reach) and not read.is_visible(session, profile_id, reached.sites)
    tabs = [
        {
            "label": "Benefits" if keeps and name == "benefits" else words,
            "url": url_for(f".{name}", profile_id=profile_id),
            "current": name == tab,
        }
        for name, words in TABS.items()
        if name in OF_ORGANISATIONS or not keeps
    ]
    facts = read_tab(session, person)
    may_edit = actor().may(Permission.PROFILES_EDIT, within=True) and profile.erased_at is None
    may_erase = scope(Permission.PROFILES_ERASE) is None and profile.erased_at is None
    return render(
        "profiles/show.html",
        profile=profile,
        tabs=tabs,
        tab=tab,
        sees_whole=not keeps,
        may_edit=may_edit,
        may_erase=may_erase,
        **facts,
    )


def _facts(session: Session, person: Person) -> dict[str, Any]:
    profile = person.profile
    return {
        "further": [address for _, address in person.aliases if address],
        "around": read_person.around(session, profile),
        "facts": [(title, attribute_text(value)) for title, value in read_person.facts(session, profile)],
        "identities": read_person.identities(session, profile.id),
        "memberships": read_person.memberships(session, profile.id, person.where),
        "consents": consents_in_words(profile.consents),
        "birth": birth_in_words(profile.birth_day, profile.birth_month, profile.birth_year),
        "moments": _told(histories.history(session, person.ids, person.where, clock.now(), size=LATEST)[:LATEST]),
    }


def _entries(session: Session, person: Person) -> dict[str, Any]:
    rows = read_person.entries(session, person.ids, person.scope)
    prizes = read_person.prizes(session, person.ids, person.scope)
    return {
        "entries": rows[: read_person.PAGE],
        "has_more": len(rows) > read_person.PAGE,
        "words": WORDS,
        "prizes": prizes,
    }


def _benefits(session: Session, person: Person) -> dict[str, Any]:
    rows = read_benefits.of_person(session, person.ids, person.where)
    vouchers = read_person.vouchers(session, person.ids, person.scope)
    return {
        "leads": actor().may(Permission.BENEFITS_VIEW),
        "benefits": rows[: read_benefits.PAGE],
        "has_more": len(rows) > read_benefits.PAGE,
        "gone": read_benefits.handed_over(session, person.ids, person.scope),
        "vouchers": vouchers[: read_person.PAGE],
        "has_more_vouchers": len(vouchers) > read_person.PAGE,
        "now": clock.now(),
    }


def _learning(session: Session, person: Person) -> dict[str, Any]:
    rows = read_person.completions(session, person.ids, person.scope)
    return {"completions": rows[: read_person.PAGE], "has_more": len(rows) > read_person.PAGE, "now": clock.now()}


def _messages(session: Session, person: Person) -> dict[str, Any]:
    rows = read_person.messages(session, person.addresses)
    return {"letters": rows[: read_person.PAGE], "has_more": len(rows) > read_person.PAGE}


def _history(session: Session, person: Person) -> dict[str, Any]:
    before, now = text("before", 80), clock.now()
    rows = histories.history(session, person.ids, person.where, now, before=before)
    coming = [] if before else histories.coming(session, person.ids, person.where, now, size=LATEST)
    older = rows[read_person.PAGE - 1].place if len(rows) > read_person.PAGE else None
    return {
        "moments": _told(rows[: read_person.PAGE]),
        "older": older,
        "is_first": not before,
        "coming": _told(coming[:LATEST]),
        "has_more": len(coming) > LATEST,
    }


def _told(rows: list[Moment]) -> list[dict[str, str]]:
    """The history as the timeline draws it."""
    return [
        {
            "at": moment(row.at),
            "iso": iso(row.at),
            "who": row.who or "The person",
            "sentence": row.sentence,
            "icon": ICONS.get(row.group, "history"),
            "detail": row.detail,
        }
        for row in rows
    ]
