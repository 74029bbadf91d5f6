"""The screens of tiers."""

from __future__ import annotations

from http import HTTPStatus
from typing import TypeVar

from flask import Blueprint, flash
from flask.typing import ResponseReturnValue

from webapp.domain.permissions import Permission
from webapp.domain.tiers import HIGHEST
from webapp.extensions import db
from webapp.queries import audit as read_audit
from webapp.queries import tiers as read
from webapp.services import tiers
from webapp.services.tiers import ChangeTier, CreateTier
from webapp.web.access import actor, requires
from webapp.web.exporting import offer
from webapp.web.fields import TextField, WholeField
from webapp.web.forms import CommandForm, PressForm
from webapp.web.paging import number
from webapp.web.reach import whole_account, whole_tree
from webapp.web.rendering import go, render
from webapp.web.versions import VersionField

bp = Blueprint("tiers", __name__, url_prefix="/tiers")
C = TypeVar("C")


class TierForm(CommandForm[C]):
    """The fields a new tier and a changed one share."""

    title = TextField("Title", length=120, required=True, description="The name that files use is made from it once.")
    rank = WholeField("Rank", least=1, most=HIGHEST, description="The highest number is the best tier.")


class NewTierForm(TierForm[CreateTier]):
    command = CreateTier


class ChangeTierForm(TierForm[ChangeTier]):
    command = ChangeTier

    version = VersionField()


@bp.get("")
@requires(Permission.PROFILES_VIEW)
def index() -> ResponseReturnValue:
    """Tiers in the order of rank."""
    whole_account(Permission.PROFILES_VIEW)
    above = number("above")
    rows = read.page(db.session(), above=above)
    return render(
        "tiers/index.html",
        rows=rows[: read.PAGE],
        next=rows[read.PAGE - 1][0].rank if len(rows) > read.PAGE else None,
        is_first=above is None,
        may_edit=actor().may(Permission.ORGANISATIONS_EDIT),
    )


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.PROFILES_VIEW)
def export() -> ResponseReturnValue:
    """Every tier as a file."""
    whole_account(Permission.PROFILES_VIEW)
    return offer("tiers", read.EXPORT, read.stream)


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_EDIT)
def new() -> ResponseReturnValue:
    whole_tree(Permission.ORGANISATIONS_EDIT)
    form = NewTierForm()
    if tier := form.submit(tiers.create):
        flash(f"Tier «{tier.title}» created.", "success")
        return go(".index")
    return render("tiers/new.html", "tiers/_form.html", form.status, form=form, tier=None)


@bp.get("/<int:tier_id>")
@requires(Permission.PROFILES_VIEW)
def show(tier_id: int) -> ResponseReturnValue:
    """One tier and its history."""
    whole_account(Permission.PROFILES_VIEW)
    session = db.session()
    return render(
        "tiers/show.html",
        tier=read.get(session, tier_id),
        is_held=read.is_held(session, tier_id),
        history=read_audit.of_subject(session, f"tiers:{tier_id}"),
        may_edit=actor().may(Permission.ORGANISATIONS_EDIT),
    )


@bp.route("/<int:tier_id>/edit", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_EDIT)
def edit(tier_id: int) -> ResponseReturnValue:
    whole_tree(Permission.ORGANISATIONS_EDIT)
    tier = read.get(db.session(), tier_id)
    form = ChangeTierForm(obj=tier)
    if form.submit(tiers.change, tier_id=tier_id):
        flash("Tier saved.", "success")
        return go(".index")
    if form.status == HTTPStatus.CONFLICT:
        # Saving again is then a decision: it goes on top of what the sentence just told.
        form.version.data = read.get(db.session(), tier_id).version
    return render("tiers/edit.html", "tiers/_form.html", form.status, form=form, tier=tier)


@bp.route("/<int:tier_id>/remove", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_EDIT)
def remove(tier_id: int) -> ResponseReturnValue:
    """What removing does, and the button; refused while anybody has the tier."""
    whole_tree(Permission.ORGANISATIONS_EDIT)
    tier = read.get(db.session(), tier_id)
    form = PressForm()
    if form.press(lambda work: tiers.remove(work, tiers.RemoveTier(tier_id))):
        flash(f"Tier «{tier.title}» removed.", "success")
        return go(".index")
    is_held = read.is_held(db.session(), tier_id)
    return render("tiers/remove.html", "tiers/_remove.html", form.status, form=form, tier=tier, is_held=is_held)
