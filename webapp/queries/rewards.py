"""Reads for the reward screens."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from webapp.domain import timing
from webapp.domain.draws import DrawState
from webapp.domain.errors import NotFound
from webapp.domain.rewards import RewardKind, RewardStatus
from webapp.models import Draw, Prize, Reward, Site, VoucherType
from webapp.queries.exports import WALKED
from webapp.queries.matching import among_ids, few

PAGE = 50


@dataclass(frozen=True, slots=True)
class RewardRow:
    """One line of the list of rewards."""

    id: int
    name: str
    title: str
    kind: RewardKind
    status: RewardStatus
    site: str
    starts_on: date | None
    ends_on: date | None
    entry_count: int
    draw_state: DrawState | None


@dataclass(frozen=True, slots=True)
class RewardSheet:
    """A reward with everything its page shows, in one statement and its prizes in another."""

    reward: Reward
    site: Site
    voucher_type: VoucherType | None
    draw: Draw | None

    @property
    def starts_on(self) -> date | None:
        return timing.first_day(self.reward.starts_at, self.site.timezone)

    @property
    def ends_on(self) -> date | None:
        return timing.last_day(self.reward.ends_at, self.site.timezone)


def _missing() -> NotFound:
    return NotFound("reward.not_found", "There is no such reward.")


def get_by_id(session: Session, reward_id: int, *options: ORMOption) -> Reward:
    """The reward as it is in the database now, or ``NotFound``."""
    reward = session.get(Reward, reward_id, options=options, populate_existing=True)
    if reward is None:
        raise _missing()
    return reward


def sheet(session: Session, name: str, scope: frozenset[int] | None) -> RewardSheet:
    """The reward called ``name`` with its site, voucher type, draw and prizes; ``NotFound`` outside ``scope``."""
    statement = (
        select(Reward, Site, VoucherType, Draw)
        .join(Site, Site.id == Reward.site_id)
        .outerjoin(VoucherType, VoucherType.id == Reward.voucher_type_id)
        .outerjoin(Draw, Draw.reward_id == Reward.id)
        .where(Reward.name == name)
        .options(selectinload(Reward.prizes))
    )
    if scope is not None:
        statement = statement.where(Reward.site_id.in_(scope))
    found = session.execute(statement).one_or_none()
    if found is None:
        raise _missing()
    return RewardSheet(*found)


def page(
    session: Session,
    scope: frozenset[int] | None,
    *,
    search: str = "",
    status: RewardStatus | None = None,
    before: int | None = None,
    size: int = PAGE,
) -> list[RewardRow]:
    """Rewards, newest first, one more than ``size`` when there is a further page; ``before`` is the last id seen."""
    statement = (
        select(
            Reward.id,
            Reward.name,
            Reward.title,
            Reward.kind,
            Reward.status,
            Site.title,
            Reward.starts_at,
            Reward.ends_at,
            Reward.entry_count,
            Draw.state,
            Site.timezone,
        )
        .join(Site, Site.id == Reward.site_id)
        .outerjoin(Draw, Draw.reward_id == Reward.id)
        .order_by(Reward.id.desc())
        .limit(size + 1)
    )
    statement = statement.where(*_listed(scope, search, status))
    if before is not None:
        statement = statement.where(Reward.id < before)
    return [
        RewardRow(
            *row[:6],
            timing.first_day(row[6], row[10]),
            timing.last_day(row[7], row[10]),
            entry_count=row[8],
            draw_state=row[9],
        )
        for row in session.execute(statement)
    ]


def _listed(scope: frozenset[int] | None, search: str, status: RewardStatus | None) -> list[ColumnElement[bool]]:
    """Which rewards the list shows, and its export has."""
    shown: list[ColumnElement[bool]] = [] if scope is None else [Reward.site_id.in_(scope)]
    if search:
        shown.append(Reward.title.icontains(search, autoescape=True) | (Reward.name == search))
    if status is not None:
        shown.append(Reward.status == status)
    return shown


_EXPORTED: dict[str, Any] = {
    "name": Reward.name,
    "kind": Reward.kind,
    "title": Reward.title,
    "sub_title": Reward.sub_title,
    "site": Site.name,
    "status": Reward.status,
    "starts_at": Reward.starts_at,
    "ends_at": Reward.ends_at,
    "one_per_recipient": Reward.one_per_recipient,
    "reserve_count": Reward.reserve_count,
    "voucher_type": VoucherType.code,
    "vouchers_per_winner": Reward.vouchers_per_winner,
    "entry_count": Reward.entry_count,
    "draw_state": Draw.state,
    "closed_at": Reward.closed_at,
    "fulfilled_at": Reward.fulfilled_at,
    "notes": Reward.notes,
    "terms": Reward.terms,
    "exclude_previous_winners": Reward.exclude_previous_winners,
    "min_wait_minutes": Reward.min_wait_minutes,
    "witnessed_value": Reward.witnessed_value,
}
EXPORT = (*_EXPORTED, "prizes")


def stream(
    session: Session, scope: frozenset[int] | None, search: str = "", status: RewardStatus | None = None
) -> Iterator[tuple[object, ...]]:
    """Rewards as ``EXPORT`` names them, the newest first as ``page`` lists them, holding a few rows at a time.

    Prizes are JSON text, in the order drawn.
    """
    statement = _exported(*_listed(scope, search, status)).execution_options(yield_per=WALKED)
    with session.connection().execute(statement) as found:
        for part in found.partitions():
            for (*values, _, _), prizes in _with_prizes(session, part):
                yield (*values, json.dumps(prizes, ensure_ascii=False, separators=(",", ":")) if prizes else None)


def told(session: Session, *shown: ColumnElement[bool]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Ids, zones and what ``EXPORT`` names, prizes as a list, None without any."""
    for (*values, own_id, zone), prizes in _with_prizes(session, session.execute(_exported(*shown)).all()):
        yield own_id, zone, dict(zip(EXPORT, (*values, prizes or None), strict=True))


