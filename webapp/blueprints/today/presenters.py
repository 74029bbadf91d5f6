"""What waits, as lines to act on: each a link, why it is there and since when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from flask import url_for
from sqlalchemy.orm import Session

from webapp.domain import benefit_batches as batch_rules
from webapp.domain.benefit_batches import BatchStatus
from webapp.domain.draws import DrawState
from webapp.domain.fulfilment import Stage
from webapp.domain.identity import Actor
from webapp.domain.import_columns import ImportKind
from webapp.domain.imports import ImportStatus, target
from webapp.domain.permissions import Permission
from webapp.domain.rewards import RewardStatus
from webapp.queries import health as read_health
from webapp.queries import today as read
from webapp.web.access import listed
from webapp.web.filters import ago, moment, plural
from webapp.web.health import warnings
from webapp.web.navigation import may_open

_JOBS = 3  # jobs that failed which are named; one line leads to the rest


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the inbox, as the macro ``tasks`` draws it."""

    icon: str
    text: str
    url: str
    detail: str = ""
    due: str | None = None
    count: str | None = None
    tone: str | None = None


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, when, and whether one person may hold conflicting roles."""

    session: Session
    actor: Actor
    now: datetime
    is_small_team: bool


def tasks(viewer: Viewer) -> list[Task]:
    """Everything this person's roles let them act on, the most pressing kind first; a statement for each."""
    kinds = (_warnings, _rewards, _winners, _imports, _batches, _notices)
    return [task for kind in kinds for task in kind(viewer)]


def _warnings(viewer: Viewer) -> Iterator[Task]:
    if not viewer.actor.may(Permission.SETTINGS_EDIT):
        return
    facts = read_health.facts(viewer.session, viewer.now)
    for sentence in warnings(facts, viewer.now):
        yield Task(
            "triangle-alert", sentence, url_for("help.show", topic="operations", _anchor="health"),
            "What to do about it is in the handbook.", tone="bad",
        )  # fmt: skip
    if facts.failed_count and may_open("notifications.index"):
        text = f"Send {plural(facts.failed_count, 'message')} again or look why"
        url = url_for("notifications.index", status="failed")
        yield Task("mail", text, url, "The mail server refused them.", f"due {ago(facts.failed_since, viewer.now)}", tone="bad")  # fmt: skip


def _rewards(viewer: Viewer) -> Iterator[Task]:
    edit, seal, run = (
        listed(right) for right in (Permission.REWARDS_EDIT, Permission.DRAWS_SEAL, Permission.DRAWS_RUN)
    )
    if any(where is None or where for where in (edit, seal, run)):
        reach = read.Reach(edit, seal, run, viewer.actor.staff_id, viewer.is_small_team)
        for row in read.rewards(viewer.session, reach, viewer.now):
            yield _reward(row, viewer.now)


def _reward(row: read.WaitingReward, now: datetime) -> Task:
    entries = plural(row.entry_count, "entry", "entries")
    since = ago(row.since, now)
    if row.status is RewardStatus.DRAFT:
        url = url_for("rewards.show", name=row.name)
        return Task("play", f"Open «{row.title}» for entries", url, "Its first day has come and it is still a draft.", f"began {since}", tone="warn")  # fmt: skip
    if row.status is RewardStatus.ACTIVE:
        url = url_for("rewards.show", name=row.name)
        return Task("lock", f"Close «{row.title}»", url, f"Its last day is over; {entries}.", f"ended {since}", tone="bad")  # fmt: skip
    url = url_for("draws.show", name=row.name)
    if row.state is DrawState.SEALED:
        is_early = row.not_before is not None and row.not_before > now
        detail = f"{plural(row.eligible_count, 'entry', 'entries')} take part. "
        detail += f"Not before {moment(row.not_before, row.zone)}." if is_early else "It may be drawn now."
        return Task("dices", f"Enter the witnessed value of «{row.title}»", url, detail, f"{'due' if is_early else 'ready'} {since}")  # fmt: skip
    if row.is_reviewed:
        detail = f"{row.eligible_count:,} of {entries} take part."
        return Task("stamp", f"Seal the draw of «{row.title}»", url, detail, f"closed {since}")
    return Task("list-filter", f"Review the exclusions of «{row.title}»", url, f"{entries} came in.", f"closed {since}")


_WINNERS: dict[Stage, tuple[str, str, str]] = {
    Stage.TO_CONTACT: ("phone", "Contact the winners of «{}»", "Drawn, and nobody has told them yet."),
    Stage.ACCEPTED: ("package", "Hand over the prizes of «{}»", "Accepted, and not handed over."),
}
_OPEN = frozenset({Stage.TO_CONTACT, Stage.NOTIFIED, Stage.ACCEPTED})


def _winners(viewer: Viewer) -> Iterator[Task]:
    where = listed(Permission.FULFILMENT_WORK)
    if where is not None and not where:
        return
    rows = read.winners(viewer.session, where, viewer.now)
    for name, found in groupby(rows, key=lambda row: row.name):
        yield from _of_reward(name, list(found), viewer.now)


