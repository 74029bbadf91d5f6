"""The figures of programmes, from counters in rows: nothing here counts entries or codes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from webapp.domain.imports import ImportStatus
from webapp.models import EntryDay, ImportRun, Reward, Site, StoredFile, VoucherType

MOST = 6
Scope = frozenset[int] | None


@dataclass(frozen=True, slots=True)
class Codes:
    """One voucher type and how many of its codes are in which state."""

    id: int
    title: str
    idle: int
    allocated: int
    pending: int
    redeemed: int
    cancelled: int

    @property
    def total(self) -> int:
        return self.idle + self.allocated + self.pending + self.redeemed + self.cancelled


@dataclass(frozen=True, slots=True)
class Upload:
    """One file that was imported, and what became of its rows."""

    id: int
    file: str
    at: datetime
    good: int
    duplicate: int
    bad: int


def entries(session: Session, scope: Scope, since: date) -> list[tuple[str, date, int]]:
    """Title of the site, local day and entries made on it, from ``since`` on."""
    statement = (
        select(Site.title, EntryDay.day, func.sum(EntryDay.entry_count))
        .join(Reward, Reward.id == EntryDay.reward_id)
        .join(Site, Site.id == Reward.site_id)
        .where(EntryDay.day >= since, _within(Reward.site_id, scope))
        .group_by(Site.id, Site.title, EntryDay.day)
        .order_by(Site.title, Site.id, EntryDay.day)
    )
    return [(row[0], row[1], int(row[2])) for row in session.execute(statement)]


def codes(session: Session, scope: Scope) -> list[Codes]:
    """The voucher types with the most codes."""
    states = ("idle", "allocated", "pending", "redeemed", "cancelled")
    counts: list[Any] = [getattr(VoucherType, f"{state}_count") for state in states]
    total = sum(counts[1:], counts[0])
    statement = (
        select(VoucherType.id, VoucherType.title, *counts)
        .where(total > 0, _within(VoucherType.site_id, scope))
        .order_by(total.desc(), VoucherType.id)
        .limit(MOST)
    )
    return [Codes(*row) for row in session.execute(statement)]


def uploads(session: Session, scope: Scope) -> list[Upload]:
    """The files imported last."""
    statement = (
        select(
            ImportRun.id,
            StoredFile.name,
            func.coalesce(ImportRun.finished_at, ImportRun.created_at),
            ImportRun.good_count,
            ImportRun.duplicate_count,
            ImportRun.bad_count,
        )
        .join(StoredFile, StoredFile.id == ImportRun.file_id)
        .where(ImportRun.status == ImportStatus.DONE, ImportRun.record_count > 0, _within(ImportRun.site_id, scope))
        .order_by(ImportRun.id.desc())
        .limit(MOST)
    )
    return [Upload(*row) for row in session.execute(statement)]


def _within(column: Any, scope: Scope) -> ColumnElement[bool]:
    return true() if scope is None else column.in_(scope)
