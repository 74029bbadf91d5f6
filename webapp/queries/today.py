"""What waits for people, and the figures of their programmes; one statement each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import ColumnElement, and_, case, func, or_, select, true
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import InstrumentedAttribute

from webapp.domain.draws import DrawState
from webapp.domain.fulfilment import Stage
from webapp.domain.imports import ImportStatus
from webapp.domain.jobs import JobStatus
from webapp.domain.rewards import RewardStatus
from webapp.models import Draw, Entry, ImportRun, Job, Reward, Site, StaffInvitation, StaffMember, Winner

MOST = 20
Scope = frozenset[int] | None


@dataclass(frozen=True, slots=True)
class WaitingDraw:
    """A draw between closing and drawing."""

    name: str
    title: str
    state: DrawState
    is_reviewed: bool
    entry_count: int
    eligible_count: int
    since: datetime | None
    not_before: datetime | None


@dataclass(frozen=True, slots=True)
class WaitingWinners:
    """How many winners of one reward stand at one stage, and when the first of them must have answered."""

    name: str
    title: str
    stage: Stage
    count: int
    first_until: datetime | None


@dataclass(frozen=True, slots=True)
class WaitingImport:
    """An upload that was refused, or checked and not yet applied."""

    id: int
    title: str
    status: ImportStatus
    good: int
    bad: int
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenReward:
    """An active reward with its figures."""

    name: str
    title: str
    site: str
    zone: str
    ends_at: datetime | None
    entry_count: int


def draws(session: Session, to_seal: Scope, to_run: Scope) -> list[WaitingDraw]:
    """Closed draws of the sites ``to_seal`` and sealed ones of the sites ``to_run``, the longest waiting first."""
    since = func.coalesce(Draw.sealed_at, Draw.closed_at, Draw.opened_at)
    statement = (
        select(
            Reward.name,
            Reward.title,
            Draw.state,
            Draw.reviewed_at.is_not(None),
            Reward.entry_count,
            Draw.eligible_count,
            since,
            Draw.not_before,
        )
        .join(Reward, Reward.id == Draw.reward_id)
        .where(
            or_(
                and_(Draw.state == DrawState.CLOSED, _within(Reward.site_id, to_seal)),
                and_(Draw.state == DrawState.SEALED, _within(Reward.site_id, to_run)),
            )
        )
        .order_by(since, Draw.id)
        .limit(MOST)
    )
    return [WaitingDraw(*row) for row in session.execute(statement)]


def winners(session: Session, scope: Scope, now: datetime) -> list[WaitingWinners]:
    """Winners to contact, to hand a prize to, and those whose time to answer is over."""
    is_late = and_(Winner.stage == Stage.NOTIFIED, Winner.claim_until < now)
    statement = (
        select(Reward.name, Reward.title, Winner.stage, func.count(), func.min(Winner.claim_until))
        .join(Reward, Reward.id == Winner.reward_id)
        .where(or_(Winner.stage.in_((Stage.TO_CONTACT, Stage.ACCEPTED)), is_late), _within(Reward.site_id, scope))
        .group_by(Reward.id, Reward.name, Reward.title, Winner.stage)
        .order_by(func.min(Winner.stage_at), Reward.id)
        .limit(MOST)
    )
    return [WaitingWinners(*row) for row in session.execute(statement)]


def failed_jobs(session: Session, scope: Scope, staff_id: int | None, now: datetime) -> int:
    """Jobs that failed within the last week, of these sites or started by this person."""
    mine = or_(_within(Job.site_id, scope), Job.created_by_id == staff_id)
    statement = select(func.count()).where(
        Job.status == JobStatus.FAILED, Job.finished_at > now - timedelta(days=7), mine
    )
    return session.scalar(statement) or 0


def imports(session: Session, scope: Scope, now: datetime) -> list[WaitingImport]:
    """Uploads of the last two weeks that somebody has to look at."""
    statement = (
        select(
            ImportRun.id,
            func.coalesce(Reward.title, ImportRun.kind),
            ImportRun.status,
            ImportRun.good_count,
            ImportRun.bad_count,
            ImportRun.created_at,
        )
        .outerjoin(Reward, Reward.id == ImportRun.reward_id)
        .where(
            ImportRun.status.in_((ImportStatus.REFUSED, ImportStatus.CHECKED)),
            ImportRun.created_at > now - timedelta(days=14),
            _within(ImportRun.site_id, scope),
        )
        .order_by(ImportRun.id.desc())
        .limit(MOST)
    )
    return [WaitingImport(*row) for row in session.execute(statement)]


def invitations(session: Session, now: datetime) -> tuple[int, datetime | None]:
    """How many invitations are open, and when the first of them runs out."""
    row = session.execute(
        select(func.count(), func.min(StaffInvitation.expires_at))
        .join(StaffMember, StaffMember.id == StaffInvitation.staff_id)
        .where(StaffInvitation.used_at.is_(None), StaffInvitation.expires_at > now, StaffMember.is_active)
    ).one()
    return row[0], row[1]


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


def entries_per_day(session: Session, scope: Scope, bounds: Sequence[datetime]) -> list[int]:
    """Entries made between each two of ``bounds``, of rewards that are active or ended within them."""
    sums = [
        func.sum(case((and_(Entry.entered_at >= start, Entry.entered_at < end), 1), else_=0))
        for start, end in pairwise(bounds)
    ]
    live = or_(Reward.status == RewardStatus.ACTIVE, Reward.closed_at >= bounds[0])
    row = session.execute(
        select(*sums)
        .join(Reward, Reward.id == Entry.reward_id)
        .where(live, Entry.entered_at >= bounds[0], _within(Reward.site_id, scope))
    ).one()
    return [int(count or 0) for count in row]


def _within(
    column: InstrumentedAttribute[int] | InstrumentedAttribute[int | None], scope: Scope
) -> ColumnElement[bool]:
    return true() if scope is None else column.in_(scope)
