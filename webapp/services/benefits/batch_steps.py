"""The transactions of which issuing a batch of benefits, and undoing one, are made: some at a time, all or none of those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, Table, and_, case, not_, or_, select, update

from webapp.domain import benefit_batches as rules
from webapp.domain import benefit_dates
from webapp.domain import vouchers as voucher_rules
from webapp.domain.audit import Event
from webapp.domain.benefit_batches import BatchStatus, PassedOver
from webapp.domain.benefits import verdict
from webapp.domain.errors import Refused
from webapp.domain.redemptions import BenefitMove, BenefitSource
from webapp.domain.timing import day_starts
from webapp.domain.voucher_codes import codes as house_codes
from webapp.domain.vouchers import VoucherStatus
from webapp.models import (
    Benefit,
    BenefitBatch,
    BenefitBatchPerson,
    BenefitChange,
    BenefitDefinition,
    Site,
    Voucher,
    VoucherChange,
    VoucherType,
)
from webapp.queries import benefit_batches as read
from webapp.queries import benefit_gates as gates
from webapp.queries import benefits as read_benefits
from webapp.services import bulk
from webapp.services.benefits import batches, codes, counting
from webapp.services.vouchers import Mint, counters
from webapp.services.work import Work, changed_rows

_SECOND = timedelta(seconds=1)
_IDLE, _ALLOCATED, _CANCELLED = VoucherStatus.IDLE, VoucherStatus.ALLOCATED, VoucherStatus.CANCELLED


@dataclass(frozen=True, slots=True)
class Step:
    """How far a batch is: ``count`` people or benefits dealt with so far, and whether that was all."""

    count: int
    is_last: bool


def evaluate(work: Work, batch_id: int) -> None:
    """Look up anew whom a batch is for: its day has begun."""
    batch = read.get(work.session, batch_id)
    if batch.on_the_day and batch.status is BatchStatus.ISSUING and not batch.reached:
        batches.forget_people(work, batch)
        batches.name_all(work, batch_id)


def issue_some(work: Work, batch_id: int, mint: Mint, size: int) -> Step:
    """Issue to the next ``size`` people of the batch at most, and remember where it is.

    ``Refused`` when the definition may not be issued any more, or needs a code for each benefit and none is left.
    """
    batch = read.get(work.session, batch_id)
    if batch.status is not BatchStatus.ISSUING:
        return Step(batch.issued_count + batch.passed_count, is_last=True)
    definition, site = _held(work, batch)
    people = read.to_issue(work.session, batch, size)
    passed, zones = _sifted(work, batch, definition, people)
    chosen = [number for number in people if number not in passed]
    taken = _Pool.take(work, definition, chosen, {number: zones[number] or site.timezone for number in chosen})
    if definition.force_allocation and len(taken) < len(chosen):
        chosen = [number for number in chosen if number in taken]
        if not chosen:
            short = batch.people_count - batch.issued_count - batch.passed_count
            raise Refused(
                "no_codes_left",
                f"{batch.issued_count:,} issued, {short:,} without a code: {definition.name} needs one for each and none "
                "is left. Add codes to its voucher type and go on.",
            )
        people = people[: people.index(chosen[-1]) + 1]
        passed = {number: why for number, why in passed.items() if number <= chosen[-1]}
    if chosen:
        _insert(work, batch, definition, _Rows(work.now, batch, definition, site, chosen, zones, taken), mint)
    _note_passed(work, batch_id, passed)
    batch.issued_count += len(chosen)
    batch.passed_count += len(passed)
    if definition.voucher_type_id is not None:
        batch.uncoded_count += len(chosen) - len(taken)
    batch.reached = people[-1] if people else batch.reached
    work.session.flush()
    return Step(batch.issued_count + batch.passed_count, is_last=len(people) < size and not _more(work, batch))


def _more(work: Work, batch: BenefitBatch) -> bool:
    return bool(read.to_issue(work.session, batch, 1))


def _held(work: Work, batch: BenefitBatch) -> tuple[BenefitDefinition, Site]:
    """The definition, whose row is ours until the end of the transaction; ``Refused`` when a gate is shut."""
    row = BenefitDefinition
    still = and_(not_(row.is_archived), row.is_assignable, or_(row.end_at.is_(None), row.end_at >= work.now))
    is_open = changed_rows(
        work.session,
        update(row).where(row.id == batch.definition_id, still).values(total_global_created=row.total_global_created),
    )
    definition = work.session.get_one(BenefitDefinition, batch.definition_id, populate_existing=True)
    site = work.session.get_one(Site, definition.site_id)
    if is_open != 1:
        verdict(gates.to_issue(definition, gates.Standing(0, ()), work.now, site.timezone)).require()
        raise AssertionError("an open gate stands behind a refused hold")
    return definition, site


def _sifted(
    work: Work, batch: BenefitBatch, definition: BenefitDefinition, people: Sequence[int]
) -> tuple[dict[int, PassedOver], dict[int, str]]:
    """Who of ``people`` gets none and why, and the time zones of those who are there."""
    zones = read.zones(work.session, people)
    asks = batch.excludes_holders or definition.max_per_profile is not None
    held = read.held(work.session, definition.id, people) if asks else {}
    passed = {}
    for number in people:
        why = rules.passed_over(
            held.get(number, 0),
            excludes_holders=batch.excludes_holders,
            most=definition.max_per_profile,
            is_there=number in zones,
        )
        if why is not None:
            passed[number] = why
    return passed, zones


def _note_passed(work: Work, batch_id: int, passed: dict[int, PassedOver]) -> None:
    row = BenefitBatchPerson
    for why in sorted(set(passed.values())):
        numbers = [number for number, reason in passed.items() if reason is why]
        for at in range(0, len(numbers), 500):
            work.session.execute(
                update(row)
                .where(row.batch_id == batch_id, row.profile_id.in_(numbers[at : at + 500]))
                .values(passed_over=why)
                .execution_options(synchronize_session=False)
            )


@dataclass(frozen=True, slots=True)
class _Code:
    """A code out of the pool and until when it is good."""

    voucher_id: int
    until: datetime | None


class _Pool:
    """The codes of a definition's voucher type, those that end soonest first (benefits.md 6.4)."""

    @staticmethod
    def take(
        work: Work, definition: BenefitDefinition, people: Sequence[int], zones: dict[int, str]
    ) -> dict[int, _Code]:
        """Allocate a code to each of ``people`` as far as there are codes; the first people get them."""
        kind = definition.voucher_type
        if kind is None or not people:
            return {}
        ends = {
            zone: voucher_rules.expires_at(work.now, kind.valid_for_days, kind.static_expiry_on, ZoneInfo(zone))
            for zone in set(zones.values())
        }
        able = [number for number in people if not voucher_rules.is_expired(ends[zones[number]], work.now)]
        wanted = _count_out(work, kind.id, len(able))
        found = work.session.execute(_soonest(kind.id, wanted, work.now)).all() if wanted else []
        if len(found) < wanted:  # counted, but not good any more
            counters.move(work, kind.id, _ALLOCATED, _IDLE, wanted - len(found))
        taken = {
            number: _Code(row[0], min(filter(None, (ends[zones[number]], row[1])), default=None))
            for number, row in zip(able, found, strict=False)
        }
        _allocate(work, taken, f"benefit of «{definition.name}»"[:500])
        return taken