def _exported(*shown: ColumnElement[bool]) -> Select[Any]:
    """The columns of the export, the id and the zone of the site."""
    wanted: Select[Any] = select(*_EXPORTED.values()).select_from(Reward)
    wanted = wanted.join(Site, Site.id == Reward.site_id)
    wanted = wanted.outerjoin(VoucherType, VoucherType.id == Reward.voucher_type_id)
    wanted = wanted.outerjoin(Draw, Draw.reward_id == Reward.id)
    return wanted.add_columns(Reward.id, Site.timezone).where(*shown).order_by(Reward.id.desc())


def _with_prizes(session: Session, rows: Sequence[Row[Any]]) -> Iterator[tuple[list[Any], list[dict[str, Any]]]]:
    cells = [list(row) for row in rows]
    prizes = _prizes(session, [row[-2] for row in cells])
    yield from ((row, prizes.get(row[-2], [])) for row in cells)


def _prizes(session: Session, ids: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    names = ("title", "quantity", "value_minor")
    wanted = select(Prize.reward_id, *(getattr(Prize, name) for name in names)).where(
        among_ids(session, Prize.reward_id, ids)
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for reward_id, *values in session.execute(wanted.order_by(Prize.reward_id, Prize.position)):
        found.setdefault(reward_id, []).append(dict(zip(names, values, strict=True)))
    return found


def counts(session: Session, scope: frozenset[int] | None) -> dict[RewardStatus, int]:
    """How many rewards there are in each status, in one statement; never counted beyond ``MOST_COUNTED`` + 1."""
    parts = (select(Reward.id).where(*_listed(scope, "", status)) for status in RewardStatus)
    return dict(zip(RewardStatus, session.execute(few(*parts)).one(), strict=True))


def id_of(session: Session, name: str, scope: frozenset[int] | None) -> int:
    """The id of the reward called ``name``; ``NotFound`` outside ``scope``."""
    statement = select(Reward.id).where(Reward.name == name)
    if scope is not None:
        statement = statement.where(Reward.site_id.in_(scope))
    found = session.scalar(statement)
    if found is None:
        raise _missing()
    return found


def overdue(session: Session, now: datetime) -> bool:
    """Whether a reward that is still active should have closed."""
    due = select(Reward.id).where(Reward.status == RewardStatus.ACTIVE, Reward.ends_at <= now).limit(1)
    return session.scalar(due) is not None
