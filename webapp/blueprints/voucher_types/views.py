"""The screens of voucher types."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, current_app, flash, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from webapp.adapters import clock
from webapp.blueprints.voucher_types import presenters
from webapp.blueprints.voucher_types.forms import ChangeTypeForm, GenerateForm, NewTypeForm, UploadForm
from webapp.domain.jobs import FINISHED
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import audit as read_audit
from webapp.queries import choices
from webapp.queries import jobs as read_jobs
from webapp.queries import voucher_types as read
from webapp.queries import voucher_uploads as read_uploads
from webapp.services import voucher_types, vouchers
from webapp.services.vouchers import AddCodes, TakeBackCodes
from webapp.web import job_cards
from webapp.web.access import actor, listed, requires, scope
from webapp.web.codes import mint
from webapp.web.exporting import offer
from webapp.web.filters import plural
from webapp.web.forms import PressForm
from webapp.web.paging import number, text
from webapp.web.rendering import asked_for_part, go, render, unchanged

if TYPE_CHECKING:
    from webapp.models import Job

bp = Blueprint("voucher_types", __name__, url_prefix="/voucher-types")


@bp.get("")
@requires(Permission.PROGRAMMES_VIEW)
def index() -> ResponseReturnValue:
    """Types, newest first, searched by title and code."""
    search = text("q")
    rows = read.page(db.session(), listed(Permission.PROGRAMMES_VIEW), search=search, before=number("before"))
    return render(
        "voucher_types/index.html",
        "voucher_types/_results.html",
        rows=rows[: read.PAGE],
        has_more=len(rows) > read.PAGE,
        search=search,
        expiry_rule=presenters.expiry_rule,
    )


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.REPORTS_EXPORT)
def export() -> ResponseReturnValue:
    """The types of the list as a file; no code is in it."""
    where, search = listed(Permission.REPORTS_EXPORT), text("q")
    return offer("voucher-types", read.EXPORT, lambda session: read.stream(session, where, search))


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.VOUCHERS_EDIT)
def new() -> ResponseReturnValue:
    form = NewTypeForm()
    sites = choices.sites(db.session(), scope(Permission.VOUCHERS_EDIT))
    form.site_id.choices = [SelectChoice(str(site_id), title) for site_id, title in sites]
    if kind := form.submit(voucher_types.create):
        flash(f"Voucher type «{kind.title}» created. Generate its codes next.", "success")
        return go(".show", voucher_type_id=kind.id)
    return render(
        "voucher_types/new.html", "voucher_types/_form.html", form.status, form=form, sheet=None, has_sites=bool(sites)
    )


@bp.get("/sample")
@requires(Permission.VOUCHERS_EDIT)
def sample() -> ResponseReturnValue:
    """What a pattern would give: the answer to a field while it is typed."""
    zone = current_app.extensions["largesse"].timezone
    shown = presenters.sample(text("id_pattern", 100), clock.now(), zone)
    return render("voucher_types/sample.html", "voucher_types/_sample.html", sample=shown)


@bp.get("/<int:voucher_type_id>")
@requires(Permission.PROGRAMMES_VIEW)
def show(voucher_type_id: int) -> ResponseReturnValue:
    """One type: state figures, facts, batches, the rewards that use it."""
    session = db.session()
    sheet = read.sheet(session, voucher_type_id, scope(Permission.PROGRAMMES_VIEW))
    may_edit = actor().may(Permission.VOUCHERS_EDIT, sheet.site.id)
    apart = read_uploads.apart(session, voucher_type_id, clock.now())
    left = read_uploads.remaining(session, voucher_type_id, clock.now()) if apart.valued else []
    return render(
        "voucher_types/show.html",
        sheet=sheet,
        kind=sheet.kind,
        figures=presenters.figures(sheet.kind, apart),
        left_by_value=presenters.left_by_value(sheet.kind, left),
        is_cut=sum(count for _, count in left) >= read_uploads.MOST_VALUED,
        expiry_rule=presenters.expiry_rule,
        batches=read.batches(session, voucher_type_id),
        used_by=read.used_by(session, voucher_type_id),
        history=read_audit.of_subject(session, f"voucher_types:{voucher_type_id}"),
        form=GenerateForm() if may_edit else None,
    )


@bp.route("/<int:voucher_type_id>/edit", methods=["GET", "POST"])
@requires(Permission.VOUCHERS_EDIT)
def edit(voucher_type_id: int) -> ResponseReturnValue:
    where = scope(Permission.VOUCHERS_EDIT)
    sheet = read.sheet(db.session(), voucher_type_id, where)
    form = ChangeTypeForm(obj=sheet.kind)
    if form.submit(voucher_types.change, voucher_type_id=voucher_type_id):
        flash("Voucher type saved.", "success")
        return go(".show", voucher_type_id=voucher_type_id)
    different = []
    if form.status == HTTPStatus.CONFLICT:
        sheet = read.sheet(db.session(), voucher_type_id, where)
        different = presenters.differences(form, sheet.kind)
        # Saving again is then a decision: it goes on top of what the page just showed.
        form.version.data = sheet.kind.version
    return render(
        "voucher_types/edit.html", "voucher_types/_form.html", form.status, form=form, sheet=sheet, different=different
    )


@bp.route("/<int:voucher_type_id>/generate", methods=["GET", "POST"])
@requires(Permission.VOUCHERS_EDIT)
def generate(voucher_type_id: int) -> ResponseReturnValue:
    """Make idle codes, at once or as a job."""
    sheet = read.sheet(db.session(), voucher_type_id, scope(Permission.VOUCHERS_EDIT))
    form = GenerateForm()
    made = form.submit(lambda work, command: vouchers.generate(work, command, mint()), voucher_type_id=voucher_type_id)
    if made and made.wanted > made.made:
        return go(".progress", voucher_type_id=voucher_type_id, batch_id=made.id)
    if made:
        flash(f"{made.made:,} {'code' if made.made == 1 else 'codes'} generated.", "success")
        return go(".show", voucher_type_id=voucher_type_id)
    return render(
        "voucher_types/generate.html",
        "voucher_types/_generate.html",
        form.status,
        form=form,
        sheet=sheet,
        kind=sheet.kind,
    )


@bp.route("/<int:voucher_type_id>/upload", methods=["GET", "POST"])
@requires(Permission.VOUCHERS_EDIT)
def upload(voucher_type_id: int) -> ResponseReturnValue:
    """Check a file of codes that others made; nothing is added before that was seen."""
    sheet = read.sheet(db.session(), voucher_type_id, scope(Permission.VOUCHERS_EDIT))
    form = UploadForm()
    if table := form.table():
        batch = form.submit(
            lambda work, command: vouchers.upload(work, command, mint()), voucher_type_id=voucher_type_id, **table
        )
        if batch:
            return go(".progress", voucher_type_id=voucher_type_id, batch_id=batch.id)
    return render(
        "voucher_types/upload.html", "voucher_types/_upload.html", form.status, form=form, sheet=sheet, kind=sheet.kind
    )


@bp.post("/<int:voucher_type_id>/batches/<int:batch_id>/add")
@requires(Permission.VOUCHERS_EDIT)
def add(voucher_type_id: int, batch_id: int) -> ResponseReturnValue:
    """Add the good codes of a file that was checked."""
    sheet = read.sheet(db.session(), voucher_type_id, scope(Permission.VOUCHERS_EDIT))
    batch = read.batch(db.session(), voucher_type_id, batch_id)
    form = PressForm()
    command = AddCodes(voucher_type_id, batch_id)
    if added := form.press(lambda work: vouchers.add_uploaded(work, command, mint())):
        flash(f"{plural(added.made, 'code')} added.", "success")
        return go(".show", voucher_type_id=voucher_type_id)
    return _batch_page(sheet, batch, form)


@bp.get("/<int:voucher_type_id>/batches/<int:batch_id>")
@requires(Permission.PROGRAMMES_VIEW)
def progress(voucher_type_id: int, batch_id: int) -> ResponseReturnValue:
    """A batch and how far its job is; asked again while it moves."""
    session = db.session()
    sheet = read.sheet(session, voucher_type_id, scope(Permission.PROGRAMMES_VIEW))
    batch = read.batch(session, voucher_type_id, batch_id)
    job = read_jobs.latest(session, f"voucher_batches:{batch_id}")
    if job and (same := unchanged(job_cards.tag_of(job))):
        return same
    if job and job.kind == vouchers.TAKING_BACK and job.status in FINISHED and asked_for_part():
        return go(".progress", voucher_type_id=voucher_type_id, batch_id=batch_id)  # the page has more to say now
    may_edit = actor().may(Permission.VOUCHERS_EDIT, sheet.site.id)
    return _batch_page(sheet, batch, PressForm() if may_edit else None, job)


@bp.route("/<int:voucher_type_id>/batches/<int:batch_id>/take-back", methods=["GET", "POST"])
@requires(Permission.VOUCHERS_EDIT)
def take_back(voucher_type_id: int, batch_id: int) -> ResponseReturnValue:
    """Take an upload back, after saying what that does; a job does it."""
    session, form = db.session(), PressForm()
    sheet = read.sheet(session, voucher_type_id, scope(Permission.VOUCHERS_EDIT))
    read.upload(session, voucher_type_id, batch_id)
    if form.press(lambda work: vouchers.start_taking_back(work, TakeBackCodes(voucher_type_id, batch_id))):
        return go(".progress", voucher_type_id=voucher_type_id, batch_id=batch_id)
    batch = read.upload(session, voucher_type_id, batch_id)
    return render(
        "voucher_types/take_back.html",
        "voucher_types/_take_back.html",
        form.status,
        kind=sheet.kind,
        sheet=sheet,
        batch=batch,
        form=form,
        verdict=batch.may_take_back,
    )


def _batch_page(
    sheet: read.TypeSheet, batch: read.BatchRow, form: PressForm | None, job: Job | None = None
) -> ResponseReturnValue:
    return render(
        "voucher_types/batch.html",
        "voucher_types/_add.html" if batch.is_offered else "voucher_types/_progress.html",
        form.status if form else HTTPStatus.OK,
        kind=sheet.kind,
        sheet=sheet,
        batch=batch,
        form=form,
        job=job_cards.card(job, poll_url=request.path) if job else None,
        left_url=_left_url(sheet, job) if form and job else None,
    )


def _left_url(sheet: read.TypeSheet, job: Job) -> str | None:
    """Where the file of the codes that stay is, for whoever may open jobs."""
    has_file = job.kind == vouchers.TAKING_BACK and job.result_file_id is not None
    return (
        url_for("jobs.result", job_id=job.id) if has_file and actor().may(Permission.JOBS_VIEW, sheet.site.id) else None
    )
