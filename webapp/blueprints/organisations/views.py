"""The screens of organisations."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash
from flask.typing import ResponseReturnValue

from webapp.blueprints.organisations.forms import ChangeOrganisationForm, NewOrganisationForm
from webapp.domain.permissions import Permission
from webapp.domain.sites import zones
from webapp.extensions import db
from webapp.queries import audit as read_audit
from webapp.queries import organisation_types as read_types
from webapp.queries import organisations as read
from webapp.services import organisations
from webapp.web.access import actor, requires
from webapp.web.exporting import offer
from webapp.web.forms import PressForm
from webapp.web.paging import is_shown, number, text
from webapp.web.reach import within
from webapp.web.rendering import go, render

bp = Blueprint("organisations", __name__, url_prefix="/organisations")


@bp.get("")
@requires(Permission.ORGANISATIONS_VIEW, within=True)
def index() -> ResponseReturnValue:
    """Organisations by title, searched by how a word of the title or the id begins; archived ones in a tab."""
    session, where = db.session(), within(Permission.ORGANISATIONS_VIEW)
    filters = _filters()
    after = number("after")
    rows = read.page(session, where, filters, after=after)
    return render(
        "organisations/index.html",
        "organisations/_results.html",
        rows=rows[: read.PAGE],
        next=rows[read.PAGE - 1].id if len(rows) > read.PAGE else None,
        is_first=after is None,
        filters=filters,
        types=read_types.titles(session),
    )


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_VIEW, within=True)
def export() -> ResponseReturnValue:
    """The organisations of the list as a file."""
    where, filters = within(Permission.ORGANISATIONS_VIEW), _filters()
    return offer("organisations", read.EXPORT, lambda session: read.stream(session, where, filters))


def _filters() -> read.Filters:
    return read.Filters(text("q"), number("type"), is_shown("archived"))


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_EDIT, within=True)
def new() -> ResponseReturnValue:
    where = within(Permission.ORGANISATIONS_EDIT)
    form = NewOrganisationForm(parent=text("parent", 64))
    _offer_types(form)
    if organisation := form.submit(organisations.create, within=where):
        flash(f"Organisation «{organisation.title}» created.", "success")
        return go(".show", organisation_id=organisation.id)
    return render(
        "organisations/new.html", "organisations/_form.html", form.status, form=form, zones=zones(), sheet=None
    )


@bp.get("/parent")
@requires(Permission.ORGANISATIONS_EDIT, within=True)
def parent() -> ResponseReturnValue:
    """Which organisation an id means: the answer to a field while it is typed."""
    wanted = text("parent", 64)
    found = read.find(db.session(), wanted, within(Permission.ORGANISATIONS_EDIT)) if wanted else None
    return render("organisations/parent.html", "organisations/_parent.html", wanted=wanted, found=found)


@bp.get("/<int:organisation_id>")
@requires(Permission.ORGANISATIONS_VIEW, within=True)
def show(organisation_id: int) -> ResponseReturnValue:
    """One organisation: facts, what stands below it, members, locations, history."""
    session = db.session()
    sheet = read.sheet(session, organisation_id, within(Permission.ORGANISATIONS_VIEW))
    return render(
        "organisations/show.html",
        sheet=sheet,
        organisation=sheet.organisation,
        children=read.children(session, organisation_id),
        most=read.PAGE,
        members=read.members(session, organisation_id),
        locations=read.locations(session, organisation_id),
        history=read_audit.of_subject(session, f"organisations:{organisation_id}"),
        may_edit=actor().may(Permission.ORGANISATIONS_EDIT, within=True),
    )


@bp.route("/<int:organisation_id>/edit", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_EDIT, within=True)
def edit(organisation_id: int) -> ResponseReturnValue:
    where = within(Permission.ORGANISATIONS_EDIT)
    sheet = read.sheet(db.session(), organisation_id, where)
    form = ChangeOrganisationForm(obj=sheet.organisation, parent=sheet.parent)
    _offer_types(form)
    if form.submit(organisations.change, organisation_id=organisation_id, within=where):
        flash("Organisation saved.", "success")
        return go(".show", organisation_id=organisation_id)
    if form.status == HTTPStatus.CONFLICT:
        # Saving again is then a decision: it goes on top of what the sentence just told.
        form.version.data = read.get(db.session(), organisation_id, where).version
    return render(
        "organisations/edit.html", "organisations/_form.html", form.status, form=form, zones=zones(), sheet=sheet
    )


@bp.route("/<int:organisation_id>/archive", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_EDIT, within=True)
def archive(organisation_id: int) -> ResponseReturnValue:
    """What archiving does, with numbers, and the button."""
    organisation = read.get(db.session(), organisation_id, within(Permission.ORGANISATIONS_EDIT))
    form = PressForm()
    command = organisations.ArchiveOrganisation(organisation_id)
    if form.press(lambda work: organisations.archive(work, command)):
        flash(f"Organisation «{organisation.title}» archived.", "success")
        return go(".show", organisation_id=organisation_id)
    children, grants = read.hindrances(db.session(), organisation_id)
    return render(
        "organisations/archive.html",
        "organisations/_archive.html",
        form.status,
        form=form,
        organisation=organisation,
        child_count=children,
        grant_count=grants,
    )


@bp.post("/<int:organisation_id>/restore")
@requires(Permission.ORGANISATIONS_EDIT, within=True)
def restore(organisation_id: int) -> ResponseReturnValue:
    read.get(db.session(), organisation_id, within(Permission.ORGANISATIONS_EDIT))
    form = PressForm()
    command = organisations.RestoreOrganisation(organisation_id)
    if organisation := form.press(lambda work: organisations.restore(work, command)):
        flash(f"Organisation «{organisation.title}» restored.", "success")
    else:
        flash(str(next(iter(form.form_errors), "Nothing was changed. Try once more.")), "warning")
    return go(".show", organisation_id=organisation_id)


def _offer_types(form: NewOrganisationForm | ChangeOrganisationForm) -> None:
    """The types there are; that one is gone since the page was drawn is for the service to say."""
    form.type_id.offer(read_types.titles(db.session()), str, nothing="None")
