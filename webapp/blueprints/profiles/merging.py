"""Make one person of two: choose the other, see what becomes of both, confirm."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import flash
from flask.typing import ResponseReturnValue

from webapp.blueprints.profiles.forms import MergeForm
from webapp.blueprints.profiles.views import bp
from webapp.domain import merging as rules
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import people as read_person
from webapp.queries import profiles as read
from webapp.queries import search as read_search
from webapp.services import profiles
from webapp.web.access import bound, requires, where
from webapp.web.paging import text
from webapp.web.rendering import go, render

if TYPE_CHECKING:
    from webapp.models import Profile


@bp.get("/<int:profile_id>/merge")
@requires(Permission.PROFILES_EDIT, within=True)
def choose_other(profile_id: int) -> ResponseReturnValue:
    """Who else is this person? Searched as in the box at the top."""
    reached = where(Permission.PROFILES_EDIT)
    profile = read.get(db.session(), profile_id, reached)
    if profile.merged_into_id is not None or profile.erased_at is not None:
        return go(".show", profile_id=profile_id)
    wanted = text("q") or profile.full_name or profile.email
    found = read_search.people(db.session(), reached, wanted, size=read_search.SHOWN * 2)
    others = [row for row in found if row.id != profile_id]
    return render("profiles/choose.html", "profiles/_choose.html", profile=profile, others=others, wanted=wanted)


@bp.route("/<int:profile_id>/merge/<int:other_id>", methods=["GET", "POST"])
@requires(Permission.PROFILES_EDIT, within=True)
def merge(profile_id: int, other_id: int) -> ResponseReturnValue:
    """What stays, what moves, what is decided; then once and for all."""
    reached = where(Permission.PROFILES_EDIT)
    winner, loser = (read.get(db.session(), number, reached) for number in (profile_id, other_id))
    form = MergeForm()
    if form.submit(profiles.merge, winner_id=profile_id, loser_id=other_id, where=bound(Permission.PROFILES_EDIT)):
        flash("Merged. The other address leads here from now on.", "success")
        return go(".show", profile_id=profile_id)
    if form.status == HTTPStatus.OK and (winner.merged_into_id or loser.merged_into_id):
        return go(".show", profile_id=winner.merged_into_id or profile_id)
    counts = read_person.holdings(db.session(), [profile_id, other_id])
    return render(
        "profiles/merge.html",
        "profiles/_merge.html",
        form.status,
        form=form,
        winner=winner,
        loser=loser,
        conflicts=_conflicts(winner, loser),
        kinds=read_person.HOLDINGS,
        winner_has=counts.get(profile_id, {}),
        loser_has=counts.get(other_id, {}),
    )


def _conflicts(winner: Profile, loser: Profile) -> list[tuple[str, str, str]]:
    return rules.conflicts(profiles.facts(winner), profiles.facts(loser))
