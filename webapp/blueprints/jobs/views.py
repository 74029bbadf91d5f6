"""The screens of long work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import abort, flash, g, url_for
from flask.typing import ResponseReturnValue

from webapp.blueprints.jobs import bp, presenters
from webapp.domain.jobs import JobStatus
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import jobs as read
from webapp.services import jobs
from webapp.web import downloads, job_cards, paging
from webapp.web.access import actor, listed, requires, scope
from webapp.web.exporting import offer
from webapp.web.forms import PressForm
from webapp.web.rendering import asked_for_part, go, render, unchanged

if TYPE_CHECKING:
    from webapp.models import Job

SIZE = 50


@bp.get("")
@requires(Permission.JOBS_VIEW)
def index() -> ResponseReturnValue:
    """The newest jobs first; a tab a state."""
    reach, own = listed(Permission.JOBS_VIEW), actor().staff_id
    status = _status()
    rows = read.page(db.session(), reach, status=status, own=own, before=paging.number("before"), size=SIZE + 1)
    return render(
        "jobs/index.html",
        rows=rows[:SIZE],
        older=rows[SIZE - 1].id if len(rows) > SIZE else None,
        is_first=paging.number("before") is None,
        tabs=presenters.tabs(read.counts(db.session(), reach, own=own), status),
        chosen=status,
        says=job_cards.says,
    )


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.JOBS_VIEW)
def export() -> ResponseReturnValue:
    """The jobs of the list as a file."""
    reach, own, status = listed(Permission.JOBS_VIEW), actor().staff_id, _status()
    return offer("jobs", read.EXPORT, lambda session: read.stream(session, reach, status=status, own=own))


def _status() -> JobStatus | None:
    return paging.choice("status", JobStatus)


@bp.get("/<int:job_id>")
@requires(Permission.JOBS_VIEW)
def show(job_id: int) -> ResponseReturnValue:
    job = _job(job_id)
    return render("jobs/show.html", job=job, card=_card_of(job))


@bp.get("/<int:job_id>/progress")
@requires(Permission.JOBS_VIEW)
def progress(job_id: int) -> ResponseReturnValue:
    """The card alone; nothing at all while it has not changed."""
    job = _job(job_id)
    if same := unchanged(job_cards.tag_of(job)):
        return same
    if not asked_for_part():
        return go(".show", job_id=job_id)
    return _card(job)


@bp.post("/<int:job_id>/cancel")
@requires(Permission.JOBS_VIEW)
def cancel(job_id: int) -> ResponseReturnValue:
    """Ask for the end of a job; from the card, answer with the card."""
    _job(job_id)
    form = PressForm()
    done = form.press(lambda work: jobs.cancel(work, jobs.CancelJob(job_id)))
    refusal = "" if done else str(next(iter(form.form_errors), "The job was not cancelled. Try once more."))
    if asked_for_part():
        return _card(_job(job_id), refusal, form.status)
    flash(refusal or "Job cancelled. What it finished before stays.", "warning" if refusal else "success")
    return go(".show", job_id=job_id)


@bp.get("/<int:job_id>/result")
@requires(Permission.JOBS_VIEW)
def result(job_id: int) -> ResponseReturnValue:
    """The file a job made."""
    job = _job(job_id)
    if job.result_file_id is None:
        abort(404, "The job has made no file.")
    if not _may_fetch(job):
        g.refused = jobs.RESULT_NEEDS.get(job.kind)
        abort(403)
    return downloads.stored(job.result_file_id)


def _card(job: Job, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    card = _card_of(job)
    return render("jobs/_progress.html", status=status, card={**card, "error": refusal or card["error"]})


def _card_of(job: Job) -> dict[str, Any]:
    return job_cards.card(
        job,
        poll_url=url_for(".progress", job_id=job.id),
        cancel_url=url_for(".cancel", job_id=job.id),
        result_url=url_for(".result", job_id=job.id) if job.result_file_id and _may_fetch(job) else None,
    )


def _job(job_id: int) -> Job:
    return read.get(db.session(), job_id, scope(Permission.JOBS_VIEW), own=actor().staff_id)


def _may_fetch(job: Job) -> bool:
    """A result may name people: it is for whoever started the job, or holds the permission its kind asks for."""
    needed = jobs.RESULT_NEEDS.get(job.kind)
    if needed is None:
        return job.created_by_id == actor().staff_id
    return actor().may(needed, job.site_id)
