"""The draw of one reward, step by step."""

from __future__ import annotations

import tempfile
from typing import Any

from flask import Response, flash, stream_with_context
from flask.typing import ResponseReturnValue

from webapp.adapters import clock
from webapp.blueprints.draws import bp, presenters
from webapp.blueprints.draws.forms import ExcludeForm, ReadmitForm, RunForm
from webapp.domain import draws as rules
from webapp.domain.audit import Event
from webapp.domain.draws import SMALL_DRAW, DrawState
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import draws as read
from webapp.queries import settings as read_settings
from webapp.services import draws, jobs, review
from webapp.services.work import Work
from webapp.web import evidence
from webapp.web.access import actor, requires, scope
from webapp.web.forms import PressForm
from webapp.web.rendering import go, render

IN_MEMORY = 8 * 1024 * 1024


def _sheet(name: str, permission: Permission) -> read.DrawSheet:
    return read.sheet(db.session(), name, scope(permission))


@bp.get("/rewards/<name:name>/draw")
@requires(Permission.PROGRAMMES_VIEW)
def show(name: str) -> ResponseReturnValue:
    """Where the draw stands, the next step, and everything fixed so far."""
    session = db.session()
    sheet = _sheet(name, Permission.PROGRAMMES_VIEW)
    drawn = next(iter(read.rounds(session, sheet.draw.id)), None)
    return render(
        "draws/show.html",
        sheet=sheet,
        reward=sheet.reward,
        draw=sheet.draw,
        round=drawn,
        exclusions=read.exclusions(session, sheet.reward.id),
        may_seal=rules.may_seal(sheet.facts),
        may_draw=rules.may_draw(
            sheet.facts, actor().staff_id, clock.now(), is_small_team=read_settings.is_small_team(session)
        ),
        sealed_by=read.staff_name(session, sheet.draw.sealed_by_id),
        exclude_form=ExcludeForm(formdata=None),
        readmit_form=ReadmitForm(formdata=None),
        press=PressForm(formdata=None),
        assurance=read.assurance_of(sheet.draw, drawn),
    )


@bp.route("/rewards/<name:name>/draw/exclude", methods=["GET", "POST"])
@requires(Permission.DRAWS_SEAL)
def exclude(name: str) -> ResponseReturnValue:
    """Take one entry out, with a reason."""
    sheet = _sheet(name, Permission.DRAWS_SEAL)
    form = ExcludeForm()
    if form.submit(review.exclude, draw_id=sheet.draw.id):
        flash("Entry excluded; it keeps its place in the list with 0 tickets.")
        return go(".show", name=name)
    return render("draws/exclude.html", "draws/_exclude.html", form.status, form=form, reward=sheet.reward)


@bp.route("/rewards/<name:name>/draw/readmit", methods=["GET", "POST"])
@requires(Permission.DRAWS_SEAL)
def readmit(name: str) -> ResponseReturnValue:
    """Let one excluded entry take part, with a reason."""
    sheet = _sheet(name, Permission.DRAWS_SEAL)
    form = ReadmitForm()
    if form.submit(review.readmit, draw_id=sheet.draw.id):
        flash("The entry takes part again.")
        return go(".show", name=name)
    return render("draws/readmit.html", "draws/_readmit.html", form.status, form=form, reward=sheet.reward)


@bp.post("/rewards/<name:name>/draw/confirm")
@requires(Permission.DRAWS_SEAL)
def confirm(name: str) -> ResponseReturnValue:
    """Say that the exclusions are right."""
    sheet = _sheet(name, Permission.DRAWS_SEAL)
    form = PressForm()
    if form.press(lambda work: review.confirm(work, review.ConfirmReview(sheet.draw.id))):
        flash("Exclusions confirmed. Seal the draw next.")
    else:
        flash(next(iter(form.form_errors), "The page was too old; look again."), "error")
    return go(".show", name=name)


