"""Plans the notices of benefits in the transaction that issues, moves or ends them (benefits.md 8.4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, select, update

from webapp.domain import notices as rules
from webapp.domain.benefits import BenefitFacts
from webapp.domain.notices import OF_EXPIRY, Draft, NoticeKind, NoticeStatus, Skip
from webapp.models import Benefit, BenefitDefinition, Notice
from webapp.services import bulk
from webapp.services.work import Work, changed_rows

_NOTICES = cast(Table, Notice.__table__)
_UNSENT = (NoticeStatus.PLANNED, NoticeStatus.SENDING)
# Put together once: the till asks it with every redemption that uses a benefit up.
_CANCEL = (
    update(Notice)
    .where(Notice.benefit_id == bindparam("of"), Notice.status.in_(_UNSENT))
    .values(status=NoticeStatus.SKIPPED, reason=bindparam("because"))
    .execution_options(synchronize_session=False)
)


def plan(work: Work, benefit: Benefit, definition: BenefitDefinition) -> None:
    """The notices of a benefit that was just issued; those left out are kept with their reason."""
    asked = definition.asked
    if asked:
        work.session.add_all(_row(work, benefit, draft) for draft in _drafts(work, benefit, definition))


def plan_many(
    work: Work,
    definition: BenefitDefinition,
    ids: Sequence[int],
    columns: dict[str, Sequence[Any]],
    told: Mapping[int, Collection[NoticeKind]],
) -> None:
    """The same for benefits issued together, in one statement; ``columns`` are those of ``benefits`` in their order.

    ``told`` has what people were told of elsewhere, by their ids: such notices are noted as sent (benefits.md 8.4).
    """
    asked = definition.asked
    if not asked:
        return
    known: dict[tuple[datetime, datetime | None, str], list[Draft]] = {}
    rows: list[tuple[object, ...]] = []
    spans = zip(columns["issued_at"], columns["expires_at"], columns["zone"], strict=True)
    for benefit_id, profile_id, span in zip(ids, columns["profile_id"], spans, strict=True):
        if span not in known:
            facts = BenefitFacts(issued_at=span[0], expires_at=span[1], zone=span[2])
            known[span] = rules.drafts(asked, facts, work.now, is_extendable=definition.is_extendable)
        kinds = told.get(profile_id, ())
        rows += [
            (benefit_id, profile_id, *(_told(work, draft) if draft.kind in kinds else (*_values(draft), None)))
            for draft in known[span]
        ]
    same = {"attempts": 0, "subject": "", "body": "", "created_at": work.now}
    bulk.insert_rows(work.session, _NOTICES, ("benefit_id", "profile_id", *_NAMES, "sent_at"), rows, same)


_NAMES = ("kind", "target_id", "anchor_at", "due_at", "status", "reason")


def _values(draft: Draft) -> tuple[object, ...]:
    status = NoticeStatus.SKIPPED if draft.skip else NoticeStatus.PLANNED
    return draft.kind, draft.target_id, draft.anchor_at, draft.due_at, status, str(draft.skip or "")


def _told(work: Work, draft: Draft) -> tuple[object, ...]:
    kind, target_id, anchor_at, due_at, *_ = _values(draft)
    return kind, target_id, anchor_at, due_at, NoticeStatus.SENT, "told before, says the file", work.now


def _row(work: Work, benefit: Benefit, draft: Draft) -> Notice:
    values = dict(zip(_NAMES, _values(draft), strict=True))
    return Notice(benefit_id=benefit.id, profile_id=benefit.profile_id, created_at=work.now, **values)


def cancel(work: Work, benefit_id: int, skip: Skip) -> None:
    """Leave out what of a benefit's notices has not left, also what waits in the outbox."""
    work.session.execute(_CANCEL, {"of": benefit_id, "because": str(skip)})


def cancel_many(work: Work, benefit_ids: Collection[int], skip: Skip) -> None:
    """The same for at most 500 benefits."""
    changed_rows(
        work.session,
        update(Notice)
        .where(Notice.benefit_id.in_(benefit_ids), Notice.status.in_(_UNSENT))
        .values(status=NoticeStatus.SKIPPED, reason=str(skip)),
    )


