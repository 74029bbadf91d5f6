"""The screens of locations."""

from __future__ import annotations

from http import HTTPStatus
from typing import TypeVar

from flask import Blueprint, flash, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField

from webapp.domain.organisations import LONGEST_ID
from webapp.domain.permissions import Permission
from webapp.domain.sites import zones
from webapp.extensions import db
from webapp.queries import audit as read_audit
from webapp.queries import locations as read
from webapp.services import locations
from webapp.services.locations import ChangeLocation, CreateLocation
from webapp.web.access import actor, requires
from webapp.web.exporting import offer
from webapp.web.fields import TextField
from webapp.web.forms import CommandForm, PressForm
from webapp.web.paging import counted, is_shown, number, text
from webapp.web.reach import within
from webapp.web.rendering import go, render
from webapp.web.versions import VersionField

bp = Blueprint("locations", __name__, url_prefix="/locations")
C = TypeVar("C")
_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class LocationForm(CommandForm[C]):
    """The fields a new location and a changed one share."""

    title = TextField("Title", length=200, required=True)
    external_id = TextField(
        "Id", length=LONGEST_ID, required=True, description="What files and tills know it by.", render_kw=_PLAIN
    )
    organisation = TextField(
        "Organisation",
        length=LONGEST_ID,
        description="The id of the one it belongs to; may be empty.",
        render_kw=_PLAIN,
    )
    timezone = TextField(
        "Time zone",
        length=64,
        description="Its days are days of this zone. Empty: that of the account.",
        render_kw={"list": "zones", "autocomplete": "off"},
    )
    is_published = BooleanField("Shown to people", default=True)


class NewLocationForm(LocationForm[CreateLocation]):
    command = CreateLocation


class ChangeLocationForm(LocationForm[ChangeLocation]):
    command = ChangeLocation

    version = VersionField()


@bp.get("")
@requires(Permission.ORGANISATIONS_VIEW, within=True)
def index() -> ResponseReturnValue:
    """Locations by title; those closed for good in a tab."""
    session, where = db.session(), within(Permission.ORGANISATIONS_VIEW)
    search, after, is_closed = text("q"), number("after"), is_shown("closed", "open")
    rows = read.page(session, where, search=search, is_closed=is_closed, after=after)
    in_use, closed = read.counts(session, where)
    tabs = (("Open", None, in_use, not is_closed), ("Closed for good", "closed", closed, is_closed))
    return render(
        "locations/index.html",
        "locations/_results.html",
        rows=rows[: read.PAGE],
        next=rows[read.PAGE - 1].id if len(rows) > read.PAGE else None,
        is_first=after is None,
        search=search,
        show="closed" if is_closed else None,
        tabs=[
            {"label": label, "url": url_for(".index", show=show), "current": current, "count": counted(count)}
            for label, show, count, current in tabs
        ],
    )


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_VIEW, within=True)
def export() -> ResponseReturnValue:
    """The locations of the list as a file."""
    where, search, is_closed = within(Permission.ORGANISATIONS_VIEW), text("q"), is_shown("closed", "open")
    return offer("locations", read.EXPORT, lambda session: read.stream(session, where, search, is_closed=is_closed))


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_EDIT, within=True)
def new() -> ResponseReturnValue:
    where = within(Permission.ORGANISATIONS_EDIT)
    form = NewLocationForm(organisation=text("organisation", LONGEST_ID))
    if location := form.submit(locations.create, within=where):
        flash(f"Location «{location.title}» created.", "success")
        return go(".show", location_id=location.id)
    return render("locations/new.html", "locations/_form.html", form.status, form=form, zones=zones(), sheet=None)


@bp.get("/<int:location_id>")
@requires(Permission.ORGANISATIONS_VIEW, within=True)
def show(location_id: int) -> ResponseReturnValue:
    """One location and its history."""
    session = db.session()
    sheet = read.sheet(session, location_id, within(Permission.ORGANISATIONS_VIEW))
    return render(
        "locations/show.html",
        location=sheet.location,
        organisation=sheet.organisation,
        history=read_audit.of_subject(session, f"locations:{location_id}"),
        may_edit=actor().may(Permission.ORGANISATIONS_EDIT, within=True),
    )


@bp.route("/<int:location_id>/edit", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_EDIT, within=True)
def edit(location_id: int) -> ResponseReturnValue:
    where = within(Permission.ORGANISATIONS_EDIT)
    sheet = read.sheet(db.session(), location_id, where)
    owner = sheet.organisation.external_id if sheet.organisation else ""
    form = ChangeLocationForm(obj=sheet.location, organisation=owner)
    if form.submit(locations.change, location_id=location_id, within=where):
        flash("Location saved.", "success")
        return go(".show", location_id=location_id)
    if form.status == HTTPStatus.CONFLICT:
        # Saving again is then a decision: it goes on top of what the sentence just told.
        form.version.data = read.sheet(db.session(), location_id, where).location.version
    return render("locations/edit.html", "locations/_form.html", form.status, form=form, zones=zones(), sheet=sheet)


@bp.route("/<int:location_id>/close", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_EDIT, within=True)
def close(location_id: int) -> ResponseReturnValue:
    """What closing for good does, and the button."""
    location = read.sheet(db.session(), location_id, within(Permission.ORGANISATIONS_EDIT)).location
    form = PressForm()
    if form.press(lambda work: locations.close(work, locations.CloseLocation(location_id))):
        flash(f"Location «{location.title}» closed for good.", "success")
        return go(".show", location_id=location_id)
    return render("locations/close.html", "locations/_close.html", form.status, form=form, location=location)
