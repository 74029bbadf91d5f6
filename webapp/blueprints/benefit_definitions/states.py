"""Publish, unpublish, archive, restore, clone and delete a benefit definition, each on a page that says what it does."""

from __future__ import annotations

from typing import Any

from flask import flash
from flask.typing import ResponseReturnValue

from webapp.adapters import clock
from webapp.blueprints.benefit_definitions import bp
from webapp.blueprints.benefit_definitions.forms import ArchiveForm, CloneForm
from webapp.domain import definition_words
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import benefit_definitions as read
from webapp.queries import notices as read_notices
from webapp.services import benefit_definitions as definitions
from webapp.services import notices
from webapp.web.access import requires, scope
from webapp.web.forms import CommandForm, PressForm
from webapp.web.rendering import go, render

Consequences = list[tuple[int | None, str]]
EDIT, PUBLISH = Permission.DEFINITIONS_EDIT, Permission.DEFINITIONS_PUBLISH


def _page(name: str, form: CommandForm[Any], sheet: read.Sheet, **more: object) -> ResponseReturnValue:
    page, part = f"benefit_definitions/{name}.html", f"benefit_definitions/_{name}.html"
    return render(page, part, form.status, form=form, sheet=sheet, definition=sheet.definition, **more)


def _confirm(
    form: PressForm, sheet: read.Sheet, title: str, button: str, consequences: Consequences, *, kind: str
) -> ResponseReturnValue:
    return _page("confirm", form, sheet, title=title, button=button, consequences=consequences, kind=kind)


@bp.route("/<int:definition_id>/publish", methods=["GET", "POST"])
@requires(PUBLISH)
def publish(definition_id: int) -> ResponseReturnValue:
    """The checklist, then live."""
    sheet, form = read.sheet(db.session(), definition_id, scope(PUBLISH)), PressForm()
    command = definitions.PublishDefinition(definition_id)
    if form.press(lambda work: definitions.publish(work, command)):
        flash(f"«{sheet.definition.name}» is live.", "success")
        return go(".show", definition_id=definition_id)
    checks = definition_words.readiness(sheet.definition, clock.now(), sheet.site.timezone)
    return _page("publish", form, sheet, checks=checks)


@bp.route("/<int:definition_id>/unpublish", methods=["GET", "POST"])
@requires(PUBLISH)
def unpublish(definition_id: int) -> ResponseReturnValue:
    """A draft again."""
    sheet, form = read.sheet(db.session(), definition_id, scope(PUBLISH)), PressForm()
    command = definitions.UnpublishDefinition(definition_id)
    if form.press(lambda work: definitions.unpublish(work, command)):
        flash(f"«{sheet.definition.name}» is a draft again.", "success")
        return go(".show", definition_id=definition_id)
    consequences: Consequences = [
        (None, "Nobody can claim it any more, and customers do not see it."),
        (None, "What people hold can still be redeemed, and staff may still issue it."),
    ]
    return _confirm(form, sheet, "Make it a draft again", "Make it a draft", consequences, kind="primary")


@bp.route("/<int:definition_id>/archive", methods=["GET", "POST"])
@requires(PUBLISH)
def archive(definition_id: int) -> ResponseReturnValue:
    """Out of use, with or without an end to redemptions."""
    sheet, form = read.sheet(db.session(), definition_id, scope(PUBLISH)), ArchiveForm()
    if form.submit(definitions.archive, definition_id=definition_id):
        flash(f"«{sheet.definition.name}» archived.", "success")
        return go(".show", definition_id=definition_id)
    return _page("archive", form, sheet)


@bp.route("/<int:definition_id>/restore", methods=["GET", "POST"])
@requires(PUBLISH)
def restore(definition_id: int) -> ResponseReturnValue:
    """Out of the archive."""
    sheet, form = read.sheet(db.session(), definition_id, scope(PUBLISH)), PressForm()
    command = definitions.RestoreDefinition(definition_id)
    if form.press(lambda work: definitions.restore(work, command)):
        flash(f"«{sheet.definition.name}» is in use again.", "success")
        return go(".show", definition_id=definition_id)
    consequences: Consequences = [
        (None, "It stands in the list again, and can be issued and claimed as its terms say."),
        (None, "If redemptions were stopped with it, they go on."),
    ]
    return _confirm(form, sheet, "Take it out of the archive", "Restore", consequences, kind="primary")


@bp.route("/<int:definition_id>/replan", methods=["GET", "POST"])
@requires(EDIT)
def replan(definition_id: int) -> ResponseReturnValue:
    """Let what is out follow the notices as they are now."""
    session = db.session()
    sheet, form = read.sheet(session, definition_id, scope(EDIT)), PressForm()
    command = notices.ReplanNotices(definition_id)
    if job := form.press(lambda work: notices.start(work, command)):
        return go("jobs.show", job_id=job.id)
    consequences: Consequences = [
        (
            read_notices.open_count(session, definition_id, clock.now()),
            "open benefits get their notices as the definition says now",
        ),
        (None, "What was sent or left out before stays as it is; nothing is sent a second time."),
    ]
    return _confirm(form, sheet, "Plan notices anew", "Plan anew", consequences, kind="primary")


@bp.route("/<int:definition_id>/clone", methods=["GET", "POST"])
@requires(EDIT)
def clone(definition_id: int) -> ResponseReturnValue:
    """The same terms under another handle, its dates moved."""
    sheet = read.sheet(db.session(), definition_id, scope(EDIT))
    form = CloneForm(data={"name": sheet.definition.name, "shift_days": 0})
    if made := form.submit(definitions.clone, definition_id=definition_id):
        flash(f"«{made.name}» is a draft with the same terms.", "success")
        return go(".show", definition_id=made.id)
    return _page("clone", form, sheet)


@bp.route("/<int:definition_id>/delete", methods=["GET", "POST"])
@requires(EDIT)
def delete(definition_id: int) -> ResponseReturnValue:
    """Gone for good; refused once anything was issued."""
    sheet, form = read.sheet(db.session(), definition_id, scope(EDIT)), PressForm()
    command = definitions.DeleteDefinition(definition_id)
    if form.press(lambda work: definitions.remove(work, command)):
        flash(f"«{sheet.definition.name}» deleted.", "success")
        return go(".index")
    issued, batches = sheet.definition.total_global_created, read.batch_count(db.session(), definition_id)
    consequences: Consequences = [
        (issued, f"{'benefit was' if issued == 1 else 'benefits were'} issued from it."),
        (batches, f"{'batch was' if batches == 1 else 'batches were'} planned for it."),
        (None, "With one or more of either, it can only be archived."),
        (None, "It goes for good with every version of its terms. The audit log keeps that it was there."),
    ]
    return _confirm(form, sheet, "Delete this definition", "Delete definition", consequences, kind="danger")
