"""The screens of sites."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, abort, current_app, flash, g
from flask.typing import ResponseReturnValue

from webapp.blueprints.sites.forms import ChangeSiteForm, NewSiteForm
from webapp.domain.permissions import Permission
from webapp.domain.sites import zones
from webapp.extensions import db
from webapp.queries import audit as read_audit
from webapp.queries import sites as read
from webapp.services import sites
from webapp.web.access import actor, requires, scope
from webapp.web.exporting import offer
from webapp.web.paging import text
from webapp.web.rendering import go, render

bp = Blueprint("sites", __name__, url_prefix="/sites")


@bp.get("")
@requires(Permission.PROGRAMMES_VIEW)
def index() -> ResponseReturnValue:
    search = text("q")
    rows = read.page(db.session(), scope(Permission.PROGRAMMES_VIEW), search)
    return render("sites/index.html", "sites/_results.html", rows=rows, search=search, may_create=_may_create())


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.REPORTS_EXPORT)
def export() -> ResponseReturnValue:
    """The sites of the list as a file."""
    where, search = scope(Permission.REPORTS_EXPORT), text("q")
    return offer("sites", read.EXPORT, lambda session: read.stream(session, where, search))


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.SITES_EDIT)
def new() -> ResponseReturnValue:
    if not _may_create():
        g.refused = Permission.SITES_EDIT
        abort(HTTPStatus.FORBIDDEN, "Your role holds on some sites only; a new site needs a role on every site.")
    form = NewSiteForm(timezone=current_app.extensions["largesse"].timezone)
    if site := form.submit(sites.create):
        flash(f"Site «{site.title}» created.", "success")
        return go(".show", name=site.name)
    return render("sites/new.html", "sites/_form.html", form.status, form=form, zones=zones(), site=None)


@bp.get("/<name:name>")
@requires(Permission.PROGRAMMES_VIEW)
def show(name: str) -> ResponseReturnValue:
    site = read.get(db.session(), name, scope(Permission.PROGRAMMES_VIEW))
    history = read_audit.of_subject(db.session(), f"sites:{site.id}")
    may_edit = actor().may(Permission.SITES_EDIT, site.id)
    return render("sites/show.html", site=site, history=history, may_edit=may_edit)


@bp.route("/<name:name>/edit", methods=["GET", "POST"])
@requires(Permission.SITES_EDIT)
def edit(name: str) -> ResponseReturnValue:
    site = read.get(db.session(), name, scope(Permission.SITES_EDIT))
    form = ChangeSiteForm(obj=site)
    if form.submit(sites.change, site_id=site.id):
        flash("Site saved.", "success")
        return go(".show", name=name)
    if form.status == HTTPStatus.CONFLICT:
        # Saving again is then a decision: it goes on top of what the sentence just told.
        form.version.data = read.get(db.session(), name, scope(Permission.SITES_EDIT)).version
    return render("sites/edit.html", "sites/_form.html", form.status, form=form, zones=zones(), site=site)


def _may_create() -> bool:
    """A site is new to everybody, so only a role on every site reaches it."""
    return actor().may(Permission.SITES_EDIT) and actor().sites(Permission.SITES_EDIT) is None
