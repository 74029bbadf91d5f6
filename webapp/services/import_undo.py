"""Takes an import back: what nobody has used since goes or becomes what it was; the rest stays and is listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import delete, func, literal, select, update

from webapp.domain import imports as rules
from webapp.domain.audit import Event
from webapp.domain.entries import EntryStatus
from webapp.domain.errors import Conflict
from webapp.domain.import_columns import ROWS, ImportKind
from webapp.models import Entry, ImportChange, ImportRun, Job, Reward
from webapp.queries import imports as read
from webapp.queries.imports import Plan
from webapp.services import entries, entry_days, jobs, profiles
from webapp.services.import_tables import KINDS as TABLES
from webapp.services.jobs import NewJob
from webapp.services.profiles import at_sites
from webapp.services.table_kinds import attempted
from webapp.services.work import Work, changed_rows, name_of

UNDO = "imports.undo"
MOST_LISTED = 200  # of what stays, with its reason


@dataclass(frozen=True, slots=True)
class UndoImport:
    """Take back what an import wrote."""

    run_id: int


@dataclass(slots=True)
class Undone:
    """What one step looked at: rows ``gone``, ``withdrawn`` or ``restored``, ``people`` gone, and what stays and why."""

    gone: int = 0
    withdrawn: int = 0
    restored: int = 0
    people: int = 0
    passed: int = 0  # rows of people looked at that stay, or are another's
    left: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return self.gone + self.withdrawn + self.restored + self.people + (self.passed or len(self.left))


def undo(work: Work, command: UndoImport) -> ImportRun:
    """Queue it. ``Refused`` for an import that wrote nothing, was taken back before, or whose draw is closed for entries."""
    sheet = read.sheet(work.session, command.run_id, None)
    run = sheet.run
    verdict = rules.may_undo(sheet.facts)
    verdict.require()
    if run.reward_id is not None:
        entries.may_enter(work, run.reward_id)
    job = jobs.enqueue(
        work,
        NewJob(UNDO, f"Take {sheet.file.name} back", run.site_id, name_of(run), {"run_id": run.id}, run.record_count),
    )
    begun = changed_rows(
        work.session,
        update(ImportRun)
        .where(
            ImportRun.id == run.id,
            ImportRun.status.in_(rules.UNDOABLE),
            ImportRun.undo_job_id.is_(None),
            ImportRun.undone_at.is_(None),
        )
        .values(undo_job_id=job.id),
    )
    if not begun:
        work.session.refresh(run)
        rules.may_undo(sheet.facts).require()
        raise Conflict("import.undoing", f"{sheet.file.name} is being taken back at this moment.")
    work.session.refresh(run)
    return run


def take_back(work: Work, plan: Plan, size: int) -> Undone:
    """Look at up to ``size`` rows and take them back where they are unused; none is left to look at when ``count`` is 0."""
    if plan.kind is ImportKind.PROFILES:
        found = _changed_people(work, plan, size)
    else:
        found = _changes(work, plan, size) if plan.kind in TABLES else _entries(work, plan, size)
    if plan.kind not in TABLES and not found.count:
        found = _people(work, plan, size)
    run = work.session.get_one(ImportRun, plan.run_id, populate_existing=True)
    told = run.undone or {}
    run.undone = {
        "gone": told.get("gone", 0) + found.gone,
        "withdrawn": told.get("withdrawn", 0) + found.withdrawn,
        "restored": told.get("restored", 0) + found.restored,
        "people": told.get("people", 0) + found.people,
        "left_count": told.get("left_count", 0) + len(found.left),
        "left": [*told.get("left", []), *found.left][:MOST_LISTED],
    }
    return found


def _entries(work: Work, plan: Plan, size: int) -> Undone:
    """Entries at the end of the list go, their numbers with them; what others follow stays in the list with 0 tickets."""
    if plan.reward_id is None:
        return Undone()
    entries.hold(work, plan.reward_id)
    own = (
        Entry.reward_id == plan.reward_id,
        Entry.import_run_id == plan.run_id,
        Entry.status != EntryStatus.WITHDRAWN,
    )
    numbers = list(
        work.session.scalars(select(Entry.number).where(*own).order_by(Entry.number.desc()).limit(size)).all()
    )
    last = work.session.scalar(select(Reward.entry_count).where(Reward.id == plan.reward_id)) or 0
    tail = [number for place, number in enumerate(numbers) if number == last - place]
    if tail:
        those = (Entry.reward_id == plan.reward_id, Entry.number >= tail[-1])
        rows = work.session.execute(select(Entry.entered_at, Entry.profile_id).where(*those)).all()
        people = sorted({row.profile_id for row in rows})
        at_sites.hold(work.session, people)
        entry_days.take(work.session, plan.reward_id, [row.entered_at for row in rows])
        _run(work, delete(Entry).where(*those))
        at_sites.renew(work.session, people)
        _run(work, update(Reward).where(Reward.id == plan.reward_id).values(entry_count=last - len(tail)))
        return Undone(gone=len(tail))
    if numbers:
        receipt = func.coalesce(literal(" Its receipt was ") + Entry.receipt + literal("."), literal(""))
        words = literal("The import of its file was taken back.") + receipt
        _run(
            work,
            update(Entry)
            .where(*own, Entry.number >= numbers[-1])
            .values(status=EntryStatus.WITHDRAWN, reason=words, receipt=None),
        )
    return Undone(withdrawn=len(numbers))


def _people(work: Work, plan: Plan, size: int) -> Undone:
    """After the entries, whom the import brought. Who stays is listed for a file of people; else their entries say so."""
    run = work.session.get_one(ImportRun, plan.run_id, populate_existing=True)
    found = profiles.take_back(work, plan.run_id, run.finished_at or work.now, size)
    return Undone(people=found.gone, passed=found.seen - found.gone, left=found.left if plan.reward_id is None else [])


def _changed_people(work: Work, plan: Plan, size: int) -> Undone:
    """Who was known before the import is made what they were before those it brought go: an address may be theirs."""
    wanted = select(ImportChange).where(ImportChange.run_id == plan.run_id).order_by(ImportChange.id.desc()).limit(size)
    changes = work.session.scalars(wanted).all()
    if not changes:
        return Undone()
    restored, left = profiles.restore(work, changes)
    _run(work, delete(ImportChange).where(ImportChange.run_id == plan.run_id, ImportChange.id >= changes[-1].id))
    work.session.expire_all()
    return Undone(restored=restored, left=left)


def _changes(work: Work, plan: Plan, size: int) -> Undone:
    """Newest first, so that what was made later and stands on the earlier goes before it."""
    found = Undone()
    wanted = select(ImportChange).where(ImportChange.run_id == plan.run_id).order_by(ImportChange.id.desc()).limit(size)
    changes = work.session.scalars(wanted).all()
    left = _in_turn(work, plan.kind, changes)
    for change in changes:
        if change.id in left:
            found.left.append(left[change.id])
        elif change.before:
            found.restored += 1
        else:
            found.gone += 1
    if changes:
        _run(work, delete(ImportChange).where(ImportChange.run_id == plan.run_id, ImportChange.id >= changes[-1].id))
        work.session.expire_all()
    take_all_back = TABLES[plan.kind].take_all_back
    if take_all_back and not found.count:
        found.gone = take_all_back(work, plan.run_id)
    return found


def _in_turn(work: Work, kind: ImportKind, changes: Sequence[ImportChange]) -> dict[int, str]:
    """Take changes back; gives by their ids why some stay. What waits for another to go first has its turn after it."""
    table, noun = TABLES[kind], ROWS[kind][0].capitalize()
    left: dict[int, str] = {}
    waiting = list(changes)
    while waiting:
        left = {}
        for change in waiting:
            used = f"{noun} {change.subject_id} is used, or what it had is another\u2019s now."
            if why := attempted(work, partial(table.take_back, work, change), used):
                left[change.id] = why
        if len(left) == len(waiting):
            break
        waiting = [change for change in waiting if change.id in left]
    together = table.take_back_together(work, waiting) if left and table.take_back_together else ()
    return {number: why for number, why in left.items() if number not in together}


def finish(work: Work, plan: Plan) -> None:
    """The import is taken back: say so once."""
    run = work.session.get_one(ImportRun, plan.run_id, populate_existing=True)
    if run.undone_at is not None:
        return
    run.undone_at, run.undone_by = work.now, work.actor.label
    told: dict[str, Any] = run.undone or {}
    gone = sum(told.get(name, 0) for name in ("gone", "withdrawn", "restored", "people"))
    work.record(Event.IMPORT_UNDONE, run, run.site_id, file=plan.file_name, gone=gone, left=told.get("left_count", 0))


def _stopped(work: Work, job: Job) -> None:
    """What was not taken back yet can be tried again."""
    run = work.session.get_one(ImportRun, int(job.arguments["run_id"]))
    if run.undone_at is None and run.undo_job_id == job.id:
        run.undo_job_id, run.problem = None, job.error[:1000]


def _run(work: Work, statement: Any) -> None:
    work.session.execute(statement, execution_options={"synchronize_session": False})


jobs.ENDINGS[UNDO] = _stopped
