"""Reads for codes that others made: whom they are kept for, which are known, and those that stand apart in a pool."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, String, cast, exists, func, literal, literal_column, or_, select
from sqlalchemy.orm import Session, aliased

from webapp.domain.voucher_uploads import CodeTraces
from webapp.domain.vouchers import VoucherStatus
from webapp.models import AuditEntry, Profile, Voucher, VoucherBatch, VoucherChange
from webapp.queries.matching import MOST_COUNTED, among, few

MOST_VALUED = 10_000  # codes with a value of their own that a page counts
_IS_IDLE = Voucher.status == literal_column("'idle'")


@dataclass(frozen=True, slots=True)
class Apart:
    """Of a type's codes: how many ran out in hands, are not good yet, lapsed unused, or have a value of their own.

    None is counted past 1,001.
    """

    expired: int
    not_yet: int
    lapsed: int
    valued: int


def members(session: Session, member_ids: Collection[str]) -> dict[str, int]:
    """The people behind member ids, after every merge; nobody who was erased."""
    meant = aliased(Profile)
    statement = (
        select(Profile.external_id, meant.id)
        .join(meant, meant.id == func.coalesce(Profile.merged_into_id, Profile.id))
        .where(among(session, Profile.external_id, sorted(member_ids)), meant.erased_at.is_(None))
    )
    return {row[0]: row[1] for row in session.execute(statement) if row[0]}


def known(session: Session, hashes: Collection[str]) -> dict[str, int]:
    """Those of ``hashes`` that belong to a code already, with the type it is of."""
    statement = select(Voucher.code_hash, Voucher.voucher_type_id)
    rows = session.execute(statement.where(among(session, Voucher.code_hash, sorted(hashes))))
    return {row[0]: row[1] for row in rows}


def upload(session: Session, batch_id: int) -> VoucherBatch | None:
    """The batch of an upload as it stands now, kept from change until the transaction ends."""
    statement = select(VoucherBatch).where(VoucherBatch.id == batch_id, VoucherBatch.upload.is_not(None))
    return session.scalars(statement.with_for_update().execution_options(populate_existing=True)).one_or_none()


def window(session: Session, batch_id: int, after: int, size: int) -> int | None:
    """The last of the next ``size`` codes of a batch beyond ``after``; None when there is none."""
    some = select(Voucher.id).where(Voucher.batch_id == batch_id, Voucher.id > after).order_by(Voucher.id).limit(size)
    last: int | None = session.scalar(select(func.max(some.subquery().c.id)))
    return last


_HAS_PAST = exists().where(VoucherChange.voucher_id == Voucher.id)
_IS_TOLD_OF = exists().where(AuditEntry.subject == literal("vouchers:") + cast(Voucher.id, String))


def is_untouched() -> ColumnElement[bool]:
    """Whether nobody was ever given a code, nor can know it. No export tells more of one than its last four signs."""
    return (Voucher.status == VoucherStatus.IDLE) & (Voucher.printed_count == 0) & ~_HAS_PAST & ~_IS_TOLD_OF


def traces(session: Session, batch_id: int, after: int, last: int) -> list[tuple[int, str, CodeTraces]]:
    """The codes of a batch beyond ``after`` up to ``last``: id, last four signs, and what became of each."""
    statement = (
        select(Voucher.id, Voucher.last_four, Voucher.status, Voucher.printed_count, _HAS_PAST)
        .where(Voucher.batch_id == batch_id, Voucher.id > after, Voucher.id <= last)
        .order_by(Voucher.id)
    )
    return [(row[0], row[1], CodeTraces(*row[2:])) for row in session.execute(statement)]


def apart(session: Session, voucher_type_id: int, now: datetime) -> Apart:
    """What the counters of a type do not tell, in one statement of bounded counts."""
    ids = select(Voucher.id).where(Voucher.voucher_type_id == voucher_type_id)
    held = Voucher.status.in_((VoucherStatus.ALLOCATED, VoucherStatus.PENDING))
    found = session.execute(
        few(
            ids.where(held, Voucher.expires_at <= now),
            ids.where(_IS_IDLE, Voucher.valid_from > now),
            ids.where(_IS_IDLE, Voucher.expires_at <= now),
            ids.where(Voucher.value_minor.is_not(None)),
        )
    ).one()
    return Apart(*found)


def remaining(session: Session, voucher_type_id: int, now: datetime) -> list[tuple[int, int]]:
    """Values of their own and how many codes of each are left, not past their end, of the first 10,000 (benefits.md 2.4)."""
    some = (
        select(Voucher.value_minor)
        .where(
            Voucher.voucher_type_id == voucher_type_id,
            _IS_IDLE,
            Voucher.value_minor.is_not(None),
            or_(Voucher.expires_at.is_(None), Voucher.expires_at > now),
        )
        .order_by(Voucher.value_minor)
        .limit(MOST_VALUED)
        .subquery()
    )
    statement = select(some.c.value_minor, func.count()).group_by(some.c.value_minor).order_by(some.c.value_minor)
    return [(row[0], row[1]) for row in session.execute(statement)]


__all__ = [
    "MOST_COUNTED",
    "MOST_VALUED",
    "Apart",
    "apart",
    "is_untouched",
    "known",
    "members",
    "remaining",
    "traces",
    "upload",
    "window",
]
