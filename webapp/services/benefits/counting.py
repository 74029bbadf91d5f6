"""The counters that hold the limits of benefits: each moves in one guarded UPDATE, the definition's before the benefit's.

Whoever gets the definition's row first goes first, so that rivals never meet elsewhere (reliability.md section 5); what
is read after such an UPDATE is what stood when it was decided.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    Table,
    and_,
    any_,
    bindparam,
    func,
    insert,
    not_,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from webapp.models import Benefit, BenefitDefinition, Redemption
from webapp.queries.benefits import Owner
from webapp.queries.prepared import Prepared
from webapp.services.work import Work, changed_rows

_LEDGER = cast("Table", Redemption.__table__)
# What is known of a line before the counters move.
_LINE = tuple(column.key for column in _LEDGER.c if column.key not in {"id", "benefit_id", "value_minor"})
_TOTAL = BenefitDefinition.total_global_redemptions
_PATIENCE = 1_000  # milliseconds that several redemptions wait together for what they hold
_COUNT: BindParameter[int] = bindparam("n")
_NOW: BindParameter[datetime] = bindparam("now")


@dataclass(frozen=True, slots=True)
class Taken:
    """A benefit as it stands after it was redeemed; ``value_minor`` is what one redemption is worth, in hundredths.

    ``line_id`` is the line of the ledger if it was written at once, None if it is still to be written.
    """

    voucher_id: int | None
    value_minor: int | None
    is_used_up: bool
    line_id: int | None = None


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


def _take_and_write_statement() -> Select[*tuple[Any, ...]]:
    """All of it on one way to PostgreSQL: the benefit moves only where the limit over all did, and waits for it.

    The line of what uses up a benefit with a code is left to be written: the code may refuse to follow, and no line is
    ever deleted.
    """
    overall = _take_overall_statement().cte("overall")
    taken = _take_statement().where(overall.c.id == Benefit.definition_id).add_cte(overall).cte("taken")
    told: dict[str, Any] = {name: bindparam(f"line_{name}", type_=_LEDGER.c[name].type) for name in _LINE}
    told |= {"benefit_id": taken.c.id, "value_minor": taken.c.value_minor * _COUNT}
    of_line = select(*told.values()).where(or_(taken.c.is_used_up.is_not(true()), taken.c.voucher_id.is_(None)))
    line = insert(_LEDGER).from_select(list(told), of_line).returning(_LEDGER.c.id).cte("line")
    stands = (taken.c.voucher_id, taken.c.value_minor, taken.c.is_used_up, line.c.id.label("line_id"))
    found = select(*overall.c, *stands, taken.c.id.is_not(None).label("is_taken"))
    return found.select_from(overall.outerjoin(taken, true()).outerjoin(line, true()))


def _hold_statement() -> Select[int]:
    """The definitions of these benefits, the lowest first; how long it waits is set before it does."""
    patience = select(func.set_config("lock_timeout", f"{_PATIENCE}ms", true()).label("is_set")).cte("patience")
    row = BenefitDefinition
    theirs = select(Benefit.definition_id).where(Benefit.id == any_(bindparam("benefit_ids", type_=ARRAY(Integer))))
    found = select(row.id).join(patience, patience.c.is_set != "").where(row.id.in_(theirs)).order_by(row.id)
    return found.with_for_update(key_share=True, of=row)


# Put together once: a till must not wait for it.
_TAKE, _TAKE_OVERALL = Prepared(_take_statement()), Prepared(_take_overall_statement())
_TAKE_AND_WRITE, _HOLD = Prepared(_take_and_write_statement()), Prepared(_hold_statement())


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


def hold_limits(session: Session, benefit_ids: Collection[int]) -> None:
    """Keep the limits over all of these benefits to the end of the transaction, in one order for everybody.

    Servers that redeem several benefits in one transaction would otherwise each hold what the other one waits for. Nobody
    waits so for longer than a second: PostgreSQL then refuses, and each is tried alone.
    """
    _HOLD.rows(session.connection(), benefit_ids=list(benefit_ids))


def take(work: Work, benefit_id: int, count: int, line: Mapping[str, object]) -> tuple[Owner, Taken] | None:
    """Redeem ``count`` of a benefit if everything allows it at ``work.now``; None, and nothing moved, when not.

    ``line`` is what the ledger will tell of it: where one statement can do so, it is written with the counters.
    """
    move = {"of": benefit_id, "n": count, "now": work.now}
    if work.connection.dialect.name == "postgresql":
        overall = row = _TAKE_AND_WRITE.one(work.connection, **move, **{f"line_{name}": line[name] for name in _LINE})
        is_taken = bool(row and row.is_taken)
    else:
        overall = _TAKE_OVERALL.one(work.connection, **move)
        row = overall and _TAKE.one(work.connection, **move)
        is_taken = bool(row)
    if not is_taken:
        if overall:
            _give_overall(work, overall.id, count)
        return None
    taken = Taken(row.voucher_id, row.value_minor, bool(row.is_used_up), getattr(row, "line_id", None))
    return Owner(overall.id, overall.site_id, overall.name), taken


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
