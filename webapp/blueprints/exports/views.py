"""The exports that were taken, for those who answer for them."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from webapp.domain.exports import LISTINGS
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import exports as read
from webapp.web.access import requires
from webapp.web.exporting import offer
from webapp.web.paging import number
from webapp.web.reach import whole_account
from webapp.web.rendering import render

bp = Blueprint("exports", __name__, url_prefix="/exports")


@bp.get("")
@requires(Permission.EXPORTS_VIEW)
def index() -> ResponseReturnValue:
    """Every export of a list, the newest first."""
    whole_account(Permission.EXPORTS_VIEW)
    before = number("before")
    rows = read.page(db.session(), before=before)
    return render(
        "exports/index.html",
        rows=rows[: read.PAGE],
        older=rows[read.PAGE - 1].id if len(rows) > read.PAGE else None,
        is_first=before is None,
        listings=LISTINGS,
    )


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.EXPORTS_VIEW, confirmed=True)
def export() -> ResponseReturnValue:
    whole_account(Permission.EXPORTS_VIEW)
    return offer("exports", read.EXPORT, read.stream)
