"""The page of a draw that anyone may read: no names, nothing that is not in the seal or the result."""

from __future__ import annotations

from flask import Response
from flask.typing import ResponseReturnValue

from webapp.blueprints.draws import bp
from webapp.domain.errors import NotFound
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import draws as read
from webapp.web.access import requires
from webapp.web.rendering import render


@bp.get("/draws/<reference:reference>")
@requires(Permission.PUBLIC)
def record(reference: str) -> ResponseReturnValue:
    """What was committed, sealed and drawn."""
    found = read.record(db.session(), reference)
    return render("draws/record.html", record=found, draw=found.draw, reward=found.reward, site=found.site)


@bp.get("/draws/<reference:reference>/seal.json")
@requires(Permission.PUBLIC)
def seal_file(reference: str) -> ResponseReturnValue:
    """The bytes of the seal, whose SHA-256 is the fingerprint."""
    found = read.record(db.session(), reference)
    if found.draw.seal is None:
        raise NotFound("draw.not_sealed", "This draw is not sealed yet.")
    return Response(found.draw.seal, mimetype="application/json")