def revive(work: Work, benefit: Benefit, definition: BenefitDefinition, skip: Skip) -> None:
    """Plan anew what was left out as ``skip``, which holds no longer: a benefit came back, or is void no more."""
    left = {_key(row): row for row in _of(work, benefit) if row.reason == skip}
    if left:
        for draft in _drafts(work, benefit, definition, _told_from(left.values())):
            if (row := left.get(_key(draft))) is not None:
                _put(row, draft)


def move(work: Work, benefit: Benefit, definition: BenefitDefinition) -> None:
    """Another end: what counted from the old one and has not left is left out, and planned for the new one.

    What was sent for the old end does not stand in the way: the end is part of what makes a notice one.
    """
    changed_rows(
        work.session,
        update(Notice)
        .where(
            Notice.benefit_id == benefit.id,
            Notice.kind.in_(OF_EXPIRY),
            Notice.anchor_at != benefit.expires_at,
            Notice.status.in_(_UNSENT),
        )
        .values(status=NoticeStatus.SKIPPED, reason=str(Skip.MOVED)),
    )
    if benefit.facts.redemptions_left != 0:
        found = _drafts(work, benefit, definition)
        _put_all(work, benefit, [draft for draft in found if draft.kind in OF_EXPIRY], _of(work, benefit), Skip.MOVED)


def hand_over(work: Work, benefit: Benefit, definition: BenefitDefinition) -> None:
    """Somebody else has it now: the one before is told nothing more, the new one of all that is to come."""
    cancel(work, benefit.id, Skip.HANDED_OVER)
    found = _drafts(work, benefit, definition, work.now)
    _put_all(work, benefit, found, _of(work, benefit), Skip.HANDED_OVER)


def replan(work: Work, benefit: Benefit, definition: BenefitDefinition) -> None:
    """Plan the notices of an open benefit as its definition says now; what has left or was left out stays."""
    there = _of(work, benefit)
    found = _drafts(work, benefit, definition, _told_from(there))
    wanted, known = {_key(draft) for draft in found}, {_key(row) for row in there}
    for row in there:
        if row.status is NoticeStatus.PLANNED and _key(row) not in wanted:
            row.status, row.reason = NoticeStatus.SKIPPED, str(Skip.DROPPED)
    new = [draft for draft in found if draft.skip is None or _key(draft) in known]
    _put_all(work, benefit, new, there, Skip.DROPPED)


def _put_all(work: Work, benefit: Benefit, found: Iterable[Draft], there: Iterable[Notice], revives: Skip) -> None:
    """Rows for the drafts: new ones, or those planned before or left out as ``revives`` brought up to date."""
    known = {_key(row): row for row in there}
    for draft in found:
        row = known.get(_key(draft))
        if row is None:
            work.session.add(_row(work, benefit, draft))
        elif row.status is NoticeStatus.PLANNED or row.reason == revives:
            _put(row, draft)


def _key(one: Draft | Notice) -> tuple[NoticeKind, datetime]:
    return one.kind, one.anchor_at


def _drafts(
    work: Work, benefit: Benefit, definition: BenefitDefinition, told_from: datetime | None = None
) -> list[Draft]:
    is_extendable = definition.is_extendable
    return rules.drafts(definition.asked, benefit.facts, work.now, is_extendable=is_extendable, told_from=told_from)


def _told_from(rows: Iterable[Notice]) -> datetime | None:
    """Since when its holder has it, where that is not its issue."""
    return max((row.anchor_at for row in rows if row.kind is NoticeKind.ISSUE), default=None)


def _of(work: Work, benefit: Benefit) -> Sequence[Notice]:
    wanted = select(Notice).where(Notice.benefit_id == benefit.id, Notice.profile_id == benefit.profile_id)
    return work.session.scalars(wanted.execution_options(populate_existing=True)).all()


def _put(row: Notice, draft: Draft) -> None:
    for name, value in zip(_NAMES, _values(draft), strict=True):
        setattr(row, name, value)
