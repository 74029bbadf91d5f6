"""When what became of a notice was decided, as an expression, for lists of what happened."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from webapp.domain.notices import NoticeStatus, Skip
from webapp.domain.redemptions import BenefitMove, RedemptionKind
from webapp.models import Benefit, BenefitChange, Notice, Profile, Redemption

_MOVES = {
    Skip.HANDED_OVER: (BenefitMove.REASSIGNED,),
    Skip.MOVED: (BenefitMove.EXTENDED, BenefitMove.EXTENSION_UNDONE, BenefitMove.EXPIRY_SET),
}
# Said when it was planned, or at a moment nobody noted.
_FROM_THE_BEGINNING = (Skip.BACKDATED, Skip.TOO_SHORT, Skip.DROPPED)


def is_coming(now: datetime) -> ColumnElement[bool]:
    """Whether the notice is planned for later than ``now``: nothing has happened yet."""
    return and_(Notice.status == NoticeStatus.PLANNED, Notice.due_at > now)


def decided_at(now: datetime) -> ColumnElement[datetime]:
    """When a notice left, or what it was left out for happened; else when it came due. Never later than ``now``.

    For a statement that joins the notice's benefit. Of several moves it was the first since the notice was planned.
    """
    is_left_out = Notice.status == NoticeStatus.SKIPPED
    moved = (
        select(func.min(BenefitChange.at))
        .where(
            BenefitChange.benefit_id == Notice.benefit_id,
            BenefitChange.at > Notice.created_at,
            or_(*(and_(Notice.reason == str(skip), BenefitChange.move.in_(moves)) for skip, moves in _MOVES.items())),
        )
        .correlate(Notice)
        .scalar_subquery()
    )
    used = (
        select(func.max(Redemption.at))
        .where(Redemption.benefit_id == Notice.benefit_id, Redemption.kind == RedemptionKind.REDEEM)
        .correlate(Notice)
        .scalar_subquery()
    )
    erased = select(Profile.erased_at).where(Profile.id == Notice.profile_id).correlate(Notice).scalar_subquery()
    known = case(
        (Notice.status == NoticeStatus.SENT, Notice.sent_at),
        (and_(is_left_out, Notice.reason == str(Skip.VOID)), Benefit.voided_at),
        (and_(is_left_out, Notice.reason == str(Skip.REDEEMED)), used),
        (and_(is_left_out, Notice.reason == str(Skip.ERASED)), erased),
        (and_(is_left_out, Notice.reason.in_([str(skip) for skip in _MOVES])), moved),
    )
    first = or_(
        Notice.due_at > now,
        Notice.due_at < Notice.created_at,
        and_(is_left_out, Notice.reason.in_([str(skip) for skip in _FROM_THE_BEGINNING])),
    )
    return func.coalesce(known, case((first, Notice.created_at), else_=Notice.due_at))
