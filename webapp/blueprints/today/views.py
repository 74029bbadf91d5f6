"""The first page."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from webapp.domain.permissions import Permission
from webapp.web.access import requires
from webapp.web.rendering import go, render

bp = Blueprint("today", __name__)


@bp.get("/")
@requires(Permission.SIGNED_IN)
def home() -> ResponseReturnValue:
    return go(".index")


@bp.get("/today")
@requires(Permission.SIGNED_IN)
def index() -> ResponseReturnValue:
    return render("today/index.html")