def _of_reward(name: str, rows: list[read.WaitingWinners], now: datetime) -> Iterator[Task]:
    url = url_for("fulfilment.board", name=name)
    for row in rows:
        if row.stage in _WINNERS:
            icon, text, why = _WINNERS[row.stage]
            yield Task(icon, text.format(row.title), url, why, f"since {moment(row.since, row.zone)}", f"{row.count:,}")
        elif row.late:
            text = f"Ask again or pass on: winners of «{row.title}»"
            due = f"told {ago(row.late_since, now)}"
            yield Task(
                "hourglass", text, url, "They were told and did not answer in time.", due, f"{row.late:,}", "bad"
            )
    if not any(row.stage in _OPEN for row in rows):
        since = ago(max(row.since for row in rows), now)
        yield Task("circle-check", f"Finish «{rows[0].title}»", url, "Every prize is handed over or left.", f"last moved {since}")  # fmt: skip


def _imports(viewer: Viewer) -> Iterator[Task]:
    where = listed(Permission.ENTRIES_IMPORT)
    if where is None or where:
        for row in read.imports(viewer.session, where, viewer.now):
            yield _import(row, viewer.now)


def _import(row: read.WaitingImport, now: datetime) -> Task:
    url = url_for("imports.show", run_id=row.id)
    into = f"«{row.reward}»" if row.reward else target(ImportKind(row.kind)).lower()
    counts = f"{plural(row.good, 'good row')}, {plural(row.bad, 'bad row')}"
    text, detail, tone = {
        ImportStatus.UPLOADED: (f"Choose the columns of {row.file}", f"For {into}. Nothing is checked yet.", None),
        ImportStatus.CHECKED: (f"Decide about {row.file}", f"{counts} for {into}; nothing is written yet.", "warn"),
        ImportStatus.CANCELLED: (f"Finish {row.file} or take it back", f"It was stopped halfway into {into}.", "bad"),
        ImportStatus.REFUSED: (f"Mend {row.file} and upload it again", row.problem or "It could not be read.", "bad"),
        ImportStatus.DONE: (f"Mend the rejects of {row.file}", f"{counts} for {into}.", "warn"),
    }[row.status]
    return Task("upload", text, url, detail, ago(row.at, now), tone=tone)


def _batches(viewer: Viewer) -> Iterator[Task]:
    where = listed(Permission.BENEFITS_ISSUE)
    if where is None or where:
        for row in read.batches(viewer.session, where):
            yield _batch(row, viewer)


def _batch(row: read.WaitingBatch, viewer: Viewer) -> Task:
    url, facts = url_for("benefit_batches.show", batch_id=row.id), row.facts
    since, called = ago(row.since, viewer.now), f"the batch of «{row.definition}»"
    if batch_rules.needs_another(facts, facts.planned_by_id):
        is_own = batch_rules.needs_another(facts, viewer.actor.staff_id)
        act = f"Ask somebody to start {called}, or withdraw it" if is_own else f"Start {called} or leave it"
        why = row.problem or batch_rules.another_words(facts, row.planner)
        return Task("users", act, url, why, since, f"{facts.people:,}", "warn")
    if facts.status is BatchStatus.STOPPED:
        return Task("users", f"Let {called} go on or take it back", url, row.problem, since, tone="bad")
    return Task("users", f"Decide about {called}", url, f"For {plural(facts.people, 'person', 'people')}; nothing is issued yet.", since)  # fmt: skip


def _notices(viewer: Viewer) -> Iterator[Task]:
    nothing: frozenset[int] = frozenset()
    jobs = listed(Permission.JOBS_VIEW) if may_open("jobs.index") else nothing
    staff = listed(Permission.STAFF_MANAGE) if may_open("staff.index") else nothing
    rows = read.notices(viewer.session, read.Told(jobs, staff, viewer.actor.staff_id), viewer.now)
    failed = [row for row in rows if row.what == "failed"]
    yield from (_failed(row, viewer.now) for row in failed[:_JOBS])
    if len(failed) > _JOBS:
        url = url_for("jobs.index", status="failed")
        yield Task("circle-alert", "Look at the other jobs that failed", url, "In the last 7 days.", tone="bad")
    yield from (_staff(row, viewer.now) for row in rows if row.what != "failed")


def _failed(row: read.Notice, now: datetime) -> Task:
    url = url_for("jobs.show", job_id=row.id)
    return Task("circle-alert", f"Look why «{row.name}» failed", url, row.detail[:160], ago(row.at, now), tone="bad")


def _staff(row: read.Notice, now: datetime) -> Task:
    url = url_for("staff.show", staff_id=row.id)
    when = ago(row.at, now)
    if row.what == "draws":
        text = f"Object if {row.name} should not draw"
        return Task("shield-check", text, url, "The right to draw was given and begins soon.", f"begins {when}", tone="warn")  # fmt: skip
    if row.at > now:
        return Task("user-cog", f"Remind {row.name} of the invitation", url, f"Sent to {row.detail}.", f"ends {when}")
    detail = f"The one to {row.detail} was not taken up."
    return Task("user-cog", f"Invite {row.name} again", url, detail, f"ended {when}", tone="warn")
