"""The transactions of which issuing a batch of benefits is made: some people at a time, all or none of those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, update

from webapp.domain import benefit_batches as rules
from webapp.domain import benefit_dates
from webapp.domain import benefits as benefit_rules
from webapp.domain.audit import Event
from webapp.domain.benefit_batches import BatchStatus, PassedOver
from webapp.domain.benefits import verdict
from webapp.domain.errors import Refused
from webapp.domain.redemptions import BenefitMove, BenefitSource
from webapp.domain.voucher_codes import codes as house_codes
from webapp.models import (
    Benefit,
    BenefitBatch,
    BenefitBatchPerson,
    BenefitChange,
    BenefitDefinition,
    Site,
)
from webapp.queries import benefit_batches as read
from webapp.queries import benefit_gates as gates
from webapp.queries import benefits as read_benefits
from webapp.queries.matching import among_ids
from webapp.services import bulk, notices
from webapp.services.benefits import batch_pool, codes, counting, issuing
from webapp.services.benefits.batch_pool import PoolCode
from webapp.services.vouchers import Mint
from webapp.services.work import Work, changed_rows

_SECOND = timedelta(seconds=1)
_BENEFITS, _CHANGES = cast(Table, Benefit.__table__), cast(Table, BenefitChange.__table__)


@dataclass(frozen=True, slots=True)
class Step:
    """How far a batch is: ``count`` people or benefits dealt with so far, and whether that was all."""

    count: int
    is_last: bool


def is_to_evaluate(batch: BenefitBatch) -> bool:
    """Whether its day has begun and it is not known yet whom it is for."""
    is_due = batch.on_the_day and batch.evaluated_at is None and not batch.reached
    return batch.status is BatchStatus.ISSUING and is_due


def evaluated(work: Work, batch_id: int, expected: int) -> BenefitBatch:
    """Everybody it is for on its day has been noted, of whom ``expected`` would get one.

    Who started it could not know how many that are. When they are more than its planner issues to alone, and nobody else
    started it, the batch stops until somebody else does (reliability.md 6.1).
    """
    batch = read.get(work.session, batch_id)
    if not is_to_evaluate(batch):
        return batch
    batch.expected_count, batch.evaluated_at = expected, work.now
    if rules.needs_another(batch.facts, batch.started_by_id):
        batch.status, batch.problem = BatchStatus.STOPPED, rules.held_words(batch.facts, batch.created_by)
    work.session.flush()
    return batch


def issue_some(work: Work, batch_id: int, mint: Mint, size: int) -> Step:
    """Issue to the next ``size`` people of the batch at most, and remember where it is.

    ``Refused`` when the definition may not be issued any more, or needs a code for each benefit and none is left.
    """
    batch = read.get(work.session, batch_id)
    if batch.status is not BatchStatus.ISSUING:
        return Step(batch.issued_count + batch.passed_count, is_last=True)
    definition, site = _held(work, batch)
    _require_days(work, batch, definition, site)
    people = read.to_issue(work.session, batch, size)
    passed, zones = _sifted(work, batch, definition, people)
    chosen = [number for number in people if number not in passed]
    where = {number: zones[number] or site.timezone for number in chosen}
    begins = {zone: _begins(work, batch, definition, zone) for zone in {site.timezone, *where.values()}}
    taken = batch_pool.take(work, definition, chosen, where, begins)
    if definition.force_allocation and len(taken) < len(chosen):
        chosen = [number for number in chosen if number in taken]
        if not chosen:
            short = batch.people_count - batch.issued_count - batch.passed_count
            raise Refused(
                "no_codes_left",
                f"{batch.issued_count:,} issued, {short:,} without a code: {definition.name} needs one for each and none "
                f"is left{issuing.on_the_day(begins[site.timezone], work.now, site.timezone)}. Add codes to its voucher "
                "type and go on.",
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


def _require_days(work: Work, batch: BenefitBatch, definition: BenefitDefinition, site: Site) -> None:
    """A batch that waited too long would issue what has ended."""
    days = {"issued_on": batch.issued_on, "expires_on": batch.expires_on}
    since, until = benefit_dates.span(definition.validity, work.now, site.timezone, **days)
    if until is not None and until < since:
        raise Refused(
            "expires_before_issue",
            f"Its benefits would have ended on {benefit_rules.told(until, site.timezone)}, before they begin on "
            f"{benefit_rules.told(since, site.timezone)}. Plan another batch with a later last day.",
        )


def _begins(work: Work, batch: BenefitBatch, definition: BenefitDefinition, zone: str) -> datetime:
    return benefit_dates.span(definition.validity, work.now, zone, issued_on=batch.issued_on)[0]


def _more(work: Work, batch: BenefitBatch) -> bool:
    return bool(read.to_issue(work.session, batch, 1))


def _held(work: Work, batch: BenefitBatch) -> tuple[BenefitDefinition, Site]:
    """The definition, whose row is ours until the end of the transaction; ``Refused`` when a gate is shut."""
    is_open = counting.held(work, batch.definition_id, counting.is_open(work.now))
    definition, site = issuing.known(work, batch.definition_id)
    if not is_open:
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
        work.session.execute(
            update(row)
            .where(row.batch_id == batch_id, among_ids(work.session, row.profile_id, numbers))
            .values(passed_over=why)
            .execution_options(synchronize_session=False)
        )


@dataclass(slots=True)
class _Rows:
    """The columns in which the benefits of one step differ."""

    now: datetime
    batch: BenefitBatch
    definition: BenefitDefinition
    site: Site
    people: Sequence[int]
    zones: dict[int, str]
    taken: dict[int, PoolCode]
    _days: dict[str, tuple[datetime, datetime | None]] = field(default_factory=dict)

    def zone(self, person: int) -> str:
        return self.zones[person] or self.site.timezone

    def days(self, zone: str) -> tuple[datetime, datetime | None]:
        """Since when and until when benefits of a zone are good; worked out once for each zone."""
        if zone not in self._days:
            days = {"issued_on": self.batch.issued_on, "expires_on": self.batch.expires_on}
            since, until = benefit_dates.span(self.definition.validity, self.now, zone, **days)
            # Where the last day is over already, which it is not at the site, nothing is left of it.
            self._days[zone] = since, max(until, since) if until is not None else None
        return self._days[zone]

    def columns(self) -> dict[str, Sequence[Any]]:
        zones = [self.zone(person) for person in self.people]
        spans = [self.days(zone) for zone in zones]
        ends = [self._end(person, *span) for person, span in zip(self.people, spans, strict=True)]
        return {
            "profile_id": self.people,
            "zone": zones,
            "issued_at": [span[0] for span in spans],
            "expires_at": ends,
            "voucher_id": [self.taken[one].voucher_id if one in self.taken else None for one in self.people],
        }

    def value(self, person: int, worth: int | None) -> int | None:
        """What a benefit is worth: by its code, by the ``worth`` of codes in general, by the definition without one."""
        if person not in self.taken:
            return self.definition.value_minor
        own = self.taken[person].value_minor
        return worth if own is None else own

    def _end(self, person: int, since: datetime, by_terms: datetime | None) -> datetime | None:
        code = self.taken.get(person)
        if code is None or code.until is None:
            return by_terms
        return max(since, min(by_terms or code.until, code.until - _SECOND))  # a code may end within its first second


def _insert(work: Work, batch: BenefitBatch, definition: BenefitDefinition, rows: _Rows, mint: Mint) -> None:
    count = len(rows.people)
    changed_rows(
        work.session,
        update(BenefitDefinition)
        .where(BenefitDefinition.id == definition.id)
        .values(total_global_created=BenefitDefinition.total_global_created + count),
    )
    ids = bulk.reserve_ids(work.session, _BENEFITS, count)
    own = _own_codes(work, definition, count, mint)
    kind = definition.voucher_type if rows.taken else None
    worth = kind.value_minor if kind and kind.value_minor is not None else definition.value_minor
    values = [rows.value(one, worth) for one in rows.people]
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
    bulk.insert_columns(work.session, _BENEFITS, columns, same)
    told = read.told(work.session, batch, rows.people)
    notices.plan_many(work, definition, ids, columns, {one: rules.kinds_told(words) for one, words in told.items()})
    note = f"Batch {batch.id}. {batch.note}".strip()
    history = {"move": BenefitMove.ISSUED, "at": work.now, "by": work.actor.label, "note": note}
    bulk.insert_columns(work.session, _CHANGES, {"benefit_id": ids}, history)


def _own_codes(work: Work, definition: BenefitDefinition, count: int, mint: Mint) -> list[str | None]:
    """A new code for each, where neither pool nor definition gives any."""
    if not codes.needs_own(definition):
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
