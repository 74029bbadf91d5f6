"""Erase a person on request: found by what the request names, shown as numbers, confirmed by typing."""

from __future__ import annotations

from flask import flash
from flask.typing import ResponseReturnValue

from webapp.adapters import clock, randomness
from webapp.blueprints.profiles.forms import EraseForm, FindForm
from webapp.blueprints.profiles.views import bp
from webapp.domain.permissions import ROLES, Permission
from webapp.extensions import db
from webapp.queries import erasure as read
from webapp.queries import profiles as read_profiles
from webapp.services import profiles
from webapp.web.access import actor, requires, scope
from webapp.web.reach import whole_account
from webapp.web.rendering import go, render

_IMPORTERS = " or ".join(sorted(role for role, carries in ROLES.items() if Permission.ENTRIES_IMPORT in carries))
_MISSING = "Nobody has this member id, e-mail or number; somebody erased before is found by none of them."


@bp.route("/erase", methods=["GET", "POST"])
@requires(Permission.PROFILES_ERASE)
def find_to_erase() -> ResponseReturnValue:
    """Who the request is about; what is typed travels in the form, not in an address."""
    whole_account(Permission.PROFILES_ERASE)
    form, status = FindForm(), 200
    if form.validate_on_submit():
        found = read.find(db.session(), form.wanted.data)
        if found is not None:
            return go(".erase", profile_id=found)
        form.wanted.errors = [*form.wanted.errors, _MISSING]
    if form.errors or form.wanted.errors:
        status = 422
    return render("profiles/find_to_erase.html", "profiles/_find_to_erase.html", status, form=form)


@bp.route("/<int:profile_id>/erase", methods=["GET", "POST"])
@requires(Permission.PROFILES_ERASE, confirmed=True)
def erase(profile_id: int) -> ResponseReturnValue:
    """What goes and what stays, in numbers; no name or address is shown to whoever may only erase."""
    whole_account(Permission.PROFILES_ERASE)
    session = db.session()
    profile = read_profiles.get(session, profile_id, None)
    form = EraseForm()
    if form.submit(profiles.erase, profile_id=profile_id, mark=randomness.token(9).lower()):
        flash(f"Person {profile_id} was erased.", "success")
        return go(".show", profile_id=profile_id) if actor().may(Permission.PROFILES_VIEW) else go(".find_to_erase")
    who = read.subject(session, profile.merged_into_id or profile_id)
    return render(
        "profiles/erase.html",
        "profiles/_erase.html",
        form.status,
        form=form,
        profile=profile,
        counts=read.counts(session, who, clock.now()),
        prizes=read.open_prizes(session, who),
        imports=read.busy_imports(session, who),
        may_open=_may_open,
        importers=_IMPORTERS,
    )


def _may_open(site_id: int | None) -> bool:
    """Whether this reader gets to the page of an import into the site; None is one of the whole account."""
    reached = scope(Permission.ENTRIES_IMPORT)
    return reached is None or site_id in reached
