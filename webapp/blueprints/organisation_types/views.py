"""The screens of organisation types."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash
from flask.typing import ResponseReturnValue

from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import audit as read_audit
from webapp.queries import organisation_types as read
from webapp.services import organisation_types
from webapp.services.organisation_types import ChangeOrganisationType, CreateOrganisationType
from webapp.web.access import requires
from webapp.web.exporting import offer
from webapp.web.fields import TextField
from webapp.web.forms import CommandForm
from webapp.web.reach import reaches_all, whole_tree, within
from webapp.web.rendering import go, render
from webapp.web.versions import VersionField

bp = Blueprint("organisation_types", __name__, url_prefix="/organisation-types")
_HINT = "Such as pharmacy or club. The name that files use is made from the first title once."


class NewTypeForm(CommandForm[CreateOrganisationType]):
    command = CreateOrganisationType

    title = TextField("Title", length=120, required=True, description=_HINT)


class ChangeTypeForm(CommandForm[ChangeOrganisationType]):
    command = ChangeOrganisationType

    title = TextField("Title", length=120, required=True, description=_HINT)
    version = VersionField()


@bp.get("")
@requires(Permission.ORGANISATIONS_VIEW, within=True)
def index() -> ResponseReturnValue:
    """Every type, by title."""
    within(Permission.ORGANISATIONS_VIEW)
    may_edit = reaches_all(Permission.ORGANISATIONS_EDIT)
    return render("organisation_types/index.html", rows=read.page(db.session()), may_edit=may_edit)


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_VIEW, within=True)
def export() -> ResponseReturnValue:
    """Every type as a file."""
    within(Permission.ORGANISATIONS_VIEW)
    return offer("organisation-types", read.EXPORT, read.stream)


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_EDIT, within=True)
def new() -> ResponseReturnValue:
    whole_tree(Permission.ORGANISATIONS_EDIT)
    form = NewTypeForm()
    if kind := form.submit(organisation_types.create):
        flash(f"Organisation type «{kind.title}» created.", "success")
        return go(".index")
    return render("organisation_types/new.html", "organisation_types/_form.html", form.status, form=form, kind=None)


@bp.get("/<int:organisation_type_id>")
@requires(Permission.ORGANISATIONS_VIEW, within=True)
def show(organisation_type_id: int) -> ResponseReturnValue:
    """One type, and how many organisations are of it."""
    within(Permission.ORGANISATIONS_VIEW)
    session = db.session()
    return render(
        "organisation_types/show.html",
        kind=read.get(session, organisation_type_id),
        count=read.count_of(session, organisation_type_id),
        history=read_audit.of_subject(session, f"organisation_types:{organisation_type_id}"),
        may_edit=reaches_all(Permission.ORGANISATIONS_EDIT),
    )


@bp.route("/<int:organisation_type_id>/edit", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_EDIT, within=True)
def edit(organisation_type_id: int) -> ResponseReturnValue:
    whole_tree(Permission.ORGANISATIONS_EDIT)
    kind = read.get(db.session(), organisation_type_id)
    form = ChangeTypeForm(obj=kind)
    if form.submit(organisation_types.change, organisation_type_id=organisation_type_id):
        flash("Organisation type saved.", "success")
        return go(".show", organisation_type_id=organisation_type_id)
    if form.status == HTTPStatus.CONFLICT:
        form.version.data = read.get(db.session(), organisation_type_id).version
    return render("organisation_types/edit.html", "organisation_types/_form.html", form.status, form=form, kind=kind)
