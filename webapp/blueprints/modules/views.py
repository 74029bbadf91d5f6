"""The screens of modules and completions."""

from __future__ import annotations

from http import HTTPStatus
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from webapp.adapters import clock
from webapp.blueprints.modules.forms import ChangeModuleForm, NewModuleForm, RecordCompletionForm
from webapp.domain.modules import lapse_in_words, reference
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import audit as read_audit
from webapp.queries import choices
from webapp.queries import modules as read
from webapp.services import modules
from webapp.web.access import actor, listed, requires, scope
from webapp.web.exporting import offer
from webapp.web.forms import PressForm
from webapp.web.paging import counted, is_shown, number, text
from webapp.web.rendering import go, render

bp = Blueprint("modules", __name__, url_prefix="/modules")


@bp.get("")
@requires(Permission.PROFILES_VIEW)
def index() -> ResponseReturnValue:
    """Modules by site and path; archived ones in a tab."""
    session, where = db.session(), listed(Permission.PROFILES_VIEW)
    search, after, is_archived = text("q"), number("after"), is_shown("archived")
    rows = read.page(session, where, search=search, is_archived=is_archived, after=after)
    in_use, archived = read.counts(session, where)
    tabs = (("In use", None, in_use, not is_archived), ("Archived", "archived", archived, is_archived))
    return render(
        "modules/index.html",
        "modules/_results.html",
        rows=rows[: read.PAGE],
        next=rows[read.PAGE - 1].id if len(rows) > read.PAGE else None,
        is_first=after is None,
        search=search,
        show="archived" if is_archived else None,
        tabs=[
            {"label": label, "url": url_for(".index", show=show), "current": current, "count": counted(count)}
            for label, show, count, current in tabs
        ],
        lapse_in_words=lapse_in_words,
        reference=reference,
    )


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.PROFILES_VIEW)
def export() -> ResponseReturnValue:
    """The modules of the list as a file."""
    where, search, is_archived = listed(Permission.PROFILES_VIEW), text("q"), is_shown("archived")
    return offer("modules", read.EXPORT, lambda session: read.stream(session, where, search, is_archived=is_archived))


@bp.route("/<int:module_id>/export", methods=["GET", "POST"])
@requires(Permission.PROFILES_VIEW, confirmed=True)
def export_completions(module_id: int) -> ResponseReturnValue:
    """Who completed one module, as a file."""
    where, search = scope(Permission.PROFILES_VIEW), text("q")
    read.sheet(db.session(), module_id, where)
    return offer(
        "completions",
        read.EXPORT_COMPLETIONS,
        lambda session: read.stream_completions(session, where, module_id, search),
    )


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.SITES_EDIT)
def new() -> ResponseReturnValue:
    form = NewModuleForm()
    sites = choices.sites(db.session(), scope(Permission.SITES_EDIT))
    form.site_id.choices = [SelectChoice(str(site_id), title) for site_id, title in sites]
    if module := form.submit(modules.create):
        flash(f"Module «{module.title}» created.", "success")
        return go(".show", module_id=module.id)
    return render("modules/new.html", "modules/_form.html", form.status, form=form, sheet=None, has_sites=bool(sites))


@bp.get("/<int:module_id>")
@requires(Permission.PROFILES_VIEW)
def show(module_id: int) -> ResponseReturnValue:
    """One module: facts, its completions newest first, and history. What has lapsed is told by the clock."""
    session = db.session()
    sheet = read.sheet(session, module_id, scope(Permission.PROFILES_VIEW))
    search, before, now = text("q"), number("before"), clock.now()
    rows = read.completions(session, module_id, search=search, before=before)
    may_edit = actor().may(Permission.SITES_EDIT, sheet.site.id)
    return render(
        "modules/show.html",
        "modules/_completions.html",
        module=sheet.module,
        site=sheet.site,
        rows=rows[: read.PAGE],
        older=rows[read.PAGE - 1].id if len(rows) > read.PAGE else None,
        is_first=before is None,
        search=search,
        now=now,
        called=reference(sheet.site.name, sheet.module.path),
        lapse=lapse_in_words(sheet.module.lapses_after, sheet.module.lapses_unit),
        history=read_audit.of_subject(session, f"modules:{module_id}"),
        may_edit=may_edit,
        form=_record_form(sheet) if may_edit and sheet.module.archived_at is None else None,
    )


def _record_form(sheet: read.ModuleSheet) -> RecordCompletionForm:
    return RecordCompletionForm(completed_on=clock.now().astimezone(ZoneInfo(sheet.site.timezone)).date())


@bp.route("/<int:module_id>/edit", methods=["GET", "POST"])
@requires(Permission.SITES_EDIT)
def edit(module_id: int) -> ResponseReturnValue:
    where = scope(Permission.SITES_EDIT)
    sheet = read.sheet(db.session(), module_id, where)
    form = ChangeModuleForm(obj=sheet.module)
    if form.submit(modules.change, module_id=module_id):
        flash("Module saved.", "success")
        return go(".show", module_id=module_id)
    if form.status == HTTPStatus.CONFLICT:
        # Saving again is then a decision: it goes on top of what the sentence just told.
        form.version.data = read.sheet(db.session(), module_id, where).module.version
    return render("modules/edit.html", "modules/_form.html", form.status, form=form, sheet=sheet)


@bp.route("/<int:module_id>/archive", methods=["GET", "POST"])
@requires(Permission.SITES_EDIT)
def archive(module_id: int) -> ResponseReturnValue:
    """What archiving does, with numbers, and the button."""
    module = read.sheet(db.session(), module_id, scope(Permission.SITES_EDIT)).module
    form = PressForm()
    if form.press(lambda work: modules.archive(work, modules.ArchiveModule(module_id))):
        flash(f"Module «{module.title}» archived.", "success")
        return go(".show", module_id=module_id)
    return render("modules/archive.html", "modules/_archive.html", form.status, form=form, module=module)


@bp.post("/<int:module_id>/restore")
@requires(Permission.SITES_EDIT)
def restore(module_id: int) -> ResponseReturnValue:
    read.sheet(db.session(), module_id, scope(Permission.SITES_EDIT))
    form = PressForm()
    if module := form.press(lambda work: modules.restore(work, modules.RestoreModule(module_id))):
        flash(f"Module «{module.title}» restored.", "success")
    else:
        flash(str(next(iter(form.form_errors), "Nothing was changed. Try once more.")), "warning")
    return go(".show", module_id=module_id)


@bp.route("/<int:module_id>/complete", methods=["GET", "POST"])
@requires(Permission.SITES_EDIT)
def complete(module_id: int) -> ResponseReturnValue:
    """Record by hand that somebody completed it."""
    sheet = read.sheet(db.session(), module_id, scope(Permission.SITES_EDIT))
    form = _record_form(sheet)
    if form.submit(modules.record, module_id=module_id):
        flash("Completion recorded.", "success")
        return go(".show", module_id=module_id)
    return render("modules/complete.html", "modules/_complete.html", form.status, form=form, module=sheet.module)
