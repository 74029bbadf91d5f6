"""The settings page."""

from __future__ import annotations

from flask import Blueprint, current_app, flash
from flask.typing import ResponseReturnValue

import webapp
from webapp.adapters import schema
from webapp.blueprints.settings.forms import SettingsForm
from webapp.config import Settings
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import audit as read_audit
from webapp.queries import settings as read
from webapp.services import settings
from webapp.web.access import requires
from webapp.web.rendering import go, render

bp = Blueprint("settings", __name__, url_prefix="/settings")


@bp.route("", methods=["GET", "POST"])
@requires(Permission.SETTINGS_EDIT, confirmed=True)
def index() -> ResponseReturnValue:
    current = read.find(db.session())
    form = (
        SettingsForm(obj=current)
        if current
        else SettingsForm(is_small_team=False, is_second_factor_optional=False, anchor_emails="", version=0)
    )
    if form.submit(settings.change):
        flash("Settings saved.", "success")
        return go(".index")
    facts, history = _facts(), read_audit.of_subject(db.session(), "account_settings:1")
    return render("settings/index.html", "settings/_form.html", form.status, form=form, facts=facts, history=history)


def _facts() -> list[tuple[str, str, str]]:
    """What the machine's operator decided, with the variable it is set by."""
    operator: Settings = current_app.extensions["largesse"]
    return [
        ("Version", webapp.__version__, f"Database at revision {schema.head()}."),
        (
            "Time zone",
            operator.timezone,
            "The account's clock; each site counts its days by its own. LARGESSE_TIMEZONE",
        ),
        ("Public address", operator.public_url, "Links in e-mails begin with it. LARGESSE_PUBLIC_URL"),
        ("Further host names", ", ".join(operator.trusted_hosts) or "none", "LARGESSE_TRUSTED_HOSTS"),
        ("Sender of e-mails", operator.mail_from, "LARGESSE_MAIL_FROM"),
        ("E-mail leaves", "by SMTP" if operator.smtp_url else "not yet: messages wait", "LARGESSE_SMTP_URL"),
        (
            "Webhooks leave",
            "over the network" if operator.webhooks == "on" else "into a folder",
            f"Hosts inside they may go to: {', '.join(operator.webhook_hosts) or 'none'}. LARGESSE_WEBHOOK_HOSTS",
        ),
        ("Database", "SQLite, one file" if operator.is_sqlite else "PostgreSQL", "LARGESSE_DATABASE_URL"),
        ("Scheduler", "on" if operator.scheduler else "off", "Long work runs in the background. LARGESSE_SCHEDULER"),
    ]
