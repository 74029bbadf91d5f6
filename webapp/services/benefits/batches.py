"""Plans a batch of benefits, checks whom it is for, starts it, gives it up; the long parts are jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, update

from webapp.domain import benefit_batches as rules
from webapp.domain.audit import Event
from webapp.domain.benefit_batches import Audience, BatchStatus
from webapp.domain.benefits import verdict
from webapp.domain.condition_reading import names, parse, read
from webapp.domain.errors import Conflict, Refused
from webapp.domain.timing import day_starts
from webapp.domain.verdicts import Verdict
from webapp.models import BenefitBatch, BenefitDefinition, Group, Job, Site
from webapp.queries import benefit_batches as reads
from webapp.queries import benefit_gates as gates
from webapp.queries import conditions
from webapp.services import files, jobs
from webapp.services.benefits import issuing
from webapp.services.imports import IncomingFile
from webapp.services.jobs import NewJob
from webapp.services.work import Work, changed_rows, name_of

CHECK, ISSUE, UNDO = "benefits.check-batch", "benefits.issue-batch", "benefits.undo-batch"
_S = BatchStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanBatch:
    """Whom to give one benefit each. Of ``listed``, ``group_id``, ``condition`` and ``file`` the ``audience`` says which counts.

    None of them means everybody when it is empty; that is an audience of its own.

    ``issued_on`` and ``expires_on`` are local days of each benefit's zone; without them it is issued at once and ends
    by its terms. ``on_the_day`` looks up a group's members, who meets the condition, or everybody, when the first day
    begins.
    """

    definition_id: int
    audience: Audience
    listed: str = ""
    group_id: int | None = None
    condition: str = ""
    file: IncomingFile | None = None
    issued_on: date | None = None
    expires_on: date | None = None
    on_the_day: bool = False
    excludes_holders: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class StartBatch:
    """Let it issue, or go on."""

    batch_id: int


@dataclass(frozen=True, slots=True)
class WithdrawBatch:
    """Give up a batch that has issued nothing."""

    batch_id: int


@dataclass(frozen=True, slots=True)
class UndoBatch:
    """Make void what it issued and nobody used."""

    batch_id: int


def plan(work: Work, command: PlanBatch) -> BenefitBatch:
    """Keep who is meant and queue the check; nothing is issued. ``Refused`` on the field that cannot be."""
    definition, site = issuing.known(work, command.definition_id)
    today = work.now.astimezone(ZoneInfo(site.timezone)).date()
    rules.may_plan(command.audience, on_the_day=command.on_the_day, issued_on=command.issued_on, today=today).require()
    no_one = gates.Standing(0, ())
    days = (command.issued_on, command.expires_on)
    verdict(gates.to_issue(definition, no_one, work.now, site.timezone, days=days)).require()
    issuing.planned(definition, site.timezone, work.now, issued_on=command.issued_on, expires_on=command.expires_on)
    batch = BenefitBatch(
        definition_id=definition.id,
        site_id=site.id,
        audience=command.audience,
        issued_on=command.issued_on,
        expires_on=command.expires_on,
        on_the_day=command.on_the_day,
        starts_at=day_starts(command.issued_on, site.timezone) if command.on_the_day and command.issued_on else None,
        excludes_holders=command.excludes_holders,
        note=command.note,
        created_at=work.now,
        created_by=work.actor.label,
        created_by_id=work.actor.staff_id,
    )
    _name_people(work, batch, command, site)
    work.session.add(batch)
    work.session.flush()
    work.record(
        Event.BATCH_PLANNED,
        batch,
        site.id,
        title=definition.name,
        audience=rules.AUDIENCE_TOLD[command.audience],
    )
    _queue(work, batch, CHECK, f"Check whom «{definition.name}» goes to")
    return batch


def _name_people(work: Work, batch: BenefitBatch, command: PlanBatch, site: Site) -> None:
    if command.audience is Audience.LIST:
        rules.listed(command.listed)
        batch.listed = command.listed
    elif command.audience is Audience.GROUP:
        group = work.session.get(Group, command.group_id) if command.group_id else None
        if group is None:
            raise Refused("batch.group_needed", "Choose a group of the list.", "group_id")
        if group.archived_at is not None:
            archived = f"«{group.title}» is archived; choose another group, or restore it."
            raise Refused("batch.group_archived", archived, "group_id")
        batch.group_id = group.id
    elif command.audience is Audience.CONDITION:
        batch.condition = _condition(work, command, site)
    elif command.audience is Audience.FILE:
        if command.file is None:
            raise Refused("batch.file_needed", "Choose a file with a column of member ids or e-mails.", "file")
        rules.columns_of(command.file.survey.headings)
        batch.file_id = files.store(work, command.file.name, "text/csv", command.file.pieces).id
        batch.encoding = command.file.survey.encoding


def _condition(work: Work, command: PlanBatch, site: Site) -> dict[str, object]:
    try:
        rule = parse(command.condition)
        read(rule, conditions.variables(work.session), site.timezone)
    except Refused as refusal:
        raise Refused(refusal.code, refusal.message, "condition") from refusal
    if not names(rule):  # an empty one holds for everybody, and nobody chooses everybody by leaving a field empty
        raise Refused(
            "batch.condition_needed",
            "Say who is meant: a condition that asks something of a person. If everybody is meant, choose that above.",
            "condition",
        )
    return rule


def _queue(work: Work, batch: BenefitBatch, kind: str, title: str, total: int = 0) -> None:
    job = jobs.enqueue(work, NewJob(kind, title, batch.site_id, name_of(batch), {"batch_id": batch.id}, total))
    batch.job_id = job.id
    work.session.flush()


def start(work: Work, command: StartBatch) -> BenefitBatch:
    """Let a checked batch issue, or a stopped one go on; one for a later day waits for it.

    Above 500 people somebody other than who planned it must start it (reliability.md 6.1).
    """
    batch = reads.get(work.session, command.batch_id)
    allowed = rules.may_start(batch.facts, work.actor.staff_id)
    allowed.require()
    waits = batch.on_the_day and batch.starts_at is not None and batch.starts_at > work.now
    target = _S.WAITING if waits else _S.ISSUING
    batch = _move(work, batch, rules.STARTABLE, target, allowed)
    definition = work.session.get_one(BenefitDefinition, batch.definition_id)
    if not batch.issued_count:  # whoever lets it go on later is told by the audit log
        batch.started_at, batch.started_by, batch.started_by_id = work.now, work.actor.label, work.actor.staff_id
    batch.problem = ""
    work.record(Event.BATCH_STARTED, batch, batch.site_id, title=definition.name, people=batch.people_count)
    if not waits:
        _queue(work, batch, ISSUE, f"Issue «{definition.name}»", batch.people_count)
    work.session.flush()
    return batch


def start_due(work: Work) -> int:
    """Queue the waiting batches whose day has begun; gives how many."""
    started = 0
    for number in reads.due(work.session, work.now):
        moved = update(BenefitBatch).where(BenefitBatch.id == number, BenefitBatch.status == _S.WAITING)
        if changed_rows(work.session, moved.values(status=_S.ISSUING)) == 1:
            batch = reads.get(work.session, number)
            definition = work.session.get_one(BenefitDefinition, batch.definition_id)
            _queue(work, batch, ISSUE, f"Issue «{definition.name}»")
            started += 1
    return started


def withdraw(work: Work, command: WithdrawBatch) -> BenefitBatch:
    """Give up a batch that has issued nothing."""
    batch = reads.get(work.session, command.batch_id)
    allowed = rules.may_withdraw(batch.facts)
    allowed.require()
    batch = _move(work, batch, rules.WITHDRAWABLE, _S.WITHDRAWN, allowed, BenefitBatch.issued_count == 0)
    batch.ended_at = work.now
    definition = work.session.get_one(BenefitDefinition, batch.definition_id)
    work.record(Event.BATCH_WITHDRAWN, batch, batch.site_id, title=definition.name)
    return batch


def undo(work: Work, command: UndoBatch) -> BenefitBatch:
    """Queue making void what the batch issued; what somebody has used since stays."""
    batch = reads.get(work.session, command.batch_id)
    allowed = rules.may_undo(batch.facts)
    allowed.require()
    batch = _move(work, batch, rules.UNDOABLE, _S.UNDOING, allowed)
    if not batch.voided_count + batch.left_count:  # else an undoing that was stopped goes on
        batch.reached = 0
    batch.undone_by, batch.problem = work.actor.label, ""
    definition = work.session.get_one(BenefitDefinition, batch.definition_id)
    _queue(work, batch, UNDO, f"Undo batch {batch.id} of «{definition.name}»", batch.issued_count)
    return batch


def cancel(work: Work, batch_id: int) -> BenefitBatch:
    """Stop what is under way before its next step; what it did stays, and it can go on. ``Refused`` when nothing is."""
    batch = reads.get(work.session, batch_id)
    if batch.status not in rules.MOVING or batch.job_id is None:
        raise Refused("batch.status", f"The batch is {batch.status}; there is nothing to stop.")
    jobs.cancel(work, jobs.CancelJob(batch.job_id))
    return batch


def _move(
    work: Work,
    batch: BenefitBatch,
    sources: Sequence[BatchStatus],
    target: BatchStatus,
    verdict: Verdict,
    *holds: ColumnElement[bool],
) -> BenefitBatch:
    """The status decides who was first; the explanation comes after."""
    statement = update(BenefitBatch).where(BenefitBatch.id == batch.id, BenefitBatch.status.in_(sources), *holds)
    if changed_rows(work.session, statement.values(status=target)) != 1:
        verdict.require()
        raise Conflict("batch.changed", "Somebody else went on with this batch a moment ago; look again.")
    return reads.get(work.session, batch.id)


def _stopped(work: Work, job: Job) -> None:
    """A job that failed or was cancelled: a check ends the batch, issuing and undoing can go on."""
    batch = reads.get(work.session, int(job.arguments["batch_id"]))
    if batch.status not in rules.MOVING:
        return
    batch.problem = job.error[:1000] or "Somebody stopped it."
    batch.status = {_S.CHECKING: _S.REFUSED, _S.ISSUING: _S.STOPPED, _S.UNDOING: _S.ISSUED}[batch.status]


jobs.ENDINGS.update(dict.fromkeys((CHECK, ISSUE, UNDO), _stopped))
