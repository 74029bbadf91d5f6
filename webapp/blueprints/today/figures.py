"""How the programmes go, as the charts of the first page draw it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from flask import url_for
from sqlalchemy.orm import Session

from webapp.domain.fulfilment import Stage
from webapp.domain.permissions import Permission
from webapp.queries import figures as read
from webapp.queries import today as read_today
from webapp.web.access import listed
from webapp.web.filters import account_zone, plural, short_day
from webapp.web.navigation import may_open

DAYS = 14
_LINES = 3  # sites with a colour of their own; the others share the fourth
_ON_WAY = (Stage.TO_CONTACT, Stage.NOTIFIED, Stage.ACCEPTED, Stage.FULFILLED)
Chart = dict[str, Any]


def charts(session: Session, now: datetime) -> Chart:
    """Everything this person may see of entries, winners, vouchers and imports; a statement for each."""
    where = listed(Permission.PROGRAMMES_VIEW)
    imported = listed(Permission.ENTRIES_IMPORT)
    return {
        "entries": entries(read.entries(session, where, _first(now)), now),
        "winners": _winners(read_today.winners(session, where, now)),
        "codes": _codes(read.codes(session, where)),
        "uploads": _uploads(read.uploads(session, imported)) if imported is None or imported else None,
    }


def _first(now: datetime) -> date:
    return now.astimezone(ZoneInfo(account_zone())).date() - timedelta(days=DAYS - 1)


def entries(rows: list[tuple[str, date, int]], now: datetime) -> Chart:
    """Bars by day, stacked by site; a site far in the east may be a day ahead."""
    first = _first(now)
    last = max([first + timedelta(days=DAYS - 1), *(day for _, day, _ in rows)])
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    totals: dict[str, int] = defaultdict(int)
    for site, _, count in rows:
        totals[site] += count
    ranked = sorted(totals, key=lambda site: (-totals[site], site))
    own = ranked if len(ranked) <= _LINES + 1 else ranked[:_LINES]
    lines: dict[str, list[int]] = {name: [0] * len(days) for name in own or ["Entries"]}
    if len(own) < len(ranked):
        lines["Other sites"] = [0] * len(days)
    for site, day, count in rows:
        lines[site if site in own else "Other sites"][(day - first).days] += count
    total = sum(totals.values())
    best = max(sum(line[place] for line in lines.values()) for place in range(len(days)))
    return {
        "labels": [short_day(day) for day in days],
        "series": [{"name": name, "values": values} for name, values in lines.items()],
        "total": total,
        "text": f"{plural(total, 'entry', 'entries')} in {len(days)} days; the best day had {best:,}.",
    }


def _shares(names: tuple[str, ...], rows: Sequence[tuple[str, str | None, list[int]]]) -> Chart:
    """Rows of a title, where it leads, and a number for each name; the longest bar is a whole."""
    return {
        "names": names,
        "rows": [{"title": title, "url": url, "values": values, "total": sum(values)} for title, url, values in rows],
        "series": [
            {"name": name, "values": [values[place] for _, _, values in rows]} for place, name in enumerate(names)
        ],
        "labels": [title for title, _, _ in rows],
    }


def _winners(found: list[read_today.WaitingWinners]) -> Chart:
    rows = []
    leads = may_open("fulfilment.board")
    for name, group in groupby(found, key=lambda row: row.name):
        stages = {row.stage: row for row in group}
        title = next(iter(stages.values())).title
        counts = [stages[stage].count if stage in stages else 0 for stage in _ON_WAY]
        rows.append((title, url_for("fulfilment.board", name=name) if leads else None, counts))
    names = ("To contact", "Told", "Accepted", "Handed over")
    return _shares(names, [row for row in rows if sum(row[2])][-read.MOST :])


def _codes(found: list[read.Codes]) -> Chart:
    rows = []
    for row in found:
        url = url_for("voucher_types.show", voucher_type_id=row.id)
        rows.append((row.title, url, [row.idle, row.allocated + row.pending, row.redeemed, row.cancelled]))
    return _shares(("Free", "Held", "Redeemed", "Cancelled"), rows)


def _uploads(found: list[read.Upload]) -> Chart:
    rows = []
    for row in found:
        url = url_for("imports.show", run_id=row.id)
        rows.append((row.file, url, [row.good, row.duplicate, row.bad]))
    return _shares(("Good", "Duplicate", "Bad"), rows)
