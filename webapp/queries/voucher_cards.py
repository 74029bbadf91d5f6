"""What is printed on vouchers: whose they are, what they are worth, and how long they are good."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from webapp.domain.fulfilment import Stage
from webapp.domain.vouchers import VoucherStatus
from webapp.models import (
    Benefit,
    BenefitDefinitionVersion,
    Prize,
    Profile,
    Reward,
    Site,
    Voucher,
    VoucherType,
    Winner,
)
from webapp.queries.benefits import IS_UNDER

Scope = frozenset[int] | None
MANY = 500  # cards fetched at a time
LISTED = 200  # winners one can tick one by one
PRINTED_AT = (Stage.ACCEPTED, Stage.FULFILLED)
PRINTABLE = (VoucherStatus.ALLOCATED, VoucherStatus.PENDING)


@dataclass(frozen=True, slots=True)
class CardRow:
    """One voucher as a sheet shows it; ``expires_at`` is exclusive, ``zone`` is whose days it counts in.

    ``terms`` are those that the benefit it belongs to was issued under, else those of its type.
    """

    voucher_id: int
    code: str
    expires_at: datetime | None
    title: str
    subtitle: str
    value_minor: int | None
    currency: str
    terms: str
    site: str
    organiser: str
    zone: str
    first_name: str | None
    last_name: str | None
    prize: str | None
    reward: str | None
    rank: int | None

    @property
    def holder(self) -> str:
        return f"{self.first_name or ''} {self.last_name or ''}".strip()


@dataclass(frozen=True, slots=True)
class WinnerLine:
    """A winner whose vouchers can be printed: how many, and how often the most printed one was."""

    id: int
    rank: int
    first_name: str
    last_name: str
    prize: str | None
    vouchers: int
    printed: int

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class PrintableReward:
    """A reward with vouchers to print."""

    name: str
    title: str
    site: str
    vouchers: int


def rewards(session: Session, scope: Scope, now: datetime, size: int = 50) -> list[PrintableReward]:
    """Rewards whose winners hold vouchers that can be printed, newest first."""
    statement = (
        select(Reward.name, Reward.title, Site.title, func.count(Voucher.id))
        .join(Site, Site.id == Reward.site_id)
        .join(Winner, Winner.reward_id == Reward.id)
        .join(Voucher, Voucher.winner_id == Winner.id)
        .where(*_printable(now))
        .group_by(Reward.id, Reward.name, Reward.title, Site.title)
        .order_by(Reward.id.desc())
        .limit(size)
    )
    if scope is not None:
        statement = statement.where(Reward.site_id.in_(scope))
    return [PrintableReward(*row) for row in session.execute(statement)]


def winners(session: Session, reward_id: int, now: datetime, size: int = LISTED) -> list[WinnerLine]:
    """The first winners with vouchers to print, in the order of the draw."""
    statement = (
        select(
            Winner.id,
            Winner.rank,
            Profile.first_name,
            Profile.last_name,
            Prize.title,
            func.count(Voucher.id),
            func.max(Voucher.printed_count),
        )
        .join(Profile, Profile.id == Winner.profile_id)
        .join(Voucher, Voucher.winner_id == Winner.id)
        .outerjoin(Prize, Prize.id == Winner.prize_id)
        .where(Winner.reward_id == reward_id, *_printable(now))
        .group_by(Winner.id, Winner.rank, Winner.round, Profile.first_name, Profile.last_name, Prize.title)
        .order_by(Winner.round, Winner.rank)
        .limit(size)
    )
    return [WinnerLine(*row) for row in session.execute(statement)]


def ids_of_reward(
    session: Session, reward_id: int, now: datetime, winner_ids: Sequence[int] | None = None
) -> list[int]:
    """The vouchers to print for a reward, or for some of its winners, in the order of the draw."""
    statement = (
        select(Voucher.id)
        .join(Winner, Winner.id == Voucher.winner_id)
        .where(Winner.reward_id == reward_id, *_printable(now))
        .order_by(Winner.round, Winner.rank, Voucher.winner_place)
    )
    if winner_ids is not None:
        statement = statement.where(Winner.id.in_(winner_ids))
    return list(session.scalars(statement))


def ids_of_type(session: Session, voucher_type_id: int, now: datetime) -> list[int]:
    """The codes of a type that somebody can still use or be given: idle, allocated and pending ones."""
    statement = (
        select(Voucher.id)
        .where(
            Voucher.voucher_type_id == voucher_type_id,
            Voucher.status.in_((VoucherStatus.IDLE, *PRINTABLE)),
            _unexpired(now),
        )
        .order_by(Voucher.id)
    )
    return list(session.scalars(statement))


def rows(session: Session, voucher_ids: Sequence[int]) -> Iterator[CardRow]:
    """The cards of these vouchers, in the order of the ids given, a few hundred in memory at a time."""
    for at in range(0, len(voucher_ids), MANY):
        some = voucher_ids[at : at + MANY]
        found = {row[0]: CardRow(*tuple(row)) for row in session.execute(_CARDS.where(Voucher.id.in_(some)))}
        yield from (found[number] for number in some if number in found)


def _printable(now: datetime) -> list[ColumnElement[bool]]:
    return [Winner.stage.in_(PRINTED_AT), Voucher.status.in_(PRINTABLE), _unexpired(now)]


def _unexpired(now: datetime) -> ColumnElement[bool]:
    return or_(Voucher.expires_at.is_(None), Voucher.expires_at > now)


_ISSUED_UNDER = BenefitDefinitionVersion.terms["terms_conditions"].as_string()
_CARDS = (
    select(
        Voucher.id,
        Voucher.code,
        Voucher.expires_at,
        VoucherType.title,
        VoucherType.subtitle,
        func.coalesce(Voucher.value_minor, VoucherType.value_minor),
        VoucherType.currency,
        func.coalesce(func.nullif(_ISSUED_UNDER, ""), VoucherType.terms),
        Site.title,
        Site.organiser,
        Site.timezone,
        Profile.first_name,
        Profile.last_name,
        Prize.title,
        Reward.title,
        Winner.rank,
    )
    .join(VoucherType, VoucherType.id == Voucher.voucher_type_id)
    .join(Site, Site.id == VoucherType.site_id)
    .outerjoin(Profile, Profile.id == Voucher.profile_id)
    .outerjoin(Winner, Winner.id == Voucher.winner_id)
    .outerjoin(Prize, Prize.id == Winner.prize_id)
    .outerjoin(Reward, Reward.id == Winner.reward_id)
    .outerjoin(Benefit, Benefit.voucher_id == Voucher.id)
    .outerjoin(
        BenefitDefinitionVersion,
        IS_UNDER,
    )
)
