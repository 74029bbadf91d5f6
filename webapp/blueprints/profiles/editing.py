"""Type a person in and change one; which further facts are asked for."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import abort, current_app, flash, g
from flask.typing import ResponseReturnValue

from webapp.blueprints.profiles.forms import AttributeForm, ChangeForm, NewForm, TermsForm
from webapp.blueprints.profiles.views import bp
from webapp.domain import timing
from webapp.domain.people import CHANNEL_WORDS, PURPOSE_WORDS, attribute_text
from webapp.domain.permissions import Permission
from webapp.domain.profiles import email_key
from webapp.domain.sites import zones
from webapp.extensions import db
from webapp.queries import facts
from webapp.queries import profiles as read
from webapp.services import profiles
from webapp.web.access import actor, bound, requires, where
from webapp.web.exporting import offer
from webapp.web.forms import PressForm
from webapp.web.rendering import go, render

if TYPE_CHECKING:
    from webapp.models import Profile

_SAME = ("external_id", "title", "first_name", "last_name", "email", "phone", "home_phone", "zone", "gender", "version")
_BIRTH = ("birth_day", "birth_month", "birth_year")


def reaches_everybody() -> bool:
    """People belong to the account, so what is nobody's yet is for roles that hold on every site."""
    return actor().may(Permission.PROFILES_EDIT) and actor().sites(Permission.PROFILES_EDIT) is None


def _need_everybody(what: str) -> None:
    if not reaches_everybody():
        g.refused = Permission.PROFILES_EDIT
        abort(HTTPStatus.FORBIDDEN, f"Your role holds on some sites only; {what} needs a role on every site.")


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.PROFILES_EDIT)
def new() -> ResponseReturnValue:
    """Type in somebody who came by no file."""
    _need_everybody("a new person")
    form = NewForm()
    if form.wants_another_row():
        return _page(form, None)
    if profile := form.submit(profiles.create, timezone=_zone()):
        flash("Person created.", "success")
        return go(".show", profile_id=profile.id)
    return _page(form, None)


@bp.route("/<int:profile_id>/edit", methods=["GET", "POST"])
@requires(Permission.PROFILES_EDIT, within=True)
def edit(profile_id: int) -> ResponseReturnValue:
    """Change what is known of a person."""
    reached = where(Permission.PROFILES_EDIT)
    profile = read.get(db.session(), profile_id, reached)
    if profile.merged_into_id is not None or profile.erased_at is not None:
        return go(".show", profile_id=profile_id)
    form = ChangeForm(data=_saved(profile))
    if form.wants_another_row():
        return _page(form, profile)
    kept_to = bound(Permission.PROFILES_EDIT)
    if form.submit(profiles.change, profile_id=profile_id, timezone=_zone(), where=kept_to):
        flash("Person saved.", "success")
        return go(".show", profile_id=profile_id)
    if form.status == HTTPStatus.CONFLICT:
        # Saving again is then a decision: it goes on top of what the sentence just told.
        form.version.data = read.get(db.session(), profile_id, reached).version
    return _page(form, profile)


def _zone() -> str:
    return str(current_app.extensions["largesse"].timezone)


def _saved(profile: Profile) -> dict[str, Any]:
    """What is saved, as the form's fields show it."""
    session = db.session()
    places = {profile.joined_location_id, profile.preferred_location_id} - {None}
    codes = {row[0]: row[1] for row in read.locations(session, [place for place in places if place])} if places else {}
    found: dict[str, Any] = {name: getattr(profile, name) for name in _SAME + _BIRTH}
    found["joined_at"] = timing.first_day(profile.joined_at, _zone())
    found["joined_location"] = codes.get(profile.joined_location_id or 0, "")
    found["preferred_location"] = codes.get(profile.preferred_location_id or 0, "")
    found["tier"] = read.tier_name(session, profile.tier_id)
    found["tags"], found["statuses"] = ", ".join(profile.tags), ", ".join(profile.statuses)
    found["consents"] = [name for name, on in profile.consents.items() if on is True]
    found["postcode"] = profile.attributes.get("postcode", "")
    found["attributes"] = {name: attribute_text(value) for name, value in profile.attributes.items()}
    found["identities"] = [
        {"system": row.system, "identifier": row.identifier, "is_active": row.is_active}
        for row in read.identities(session, profile.id)
    ]
    return found


def _page(form: TermsForm[Any], profile: Profile | None) -> ResponseReturnValue:
    page = "profiles/edit.html" if profile else "profiles/new.html"
    return render(
        page,
        "profiles/_form.html",
        form.status,
        form=form,
        profile=profile,
        holder=_holder(form) if form.status == HTTPStatus.CONFLICT else None,
        locations=read.locations(db.session()),
        zones=zones(),
        channels=CHANNEL_WORDS,
        purposes=PURPOSE_WORDS,
    )


def _holder(form: TermsForm[Any]) -> Profile | None:
    """Who has what was refused, when this person may see them."""
    wanted: dict[str, Any] = {}
    if form.external_id.errors:
        wanted["external_id"] = form.external_id.data
    if form.email.errors:
        wanted["email_key"] = email_key(form.email.data)
    if form.identities.errors:
        wanted["identities"] = [
            (row.form.system.data.casefold(), row.form.identifier.data)
            for row in form.identities
            if not row.form.is_empty
        ]
    return read.holder(db.session(), where(Permission.PROFILES_VIEW), **wanted)


@bp.route("/attributes", methods=["GET", "POST"])
@requires(Permission.PROFILES_EDIT)
def attributes() -> ResponseReturnValue:
    """Which further facts the forms of people ask for, and a new one."""
    _need_everybody("to say what is kept of people")
    form = AttributeForm()
    if definition := form.submit(profiles.create_attribute):
        flash(f"«{definition.title}» is asked for from now on.", "success")
        return go(".attributes")
    found = read.definitions(db.session(), archived=True)
    return render("profiles/attributes.html", "profiles/_attribute.html", form.status, form=form, definitions=found)


@bp.route("/attributes/export", methods=["GET", "POST"])
@requires(Permission.PROFILES_EDIT)
def export_attributes() -> ResponseReturnValue:
    """Which further facts there are, as a file."""
    _need_everybody("to see what is kept of people")
    return offer("facts", facts.EXPORT, facts.stream)


@bp.post("/attributes/<int:definition_id>/<any('archive','restore'):verb>")
@requires(Permission.PROFILES_EDIT)
def move_attribute(definition_id: int, verb: str) -> ResponseReturnValue:
    """Archive a fact, or bring one back."""
    if not reaches_everybody():
        abort(HTTPStatus.NOT_FOUND)  # what lies outside a role's sites does not exist for it
    if verb == "archive":
        command = profiles.ArchiveAttribute(definition_id)
        moved = PressForm().press(lambda work: profiles.archive_attribute(work, command))
    else:
        back = profiles.RestoreAttribute(definition_id)
        moved = PressForm().press(lambda work: profiles.restore_attribute(work, back))
    if moved is None:
        abort(HTTPStatus.NOT_FOUND)
    flash(f"«{moved.title}» {'archived' if verb == 'archive' else 'brought back'}.", "success")
    return go(".attributes")
