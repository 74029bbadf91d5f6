"""The list of people, and everything about one of them."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from webapp.domain.entries import WORDS
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import audit as read_audit
from webapp.queries import profiles as read
from webapp.web.access import actor, requires, scope
from webapp.web.paging import number, text
from webapp.web.rendering import go, render

bp = Blueprint("profiles", __name__, url_prefix="/profiles")


@bp.get("")
@requires(Permission.PROFILES_VIEW)
def index() -> ResponseReturnValue:
    """People, the newest first, searched by how a name, e-mail, member id or phone begins."""
    search = text("q")
    before = number("before")
    rows = read.page(db.session(), scope(Permission.PROFILES_VIEW), search=search, before=before)
    return render(
        "profiles/index.html",
        "profiles/_results.html",
        rows=rows[: read.PAGE],
        older=rows[read.PAGE - 1].id if len(rows) > read.PAGE else None,
        is_first=before is None,
        search=search,
        may_create=actor().may(Permission.PROFILES_EDIT) and actor().sites(Permission.PROFILES_EDIT) is None,
    )


@bp.get("/<int:profile_id>")
@requires(Permission.PROFILES_VIEW)
def show(profile_id: int) -> ResponseReturnValue:
    """Facts, entries and prizes of one person; a merged row leads to who it turned out to be."""
    session, where = db.session(), scope(Permission.PROFILES_VIEW)
    profile = read.get(session, profile_id, where)
    if profile.merged_into_id is not None:
        return go(".show", profile_id=profile.merged_into_id)
    entries = read.entries(session, profile_id, where)
    return render(
        "profiles/show.html",
        profile=profile,
        further=read.further_addresses(session, profile_id),
        entries=entries[: read.PAGE],
        words=WORDS,
        has_more=len(entries) > read.PAGE,
        prizes=read.prizes(session, profile_id, where),
        history=read_audit.of_subject(session, f"profiles:{profile_id}"),
        may_edit=actor().may(Permission.PROFILES_EDIT),
    )