def _count_out(work: Work, voucher_type_id: int, wanted: int) -> int:
    """Move as many of ``wanted`` codes as there are to the allocated ones, by the counter that decides."""
    while wanted:
        if counters.move(work, voucher_type_id, _IDLE, _ALLOCATED, wanted):
            return wanted
        idle = work.session.scalar(select(VoucherType.idle_count).where(VoucherType.id == voucher_type_id)) or 0
        wanted = min(wanted - 1, idle)
    return 0


def _soonest(voucher_type_id: int, count: int, now: datetime) -> Select[int, datetime | None]:
    never = case((Voucher.expires_at.is_(None), 1), else_=0)
    return (
        select(Voucher.id, Voucher.expires_at)
        .where(
            Voucher.voucher_type_id == voucher_type_id,
            Voucher.status == _IDLE,
            or_(Voucher.expires_at.is_(None), Voucher.expires_at > now),
        )
        .order_by(never, Voucher.expires_at, Voucher.id)
        .limit(count)
        .with_for_update(skip_locked=True)
    )


def _allocate(work: Work, taken: dict[int, _Code], note: str) -> None:
    if not taken:
        return
    rows = [
        {"id": code.voucher_id, "profile_id": person, "expires_at": code.until, "status": _ALLOCATED, "allocated_at": work.now}
        for person, code in taken.items()
    ]  # fmt: skip
    work.session.execute(update(Voucher), rows)
    _log(work, [code.voucher_id for code in taken.values()], _ALLOCATED, note)


