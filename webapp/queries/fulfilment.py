"""Reads for the fulfilment board and the winner's page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Function, case, func, select
from sqlalchemy.orm import Session

from webapp.domain.errors import NotFound
from webapp.domain.fulfilment import Stage
from webapp.domain.rewards import RewardStatus
from webapp.models import Draw, Prize, Profile, Reward, Site, Voucher, Winner, WinnerEvent

BOARD = 200  # cards drawn per column; further ones are counted
_OPEN = (Stage.TO_CONTACT, Stage.NOTIFIED, Stage.ACCEPTED)


@dataclass(frozen=True, slots=True)
class WinnerCard:
    """One card of the board."""

    id: int
    rank: int
    slot: str | None
    prize: str | None
    name: str
    email: str
    phone: str
    external_id: str | None
    stage: Stage
    stage_at: datetime
    reason: str
    voucher_count: int
    passed_from_id: int | None


@dataclass(frozen=True, slots=True)
class DrawnReward:
    """One reward with winners, and how many stand where."""

    id: int
    name: str
    title: str
    site: str
    status: RewardStatus
    drawn_at: datetime | None
    to_contact: int
    waiting: int
    accepted: int
    fulfilled: int
    reserves: int


@dataclass(frozen=True, slots=True)
class WinnerSheet:
    """Everything about one winner."""

    winner: Winner
    profile: Profile
    reward: Reward
    site: Site
    prize: Prize | None
    draw: Draw


def _at(stage: Stage) -> Function[int]:
    return func.count(case((Winner.stage == stage, 1)))


def rewards(session: Session, scope: frozenset[int] | None, size: int = 100) -> list[DrawnReward]:
    """Rewards that have winners, the latest drawn first."""

    statement = (
        select(
            Reward.id,
            Reward.name,
            Reward.title,
            Site.title,
            Reward.status,
            Draw.drawn_at,
            _at(Stage.TO_CONTACT),
            _at(Stage.NOTIFIED),
            _at(Stage.ACCEPTED),
            _at(Stage.FULFILLED),
            _at(Stage.RESERVE),
        )
        .join(Draw, Draw.reward_id == Reward.id)
        .join(Winner, Winner.draw_id == Draw.id)
        .join(Site, Site.id == Reward.site_id)
        .group_by(Reward.id, Reward.name, Reward.title, Site.title, Reward.status, Draw.drawn_at)
        .order_by(Draw.drawn_at.desc(), Reward.id.desc())
        .limit(size)
    )
    if scope is not None:
        statement = statement.where(Reward.site_id.in_(scope))
    return [DrawnReward(*row) for row in session.execute(statement)]


def board(session: Session, reward_id: int) -> dict[Stage, list[WinnerCard]]:
    """The cards of one reward by stage, in the order of the draw; at most ``BOARD`` in each column."""
    place = func.row_number().over(partition_by=Winner.stage, order_by=(Winner.round, Winner.rank)).label("place")
    ranked = select(Winner.id, place).where(Winner.reward_id == reward_id).subquery()
    statement = (
        select(
            Winner.id,
            Winner.rank,
            Winner.slot,
            Prize.title,
            Profile.first_name,
            Profile.last_name,
            Profile.email,
            Profile.phone,
            Profile.external_id,
            Winner.stage,
            Winner.stage_at,
            Winner.reason,
            Winner.voucher_count,
            Winner.passed_from_id,
        )
        .join(ranked, ranked.c.id == Winner.id)
        .join(Profile, Profile.id == Winner.profile_id)
        .outerjoin(Prize, Prize.id == Winner.prize_id)
        .where(ranked.c.place <= BOARD)
        .order_by(Winner.round, Winner.rank)
    )
    columns: dict[Stage, list[WinnerCard]] = {stage: [] for stage in Stage}
    for row in session.execute(statement):
        winner, rank, slot, prize, first_name, last_name, email, phone, member, *rest = row
        name = f"{first_name} {last_name}".strip() or member or email
        card = WinnerCard(winner, rank, slot, prize, name, email, phone, member, *rest)
        columns[card.stage].append(card)
    return columns


def counts(session: Session, reward_id: int) -> dict[Stage, int]:
    """How many winners and reserves stand in each stage."""
    statement = select(Winner.stage, func.count()).where(Winner.reward_id == reward_id).group_by(Winner.stage)
    found: dict[Stage, int] = {row[0]: row[1] for row in session.execute(statement)}
    return {stage: found.get(stage, 0) for stage in Stage}


def vacant(session: Session, reward_id: int) -> list[str]:
    """Slots whose last holder left and that no reserve took."""
    taken = select(Winner.passed_from_id).where(Winner.passed_from_id.is_not(None))
    left = (Stage.DECLINED, Stage.UNCLAIMED, Stage.DISQUALIFIED)
    statement = (
        select(Winner.slot)
        .where(Winner.reward_id == reward_id, Winner.stage.in_(left), Winner.id.not_in(taken))
        .order_by(Winner.rank)
    )
    return [slot for slot in session.scalars(statement) if slot]


def sheet(session: Session, winner_id: int, scope: frozenset[int] | None) -> WinnerSheet:
    """The winner with person, prize, reward and site; ``NotFound`` outside ``scope``."""
    statement = (
        select(Winner, Profile, Reward, Site, Prize, Draw)
        .join(Profile, Profile.id == Winner.profile_id)
        .join(Reward, Reward.id == Winner.reward_id)
        .join(Site, Site.id == Reward.site_id)
        .join(Draw, Draw.id == Winner.draw_id)
        .outerjoin(Prize, Prize.id == Winner.prize_id)
        .where(Winner.id == winner_id)
    )
    if scope is not None:
        statement = statement.where(Reward.site_id.in_(scope))
    found = session.execute(statement).one_or_none()
    if found is None:
        raise NotFound("winner.not_found", "There is no such winner.")
    return WinnerSheet(*found)


def events(session: Session, winner_id: int) -> list[WinnerEvent]:
    """The winner's story, newest first."""
    statement = select(WinnerEvent).where(WinnerEvent.winner_id == winner_id).order_by(WinnerEvent.id.desc()).limit(200)
    return list(session.scalars(statement))


def codes(session: Session, winner_id: int) -> list[Voucher]:
    """The vouchers allocated to the winner."""
    statement = select(Voucher).where(Voucher.winner_id == winner_id).order_by(Voucher.winner_place)
    return list(session.scalars(statement))
