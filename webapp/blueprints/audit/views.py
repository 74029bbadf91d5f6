"""The audit log on one page: filters, sentences, and where its chain ends."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from webapp.blueprints.audit.presenters import GROUPS, Asked, addresses, asked, narrower
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import audit as read
from webapp.queries import sites as read_sites
from webapp.web import paging
from webapp.web.access import listed, requires, scope
from webapp.web.exporting import offer
from webapp.web.filters import told
from webapp.web.rendering import render

bp = Blueprint("audit", __name__, url_prefix="/audit")


@bp.get("")
@requires(Permission.AUDIT_VIEW)
def index() -> ResponseReturnValue:
    session, within = db.session(), listed(Permission.AUDIT_VIEW)
    people, sites = read.people(session, within), read_sites.names(session, within)
    question = asked()
    page = read.page(
        session, _where(question), question.filters, before=paging.number("before"), after=paging.number("after")
    )
    links = addresses(session, page.rows)
    entries = [
        line | {"url": links.get(row.subject, ""), "links": narrower(row, question)}
        for line, row in zip(told(page.rows), page.rows, strict=True)
    ]
    return render(
        "audit/index.html",
        "audit/_results.html",
        entries=entries,
        asked=question.values,
        chips=question.chips(people, sites),
        people=people,
        site_names=sites,
        groups=GROUPS,
        newer_url=_turn(question, after=page.newer),
        older_url=_turn(question, before=page.older),
        head=read.head(session),
        anchors=read.anchors(session) if within is None else [],
        waiting=read.unlinked_count(session) if within is None else None,
    )


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.AUDIT_VIEW, confirmed=True)
def export() -> ResponseReturnValue:
    """The log as a file, narrowed as on the page."""
    question = asked()
    where, filters = _where(question), question.filters
    return offer("audit", read.EXPORT, lambda session: read.stream(session, where, filters))


def _where(question: Asked) -> frozenset[int] | None:
    """The sites whose entries are shown: of one thing all that may be seen, whichever site is chosen in the top bar."""
    return scope(Permission.AUDIT_VIEW) if question.filters.subject else listed(Permission.AUDIT_VIEW)


def _turn(question: Asked, **position: int | None) -> str | None:
    if None in position.values():
        return None
    values: dict[str, Any] = {**question.values, **position}
    return url_for(".index", **values)
