"""Reads of the ledger of redemptions, and of what was refused."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from webapp.domain.errors import NotFound
from webapp.domain.identity import Reach, Where
from webapp.domain.redemptions import LastUse, RedemptionKind
from webapp.models import Benefit, BenefitDefinition, Location, Profile, Redemption, RedemptionAttempt
from webapp.queries import reaches

Scope = frozenset[int] | None
MOST = 100
_BACK = Redemption.__table__.alias("back")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the ledger with where it happened, and how many of it have come back."""

    redemption: Redemption
    place: str | None
    returned: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """One redemption as the till remembers it."""

    id: int
    at: datetime
    receipt: str
    kind: RedemptionKind
    count: int
    benefit_id: int
    definition: str
    first_name: str
    last_name: str
    zone: str


@dataclass(frozen=True, slots=True)
class RedemptionSheet:
    """A line of the ledger with its benefit, definition, holder and place."""

    redemption: Redemption
    benefit: Benefit
    definition: BenefitDefinition
    holder: Profile
    place: str | None
    returned: int


def ledger(session: Session, benefit_id: int) -> list[Line]:
    """Every line of a benefit, the newest first."""
    wanted = (
        select(Redemption, Location.title)
        .outerjoin(Location, Location.id == Redemption.location_id)
        .where(Redemption.benefit_id == benefit_id)
        .order_by(Redemption.id.desc())
        .limit(MOST)
    )
    rows = session.execute(wanted).all()
    returned: dict[int, int] = {}
    for line, _ in rows:
        if line.original_id is not None:
            returned[line.original_id] = returned.get(line.original_id, 0) + line.count
    return [Line(line, place, returned.get(line.id, 0)) for line, place in rows]


def last_use(session: Session, benefit_id: int) -> LastUse | None:
    """The latest redemption of which not all has come back."""
    for line in ledger(session, benefit_id):
        found = line.redemption
        if found.kind is RedemptionKind.REDEEM and line.returned < found.count:
            return LastUse(found.at, found.by, line.place or "", found.receipt)
    return None


def told_last(session: Session, benefit: Benefit) -> str:
    """The redemption from which a benefit's counter comes, in words; nothing while none stands."""
    last = last_use(session, benefit.id) if benefit.redeemed_count else None
    return last.words(benefit.zone).removesuffix(".") if last else ""


def sheet(session: Session, redemption_id: int, where: Where) -> RedemptionSheet:
    """A line of the ledger with everything its page shows; ``NotFound`` outside ``where``."""
    came_back = (
        select(func.coalesce(func.sum(_BACK.c.count), 0)).where(_BACK.c.original_id == Redemption.id).scalar_subquery()
    )
    statement = (
        select(Redemption, Benefit, BenefitDefinition, Profile, Location.title, came_back)
        .join(Benefit, Benefit.id == Redemption.benefit_id)
        .join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
        .join(Profile, Profile.id == Benefit.profile_id)
        .outerjoin(Location, Location.id == Redemption.location_id)
        .where(Redemption.id == redemption_id)
    )
    if where is not None:
        statement = statement.where(_held(where))
    found = session.execute(statement.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise missing()
    return RedemptionSheet(*found)


def missing() -> NotFound:
    """What is said of a line of the ledger that there is not, or that is none of one's business."""
    return NotFound("redemption.unknown", "There is no such redemption.")


def _held(where: Where) -> ColumnElement[bool]:
    """Whether ``where`` reaches the benefit of a line, joined with its definition."""
    return reaches.holds(where, BenefitDefinition.site_id, Benefit.profile_id)


def receipts(session: Session, staff_id: int, where: Where = None, size: int = 5) -> list[Receipt]:
    """What somebody redeemed and took back last; within organisations only what is still reached."""
    wanted = (
        select(
            Redemption.id,
            Redemption.at,
            Redemption.receipt,
            Redemption.kind,
            Redemption.count,
            Redemption.benefit_id,
            BenefitDefinition.name,
            Profile.first_name,
            Profile.last_name,
            Benefit.zone,
        )
        .join(Benefit, Benefit.id == Redemption.benefit_id)
        .join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
        .join(Profile, Profile.id == Benefit.profile_id)
        .where(Redemption.staff_id == staff_id)
        .order_by(Redemption.id.desc())
        .limit(size)
    )
    if isinstance(where, Reach):
        wanted = wanted.where(_held(where))
    return [Receipt(*tuple(row)) for row in session.execute(wanted)]


def id_of_receipt(session: Session, receipt: str, where: Where) -> int | None:
    """The latest line of the ledger with this receipt, if there is one within ``where``."""
    wanted = select(func.max(Redemption.id)).where(Redemption.receipt == receipt)
    if where is not None:
        held = select(Benefit.id).join(BenefitDefinition).where(_held(where))
        wanted = wanted.where(Redemption.benefit_id.in_(held))
    return session.scalar(wanted)


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A line of the ledger that has the receipt somebody looks for."""

    benefit_id: int
    definition: str
    kind: RedemptionKind
    at: datetime
    by: str
    zone: str


def with_receipt(session: Session, receipt: str, scope: Scope, size: int) -> list[FoundLine]:
    """The lines of the ledger with this receipt, the latest first, one more than ``size`` when there are further ones."""
    wanted: Select[*tuple[Any, ...]] = (
        select(
            Redemption.benefit_id, BenefitDefinition.name, Redemption.kind, Redemption.at, Redemption.by, Benefit.zone
        )
        .join(Benefit, Benefit.id == Redemption.benefit_id)
        .join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
        .where(Redemption.receipt == receipt)
        .order_by(Redemption.id.desc())
        .limit(size + 1)
    )
    if scope is not None:
        wanted = wanted.where(BenefitDefinition.site_id.in_(scope))
    return [FoundLine(*tuple(row)) for row in session.execute(wanted)]


def attempts(session: Session, benefit_id: int, size: int = 20) -> list[RedemptionAttempt]:
    """What was refused of a benefit, the newest first."""
    wanted = select(RedemptionAttempt).where(RedemptionAttempt.benefit_id == benefit_id)
    return list(session.scalars(wanted.order_by(RedemptionAttempt.id.desc()).limit(size)))


def wrong_codes(session: Session, staff_id: int, since: datetime, reasons: Collection[str]) -> int:
    """How many scanned codes of a person nobody knew since then."""
    counted = select(func.count()).where(
        RedemptionAttempt.staff_id == staff_id,
        RedemptionAttempt.at > since,
        RedemptionAttempt.reason.in_(reasons),
    )
    return session.scalar(counted) or 0


def standings(session: Session, ids: Collection[int], at: datetime) -> dict[int, int]:
    """What the ledgers of these benefits came to at an instant; nothing of those never redeemed."""
    row = Redemption
    wanted = select(row.benefit_id, row.kind, func.sum(row.count)).where(row.benefit_id.in_(ids), row.at <= at)
    found: dict[int, int] = {}
    for number, kind, count in session.execute(wanted.group_by(row.benefit_id, row.kind)):
        found[number] = found.get(number, 0) + (count if kind is RedemptionKind.REDEEM else -count)
    return found
