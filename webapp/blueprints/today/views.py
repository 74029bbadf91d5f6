"""The first page: what waits, and how the programmes go."""

from __future__ import annotations

from flask import Blueprint, g
from flask.typing import ResponseReturnValue

from webapp.adapters import clock
from webapp.blueprints.today.figures import charts
from webapp.blueprints.today.presenters import Viewer, tasks
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import today as read
from webapp.web.access import actor, listed, requires
from webapp.web.rendering import go, render

bp = Blueprint("today", __name__)


@bp.get("/")
@requires(Permission.SIGNED_IN)
def home() -> ResponseReturnValue:
    return go(".index")


@bp.get("/today")
@requires(Permission.SIGNED_IN)
def index() -> ResponseReturnValue:
    """The inbox."""
    waiting = tasks(Viewer(db.session(), actor(), clock.now(), g.staff.is_small_team))
    sees = actor().may(Permission.PROGRAMMES_VIEW)
    return render("today/index.html", tasks=waiting, person=g.staff, sees=sees)


@bp.get("/today/figures")
@requires(Permission.PROGRAMMES_VIEW)
def figures() -> ResponseReturnValue:
    """What takes entries at the moment, and the charts: a part of their own, so that the inbox does not wait for them."""
    session, now = db.session(), clock.now()
    rewards = read.open_rewards(session, listed(Permission.PROGRAMMES_VIEW))
    return render("today/figures.html", "today/_figures.html", rewards=rewards, now=now, **charts(session, now))
