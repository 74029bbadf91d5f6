"""What waits for people; one statement for each kind of thing, and one for notices of several kinds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, false, func, literal, or_, select, true, union_all
from sqlalchemy.orm import Session, aliased
from sqlalchemy.orm.attributes import InstrumentedAttribute

from webapp.domain.benefit_batches import STARTABLE, BatchFacts
from webapp.domain.draws import DrawState
from webapp.domain.fulfilment import ANSWER_WITHIN, Stage
from webapp.domain.imports import ImportStatus
from webapp.domain.jobs import JobStatus
from webapp.domain.rewards import RewardStatus
from webapp.models import (
    BenefitBatch,
    BenefitDefinition,
    Draw,
    ImportRun,
    Job,
    Reward,
    Site,
    StaffGrant,
    StaffInvitation,
    StaffMember,
    StoredFile,
    Winner,
)

MOST = 20
LATELY = timedelta(days=14)
SWEPT = timedelta(minutes=5)  # after its last day a reward closes by itself; later somebody has to look
Scope = frozenset[int] | None


@dataclass(frozen=True, slots=True)
class WaitingReward:
    """A reward to open or to close, or whose draw is between closing and drawing; ``since`` when it waits."""

    name: str
    title: str
    zone: str
    status: RewardStatus
    state: DrawState | None
    is_reviewed: bool
    entry_count: int
    eligible_count: int
    not_before: datetime | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class WaitingWinners:
    """How many winners of one reward stand at one stage since when, and how many of them have not answered in time."""

    name: str
    title: str
    site_id: int
    zone: str
    stage: Stage
    count: int
    late: int
    since: datetime
    late_since: datetime | None


@dataclass(frozen=True, slots=True)
class WaitingImport:
    """An upload that was refused, stopped, checked and not applied, or applied with rejects."""

    id: int
    file: str
    kind: str
    reward: str | None
    status: ImportStatus
    good: int
    bad: int
    problem: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WaitingBatch:
    """A batch of benefits that somebody has to start, to let go on, or to give up; ``since`` when it waits."""

    id: int
    definition: str
    facts: BatchFacts
    problem: str
    planner: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """A job that failed lately, somebody whose invitation is not taken up, or who is about to have the right to draw."""

    what: str  # «failed», «invited» or «draws»
    id: int
    name: str
    detail: str  # the error, or the person's e-mail
    at: datetime  # when it failed, ends or begins


@dataclass(frozen=True, slots=True)
class OpenReward:
    """An active reward with its figures."""

    name: str
    title: str
    site: str
    zone: str
    ends_at: datetime | None
    entry_count: int


@dataclass(frozen=True, slots=True)
class Reach:
    """Where somebody may do what moves a reward on: sites, None for all."""

    edit: Scope
    seal: Scope
    run: Scope
    staff_id: int | None = None  # whoever sealed a draw does not draw it
    is_small_team: bool = False


def rewards(session: Session, reach: Reach, now: datetime) -> list[WaitingReward]:
    """Drafts whose first day has come, rewards still open after their last, and draws to review, seal or draw."""
    since = case(
        (Reward.status == RewardStatus.DRAFT, Reward.starts_at),
        (Reward.status == RewardStatus.ACTIVE, Reward.ends_at),
        (Draw.state == DrawState.SEALED, func.coalesce(Draw.not_before, Draw.sealed_at)),
        else_=func.coalesce(Draw.closed_at, Draw.opened_at),
    )
    mine = (
        true() if reach.is_small_team else or_(Draw.sealed_by_id.is_(None), Draw.sealed_by_id != (reach.staff_id or 0))
    )
    statement = (
        select(
            Reward.name,
            Reward.title,
            Site.timezone,
            Reward.status,
            Draw.state,
            func.coalesce(Draw.reviewed_at.is_not(None), false()),
            Reward.entry_count,
            func.coalesce(Draw.eligible_count, 0),
            Draw.not_before,
            since,
        )
        .join(Site, Site.id == Reward.site_id)
        .outerjoin(Draw, Draw.reward_id == Reward.id)
        .where(
            or_(
                and_(Reward.status == RewardStatus.DRAFT, Reward.starts_at <= now, _within(Reward.site_id, reach.edit)),
                and_(
                    Reward.status == RewardStatus.ACTIVE,
                    Reward.ends_at <= now - SWEPT,
                    _within(Reward.site_id, reach.edit),
                ),
                and_(Draw.state == DrawState.CLOSED, _within(Reward.site_id, reach.seal)),
                and_(Draw.state == DrawState.SEALED, mine, _within(Reward.site_id, reach.run)),
            )
        )
        .order_by(since, Reward.id)
        .limit(MOST)
    )
    return [WaitingReward(*row) for row in session.execute(statement)]


def winners(session: Session, scope: Scope, now: datetime, most: int = 400) -> list[WaitingWinners]:
    """Winners of rewards that are drawn and not fulfilled, by reward and stage, the reward drawn first on top."""
    due = func.coalesce(Winner.claim_until < now, Winner.stage_at < now - ANSWER_WITHIN)
    is_late = and_(Winner.stage == Stage.NOTIFIED, due)
    statement = (
        select(
            Reward.name,
            Reward.title,
            Reward.site_id,
            Site.timezone,
            Winner.stage,
            func.count(),
            func.sum(case((is_late, 1), else_=0)),
            func.min(Winner.stage_at),
            func.min(case((is_late, Winner.stage_at))),
        )
        .join(Reward, Reward.id == Winner.reward_id)
        .join(Site, Site.id == Reward.site_id)
        .where(Reward.status == RewardStatus.EXPIRED, _within(Reward.site_id, scope))
        .group_by(Reward.id, Reward.name, Reward.title, Reward.site_id, Site.timezone, Winner.stage)
        .order_by(Reward.closed_at, Reward.id, Winner.stage)
        .limit(most)
    )
    return [WaitingWinners(*row) for row in session.execute(statement)]


def imports(session: Session, scope: Scope, now: datetime) -> list[WaitingImport]:
    """Uploads of the last two weeks that somebody has to look at; rejects that were mended and came back are done."""
    states = (ImportStatus.UPLOADED, ImportStatus.CHECKED, ImportStatus.REFUSED, ImportStatus.CANCELLED)
    later, mended = aliased(ImportRun), aliased(StoredFile)
    name = StoredFile.name.concat(".rejects")
    came_back = exists().where(
        later.id > ImportRun.id,
        later.kind == ImportRun.kind,
        later.status != ImportStatus.DISCARDED,
        mended.id == later.file_id,
        func.substr(mended.name, 1, func.length(name)) == name,
    )
    has_rejects = and_(ImportRun.status == ImportStatus.DONE, ImportRun.bad_count > 0, ~came_back)
    statement = (
        select(
            ImportRun.id,
            StoredFile.name,
            ImportRun.kind,
            Reward.title,
            ImportRun.status,
            ImportRun.good_count,
            ImportRun.bad_count,
            ImportRun.problem,
            func.coalesce(ImportRun.finished_at, ImportRun.created_at),
        )
        .join(StoredFile, StoredFile.id == ImportRun.file_id)
        .outerjoin(Reward, Reward.id == ImportRun.reward_id)
        .where(
            or_(ImportRun.status.in_(states), has_rejects),
            # A closed list takes no more entries, so there is nothing left to do about the file.
            or_(ImportRun.reward_id.is_(None), Reward.status == RewardStatus.ACTIVE),
            ImportRun.undone_at.is_(None),
            ImportRun.created_at > now - LATELY,
            _within(ImportRun.site_id, scope),
        )
        .order_by(ImportRun.id.desc())
        .limit(MOST)
    )
    return [WaitingImport(*row) for row in session.execute(statement)]


def batches(session: Session, scope: Scope) -> list[WaitingBatch]:
    """Batches of benefits that are checked or were stopped, the newest on top."""
    since = func.coalesce(Job.finished_at, BenefitBatch.created_at)
    statement = (
        select(BenefitBatch, BenefitDefinition.name, since)
        .join(BenefitDefinition, BenefitDefinition.id == BenefitBatch.definition_id)
        .outerjoin(Job, Job.id == BenefitBatch.job_id)
        .where(BenefitBatch.status.in_(STARTABLE), _within(BenefitBatch.site_id, scope))
        .order_by(BenefitBatch.id.desc())
        .limit(MOST)
    )
    rows = session.execute(statement)
    return [WaitingBatch(row.id, name, row.facts, row.problem, row.created_by, at) for row, name, at in rows]


@dataclass(frozen=True, slots=True)
class Told:
    """Which notices somebody is told: failed jobs of these sites or of their own, staff of these; None is every site."""

    jobs: Scope
    staff: Scope
    staff_id: int | None


def notices(session: Session, told: Told, now: datetime, most_jobs: int = 4, most_staff: int = 6) -> list[Notice]:
    """Jobs that failed within the last week, the newest first; then invitations not taken up, run out ones too, and
    rights to draw that begin within a day, the first on top. One statement for all of them.
    """
    parts = [
        select(part.subquery())
        for part, is_told in (
            (_failed(told, now, most_jobs), told.jobs),
            (_staff(told.staff, now, most_staff), told.staff),
        )
        if is_told is None or is_told
    ]
    found = [Notice(*row) for row in session.execute(union_all(*parts))] if parts else []
    failed = sorted((one for one in found if one.what == "failed"), key=lambda one: -one.id)
    return failed + sorted((one for one in found if one.what != "failed"), key=lambda one: (one.at, one.id))


def _failed(told: Told, now: datetime, size: int) -> Select[*tuple[Any, ...]]:
    mine = or_(_within(Job.site_id, told.jobs), Job.created_by_id == told.staff_id)
    return (
        select(literal("failed").label("what"), Job.id, Job.title, Job.error, Job.finished_at)
        .where(Job.status == JobStatus.FAILED, Job.finished_at > now - timedelta(days=7), mine)
        .order_by(Job.id.desc())
        .limit(size)
    )


def _staff(scope: Scope, now: datetime, size: int) -> Select[*tuple[Any, ...]]:
    ends = select(func.max(StaffInvitation.expires_at)).where(StaffInvitation.staff_id == StaffMember.id)
    seen = true() if scope is None else StaffMember.id.in_(_on(scope))
    person = (StaffMember.id, StaffMember.name, StaffMember.email)
    invited = select(literal("invited").label("what"), *person, ends.scalar_subquery().label("at")).where(
        StaffMember.is_active, StaffMember.password_hash.is_(None), ends.exists(), seen
    )
    draws = (
        select(literal("draws").label("what"), *person, func.min(StaffGrant.holds_from).label("at"))
        .join(StaffGrant, StaffGrant.staff_id == StaffMember.id)
        .where(StaffMember.is_active, StaffGrant.holds_from > now, seen)
        .group_by(*person)
    )
    every = union_all(invited, draws).subquery()
    return select(every).where(every.c.at > now - LATELY).order_by(every.c.at, every.c.id).limit(size)


def _on(scope: frozenset[int]) -> ColumnElement[int]:
    return select(StaffGrant.staff_id).where(StaffGrant.site_id.in_(scope))  # type: ignore[return-value]


def open_rewards(session: Session, scope: Scope, size: int = 8) -> list[OpenReward]:
    """Active rewards, the one that ends first on top."""
    statement = (
        select(Reward.name, Reward.title, Site.title, Site.timezone, Reward.ends_at, Reward.entry_count)
        .join(Site, Site.id == Reward.site_id)
        .where(Reward.status == RewardStatus.ACTIVE, _within(Reward.site_id, scope))
        .order_by(Reward.ends_at.is_(None), Reward.ends_at, Reward.id)
        .limit(size)
    )
    return [OpenReward(*row) for row in session.execute(statement)]


def _within(
    column: InstrumentedAttribute[int] | InstrumentedAttribute[int | None], scope: Scope
) -> ColumnElement[bool]:
    return true() if scope is None else column.in_(scope)
