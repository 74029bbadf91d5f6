"""Reads of voucher types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from webapp.domain.errors import NotFound
from webapp.domain.rewards import RewardStatus
from webapp.domain.verdicts import Verdict
from webapp.domain.voucher_uploads import UploadFacts, may_take_back
from webapp.domain.vouchers import VoucherStatus
from webapp.models import Reward, Site, StaffMember, VoucherBatch, VoucherType
from webapp.queries.exports import flow

Scope = frozenset[int] | None
PAGE = 50
RECENT = 10


@dataclass(frozen=True, slots=True)
class TypeRow:
    """One line of the list of voucher types; counts are of codes."""

    id: int
    site: str
    code: str
    title: str
    value_minor: int | None
    currency: str
    valid_for_days: int | None
    static_expiry_on: date | None
    idle: int
    allocated: int
    pending: int
    redeemed: int
    cancelled: int

    @property
    def total(self) -> int:
        return self.idle + self.allocated + self.pending + self.redeemed + self.cancelled


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One batch of codes: ``made`` of ``wanted`` are there; ``upload`` is what the check of an uploaded file saw."""

    id: int
    wanted: int
    made: int
    sha256: str
    created_at: datetime
    created_by: str | None
    upload: dict[str, Any] | None

    @property
    def is_offered(self) -> bool:
        """Whether it is an upload that was checked and not added."""
        return self.upload is not None and not self.made

    @property
    def may_take_back(self) -> Verdict:
        """Whether the upload can be taken back."""
        return may_take_back(UploadFacts.of(self.upload or {"name": ""}, self.made))

    @property
    def undo(self) -> dict[str, Any]:
        """How far taking the upload back is; empty when nobody did."""
        found: dict[str, Any] = (self.upload or {}).get("undo", {})
        return found

    @property
    def gone(self) -> int:
        """How many of its codes were taken away again."""
        return int(self.undo.get("gone", 0))

    @property
    def undone_at(self) -> datetime | None:
        at = self.undo.get("at")
        return datetime.fromisoformat(at) if at else None


@dataclass(frozen=True, slots=True)
class UsingReward:
    """A reward that hands out codes of the type."""

    name: str
    title: str
    status: RewardStatus
    vouchers_per_winner: int


@dataclass(frozen=True, slots=True)
class TypeSheet:
    """A voucher type and the site whose days count for it."""

    kind: VoucherType
    site: Site


def get(session: Session, voucher_type_id: int, scope: Scope = None, *, lock: bool = False) -> VoucherType:
    """The type as it stands in the database now; ``NotFound`` when there is none on a site of ``scope``.

    ``lock`` keeps everybody else from changing it until the transaction ends.
    """
    statement = select(VoucherType).where(VoucherType.id == voucher_type_id)
    if scope is not None:
        statement = statement.where(VoucherType.site_id.in_(scope))
    if lock:
        statement = statement.with_for_update()
    found = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise _missing()
    return found