def _log(work: Work, voucher_ids: Sequence[int], status: VoucherStatus, note: str) -> None:
    same = {"at": work.now, "by": work.actor.label, "status": status, "note": note[:500]}
    bulk.insert_columns(work.session, _table(VoucherChange), {"voucher_id": voucher_ids}, same)


def _table(model: type) -> Table:
    found: Table = model.__table__  # type: ignore[attr-defined]
    return found


@dataclass(slots=True)
class _Rows:
    """The columns in which the benefits of one step differ."""

    now: datetime
    batch: BenefitBatch
    definition: BenefitDefinition
    site: Site
    people: Sequence[int]
    zones: dict[int, str]
    taken: dict[int, _Code]
    _days: dict[str, tuple[datetime, datetime | None]] = field(default_factory=dict)

    def zone(self, person: int) -> str:
        return self.zones[person] or self.site.timezone

    def days(self, zone: str) -> tuple[datetime, datetime | None]:
        """Since when and until when benefits of a zone are good; worked out once for each zone."""
        if zone not in self._days:
            self._days[zone] = planned(self.definition, self.batch.issued_on, self.batch.expires_on, self.now, zone)
        return self._days[zone]

    def columns(self) -> dict[str, Sequence[Any]]:
        zones = [self.zone(person) for person in self.people]
        spans = [self.days(zone) for zone in zones]
        ends = [self._end(person, span[1]) for person, span in zip(self.people, spans, strict=True)]
        return {
            "profile_id": self.people,
            "zone": zones,
            "issued_at": [span[0] for span in spans],
            "expires_at": ends,
            "voucher_id": [self.taken[one].voucher_id if one in self.taken else None for one in self.people],
        }

    def _end(self, person: int, by_terms: datetime | None) -> datetime | None:
        code = self.taken.get(person)
        if code is None or code.until is None:
            return by_terms
        return min(by_terms or code.until, code.until - _SECOND)


def planned(
    definition: BenefitDefinition, issued_on: date | None, expires_on: date | None, now: datetime, zone: str
) -> tuple[datetime, datetime | None]:
    """Since when and until when a benefit of ``zone`` is good. A batch's last day that is over counts to its first second."""
    today = now.astimezone(ZoneInfo(zone)).date()
    issued_at = now if issued_on in (None, today) else day_starts(issued_on, zone)
    if issued_at is None:
        raise AssertionError("a day begins")
    expires_at = benefit_dates.expires_at(definition.validity, issued_at, zone, chosen=expires_on)
    return issued_at, max(expires_at, issued_at) if expires_at is not None else None


def _insert(work: Work, batch: BenefitBatch, definition: BenefitDefinition, rows: _Rows, mint: Mint) -> None:
    count = len(rows.people)
    changed_rows(
        work.session,
        update(BenefitDefinition)
        .where(BenefitDefinition.id == definition.id)
        .values(total_global_created=BenefitDefinition.total_global_created + count),
    )
    ids = bulk.reserve_ids(work.session, _table(Benefit), count)
    own = _own_codes(work, definition, count, mint)
    kind = definition.voucher_type if rows.taken else None
    worth = kind.value_minor if kind and kind.value_minor is not None else definition.value_minor
    values = [worth if one in rows.taken else definition.value_minor for one in rows.people]
    same = {
        "definition_id": definition.id,
        "terms_number": definition.terms_number,
        "source": BenefitSource.STAFF,
        "batch_id": batch.id,
        "voided_by": "",
        "void_reason": "",
        "max_redemptions": definition.max_redemptions,
        "redeemed_count": 0,
        "currency": definition.currency or (kind.currency if kind else ""),
        "created_at": work.now,
    }
    columns: dict[str, Sequence[Any]] = rows.columns() | {
        "redeem_code_pos": own,
        "code_key": [codes.key(code) for code in own],
    }
    columns |= {"id": ids, "value_minor": values}
    bulk.insert_columns(work.session, _table(Benefit), columns, same)
    note = f"Batch {batch.id}. {batch.note}".strip()
    history = {"move": BenefitMove.ISSUED, "at": work.now, "by": work.actor.label, "note": note}
    bulk.insert_columns(work.session, _table(BenefitChange), {"benefit_id": ids}, history)


def _own_codes(work: Work, definition: BenefitDefinition, count: int, mint: Mint) -> list[str | None]:
    """A new code for each, where neither pool nor definition gives any."""
    if definition.redeem_code_pos or definition.voucher_type_id is not None:
        return [None] * count
    found: list[str] = []
    while len(found) < count:
        drawn = house_codes(mint.random_bytes, count - len(found))
        known = read_benefits.known_codes(work.session, drawn)
        found += [code for code in drawn if code not in known]
    return list(found)


