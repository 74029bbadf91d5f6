"""Reads of batches of benefits: their list and pages, whom one is for, and what of it may be taken back."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, exists, func, select, text
from sqlalchemy.orm import Session

from webapp.domain import benefit_batches as rules
from webapp.domain.benefit_batches import Audience, BatchStatus, PassedOver
from webapp.domain.condition_reading import read
from webapp.domain.conditions import EVERYONE
from webapp.domain.errors import NotFound
from webapp.domain.redemptions import BenefitMove
from webapp.models import (
    Benefit,
    BenefitBatch,
    BenefitBatchPerson,
    BenefitChange,
    BenefitDefinition,
    Group,
    Job,
    Membership,
    Profile,
    Redemption,
    Site,
)
from webapp.models.benefit_batches import PASSED, WAITS
from webapp.queries import conditions
from webapp.queries.exports import flow
from webapp.queries.matching import among_ids

PAGE = 50
_AT_ONCE = 10_000  # ids in memory beside those kept
Scope = frozenset[int] | None
_USED = (BenefitMove.EXTENDED, BenefitMove.EXPIRY_SET, BenefitMove.REASSIGNED, BenefitMove.VOIDED)


@dataclass(frozen=True, slots=True)
class BatchSheet:
    """A batch with what its page shows beside it."""

    batch: BenefitBatch
    definition: BenefitDefinition
    site: Site
    group: Group | None
    job: Job | None


@dataclass(frozen=True, slots=True)
class ListedBatch:
    """One line of the list of batches."""

    id: int
    definition: str
    site: str
    status: BatchStatus
    people: int
    issued: int
    starts_at: datetime | None
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class Passed:
    """Somebody the batch passed over."""

    profile_id: int
    why: PassedOver | None
    external_id: str | None
    first_name: str
    last_name: str
    email: str
    phone: str


def get(session: Session, batch_id: int) -> BenefitBatch:
    """The batch as it stands in the database now; ``NotFound`` when there is none."""
    found = session.get(BenefitBatch, batch_id, populate_existing=True)
    if found is None:
        raise NotFound("batch.unknown", "There is no such batch.")
    return found


def sheet(session: Session, batch_id: int, scope: Scope) -> BatchSheet:
    """The batch and what belongs to it; ``NotFound`` outside ``scope``."""
    wanted = (
        select(BenefitBatch, BenefitDefinition, Site, Group, Job)
        .join(BenefitDefinition, BenefitDefinition.id == BenefitBatch.definition_id)
        .join(Site, Site.id == BenefitBatch.site_id)
        .outerjoin(Group, Group.id == BenefitBatch.group_id)
        .outerjoin(Job, Job.id == BenefitBatch.job_id)
        .where(BenefitBatch.id == batch_id)
        .execution_options(populate_existing=True)
    )
    if scope is not None:
        wanted = wanted.where(BenefitBatch.site_id.in_(scope))
    row = session.execute(wanted).one_or_none()
    if row is None:
        raise NotFound("batch.unknown", "There is no such batch.")
    return BatchSheet(*row)


def page(session: Session, scope: Scope, *, before: int | None = None, size: int = PAGE) -> list[ListedBatch]:
    """Batches, the newest first; one more than ``size`` when there are further ones."""
    wanted = (
        select(
            BenefitBatch.id,
            BenefitDefinition.name,
            Site.title,
            BenefitBatch.status,
            BenefitBatch.people_count,
            BenefitBatch.issued_count,
            BenefitBatch.starts_at,
            BenefitBatch.created_at,
            BenefitBatch.created_by,
        )
        .join(BenefitDefinition, BenefitDefinition.id == BenefitBatch.definition_id)
        .join(Site, Site.id == BenefitBatch.site_id)
        .order_by(BenefitBatch.id.desc())
        .limit(size + 1)
    )
    if scope is not None:
        wanted = wanted.where(BenefitBatch.site_id.in_(scope))
    if before is not None:
        wanted = wanted.where(BenefitBatch.id < before)
    return [ListedBatch(*row) for row in session.execute(wanted)]


def due(session: Session, now: datetime) -> list[int]:
    """The waiting batches whose day has begun, in order."""
    wanted = select(BenefitBatch.id).where(text(WAITS), BenefitBatch.starts_at <= now).order_by(BenefitBatch.id)
    return list(session.scalars(wanted))


def living() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Rows of people that are somebody: neither merged nor erased."""
    return Profile.merged_into_id.is_(None), Profile.erased_at.is_(None)


def meant(session: Session, batch: BenefitBatch, now: datetime) -> array[int]:
    """The ids of everybody there is, of the group, or who meets the condition now, in order: eight bytes for each.

    ``Refused`` when one batch takes no more.
    """
    found = array("q")
    for row in flow(session, _meant(session, batch, now).limit(rules.MOST + 1), _AT_ONCE):
        found.append(row[0])
    rules.checked_size(len(found))
    return found