def sheet(session: Session, voucher_type_id: int, scope: Scope) -> TypeSheet:
    """The type with its site; ``NotFound`` outside ``scope``."""
    statement = (
        select(VoucherType, Site).join(Site, Site.id == VoucherType.site_id).where(VoucherType.id == voucher_type_id)
    )
    if scope is not None:
        statement = statement.where(VoucherType.site_id.in_(scope))
    found = session.execute(statement.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise _missing()
    return TypeSheet(*found)


def find_by_code(session: Session, code: str, scope: Scope = None) -> VoucherType | None:
    """The type called ``code``, if there is one in ``scope``."""
    statement = select(VoucherType).where(VoucherType.code == code)
    if scope is not None:
        statement = statement.where(VoucherType.site_id.in_(scope))
    return session.scalars(statement).one_or_none()


def id_of(session: Session, code: str, scope: Scope = None) -> int:
    """The id of the type called ``code``; ``NotFound`` outside ``scope``."""
    found = find_by_code(session, code, scope)
    if found is None:
        raise NotFound("voucher_type.unknown", f"There is no voucher type with the code «{code}».")
    return int(found.id)


def page(
    session: Session, scope: Scope, *, search: str = "", before: int | None = None, size: int = PAGE
) -> list[TypeRow]:
    """Types, newest first, one more than ``size`` when there is a further page; ``before`` is the last id seen."""
    counts = [getattr(VoucherType, f"{status}_count") for status in VoucherStatus]
    statement = (
        select(
            VoucherType.id,
            Site.title,
            VoucherType.code,
            VoucherType.title,
            VoucherType.value_minor,
            VoucherType.currency,
            VoucherType.valid_for_days,
            VoucherType.static_expiry_on,
            *counts,
        )
        .join(Site, Site.id == VoucherType.site_id)
        .order_by(VoucherType.id.desc())
        .limit(size + 1)
    )
    statement = statement.where(*_listed(scope, search))
    if before is not None:
        statement = statement.where(VoucherType.id < before)
    return [TypeRow(*row) for row in session.execute(statement)]


def _listed(scope: Scope, search: str) -> list[ColumnElement[bool]]:
    """Which types the list shows, and its export has."""
    shown: list[ColumnElement[bool]] = [] if scope is None else [VoucherType.site_id.in_(scope)]
    if search:
        title, code = (column.icontains(search, autoescape=True) for column in (VoucherType.title, VoucherType.code))
        shown.append(title | code)
    return shown


_COLUMNS = ("code", "title", "subtitle", "value_minor", "currency", "valid_for_days", "static_expiry_on", "id_pattern")
EXPORT = ("site", *_COLUMNS, *(f"{status}_count" for status in VoucherStatus), "created_at")


def stream(session: Session, scope: Scope, search: str = "") -> Iterator[tuple[object, ...]]:
    """Types as ``EXPORT`` names them, the newest first as ``page`` lists them; no code is told."""
    statement = (
        select(Site.name, *(getattr(VoucherType, name) for name in EXPORT[1:]))
        .join(Site, Site.id == VoucherType.site_id)
        .where(*_listed(scope, search))
        .order_by(VoucherType.id.desc())
    )
    yield from (tuple(row) for row in flow(session, statement))


def titles(session: Session, scope: Scope, size: int = 500) -> list[tuple[int, str]]:
    """Ids and titles, by title, for a list to narrow by."""
    statement = select(VoucherType.id, VoucherType.title).order_by(VoucherType.title, VoucherType.id).limit(size)
    if scope is not None:
        statement = statement.where(VoucherType.site_id.in_(scope))
    return [(row[0], row[1]) for row in session.execute(statement)]


_BATCH = (
    select(
        VoucherBatch.id,
        VoucherBatch.wanted,
        VoucherBatch.made,
        VoucherBatch.sha256,
        VoucherBatch.created_at,
        StaffMember.name,
        VoucherBatch.upload,
    )
    .outerjoin(StaffMember, StaffMember.id == VoucherBatch.created_by_id)
    .order_by(VoucherBatch.id.desc())
)


def batches(session: Session, voucher_type_id: int, size: int = RECENT) -> list[BatchRow]:
    """The newest batches of the type."""
    statement = _BATCH.where(VoucherBatch.voucher_type_id == voucher_type_id).limit(size)
    return [BatchRow(*row) for row in session.execute(statement)]


def batch(session: Session, voucher_type_id: int, batch_id: int) -> BatchRow:
    """One batch of the type, or ``NotFound``."""
    statement = _BATCH.where(VoucherBatch.id == batch_id, VoucherBatch.voucher_type_id == voucher_type_id)
    found = session.execute(statement).one_or_none()
    if found is None:
        raise NotFound("voucher.batch_unknown", "There is no such batch of codes.")
    return BatchRow(*found)


def upload(session: Session, voucher_type_id: int, batch_id: int) -> BatchRow:
    """One batch of codes that were uploaded into the type, or ``NotFound``."""
    found = batch(session, voucher_type_id, batch_id)
    if found.upload is None:
        raise NotFound("voucher.batch_unknown", "There is no such upload of codes.")
    return found


def used_by(session: Session, voucher_type_id: int, size: int = 20) -> list[UsingReward]:
    """The rewards that hand out codes of the type, newest first."""
    statement = (
        select(Reward.name, Reward.title, Reward.status, Reward.vouchers_per_winner)
        .where(Reward.voucher_type_id == voucher_type_id)
        .order_by(Reward.id.desc())
        .limit(size)
    )
    return [UsingReward(*row) for row in session.execute(statement)]


def _missing() -> NotFound:
    return NotFound("voucher_type.unknown", "There is no such voucher type.")
