"""Reads of voucher codes, their batches and their change log."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice

from sqlalchemy import ColumnElement, collate, func, literal_column, select
from sqlalchemy.orm import Session, aliased

from webapp.domain.errors import NotFound
from webapp.domain.identity import Reach, Where
from webapp.domain.vouchers import VoucherStatus
from webapp.models import Prize, Profile, Reward, Site, Voucher, VoucherBatch, VoucherChange, VoucherType, Winner
from webapp.queries import reaches
from webapp.queries.exports import flow

Scope = frozenset[int] | None
PAGE = 50
STREAMED = 5_000  # rows fetched at a time
MANY = 500  # values in one IN (…)
_FRESH = {"populate_existing": True}
_ADDED_UP = 10_000  # types of vouchers


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of vouchers is narrowed to."""

    voucher_type_id: int | None = None
    status: VoucherStatus | None = None
    reward_id: int | None = None


@dataclass(frozen=True, slots=True)
class VoucherRow:
    """One line of the list; the code is known by its last four characters."""

    id: int
    last_four: str
    status: VoucherStatus
    allocated_at: datetime | None
    expires_at: datetime | None
    printed_count: int
    kind: str
    zone: str
    reward: str | None
    first_name: str | None
    last_name: str | None

    @property
    def holder(self) -> str:
        return f"{self.first_name or ''} {self.last_name or ''}".strip()


@dataclass(frozen=True, slots=True)
class VoucherSheet:
    """One voucher with everything its page shows, in one statement."""

    voucher: Voucher
    kind: VoucherType
    site: Site
    holder: Profile | None
    winner: Winner | None
    prize: Prize | None
    reward: Reward | None
    kept_for: Profile | None


def get(session: Session, voucher_id: int) -> Voucher:
    """The voucher as it stands in the database now, or ``NotFound``."""
    voucher = session.get(Voucher, voucher_id, populate_existing=True)
    if voucher is None:
        raise _missing()
    return voucher


def sheet(session: Session, voucher_id: int, where: Where) -> VoucherSheet:
    """The voucher with type, site, holder and prize; ``NotFound`` outside ``where``."""
    kept_for = aliased(Profile)
    statement = (
        select(Voucher, VoucherType, Site, Profile, Winner, Prize, Reward, kept_for)
        .join(VoucherType, VoucherType.id == Voucher.voucher_type_id)
        .join(Site, Site.id == VoucherType.site_id)
        .outerjoin(Profile, Profile.id == Voucher.profile_id)
        .outerjoin(Winner, Winner.id == Voucher.winner_id)
        .outerjoin(Prize, Prize.id == Winner.prize_id)
        .outerjoin(Reward, Reward.id == Winner.reward_id)
        .outerjoin(kept_for, kept_for.id == Voucher.reserved_for_id)
        .where(Voucher.id == voucher_id)
    )
    if where is not None:
        statement = statement.where(_held(where))
    found = session.execute(statement.execution_options(**_FRESH)).one_or_none()
    if found is None:
        raise _missing()
    return VoucherSheet(*found)


def _held(where: Where) -> ColumnElement[bool]:
    """Whether ``where`` reaches a voucher, joined with its type."""
    return reaches.holds(where, VoucherType.site_id, Voucher.profile_id)


def require(session: Session, voucher_id: int, where: Where) -> None:
    """For a verb, in its transaction: ``NotFound`` when ``where`` is bound to organisations and the voucher outside."""
    if isinstance(where, Reach):
        wanted = select(Voucher.id).join(VoucherType, VoucherType.id == Voucher.voucher_type_id)
        if session.scalar(wanted.where(Voucher.id == voucher_id, _held(where))) is None:
            raise _missing()


def page(
    session: Session, scope: Scope, narrow: Filter, *, before: int | None = None, size: int = PAGE
) -> list[VoucherRow]:
    """Vouchers, newest first, one more than ``size`` when there is a further page; ``before`` is the last id seen.

    The ids are found first, on the vouchers' own indexes, and only those of the page are joined with the rest.
    """
    wanted = select(Voucher.id).where(*_matching(scope, narrow, before)).order_by(Voucher.id.desc()).limit(size + 1)
    statement = (
        select(
            Voucher.id,
            Voucher.last_four,
            Voucher.status,
            Voucher.allocated_at,
            Voucher.expires_at,
            Voucher.printed_count,
            VoucherType.title,
            Site.timezone,
            Reward.title,
            Profile.first_name,
            Profile.last_name,
        )
        .join(VoucherType, VoucherType.id == Voucher.voucher_type_id)
        .join(Site, Site.id == VoucherType.site_id)
        .outerjoin(Winner, Winner.id == Voucher.winner_id)
        .outerjoin(Reward, Reward.id == Winner.reward_id)
        .outerjoin(Profile, Profile.id == Voucher.profile_id)
        .where(Voucher.id.in_(wanted))
        .order_by(Voucher.id.desc())
    )
    return [VoucherRow(*row) for row in session.execute(statement)]


EXPORT = (
    "id",
    "type",
    "last_four",
    "status",
    "external_id",
    "email",
    "reward",
    "allocated_at",
    "expires_at",
    "printed_count",
)