def _meant(session: Session, batch: BenefitBatch, now: datetime) -> Select[Any]:
    if batch.audience is Audience.GROUP:
        inside = select(Membership.profile_id).where(Membership.group_id == batch.group_id)
        return select(Profile.id).where(Profile.id.in_(inside), *living()).order_by(Profile.id)
    zone = session.get_one(Site, batch.site_id).timezone
    is_all = batch.audience is Audience.EVERYBODY
    node = EVERYONE if is_all else read(batch.condition, conditions.variables(session), zone)
    return conditions.people(session, node, now, zone)


def expected(session: Session, batch_id: int) -> int:
    """How many people of the batch would get one now."""
    batch = get(session, batch_id)
    definition = session.get_one(BenefitDefinition, batch.definition_id, populate_existing=True)
    least = 1 if batch.excludes_holders else definition.max_per_profile
    return batch.people_count - (_holders(session, batch, least) if least else 0)


def to_issue(session: Session, batch: BenefitBatch, size: int) -> list[int]:
    """The next people of the batch, in the order of their ids."""
    wanted = select(BenefitBatchPerson.profile_id).where(
        BenefitBatchPerson.batch_id == batch.id, BenefitBatchPerson.profile_id > batch.reached
    )
    return list(session.scalars(wanted.order_by(BenefitBatchPerson.profile_id).limit(size)))


def told(session: Session, batch: BenefitBatch, ids: Collection[int]) -> dict[int, str]:
    """What the file of a batch says that some of these people were told before; other batches are not asked."""
    if batch.audience is not Audience.FILE:
        return {}
    row = BenefitBatchPerson
    wanted = select(row.profile_id, row.told).where(
        row.batch_id == batch.id, row.told != "", among_ids(session, row.profile_id, ids)
    )
    return {row[0]: row[1] for row in session.execute(wanted)}


def zones(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """The time zone of each of these people who is still there; empty for those who have none of their own."""
    rows = session.execute(select(Profile.id, Profile.zone).where(among_ids(session, Profile.id, ids), *living()))
    return {row[0]: row[1] for row in rows}


def held(session: Session, definition_id: int, ids: Sequence[int]) -> dict[int, int]:
    """How many benefits of the definition each of these people holds, void ones apart."""
    wanted = select(Benefit.profile_id, func.count()).where(
        Benefit.definition_id == definition_id,
        among_ids(session, Benefit.profile_id, ids),
        Benefit.voided_at.is_(None),
    )
    return {row[0]: row[1] for row in session.execute(wanted.group_by(Benefit.profile_id))}


def _holders(session: Session, batch: BenefitBatch, least: int) -> int:
    """How many people of the batch hold at least ``least`` benefits of its definition."""
    several = (
        select(Benefit.profile_id)
        .where(
            Benefit.definition_id == batch.definition_id,
            Benefit.voided_at.is_(None),
            Benefit.profile_id.in_(
                select(BenefitBatchPerson.profile_id).where(BenefitBatchPerson.batch_id == batch.id)
            ),
        )
        .group_by(Benefit.profile_id)
        .having(func.count() >= least)
        .subquery()
    )
    return int(session.scalar(select(func.count()).select_from(several)) or 0)


def known(session: Session, batch_id: int, ids: Collection[int]) -> set[int]:
    """Those of ``ids`` the batch is for already."""
    wanted = select(BenefitBatchPerson.profile_id).where(
        BenefitBatchPerson.batch_id == batch_id, among_ids(session, BenefitBatchPerson.profile_id, ids)
    )
    return set(session.scalars(wanted))


def alive(session: Session, ids: Collection[int]) -> set[int]:
    """Those of ``ids`` that are somebody."""
    return set(session.scalars(select(Profile.id).where(among_ids(session, Profile.id, ids), *living())))


def passed(session: Session, batch_id: int, *, after: int | None = None, size: int = PAGE) -> list[Passed]:
    """Whom the batch passed over, in the order of their ids; one more than ``size`` when there are further ones."""
    row = BenefitBatchPerson
    wanted = (
        select(
            row.profile_id,
            row.passed_over,
            Profile.external_id,
            func.coalesce(Profile.first_name, ""),
            func.coalesce(Profile.last_name, ""),
            func.coalesce(Profile.email, ""),
            func.coalesce(Profile.phone, ""),
        )
        .outerjoin(Profile, Profile.id == row.profile_id)
        .where(row.batch_id == batch_id, text(PASSED))
        .order_by(row.profile_id)
        .limit(size + 1)
    )
    if after is not None:
        wanted = wanted.where(row.profile_id > after)
    return [Passed(*found) for found in session.execute(wanted)]


def to_undo(session: Session, batch: BenefitBatch, size: int) -> list[tuple[int, str]]:
    """The next benefits of the batch: each with why it stays because of what was done with it, or an empty text."""
    redeemed = exists().where(Redemption.benefit_id == Benefit.id)
    changed = exists().where(BenefitChange.benefit_id == Benefit.id, BenefitChange.move.in_(_USED))
    why = case(
        (redeemed, "was redeemed"),
        (Benefit.voided_at.is_not(None), "was made void before"),
        (changed, "was extended, handed over or given another end"),
        else_="",
    )
    wanted = select(Benefit.id, why).where(Benefit.batch_id == batch.id, Benefit.id > batch.reached)
    return [(row[0], row[1]) for row in session.execute(wanted.order_by(Benefit.id).limit(size))]
