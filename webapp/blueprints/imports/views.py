"""The screens of one upload, from its columns to its end, and the list of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, request
from flask.typing import ResponseReturnValue

from webapp.blueprints.imports import outcomes, presenters
from webapp.blueprints.imports.forms import ApplyForm, ColumnsForm, UploadRowsForm
from webapp.domain import import_columns
from webapp.domain import imports as rules
from webapp.domain.import_columns import ImportKind
from webapp.domain.imports import ImportStatus, Outcome
from webapp.domain.jobs import FINISHED
from webapp.domain.permissions import Permission
from webapp.domain.person_columns import CONSENT_COLUMNS
from webapp.extensions import db
from webapp.queries import audit as read_audit
from webapp.queries import imports as read
from webapp.queries import jobs as read_jobs
from webapp.queries.imports import RunSheet
from webapp.services import import_discards, import_undo, imports
from webapp.services.import_discards import DiscardImport
from webapp.services.import_undo import UndoImport
from webapp.services.imports import CancelImport
from webapp.web import downloads, job_cards
from webapp.web.access import listed, requires, scope
from webapp.web.exporting import offer
from webapp.web.forms import PressForm
from webapp.web.paging import number
from webapp.web.rendering import asked_for_part, go, render, unchanged

if TYPE_CHECKING:
    from webapp.models import Job

bp = Blueprint("imports", __name__, url_prefix="/imports")

MOVING = (ImportStatus.CHECKING, ImportStatus.APPLYING)


def _sheet(run_id: int) -> RunSheet:
    return read.sheet(db.session(), run_id, scope(Permission.ENTRIES_IMPORT))


def _is_moving(sheet: RunSheet) -> bool:
    return sheet.run.status in MOVING or (sheet.run.undo_job_id is not None and sheet.run.undone_at is None)


def _job(sheet: RunSheet) -> Job | None:
    """The job under way, or the one that ended last."""
    run = sheet.run
    job_id = run.undo_job_id
    if job_id is None:
        job_id = run.check_job_id if run.status is ImportStatus.CHECKING else run.apply_job_id or run.check_job_id
    return read_jobs.get(db.session(), job_id) if job_id else None


@bp.get("")
@requires(Permission.ENTRIES_IMPORT)
def index() -> ResponseReturnValue:
    """Every upload, the newest first."""
    rows = read.page(db.session(), listed(Permission.ENTRIES_IMPORT), before=number("before"))
    return render(
        "imports/index.html",
        rows=rows[: read.PAGE],
        older=rows[read.PAGE - 1].id if len(rows) > read.PAGE else None,
        is_first=number("before") is None,
        tag_of=presenters.tag_of,
    )


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.ENTRIES_IMPORT)
def export() -> ResponseReturnValue:
    """The list of uploads as a file."""
    where = listed(Permission.ENTRIES_IMPORT)
    return offer("imports", read.EXPORT, lambda session: read.stream(session, where))


@bp.get("/new")
@requires(Permission.ENTRIES_IMPORT)
def choose() -> ResponseReturnValue:
    """What can be imported: entries from the page of their reward, everything else from here."""
    return render("imports/choose.html", kinds=_kinds(), titles=import_columns.TITLES)


@bp.route("/new/<name:kind>", methods=["GET", "POST"])
@requires(Permission.ENTRIES_IMPORT)
def new(kind: str) -> ResponseReturnValue:
    """Take a file of people, organisations or the like; its columns are chosen next."""
    found = next((item for item in _kinds() if item == kind), None)
    if found is None:
        abort(404)
    form = UploadRowsForm()
    file = form.incoming()
    if file and (run := form.submit(imports.upload_rows, kind=found, file=file)):
        return go(".show", run_id=run.id)
    return render(
        "imports/new.html",
        "imports/_upload.html",
        form.status,
        form=form,
        kind=found,
        title=import_columns.TITLES[found].lower(),
        columns=[column for column in read.columns(db.session(), found) if column not in CONSENT_COLUMNS],
    )


def _kinds() -> list[ImportKind]:
    """Rows that belong to no site and no branch of organisations need somebody who may work in all of them."""
    is_everywhere = scope(Permission.ENTRIES_IMPORT) is None
    found = list(imports.UPLOADABLE) if is_everywhere else []
    return [kind for kind in found if all(scope(right) is None for right in _RIGHTS.get(kind, ()))]


# What a file of a kind may do takes the rights of whoever does it on its page.
_RIGHTS = {
    ImportKind.FACTS: (Permission.PROFILES_EDIT,),
    ImportKind.DEFINITIONS: (Permission.DEFINITIONS_EDIT, Permission.DEFINITIONS_PUBLISH),
    ImportKind.REWARDS: (Permission.REWARDS_EDIT,),
}


@bp.get("/<int:run_id>")
@requires(Permission.ENTRIES_IMPORT)
def show(run_id: int) -> ResponseReturnValue:
    """Where the upload stands, and the one next thing to do with it."""
    sheet = _sheet(run_id)
    return _page(sheet, ApplyForm.of(sheet))


def _page(sheet: RunSheet, form: ApplyForm) -> ResponseReturnValue:
    session = db.session()
    run = sheet.run
    columns = read.columns(session, ImportKind(run.kind))
    asked = request.args.get("show", "")
    outcome = Outcome(asked) if asked in set(Outcome) else Outcome.BAD if run.bad_count else Outcome.DUPLICATE
    has_problems = run.status not in (ImportStatus.UPLOADED, ImportStatus.CHECKING)
    problems = read.problems(session, run.id, outcome, after=number("after")) if has_problems else []
    job = _job(sheet)
    return render(
        "imports/show.html",
        "imports/_problems.html" if request.method == "GET" else "imports/_apply.html",
        form.status,
        sheet=sheet,
        run=run,
        form=form,
        columns=ColumnsForm.of(sheet, columns) if run.status is ImportStatus.UPLOADED else None,
        unread=presenters.unread(sheet),
        chosen=presenters.chosen(sheet),
        press=PressForm(formdata=None),
        card=presenters.card(job, sheet) if job and _is_moving(sheet) else None,
        rows=import_columns.ROWS[ImportKind(run.kind)],
        may_undo=rules.may_undo(sheet.facts),
        was_checked=presenters.was_checked(sheet),
        lists=presenters.lists(),
        steps=presenters.steps(sheet),
        tag_of=presenters.tag_of(run),
        figures_of=outcomes.figures(sheet) if presenters.was_checked(sheet) else [],
        writes=outcomes.writes(run),
        changes_nothing=outcomes.changes_nothing(run),
        ahead=outcomes.ahead(run),
        written=outcomes.written(sheet),
        undone=outcomes.taken_back(run),
        tabs=presenters.tabs(sheet, outcome),
        outcome=outcome,
        problems=problems[: read.PAGE],
        next_after=problems[read.PAGE - 1].id if len(problems) > read.PAGE else None,
        is_first=number("after") is None,
        sample=presenters.sample_columns(sheet, columns),
        sample_rows=presenters.sample_rows(sheet, columns),
        may_apply=rules.may_apply(sheet.facts),
        twins=read.twins(session, sheet) if run.status is not ImportStatus.DONE else [],
        history=[] if asked_for_part() else read_audit.of_subject(session, f"import_runs:{run.id}"),
    )


@bp.route("/<int:run_id>/columns", methods=["GET", "POST"])
@requires(Permission.ENTRIES_IMPORT)
def columns(run_id: int) -> ResponseReturnValue:
    """Choose which column is what, and check the file."""
    sheet = _sheet(run_id)
    form = ColumnsForm.of(sheet, read.columns(db.session(), ImportKind(sheet.run.kind)))
    if form.submit(imports.choose_columns, run_id=run_id):
        return go(".show", run_id=run_id)
    return render(
        "imports/columns.html",
        "imports/_columns.html",
        form.status,
        sheet=sheet,
        run=sheet.run,
        columns=form,
        unread=presenters.unread(sheet),
        steps=presenters.steps(sheet),
        verdict=rules.may_choose_columns(sheet.facts),
    )


@bp.post("/<int:run_id>/apply")
@requires(Permission.ENTRIES_IMPORT)
def apply(run_id: int) -> ResponseReturnValue:
    """Import what was checked, or go on with what was stopped."""
    sheet = _sheet(run_id)
    form = ApplyForm.of(sheet)
    if form.submit(imports.apply, run_id=run_id):
        return go(".show", run_id=run_id)
    return _page(_sheet(run_id), form)


@bp.get("/<int:run_id>/progress")
@requires(Permission.ENTRIES_IMPORT)
def progress(run_id: int) -> ResponseReturnValue:
    """The card of the job alone; nothing at all while it has not moved; the page anew once it has ended."""
    sheet = _sheet(run_id)
    job = _job(sheet)
    if job is None or job.status in FINISHED or not _is_moving(sheet) or not asked_for_part():
        return go(".show", run_id=run_id)
    return unchanged(job_cards.tag_of(job)) or render("imports/_progress.html", card=presenters.card(job, sheet))


@bp.post("/<int:run_id>/cancel")
@requires(Permission.ENTRIES_IMPORT)
def cancel(run_id: int) -> ResponseReturnValue:
    """Stop the check or the import before its next step."""
    _sheet(run_id)
    form = PressForm()
    if form.press(lambda work: imports.cancel(work, CancelImport(run_id))):
        flash("Stopping. What was imported stays, and the import can go on later.")
    else:
        flash(str(next(iter(form.form_errors), "Nothing was stopped.")), "warning")
    return go(".show", run_id=run_id)


@bp.route("/<int:run_id>/undo", methods=["GET", "POST"])
@requires(Permission.ENTRIES_IMPORT)
def undo(run_id: int) -> ResponseReturnValue:
    """Take the import back, after saying what that does."""
    sheet = _sheet(run_id)
    form = PressForm()
    if form.press(lambda work: import_undo.undo(work, UndoImport(run_id))):
        return go(".show", run_id=run_id)
    return render(
        "imports/undo.html",
        "imports/_undo.html",
        form.status,
        form=form,
        sheet=sheet,
        run=sheet.run,
        rows=import_columns.ROWS[ImportKind(sheet.run.kind)],
        verdict=rules.may_undo(sheet.facts),
    )


@bp.route("/<int:run_id>/discard", methods=["GET", "POST"])
@requires(Permission.ENTRIES_IMPORT)
def discard(run_id: int) -> ResponseReturnValue:
    """Throw an upload away of which nothing was imported, after saying what that does."""
    sheet = _sheet(run_id)
    form = PressForm()
    if form.press(lambda work: import_discards.discard(work, DiscardImport(run_id))):
        flash(f"{sheet.file.name} was thrown away; nothing of it was imported.")
        return go(".show", run_id=run_id)
    return render(
        "imports/discard.html",
        "imports/_discard.html",
        form.status,
        form=form,
        sheet=sheet,
        run=sheet.run,
        verdict=rules.may_discard(sheet.facts),
    )


@bp.get("/<int:run_id>/rejects")
@requires(Permission.ENTRIES_IMPORT)
def rejects(run_id: int) -> ResponseReturnValue:
    """The bad rows as they were, with line, column and reason."""
    sheet = _sheet(run_id)
    if sheet.run.rejects_file_id is None or sheet.run.status in MOVING:
        abort(404, "There is no rejects file: no row was bad.")
    if sheet.run.status is ImportStatus.DISCARDED:
        abort(404, "The rejects file was thrown away with its upload.")
    return downloads.stored(sheet.run.rejects_file_id)
