"""Reads for the fulfilment board and the winner's page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Function, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from webapp.domain.errors import NotFound
from webapp.domain.fulfilment import Stage
from webapp.domain.rewards import RewardStatus
from webapp.models import Draw, Prize, Profile, Reward, Site, Voucher, Winner, WinnerEvent
from webapp.queries.exports import flow

PAGE = 24  # cards on the page of one column
EVENTS = 50  # of one winner, the newest
_OPEN = (Stage.TO_CONTACT, Stage.NOTIFIED, Stage.ACCEPTED)
# Column of the board -> the stages in it, and how many cards of each stage it shows; the rest are a page of their own.
COLUMNS: dict[str, tuple[Stage, ...]] = {
    "to-contact": (Stage.TO_CONTACT,),
    "notified": (Stage.NOTIFIED,),
    "accepted": (Stage.ACCEPTED,),
    "fulfilled": (Stage.FULFILLED,),
    "left": (Stage.DECLINED, Stage.UNCLAIMED, Stage.DISQUALIFIED),
    "reserve": (Stage.RESERVE,),
}
WORKED_ON, LOOKED_AT = 8, 3


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


_CARD: list[Any] = [
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
]


def _cards() -> Select[Any]:
    return (
        select(*_CARD)
        .join(Profile, Profile.id == Winner.profile_id)
        .outerjoin(Prize, Prize.id == Winner.prize_id)
        .order_by(Winner.round, Winner.rank)
    )


def _card(row: Sequence[Any]) -> WinnerCard:
    winner, rank, slot, prize, first_name, last_name, email, phone, member, *rest = row
    name = f"{first_name} {last_name}".strip() or member or email
    return WinnerCard(winner, rank, slot, prize, name, email, phone, member, *rest)


def board(session: Session, reward_id: int) -> dict[str, list[WinnerCard]]:
    """The first cards of every column of one reward's board, in the order of the draw."""
    place = func.row_number().over(partition_by=Winner.stage, order_by=(Winner.round, Winner.rank)).label("place")
    ranked = select(Winner.id, place).where(Winner.reward_id == reward_id).subquery()
    most = case((Winner.stage.in_(_OPEN), WORKED_ON), else_=LOOKED_AT)
    statement = _cards().join(ranked, ranked.c.id == Winner.id).where(ranked.c.place <= most)
    by_stage: dict[Stage, list[WinnerCard]] = {stage: [] for stage in Stage}
    for row in session.execute(statement):
        card = _card(row)
        by_stage[card.stage].append(card)
    return {column: [card for stage in stages for card in by_stage[stage]] for column, stages in COLUMNS.items()}


def column(session: Session, reward_id: int, name: str, *, after: int | None = None) -> list[WinnerCard]:
    """The cards of one column, one more than ``PAGE`` when there are further ones; ``after`` is the last id seen."""
    statement = _cards().where(Winner.reward_id == reward_id, Winner.stage.in_(COLUMNS[name])).limit(PAGE + 1)
    if after is not None:
        last = select(Winner.round, Winner.rank).where(Winner.id == after, Winner.reward_id == reward_id).subquery()
        statement = statement.where(
            or_(
                Winner.round > select(last.c.round).scalar_subquery(),
                and_(
                    Winner.round == select(last.c.round).scalar_subquery(),
                    Winner.rank > select(last.c.rank).scalar_subquery(),
                ),
            )
        )
    return [_card(row) for row in session.execute(statement)]


EXPORT = ("rank", "slot", "prize", "name", "email", "phone", "external_id", "stage", "stage_at", "reason", "vouchers")
EXPORT_REWARDS = tuple(DrawnReward.__dataclass_fields__)[1:]


def stream(session: Session, reward_id: int, column: str = "") -> Iterator[tuple[object, ...]]:
    """Winners and reserves of a reward as ``EXPORT`` names them, in the order of the draw; of one column, or of all."""
    statement = _cards().where(Winner.reward_id == reward_id)
    if column in COLUMNS:
        statement = statement.where(Winner.stage.in_(COLUMNS[column]))
    for row in flow(session, statement):
        yield astuple(_card(row))[1:-1]


def stream_rewards(session: Session, scope: frozenset[int] | None) -> Iterator[tuple[object, ...]]:
    """Rewards that have winners as ``EXPORT_REWARDS`` names them, as ``rewards`` lists them."""
    yield from (astuple(row)[1:] for row in rewards(session, scope))


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
    """The winner's story, newest first, as far back as ``EVENTS`` go."""
    statement = (
        select(WinnerEvent).where(WinnerEvent.winner_id == winner_id).order_by(WinnerEvent.id.desc()).limit(EVENTS)
    )
    return list(session.scalars(statement))


def codes(session: Session, winner_id: int) -> list[Voucher]:
    """The vouchers allocated to the winner."""
    statement = select(Voucher).where(Voucher.winner_id == winner_id).order_by(Voucher.winner_place)
    return list(session.scalars(statement))
