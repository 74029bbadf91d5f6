"""The counters that hold the limits of benefits: each moves in one guarded UPDATE, the definition's before the benefit's.

Whoever gets the definition's row first goes first, so that rivals never meet elsewhere (reliability.md section 5); what
is read after such an UPDATE is what stood when it was decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    and_,
    bindparam,
    func,
    not_,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from webapp.models import Benefit, BenefitDefinition, Redemption
from webapp.queries.benefits import Owner
from webapp.queries.prepared import Prepared
from webapp.services.work import Work, changed_rows

_TOTAL = BenefitDefinition.total_global_redemptions
_COUNT: BindParameter[int] = bindparam("n")
_NOW: BindParameter[datetime] = bindparam("now")


@dataclass(frozen=True, slots=True)
class Taken:
    """A benefit as it stands after it was redeemed; ``value_minor`` is what one redemption is worth, in hundredths."""

    voucher_id: int | None
    value_minor: int | None
    is_used_up: bool


def _take_statement() -> ReturningUpdate[*tuple[Any, ...]]:
    """Whether a benefit may be redeemed now: what ``gates_to_redeem`` says, as a condition of a row."""
    cap, used = Benefit.max_redemptions, Benefit.redeemed_count
    guard = and_(
        Benefit.id == bindparam("of"),
        Benefit.voided_at.is_(None),
        Benefit.issued_at <= _NOW,
        or_(Benefit.expires_at.is_(None), Benefit.expires_at >= _NOW),
        or_(cap.is_(None), used + _COUNT <= cap),
    )
    stands = (Benefit.id, Benefit.voucher_id, Benefit.value_minor, (cap <= used).label("is_used_up"))
    return update(Benefit).where(guard).values(redeemed_count=used + _COUNT).returning(*stands)


def _take_overall_statement() -> ReturningUpdate[*tuple[Any, ...]]:
    """The same for the limit over all, which is that of the benefit's definition."""
    cap = BenefitDefinition.max_global_redemptions
    guard = and_(
        Benefit.id == bindparam("of"),
        BenefitDefinition.id == Benefit.definition_id,
        not_(and_(BenefitDefinition.is_archived, BenefitDefinition.stops_redemptions)),
        or_(cap.is_(None), cap >= _TOTAL + _COUNT),
    )
    owner = (BenefitDefinition.id, BenefitDefinition.site_id, BenefitDefinition.name)
    return update(BenefitDefinition).where(guard).values(total_global_redemptions=_TOTAL + _COUNT).returning(*owner)


def _take_both_statement() -> Select[*tuple[Any, ...]]:
    """Both on one way to PostgreSQL: the benefit moves only where the limit over all did, and waits for it."""
    overall = _take_overall_statement().cte("overall")
    taken = _take_statement().where(overall.c.id == Benefit.definition_id).add_cte(overall).cte("taken")
    stands = (taken.c.voucher_id, taken.c.value_minor, taken.c.is_used_up, taken.c.id.is_not(None).label("is_taken"))
    return select(*overall.c, *stands).select_from(overall.outerjoin(taken, true()))


# Put together once: a till must not wait for it.
_TAKE, _TAKE_OVERALL = Prepared(_take_statement()), Prepared(_take_overall_statement())
_TAKE_BOTH = Prepared(_take_both_statement())


def is_open(now: datetime) -> ColumnElement[bool]:
    """Whether benefits of a definition may be issued at ``now``: what ``gates.to_issue`` says of it, of a row."""
    row = BenefitDefinition
    return and_(not_(row.is_archived), row.is_assignable, or_(row.end_at.is_(None), row.end_at >= now))


def held(work: Work, definition_id: int, guard: ColumnElement[bool]) -> bool:
    """Keep the row of a definition to the end of the transaction, if ``guard`` holds of it; False when it does not."""
    row = BenefitDefinition
    statement = update(row).where(row.id == definition_id, guard)
    return changed_rows(work.session, statement.values(total_global_created=row.total_global_created)) == 1


def issued(work: Work, definition_id: int, *, is_claim: bool, guard: ColumnElement[bool]) -> bool:
    """Count one more benefit of a definition, if ``guard`` holds of it; False, and nothing counted, when it does not."""
    statement = (
        update(BenefitDefinition)
        .where(BenefitDefinition.id == definition_id, guard)
        .values(
            total_global_created=BenefitDefinition.total_global_created + 1,
            total_global_claimed=BenefitDefinition.total_global_claimed + int(is_claim),
        )
    )
    return changed_rows(work.session, statement) == 1


def voided(work: Work, definition_id: int, by: int) -> None:
    """Count a benefit more or less that is void."""
    total = BenefitDefinition.total_global_voided
    changed_rows(
        work.session,
        update(BenefitDefinition).where(BenefitDefinition.id == definition_id).values(total_global_voided=total + by),
    )


def take(work: Work, benefit_id: int, count: int) -> tuple[Owner, Taken] | None:
    """Redeem ``count`` of a benefit if everything allows it at ``work.now``; None, and nothing moved, when not."""
    overall, row = _move(work, {"of": benefit_id, "n": count, "now": work.now})
    if overall is None:
        return None
    owner = Owner(overall.id, overall.site_id, overall.name)
    if row is None:
        _give_overall(work, owner.definition_id, count)
        return None
    return owner, Taken(row.voucher_id, row.value_minor, bool(row.is_used_up))


def _move(work: Work, values: Mapping[str, object]) -> tuple[Any, Any]:
    """The row of the definition and that of the benefit, each None when it was not moved."""
    if work.connection.dialect.name == "postgresql":
        both = _TAKE_BOTH.one(work.connection, **values)
        return both, both if both and both.is_taken else None
    overall = _TAKE_OVERALL.one(work.connection, **values)
    return overall, overall and _TAKE.one(work.connection, **values)


def _give_overall(work: Work, definition_id: int, count: int) -> bool:
    statement = (
        update(BenefitDefinition)
        .where(BenefitDefinition.id == definition_id, count <= _TOTAL)
        .values(total_global_redemptions=_TOTAL - count)
    )
    return changed_rows(work.session, statement) == 1


def give(work: Work, definition_id: int, benefit_id: int, count: int) -> bool:
    """Take ``count`` redemptions back; False, and nothing moved, when there are not so many."""
    statement = (
        update(Benefit)
        .where(Benefit.id == benefit_id, Benefit.redeemed_count >= count)
        .values(redeemed_count=Benefit.redeemed_count - count)
    )
    if not _give_overall(work, definition_id, count):
        return False
    if changed_rows(work.session, statement) == 1:
        return True
    _give_overall(work, definition_id, -count)
    return False


def come_back(work: Work, redemption_id: int) -> int:
    """How many of a redemption have come back; exact after the benefit's row was moved."""
    counted = func.coalesce(func.sum(Redemption.count), 0)
    return int(work.session.scalar(select(counted).where(Redemption.original_id == redemption_id)) or 0)
