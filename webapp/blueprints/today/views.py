"""The first page: what waits, and how the programmes go."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, g
from flask.typing import ResponseReturnValue

from webapp.adapters import clock
from webapp.blueprints.today.presenters import tasks
from webapp.domain.permissions import Permission
from webapp.domain.timing import day_starts
from webapp.extensions import db
from webapp.queries import today as read
from webapp.web.access import actor, requires, scope
from webapp.web.filters import account_zone
from webapp.web.rendering import go, render

bp = Blueprint("today", __name__)
_DAYS = 14


@bp.get("/")
@requires(Permission.SIGNED_IN)
def home() -> ResponseReturnValue:
    return go(".index")


@bp.get("/today")
@requires(Permission.SIGNED_IN)
def index() -> ResponseReturnValue:
    session, now = db.session(), clock.now()
    sees = actor().may(Permission.PROGRAMMES_VIEW)
    rewards = read.open_rewards(session, scope(Permission.PROGRAMMES_VIEW)) if sees else []
    waiting = tasks(session, actor(), now)
    return render("today/index.html", tasks=waiting, rewards=rewards, person=g.staff, now=now, sees=sees)


@bp.get("/today/entries")
@requires(Permission.PROGRAMMES_VIEW)
def entries() -> ResponseReturnValue:
    """Entries per local day of the account: a part of its own, because counting a million takes a while."""
    days = _last_days(clock.now())
    bounds = [instant for day in (*days, days[-1] + timedelta(days=1)) if (instant := day_starts(day, account_zone()))]
    counts = read.entries_per_day(db.session(), scope(Permission.PROGRAMMES_VIEW), bounds)
    return render("today/entries.html", "today/_entries.html", days=days, counts=counts, zone=account_zone())


def _last_days(now: datetime) -> list[date]:
    today = now.astimezone(ZoneInfo(account_zone())).date()
    return [today - timedelta(days=back) for back in range(_DAYS - 1, -1, -1)]
