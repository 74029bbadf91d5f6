"""What waits, as lines to act on: each a link, a count, and why it is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from webapp.domain.draws import DrawState
from webapp.domain.fulfilment import Stage
from webapp.domain.identity import Actor
from webapp.domain.imports import ImportStatus
from webapp.domain.permissions import Permission
from webapp.queries import today as read
from webapp.web.filters import ago, moment, plural
from webapp.web.navigation import may_open


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the inbox, as the macro ``tasks`` draws it."""

    icon: str
    text: str
    url: str
    detail: str = ""
    count: str | None = None
    due: str | None = None
    tone: str | None = None


def tasks(session: Session, actor: Actor, now: datetime) -> list[Task]:
    """Everything this person's roles let them act on, the most pressing kind first."""
    return [*_draws(session, actor), *_winners(session, actor, now), *_work(session, actor, now)]


def _draws(session: Session, actor: Actor) -> Iterator[Task]:
    to_seal, to_run = actor.sites(Permission.DRAWS_SEAL), actor.sites(Permission.DRAWS_RUN)
    if (_is_nothing(to_seal) and _is_nothing(to_run)) or not may_open("draws.show"):
        return
    for draw in read.draws(session, to_seal, to_run):
        yield _draw(draw)


def _is_nothing(scope: frozenset[int] | None) -> bool:
    return scope is not None and not scope


def _draw(draw: read.WaitingDraw) -> Task:
    url = url_for("draws.show", name=draw.name)
    if draw.state is DrawState.SEALED:
        earliest = f"Earliest time: {moment(draw.not_before)}." if draw.not_before else ""
        return Task(
            "dices", f"Enter the witnessed value of «{draw.title}»", url, f"Sealed {ago(draw.since)}. {earliest}"
        )
    if draw.is_reviewed:
        detail = f"{draw.eligible_count:,} of {plural(draw.entry_count, 'entry', 'entries')} take part."
        return Task("stamp", f"Seal the draw of «{draw.title}»", url, detail)
    detail = f"{plural(draw.entry_count, 'entry', 'entries')}, closed {ago(draw.since)}."
    return Task("list-filter", f"Review the exclusions of «{draw.title}»", url, detail)


_WINNER_TEXTS: dict[Stage, tuple[str, str]] = {
    Stage.TO_CONTACT: ("phone", "Contact the winners of «{}»"),
    Stage.NOTIFIED: ("hourglass", "No answer in time: winners of «{}»"),
    Stage.ACCEPTED: ("package", "Hand over the prizes of «{}»"),
}


def _winners(session: Session, actor: Actor, now: datetime) -> Iterator[Task]:
    within = actor.sites(Permission.FULFILMENT_WORK)
    if _is_nothing(within) or not may_open("fulfilment.board"):
        return
    for row in read.winners(session, within, now):
        icon, text = _WINNER_TEXTS[row.stage]
        url = url_for("fulfilment.board", name=row.name)
        is_late = row.first_until is not None and row.first_until < now
        due = f"answer due {moment(row.first_until)}" if row.first_until else None
        yield Task(icon, text.format(row.title), url, "", f"{row.count:,}", due, "bad" if is_late else None)


def _work(session: Session, actor: Actor, now: datetime) -> Iterator[Task]:
    if may_open("jobs.index"):
        failed = read.failed_jobs(session, actor.sites(Permission.JOBS_VIEW), actor.staff_id, now)
        if failed:
            url = url_for("jobs.index", status="failed")
            yield Task("circle-alert", "Look at failed jobs", url, "In the last 7 days.", f"{failed:,}", tone="bad")
    if may_open("imports.show"):
        for row in read.imports(session, actor.sites(Permission.ENTRIES_IMPORT), now):
            yield _import(row)
    if may_open("staff.index"):
        count, first = read.invitations(session, now)
        if count:
            detail = f"The first runs out {ago(first, now)}."
            yield Task("user-cog", "Invitations not taken up yet", url_for("staff.index"), detail, f"{count:,}")


def _import(row: read.WaitingImport) -> Task:
    values: dict[str, Any] = {"run_id": row.id}
    url = url_for("imports.show", **values)
    if row.status is ImportStatus.REFUSED:
        return Task("upload", f"The upload for «{row.title}» was refused", url, f"Uploaded {ago(row.at)}.", tone="bad")
    detail = f"{plural(row.good, 'good row')}, {plural(row.bad, 'bad row')}; nothing is written yet."
    return Task("upload", f"Apply the checked upload for «{row.title}»", url, detail)