def finish(work: Work, batch_id: int) -> BenefitBatch:
    """The batch has been issued: tell the log, once."""
    batch = read.get(work.session, batch_id)
    if batch.status is BatchStatus.ISSUING:
        batch.status, batch.ended_at = BatchStatus.ISSUED, work.now
        definition = work.session.get_one(BenefitDefinition, batch.definition_id)
        work.record(
            Event.BATCH_ISSUED,
            batch,
            batch.site_id,
            title=definition.name,
            count=batch.issued_count,
            passed=batch.passed_count,
        )
    return batch


def undo_some(work: Work, batch_id: int, size: int) -> Step:
    """Make the next ``size`` benefits of the batch void, those apart that somebody has used since."""
    batch = read.get(work.session, batch_id)
    if batch.status is not BatchStatus.UNDOING:
        return Step(batch.voided_count + batch.left_count, is_last=True)
    _lock(work, batch.definition_id)
    found = read.to_undo(work.session, batch, size)
    stays = [[number, why] for number, why in found if why]
    gone = _void(work, batch, [number for number, why in found if not why])
    batch.voided_count += len(gone)
    batch.left_count += len(found) - len(gone)
    batch.left = [*batch.left, *stays][: rules.MOST_SHOWN]
    batch.reached = found[-1][0] if found else batch.reached
    work.session.flush()
    return Step(batch.voided_count + batch.left_count, is_last=len(found) < size)


def _lock(work: Work, definition_id: int) -> None:
    """Whoever redeems meanwhile waits at the definition's row, as in every move of a counter."""
    row = BenefitDefinition
    changed_rows(
        work.session, update(row).where(row.id == definition_id).values(total_global_voided=row.total_global_voided)
    )


def _void(work: Work, batch: BenefitBatch, ids: Sequence[int]) -> list[int]:
    """Those of ``ids`` that are void now; their codes are cancelled and do not go back to the pool."""
    reason = f"Batch {batch.id} was undone"
    gone: list[tuple[int, int | None]] = []
    for at in range(0, len(ids), 500):
        statement = (
            update(Benefit)
            .where(Benefit.id.in_(ids[at : at + 500]), Benefit.voided_at.is_(None), Benefit.redeemed_count == 0)
            .values(voided_at=work.now, voided_by=work.actor.label, void_reason=reason)
            .returning(Benefit.id, Benefit.voucher_id)
            .execution_options(synchronize_session=False)
        )
        gone += [(row[0], row[1]) for row in work.session.execute(statement)]
    counting.voided(work, batch.definition_id, len(gone))
    _cancel_codes(work, [voucher for _, voucher in gone if voucher is not None], reason)
    numbers = sorted(number for number, _ in gone)
    same = {"move": BenefitMove.VOIDED, "at": work.now, "by": work.actor.label, "note": reason}
    if numbers:
        bulk.insert_columns(work.session, _table(BenefitChange), {"benefit_id": numbers}, same)
    return numbers


def _cancel_codes(work: Work, voucher_ids: Sequence[int], reason: str) -> None:
    for at in range(0, len(voucher_ids), 500):
        some = voucher_ids[at : at + 500]
        rows = work.session.execute(
            select(Voucher.id, Voucher.voucher_type_id, Voucher.status).where(Voucher.id.in_(some))
        ).all()
        for kind, status in sorted({(row[1], row[2]) for row in rows}):
            if status is _CANCELLED:
                continue
            group = [row[0] for row in rows if (row[1], row[2]) == (kind, status)]
            counters.move(work, kind, status, _CANCELLED, len(group))
            statement = update(Voucher).where(Voucher.id.in_(group), Voucher.status == status)
            changed_rows(work.session, statement.values(status=_CANCELLED))
            _log(work, group, _CANCELLED, reason)


def finish_undo(work: Work, batch_id: int) -> BenefitBatch:
    """The batch has been undone: tell the log, once."""
    batch = read.get(work.session, batch_id)
    if batch.status is BatchStatus.UNDOING:
        batch.status, batch.undone_at = BatchStatus.UNDONE, work.now
        definition = work.session.get_one(BenefitDefinition, batch.definition_id)
        work.record(
            Event.BATCH_UNDONE,
            batch,
            batch.site_id,
            title=definition.name,
            count=batch.voided_count,
            left=batch.left_count,
        )
    return batch
