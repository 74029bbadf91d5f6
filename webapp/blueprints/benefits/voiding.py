"""Make many benefits void, those ticked or all that a list is narrowed to, and take that back."""

from __future__ import annotations

from flask import flash, request
from flask.typing import ResponseReturnValue

from webapp.adapters import clock
from webapp.blueprints.benefits import bp, listing
from webapp.blueprints.benefits.forms import VoidSeveralForm
from webapp.domain import benefit_lists as rules
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import benefit_lists as read
from webapp.queries import choices, voidings
from webapp.services.benefits import restoring, voiding
from webapp.services.benefits.restoring import RestoreVoided
from webapp.web.access import listed, requires, scope
from webapp.web.forms import PressForm
from webapp.web.rendering import go, render


@bp.route("/void", methods=["GET", "POST"])
@requires(Permission.BENEFITS_CHANGE, confirmed=True)
def void_several() -> ResponseReturnValue:
    """How many they are and what becomes of them; a job does it."""
    session, where = db.session(), listed(Permission.BENEFITS_CHANGE)
    narrow, form = listing.chosen(), VoidSeveralForm()
    if narrow is not None and (job := form.submit(voiding.start, scope=where, narrow=narrow)):
        flash(f"{job.total:,} benefits are being made void.", "success")
        return go("jobs.show", job_id=job.id)
    found = read.tally(session, where, narrow, clock.now()) if narrow else read.Tally(0, 0, 0)
    form.stated.data = found.count  # the one that is on the page now
    return render(
        "benefits/void.html",
        "benefits/_void.html",
        form.status,
        form=form,
        found=found,
        verdict=rules.may_void(found.count, found.void),
        is_chosen=narrow is not None,
        applied=listing.chips(narrow, listing.turn(), choices.definition_names(session, where)) if narrow else [],
        back=listing.address(narrow, listing.turn()) if narrow and narrow.ids is None else None,
        action=f"{request.path}?{request.query_string.decode('ascii', 'replace')}",
    )


@bp.route("/void/<int:job_id>", methods=["GET", "POST"])
@requires(Permission.BENEFITS_CHANGE)
def restore_several(job_id: int) -> ResponseReturnValue:
    """Take back what a job made void, within ten minutes of its end; another job does it."""
    session, sites, form = db.session(), scope(Permission.BENEFITS_CHANGE), PressForm()
    voidings.get(session, job_id, sites)
    if job := form.press(lambda work: restoring.start(work, RestoreVoided(job_id, sites))):
        flash("The benefits are being restored.", "success")
        return go("jobs.show", job_id=job.id)
    made = voidings.get(session, job_id, sites)
    return render(
        "benefits/restore_several.html",
        "benefits/_restore_several.html",
        form.status,
        form=form,
        job=made,
        count=voidings.made_void(made),
        verdict=voidings.verdict(session, made, clock.now()),
    )