def stream(session: Session, scope: Scope, narrow: Filter) -> Iterator[tuple[object, ...]]:
    """Vouchers as ``EXPORT`` names them, the newest first as ``page`` lists them; of a code its last four signs."""
    statement = (
        select(
            Voucher.id,
            VoucherType.code,
            Voucher.last_four,
            Voucher.status,
            Profile.external_id,
            Profile.email,
            Reward.name,
            Voucher.allocated_at,
            Voucher.expires_at,
            Voucher.printed_count,
        )
        .join(VoucherType, VoucherType.id == Voucher.voucher_type_id)
        .outerjoin(Winner, Winner.id == Voucher.winner_id)
        .outerjoin(Reward, Reward.id == Winner.reward_id)
        .outerjoin(Profile, Profile.id == Voucher.profile_id)
        .where(*_matching(scope, narrow, None))
        .order_by(Voucher.id.desc())
    )
    yield from (tuple(row) for row in flow(session, statement, STREAMED))


def _matching(scope: Scope, narrow: Filter, before: int | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if narrow.voucher_type_id is not None:
        conditions.append(Voucher.voucher_type_id == narrow.voucher_type_id)
    if scope is not None:
        conditions.append(Voucher.voucher_type_id.in_(select(VoucherType.id).where(VoucherType.site_id.in_(scope))))
    if narrow.status is not None:
        conditions.append(Voucher.status == narrow.status)
        if narrow.status is not VoucherStatus.IDLE:
            conditions.append(Voucher.status != literal_column("'idle'"))  # lets the index of taken codes be used
    if narrow.reward_id is not None:
        conditions.append(Voucher.winner_id.in_(select(Winner.id).where(Winner.reward_id == narrow.reward_id)))
    if before is not None:
        conditions.append(Voucher.id < before)
    return conditions


def counts(session: Session, scope: Scope, voucher_type_id: int | None) -> dict[VoucherStatus, int]:
    """How many codes stand in each state, from the counters of their types; one statement, however many codes.

    Nothing when there are more types than can be added up for a page.
    """
    statement = select(*(getattr(VoucherType, f"{status}_count") for status in VoucherStatus)).limit(_ADDED_UP + 1)
    if scope is not None:
        statement = statement.where(VoucherType.site_id.in_(scope))
    if voucher_type_id is not None:
        statement = statement.where(VoucherType.id == voucher_type_id)
    types = statement.subquery()
    sums = [func.coalesce(func.sum(column), 0) for column in types.c]
    number_of_types, *found = session.execute(select(func.count(), *sums)).one()
    if number_of_types > _ADDED_UP:
        return {}
    return {status: int(number) for status, number in zip(VoucherStatus, found, strict=True)}


def find_by_hash(session: Session, code_hash: str, where: Where) -> int | None:
    """The id of the voucher with exactly this code, if there is one within ``where``."""
    statement = (
        select(Voucher.id)
        .join(VoucherType, VoucherType.id == Voucher.voucher_type_id)
        .where(Voucher.code_hash == code_hash)
    )
    if where is not None:
        statement = statement.where(_held(where))
    return session.scalar(statement)


def of_winner(session: Session, winner_id: int) -> list[Voucher]:
    """The codes a winner holds, in the order of their places, as they stand in the database now."""
    statement = select(Voucher).where(Voucher.winner_id == winner_id).order_by(Voucher.winner_place)
    return list(session.scalars(statement.execution_options(**_FRESH)))


def changes(session: Session, voucher_id: int, size: int = 100) -> list[VoucherChange]:
    """The change log of a voucher, newest first."""
    statement = (
        select(VoucherChange)
        .where(VoucherChange.voucher_id == voucher_id)
        .order_by(VoucherChange.id.desc())
        .limit(size)
    )
    return list(session.scalars(statement))


def batch(session: Session, batch_id: int) -> VoucherBatch:
    """A batch as it stands in the database now, or ``NotFound``."""
    found = session.get(VoucherBatch, batch_id, populate_existing=True)
    if found is None:
        raise NotFound("voucher.batch_unknown", "There is no such batch of codes.")
    return found


def on_order(session: Session, voucher_type_id: int) -> int:
    """How many codes of the type are ordered and not made yet."""
    missing = func.coalesce(func.sum(VoucherBatch.wanted - VoucherBatch.made), 0)
    return session.scalar(select(missing).where(VoucherBatch.voucher_type_id == voucher_type_id)) or 0


def fingerprint(session: Session, batch_id: int) -> str:
    """``digest`` of the batch's codes in the order of their bytes."""
    bytewise = Voucher.code if _is_sqlite(session) else collate(Voucher.code, "C")
    statement = select(Voucher.code).where(Voucher.batch_id == batch_id).order_by(bytewise)
    rows = session.connection().execute(statement.execution_options(yield_per=STREAMED))  # no entities: half the time
    return digest(chain.from_iterable(rows.scalars().partitions()))


def digest(codes: Iterable[str]) -> str:
    """SHA-256 of the codes as they come, each followed by a newline; 64 hexadecimal digits."""
    found, rest = hashlib.sha256(), iter(codes)
    while part := list(islice(rest, STREAMED)):
        found.update("\n".join([*part, ""]).encode())
    return found.hexdigest()


def taken_hashes(session: Session, hashes: Sequence[str]) -> set[str]:
    """Those of ``hashes`` that belong to a code already."""
    found: set[str] = set()
    for at in range(0, len(hashes), MANY):
        some = hashes[at : at + MANY]
        found.update(session.scalars(select(Voucher.code_hash).where(Voucher.code_hash.in_(some))))
    return found


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def _missing() -> NotFound:
    return NotFound("voucher.unknown", "There is no such voucher.")
