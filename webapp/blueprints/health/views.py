"""Is the process alive, and may people be sent here."""

from __future__ import annotations

from datetime import timedelta

from flask import Response
from sqlalchemy.exc import DBAPIError

from webapp.adapters import clock
from webapp.blueprints.health import bp
from webapp.domain.errors import Busy
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import health as read
from webapp.services import leases
from webapp.web.access import actor, requires
from webapp.web.health import warnings
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
    now = clock.now()
    try:
        with work() as unit:
            leases.take(unit, "probe", "readyz", timedelta())
        facts = read.facts(db.session(), now)
    except (Busy, DBAPIError) as error:
        return (f"The database cannot be written to: {getattr(error, 'orig', error)}",)
    return warnings(facts, now)
