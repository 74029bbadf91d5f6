"""The list of messages, and sending one again that the mail server refused."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, url_for
from flask.typing import ResponseReturnValue

from webapp.domain.outbox import OutboxStatus
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import outbox as read
from webapp.services import outbox
from webapp.web.access import requires
from webapp.web.exporting import offer
from webapp.web.forms import PressForm
from webapp.web.paging import choice, number
from webapp.web.reach import whole_account
from webapp.web.rendering import go, render

bp = Blueprint("notifications", __name__, url_prefix="/notifications")
SIZE = 50


@bp.get("")
@requires(Permission.SETTINGS_EDIT)
def index() -> ResponseReturnValue:
    """The newest messages first, without their words; a tab a state."""
    whole_account(Permission.SETTINGS_EDIT)
    chosen = _status()
    before = number("before")
    rows = read.page(db.session(), status=chosen, before=before, size=SIZE + 1)
    return render(
        "notifications/index.html",
        rows=rows[:SIZE],
        older=rows[SIZE - 1].id if len(rows) > SIZE else None,
        is_first=before is None,
        chosen=chosen,
        tabs=_tabs(chosen),
        form=PressForm(),
    )


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.SETTINGS_EDIT, confirmed=True)
def export() -> ResponseReturnValue:
    """The messages of the list as a file, without their words."""
    whole_account(Permission.SETTINGS_EDIT)
    status = _status()
    return offer("notifications", read.EXPORT, lambda session: read.stream(session, status=status))


def _status() -> OutboxStatus | None:
    return choice("status", OutboxStatus)


def _tabs(chosen: OutboxStatus | None) -> list[dict[str, Any]]:
    return [{"label": "All", "url": url_for(".index"), "current": chosen is None}] + [
        {"label": status.capitalize(), "url": url_for(".index", status=status), "current": chosen is status}
        for status in OutboxStatus
    ]


@bp.post("/<int:message_id>/resend")
@requires(Permission.SETTINGS_EDIT)
def resend(message_id: int) -> ResponseReturnValue:
    """Queue a message again that failed or was left out."""
    whole_account(Permission.SETTINGS_EDIT)
    form = PressForm()
    done = form.press(lambda work: outbox.resend(work, outbox.ResendMessage(message_id)))
    refusal = "" if done else str(next(iter(form.form_errors), "The message was not queued. Try once more."))
    flash(refusal or "Message queued again.", "warning" if refusal else "success")
    return go(".index", status=OutboxStatus.FAILED)
