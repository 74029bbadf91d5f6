"""Find a benefit definition, write one, look at it and at its versions, try it on a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from webapp.adapters import clock
from webapp.blueprints.benefit_definitions import bp, presenters
from webapp.blueprints.benefit_definitions.forms import ChangeForm, CreateForm, TermsForm, saved, terms_of
from webapp.domain import benefit_definitions as rules
from webapp.domain import definition_words
from webapp.domain.benefits import BenefitType, DefinitionState, definition_state
from webapp.domain.errors import NotFound, Refused
from webapp.domain.permissions import Permission
from webapp.domain.terms_compared import INSIDE, LABELS, differences, shown
from webapp.extensions import db
from webapp.queries import audit as read_audit
from webapp.queries import benefit_definitions as read
from webapp.queries import benefit_offers, choices, erasure, profiles, targets
from webapp.services import benefit_definitions as definitions
from webapp.web.access import can, listed, requires, scope
from webapp.web.exporting import offer
from webapp.web.filters import account_zone, capitalise_first
from webapp.web.forms import PressForm
from webapp.web.paging import choice, counted, number, text
from webapp.web.rendering import go, render

VIEW, EDIT = Permission.PROGRAMMES_VIEW, Permission.DEFINITIONS_EDIT


@bp.get("")
@requires(VIEW)
def index() -> ResponseReturnValue:
    """Definitions, newest first; the archived ones by their own tab."""
    session, where, filters, now = db.session(), listed(VIEW), _filters(), clock.now()
    rows = read.page(session, where, filters, now, before=number("before"))
    counts = read.counts(session, where, now)
    return render(
        "benefit_definitions/index.html",
        "benefit_definitions/_results.html",
        rows=rows[: read.PAGE],
        has_more=len(rows) > read.PAGE,
        filters=filters,
        kept=_kept(filters),
        types=list(BenefitType),
        tabs=presenters.tabs({state: counted(count) for state, count in counts.items()}, filters),
        total=sum(counts.values()),
    )


def _filters() -> read.Filters:
    state = choice("state", DefinitionState)
    kind = choice("type", BenefitType)
    return read.Filters(text("q"), state, kind, text("tag", 40), text("campaign", 80))


def _kept(filters: read.Filters) -> dict[str, str | None]:
    """The filters as an address has them."""
    return {
        "q": filters.search or None,
        "state": filters.state,
        "type": filters.type,
        "tag": filters.tag or None,
        "campaign": filters.campaign or None,
    }


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.REPORTS_EXPORT)
def export() -> ResponseReturnValue:
    """The definitions of the list as a file."""
    where, filters, now = listed(Permission.REPORTS_EXPORT), _filters(), clock.now()
    return offer("benefit-definitions", read.EXPORT, lambda session: read.stream(session, where, filters, now))


@bp.get("/handle/<handle:handle>")
@requires(VIEW)
def by_handle(handle: str) -> ResponseReturnValue:
    """The definition with this handle."""
    return go(".show", definition_id=read.id_of(db.session(), handle, scope(VIEW)))


@bp.get("/handle-check")
@requires(EDIT)
def check_handle() -> ResponseReturnValue:
    """Whether a handle can be used, while it is typed."""
    typed, own = text("handle", 100), number("own")
    try:
        handle = rules.handle_of(typed) if typed else ""
        taken = read.holder_of(db.session(), handle)
        sentence = "" if taken in (None, own) else f"«{handle}» is already used; choose another."
    except Refused as refused:
        handle, sentence = "", refused.message
    return render("benefit_definitions/_handle.html", handle=handle, sentence=sentence)


@bp.route("/new", methods=["GET", "POST"])
@requires(EDIT)
def new() -> ResponseReturnValue:
    """Write a definition; it begins as a draft."""
    form, session, where = CreateForm(), db.session(), scope(EDIT)
    sites = choices.sites(session, where)
    form.site_id.choices = [SelectChoice(str(site_id), title) for site_id, title in sites]
    form.offer(
        choices.voucher_types(session, where), targets.choices(session, where), partial(targets.title, session, where)
    )
    if definition := form.submit(definitions.create):
        flash(f"Definition «{definition.name}» created as a draft.", "success")
        return go(".show", definition_id=definition.id)
    return render(
        "benefit_definitions/new.html",
        "benefit_definitions/_form.html",
        form.status,
        form=form,
        has_sites=bool(sites),
        definition=None,
        summary=presenters.summary(form.terms(), _zone(), url_for(".preview_new")),
    )


def _zone() -> str:
    zones = choices.zones(db.session(), scope(EDIT))
    return zones.get(request.form.get("site_id", ""), next(iter(zones.values()), "UTC"))


@bp.post("/summary")
@requires(EDIT)
def preview_new() -> ResponseReturnValue:
    """What the form of a new definition says so far; nothing is saved."""
    form = CreateForm()
    form.site_id.choices, form.site_id.validate_choice = [], False
    form.offer_anything()
    return _previewed(presenters.summary(_typed(form), _zone(), url_for(".preview_new")))


@bp.post("/<int:definition_id>/summary")
@requires(EDIT)
def preview_change(definition_id: int) -> ResponseReturnValue:
    """What the form of a definition says so far, and what saving it would change."""
    sheet = read.sheet(db.session(), definition_id, scope(EDIT))
    form = ChangeForm()
    form.offer_anything()
    url = url_for(".preview_change", definition_id=definition_id)
    return _previewed(presenters.summary(_typed(form), sheet.site.timezone, url, sheet))


def _typed(form: TermsForm[Any]) -> rules.DefinitionTerms:
    form.validate()  # so that what cannot be read counts as empty
    return form.terms()


def _previewed(summary: presenters.Summary) -> ResponseReturnValue:
    page, part = "benefit_definitions/preview.html", "benefit_definitions/_summary.html"
    return render(page, part, summary=summary)


@bp.get("/<int:definition_id>")
@requires(VIEW)
def show(definition_id: int) -> ResponseReturnValue:
    """One definition: state, figures, terms, what is before publishing, versions."""
    session, now = db.session(), clock.now()
    sheet = read.sheet(session, definition_id, scope(VIEW))
    definition = sheet.definition
    return render(
        "benefit_definitions/show.html",
        sheet=sheet,
        definition=definition,
        state=definition_state(definition.facts, now),
        sentences=_sentences(sheet),
        checks=definition_words.readiness(definition, now, sheet.site.timezone),
        versions=read.versions(session, definition_id),
        draws=read.draws(session, definition.site_id) if definition.type is BenefitType.COMPETITION else None,
        history=read_audit.of_subject(session, f"benefit_definitions:{definition_id}"),
        form=PressForm(),
    )


def _sentences(sheet: read.Sheet) -> list[str]:
    definition, zone = sheet.definition, sheet.site.timezone
    known = read.known(db.session(), definition)
    words = {
        name: read.in_words(getattr(definition, name), known, zone)
        for name in presenters.CONDITIONS
        if getattr(definition, name)
    }
    return definition_words.in_words(terms_of(sheet), zone, words)


@bp.route("/<int:definition_id>/edit", methods=["GET", "POST"])
@requires(EDIT)
def edit(definition_id: int) -> ResponseReturnValue:
    """Change the terms; what is out keeps those it was issued under."""
    session, where = db.session(), scope(EDIT)
    sheet = read.sheet(session, definition_id, where)
    form = ChangeForm(data=saved(sheet))
    own = frozenset({sheet.site.id})
    form.offer(choices.voucher_types(session, own), targets.choices(session, own), partial(targets.title, session, own))
    if form.submit(definitions.change, definition_id=definition_id):
        flash("Definition saved. What was issued before keeps its terms.", "success")
        return go(".show", definition_id=definition_id)
    if form.status == HTTPStatus.CONFLICT:
        # Saving again is then a decision: it goes on top of what the sentence just told.
        sheet = read.sheet(session, definition_id, where)
        form.version.data = sheet.definition.version
    url = url_for(".preview_change", definition_id=definition_id)
    return render(
        "benefit_definitions/edit.html",
        "benefit_definitions/_form.html",
        form.status,
        form=form,
        definition=sheet.definition,
        summary=presenters.summary(form.terms(), sheet.site.timezone, url, sheet),
    )


@bp.get("/<int:definition_id>/versions/<int:version>")
@requires(VIEW)
def show_version(definition_id: int, version: int) -> ResponseReturnValue:
    """The terms as they were saved once, and what differs from another version or from the one before."""
    session = db.session()
    sheet = read.sheet(session, definition_id, scope(VIEW))
    this = read.version(session, definition_id, version)
    other_number = number("with") or version - 1
    other = read.version(session, definition_id, other_number) if other_number > 0 and other_number != version else None
    hidden = () if can(EDIT, sheet.site.id) else INSIDE
    return render(
        "benefit_definitions/version.html",
        sheet=sheet,
        definition=sheet.definition,
        version=this,
        other=other,
        differences=differences(_shown(other.terms, hidden), _shown(this.terms, hidden)) if other else [],
        terms=[
            (capitalise_first(LABELS[name]), shown(value))
            for name, value in _in_order(_shown(this.terms, hidden))
            if shown(value)
        ],
        versions=read.versions(session, definition_id),
    )


def _shown(terms: Mapping[str, Any], hidden: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in terms.items() if name not in hidden}


def _in_order(terms: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, terms[name]) for name in LABELS if name in terms]


@bp.get("/<int:definition_id>/try")
@requires(Permission.PROFILES_VIEW)
def preview(definition_id: int) -> ResponseReturnValue:
    """The definition as one person would meet it at one moment."""
    session = db.session()
    sheet = read.sheet(session, definition_id, scope(VIEW))
    typed, zone = text("person"), sheet.site.timezone
    at = _moment(text("at", 20), zone)
    person = _person(typed)
    moment = at or clock.now()
    return render(
        "benefit_definitions/try.html",
        "benefit_definitions/_tried.html",
        sheet=sheet,
        definition=sheet.definition,
        typed=typed,
        at=moment,
        at_text=f"{rules.local_time(moment, zone):%Y-%m-%dT%H:%M}",
        person=person,
        tried=presenters.tried(sheet, person.id, moment) if person else None,
    )


@bp.get("/seen-by")
@requires(Permission.PROFILES_VIEW)
def seen_by() -> ResponseReturnValue:
    """Everything one person sees at one moment, and whether they may claim it."""
    session, typed = db.session(), text("person")
    zone = account_zone()
    moment = _moment(text("at", 20), zone) or clock.now()
    person = _person(typed)
    offers = benefit_offers.viewable(session, listed(VIEW), person.id, moment, person.zone) if person else []
    return render(
        "benefit_definitions/seen_by.html",
        "benefit_definitions/_seen_by.html",
        typed=typed,
        zone=zone,
        at=moment,
        at_text=f"{rules.local_time(moment, zone):%Y-%m-%dT%H:%M}",
        person=person,
        offers=offers,
    )


def _person(typed: str) -> Any:
    """Who has exactly this member id, e-mail or number, among those this request may see."""
    session = db.session()
    profile_id = erasure.find(session, typed) if typed else None
    try:
        return profiles.get(session, profile_id, scope(Permission.PROFILES_VIEW)) if profile_id else None
    except NotFound:
        return None


def _moment(typed: str, zone: str) -> datetime | None:
    """A local time from the address; nonsense is now."""
    try:
        local = datetime.fromisoformat(typed)
    except ValueError:
        return None
    is_far = not 2000 <= local.year <= 2200
    return None if is_far or local.tzinfo else rules.instant(local, zone)
