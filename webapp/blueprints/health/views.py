"""Is the process alive, and may people be sent here."""

from __future__ import annotations

import shutil
from datetime import timedelta

from flask import Response, current_app
from sqlalchemy.exc import DBAPIError

from webapp.adapters import clock, schema
from webapp.blueprints.health import bp
from webapp.config import Settings
from webapp.domain.errors import Busy
from webapp.domain.health import unready
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import health as read
from webapp.services import leases
from webapp.web.access import actor, requires
from webapp.web.work import work


@bp.get("/healthz")
@requires(Permission.PUBLIC)
def healthz() -> Response:
    """The process answers; nothing else is asked."""
    return Response("ok\n", mimetype="text/plain")


@bp.get("/readyz")
@requires(Permission.PUBLIC)
def readyz() -> Response:
    """200 when every check holds; strangers learn no more than that, administrators read the reasons."""
    reasons = _reasons()
    told = "".join(f"{reason}\n" for reason in reasons) if actor().may(Permission.SETTINGS_EDIT) else ""
    word = "not ready" if reasons else "ok"
    return Response(f"{word}\n{told}", 503 if reasons else 200, mimetype="text/plain")


def _reasons() -> tuple[str, ...]:
    settings: Settings = current_app.extensions["largesse"]
    now = clock.now()
    try:
        with work() as unit:
            leases.take(unit, "probe", "readyz", timedelta())
        facts = read.facts(db.session(), now)
    except (Busy, DBAPIError) as error:
        return (f"The database cannot be written to: {getattr(error, 'orig', error)}",)
    free = shutil.disk_usage(settings.instance).free
    return unready(facts, now, head=schema.head(), free_bytes=free, sends_mail=bool(settings.smtp_url))