@bp.route("/rewards/<name:name>/draw/seal", methods=["GET", "POST"])
@requires(Permission.DRAWS_SEAL, confirmed=True)
def seal(name: str) -> ResponseReturnValue:
    """Confirm, then fix list, prizes and source for good; a long list is sealed by a job."""
    sheet = _sheet(name, Permission.DRAWS_SEAL)
    form = PressForm()
    if sheet.draw.entry_count > SMALL_DRAW:
        if job := form.press(lambda work: _queue(work, sheet)):
            return go("jobs.show", job_id=job.id)
    elif form.press(lambda work: _seal(work, sheet.draw.id)):
        flash("Sealed. Give the fingerprint to the witness now.")
        return go(".show", name=name)
    return render("draws/seal.html", "draws/_seal.html", form.status, form=form, sheet=sheet, reward=sheet.reward)


def _seal(work: Work, draw_id: int) -> object:
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as spool:
        return draws.seal(work, draws.SealDraw(draw_id), draws.prepare(work.session, draw_id, spool))


def _queue(work: Work, sheet: read.DrawSheet) -> Any:
    return jobs.enqueue(
        work,
        jobs.NewJob(
            kind="draws.seal",
            title=f"Seal the draw of «{sheet.reward.title}»",
            site_id=sheet.site.id,
            subject=f"rewards:{sheet.reward.id}",
            arguments={"draw_id": sheet.draw.id},
            total=sheet.draw.entry_count,
        ),
    )


@bp.route("/rewards/<name:name>/draw/run", methods=["GET", "POST"])
@requires(Permission.DRAWS_RUN, confirmed=True)
def run(name: str) -> ResponseReturnValue:
    """The ceremony: the value of the witness, twice, and one press."""
    session = db.session()
    sheet = _sheet(name, Permission.DRAWS_RUN)
    was_drawn = sheet.draw.state is DrawState.DRAWN
    form = RunForm()
    if form.submit(draws.run, draw_id=sheet.draw.id) or was_drawn:
        if was_drawn:
            flash("This draw has been made; this is its one result.", "info")
        return go(".result", name=name)
    verdict = rules.may_draw(
        sheet.facts, actor().staff_id, clock.now(), is_small_team=read_settings.is_small_team(session)
    )
    return render(
        "draws/run.html",
        "draws/_run.html",
        form.status,
        form=form,
        sheet=sheet,
        reward=sheet.reward,
        draw=sheet.draw,
        may_draw=verdict,
    )


@bp.get("/rewards/<name:name>/draw/result")
@requires(Permission.WINNERS_VIEW)
def result(name: str) -> ResponseReturnValue:
    """Winners and reserves as drawn, for reading out."""
    session = db.session()
    sheet = _sheet(name, Permission.WINNERS_VIEW)
    if sheet.draw.state is not DrawState.DRAWN:
        return go(".show", name=name)
    record, places = read.record(session, sheet.draw.reference), read.places(session, sheet.draw.id)
    found = record.result
    return render(
        "draws/result.html",
        sheet=sheet,
        reward=sheet.reward,
        draw=sheet.draw,
        record=record,
        result=found,
        winner_cards=presenters.winners(places, len(found["winners"])),
        reserve_cards=presenters.reserves(places, len(found["winners"])),
    )


@bp.get("/rewards/<name:name>/draw/sheet")
@requires(Permission.PROGRAMMES_VIEW)
def sheet(name: str) -> ResponseReturnValue:
    """The seal on one printable page: fingerprint, counts, root, source, prizes."""
    found = _sheet(name, Permission.PROGRAMMES_VIEW)
    if found.draw.seal is None:
        return go(".show", name=name)
    by = read.staff_name(db.session(), found.draw.sealed_by_id)
    return render("draws/sheet.html", sheet=found, reward=found.reward, draw=found.draw, sealed_by=by)


@bp.post("/rewards/<name:name>/draw/bundle")
@requires(Permission.DRAWS_EXPORT)
def bundle(name: str) -> ResponseReturnValue:
    """The evidence as a zip; the download is told to the audit log."""
    found = _sheet(name, Permission.DRAWS_EXPORT)
    form = PressForm()
    title, site_id = found.reward.title, found.site.id

    def tell(work: Work) -> bool:
        work.record(Event.DRAW_EXPORTED, f"rewards:{found.reward.id}", site_id, reward=title)
        return True

    if not form.press(tell):
        flash(next(iter(form.form_errors), "The page was too old; press the button again."), "error")
        return go(".show", name=name)
    return Response(
        stream_with_context(evidence.stream(db.session(), found.draw.reference)),
        mimetype="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{evidence.file_name(found.draw)}"'},
    )
