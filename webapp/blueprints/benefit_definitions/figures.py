"""What became of the benefits of a definition: stages, weeks in which they end, months of issue."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask.typing import ResponseReturnValue

from webapp.adapters import clock
from webapp.blueprints.benefit_definitions import bp
from webapp.domain.benefit_figures import WITHIN, Cohort, Stages, Week
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import benefit_definitions as read_definitions
from webapp.queries import benefit_figures as read
from webapp.web.access import requires, scope
from webapp.web.filters import plural, short_day
from webapp.web.rendering import render

Chart = dict[str, Any]


@bp.get("/<int:definition_id>/figures")
@requires(Permission.PROGRAMMES_VIEW)
def figures(definition_id: int) -> ResponseReturnValue:
    """Three charts, each with its table."""
    session, now = db.session(), clock.now()
    sheet = read_definitions.sheet(session, definition_id, scope(Permission.PROGRAMMES_VIEW))
    zone = sheet.site.timezone
    stages = read.stages(session, sheet.definition, now)
    found = read.cohorts(session, definition_id, now, zone)
    return render(
        "benefit_definitions/figures.html",
        sheet=sheet,
        definition=sheet.definition,
        stages=stages,
        sentence=in_words(stages),
        ending=ending(read.ending(session, definition_id, now, zone)),
        cohorts=cohorts(found.months, now, zone),
        most=read.MOST if found.is_cut else None,
    )


def in_words(stages: Stages) -> str:
    """The funnel as a sentence."""
    apart = [
        f"{count:,} {words}" for count, words in ((stages.void, "void"), (stages.scheduled, "not begun yet")) if count
    ]
    told = (
        f"{plural(stages.issued, 'benefit')} issued: {stages.claimed:,} claimed, {stages.redeemed:,} redeemed at least once, "
        f"{stages.expired:,} ended with nothing redeemed, {stages.open:,} still open."
    )
    return f"{told} Not counted: {', '.join(apart)}." if apart else told


def ending(weeks: list[Week]) -> Chart:
    """Bars by week, what ended on the left of what will end."""
    past = sum(week.count for week in weeks if week.is_past)
    coming = sum(week.count for week in weeks if not week.is_past)
    count = len(weeks) // 2
    return {
        "labels": [short_day(week.first) for week in weeks],
        "series": [
            {"name": "Ended unused", "values": [week.count if week.is_past else 0 for week in weeks]},
            {"name": "Will end", "values": [0 if week.is_past else week.count for week in weeks]},
        ],
        "total": past + coming,
        "text": f"With nothing redeemed: {past:,} ended in the last {count} weeks, {coming:,} will end in the next {count}.",
    }


def cohorts(months: list[Cohort], now: datetime, zone: str) -> Chart:
    """Bars by month of issue and a row for each."""
    return {
        "labels": [_month(one, months) for one in months],
        "series": [
            *({"name": f"Within {days} days", "values": [one.share(days) for one in months]} for days in WITHIN),
            {"name": "By now", "values": [one.share() for one in months]},
        ],
        "rows": [_row(one, now, zone) for one in months],
        "text": f"Per cent of the benefits of each month that were redeemed within {_listed(WITHIN)} days, and by now.",
        "within": WITHIN,
    }


def _month(one: Cohort, months: list[Cohort]) -> str:
    is_first = one is months[0] or one.month.month == 1
    return f"{one.month:%b %y}" if is_first else f"{one.month:%b}"


def _row(one: Cohort, now: datetime, zone: str) -> Chart:
    return {
        "month": f"{one.month:%B %Y}",
        "issued": one.issued,
        "void": one.void,
        "shares": [
            {"percent": one.share(days), "count": one.within.get(days, 0), "is_over": one.is_over(days, now, zone)}
            for days in WITHIN
        ],
        "by_now": {"percent": one.share(), "count": one.redeemed},
    }


def _listed(days: tuple[int, ...]) -> str:
    *first, last = map(str, days)
    return f"{', '.join(first)} or {last}"
