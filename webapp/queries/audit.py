"""Reads the audit log: of one subject, page by page with filters, and as a chain."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Integer,
    Row,
    Select,
    String,
    cast,
    exists,
    func,
    literal,
    null,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import Session

from webapp.domain import audit as rules
from webapp.domain.audit import Event
from webapp.models import (
    AuditAnchor,
    AuditEntry,
    Benefit,
    BenefitBatch,
    BenefitDefinition,
    Draw,
    Group,
    ImportRun,
    Job,
    Location,
    Module,
    Organisation,
    OrganisationType,
    Profile,
    Reward,
    Site,
    StaffGrant,
    StaffMember,
    Tier,
    Voucher,
    VoucherType,
    Winner,
)
from webapp.queries.exports import flow

PAGE = 50
_JSON = json.JSONEncoder(ensure_ascii=False, sort_keys=True)
_COLUMNS = (
    AuditEntry.id,
    AuditEntry.at,
    AuditEntry.actor,
    AuditEntry.staff_id,
    AuditEntry.event,
    AuditEntry.subject,
    AuditEntry.site_id,
    AuditEntry.facts,
    AuditEntry.address,
)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One thing that happened."""

    id: int
    at: datetime
    actor: str
    staff_id: int | None
    event: Event
    subject: str
    site_id: int | None
    facts: dict[str, Any]
    address: str = ""

    @property
    def sentence(self) -> str:
        """What happened, without who and when."""
        return rules.sentence(self.event, self.facts)

    @property
    def group(self) -> str:
        """The noun of the event: «draw»."""
        return self.event.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Filters:
    """What the log is narrowed to; None and empty are no limit. ``until`` is exclusive."""

    staff_id: int | None = None
    group: str = ""
    subject: str = ""
    address: str = ""
    site_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first; ``older`` and ``newer`` are the ids to go on from, None at the ends."""

    rows: list[AuditRow] = field(default_factory=list)
    older: int | None = None
    newer: int | None = None


def of_subject(session: Session, subject: str, *, size: int = 20) -> list[AuditRow]:
    """The latest about one thing («rewards:12»), newest first."""
    statement = select(*_COLUMNS).where(AuditEntry.subject == subject).order_by(AuditEntry.id.desc()).limit(size)
    return [AuditRow(*row) for row in session.execute(statement)]


def page(
    session: Session,
    scope: frozenset[int] | None,
    filters: Filters,
    *,
    before: int | None = None,
    after: int | None = None,
    size: int = PAGE,
) -> Page:
    """One page of the log within ``scope``: entries of no site belong to whoever sees every site."""

    def turned(statement: Select[Any]) -> Select[Any]:
        if after is not None:
            return statement.where(AuditEntry.id > after).order_by(AuditEntry.id).limit(size + 1)
        if before is not None:
            statement = statement.where(AuditEntry.id < before)
        return statement.order_by(AuditEntry.id.desc()).limit(size + 1)

    if filters.group and not filters.subject:
        # Each event along its own index: all at once they would be sorted, or the whole log read for a rare one.
        rest = replace(filters, group="")
        parts = (
            turned(_narrowed(select(AuditEntry.id).where(AuditEntry.event == event), scope, rest)).subquery()
            for event in _events(filters.group)
        )
        statement = turned(select(*_COLUMNS).where(AuditEntry.id.in_(union_all(*map(select, parts)))))
    else:
        statement = turned(_narrowed(select(*_COLUMNS), scope, filters))
    rows = [AuditRow(*row) for row in session.execute(statement)]
    has_more, rows = len(rows) > size, rows[:size]
    if after is not None:
        rows.reverse()
    older = rows[-1].id if rows and (has_more if after is None else True) else None
    newer = rows[0].id if rows and (has_more if after is not None else before is not None) else None
    return Page(rows, older, newer)


EXPORT = ("id", "at", "actor", "address", "event", "sentence", "subject", "site", "facts", "position", "digest")


def stream(session: Session, scope: frozenset[int] | None, filters: Filters) -> Iterator[tuple[object, ...]]:
    """The log as ``EXPORT`` names it, narrowed as ``page`` and the newest first, holding a few rows at a time."""
    columns = [getattr(AuditEntry, name) for name in ("id", "at", "actor", "address", "event", "subject", "facts")]
    wanted = select(*columns, Site.name, AuditEntry.position, AuditEntry.digest)
    statement = _narrowed(wanted.outerjoin(Site, Site.id == AuditEntry.site_id), scope, filters)
    statement = statement.order_by(AuditEntry.id.desc())
    for row in flow(session, statement):
        number, at, actor, address, event, subject, facts, site, position, digest = tuple[Any, ...](row)
        sentence = rules.sentence(event, facts)
        yield number, at, actor, address, event, sentence, subject, site, _JSON.encode(facts), position, digest


def _narrowed(statement: Select[Any], scope: frozenset[int] | None, filters: Filters) -> Select[Any]:
    for name in ("staff_id", "subject", "address", "site_id"):
        if (wanted := getattr(filters, name)) not in (None, ""):
            statement = statement.where(getattr(AuditEntry, name) == wanted)
    if scope is not None:
        statement = statement.where(AuditEntry.site_id.in_(scope))
    if filters.group:
        statement = statement.where(AuditEntry.event.in_(_events(filters.group)))
    if filters.since is not None:
        statement = statement.where(AuditEntry.at >= filters.since)
    if filters.until is not None:
        statement = statement.where(AuditEntry.at < filters.until)
    return statement


def _events(group: str) -> list[Event]:
    return [event for event in Event if event.partition(".")[0] == group]


MOST_PEOPLE = 1_000


def people(session: Session, scope: frozenset[int] | None = None) -> dict[int, str]:
    """Name by id of everybody who could have acted within ``scope``, the first thousand by name."""
    statement = select(StaffMember.id, StaffMember.name).order_by(StaffMember.name_key, StaffMember.id)
    statement = statement.limit(MOST_PEOPLE)
    if scope is not None:
        reaches = StaffGrant.site_id.in_(scope) | StaffGrant.site_id.is_(None)
        statement = statement.where(exists().where(StaffGrant.staff_id == StaffMember.id, reaches))
    return dict(session.execute(statement).all())


def whereabouts(session: Session, subjects: Iterable[str]) -> dict[str, tuple[str, int | None]]:
    """Subject → its part of the address (a name or an id) and its site; one statement, what is gone is left out."""
    ids: dict[str, list[int]] = {}
    for subject in subjects:
        table, _, number = subject.partition(":")
        if table in _PLACES and number.isdecimal():
            ids.setdefault(table, []).append(int(number))
    if not ids:
        return {}
    parts = [_PLACES[table](table).where(_ROWS[table].id.in_(numbers)) for table, numbers in sorted(ids.items())]
    found = session.execute(union_all(*parts))
    return {f"{table}:{number}": (name, site_id) for table, number, name, site_id in found}


_ROWS: dict[str, Any] = {
    "benefit_batches": BenefitBatch,
    "benefit_definitions": BenefitDefinition,
    "benefits": Benefit,
    "draws": Draw,
    "groups": Group,
    "import_runs": ImportRun,
    "jobs": Job,
    "profiles": Profile,
    "locations": Location,
    "modules": Module,
    "organisation_types": OrganisationType,
    "organisations": Organisation,
    "rewards": Reward,
    "sites": Site,
    "staff_members": StaffMember,
    "tiers": Tier,
    "voucher_types": VoucherType,
    "vouchers": Voucher,
    "winners": Winner,
}


def _place(table: str, name: Any, site_id: Any) -> Select[Any]:
    row = _ROWS[table]
    return select(literal(table), row.id, cast(name, String), cast(site_id, Integer))


_PLACES: dict[str, Callable[[str], Select[Any]]] = {
    "benefit_definitions": lambda table: _place(table, BenefitDefinition.id, BenefitDefinition.site_id),
    "benefit_batches": lambda table: _place(table, BenefitBatch.id, BenefitBatch.site_id),
    "benefits": lambda table: _place(table, Benefit.id, BenefitDefinition.site_id).join(
        BenefitDefinition, BenefitDefinition.id == Benefit.definition_id
    ),
    "draws": lambda table: _place(table, Reward.name, Reward.site_id).join(Reward, Reward.id == Draw.reward_id),
    "groups": lambda table: _place(table, Group.id, null()),
    "import_runs": lambda table: _place(table, ImportRun.id, ImportRun.site_id),
    "jobs": lambda table: _place(table, Job.id, Job.site_id),
    "profiles": lambda table: _place(table, Profile.id, null()),
    "locations": lambda table: _place(table, Location.id, null()),
    "modules": lambda table: _place(table, Module.id, Module.site_id),
    "organisation_types": lambda table: _place(table, OrganisationType.id, null()),
    "organisations": lambda table: _place(table, Organisation.id, null()),
    "rewards": lambda table: _place(table, Reward.name, Reward.site_id),
    "sites": lambda table: _place(table, Site.name, Site.id),
    "staff_members": lambda table: _place(table, StaffMember.id, null()),
    "tiers": lambda table: _place(table, Tier.id, null()),
    "voucher_types": lambda table: _place(table, VoucherType.id, VoucherType.site_id),
    "vouchers": lambda table: _place(table, Voucher.id, VoucherType.site_id).join(
        VoucherType, VoucherType.id == Voucher.voucher_type_id
    ),
    "winners": lambda table: _place(table, Winner.id, Reward.site_id).join(Reward, Reward.id == Winner.reward_id),
}


def _chained(session: Session) -> Select[Any]:
    """What a digest is made of, the moment and the event as text: a million times over, objects are what costs."""
    if session.get_bind().dialect.name == "sqlite":
        at = func.replace(type_coerce(AuditEntry.at, String), " ", "T")
    else:
        at = func.to_char(func.timezone("UTC", AuditEntry.at), 'YYYY-MM-DD"T"HH24:MI:SS.US')
    return select(
        AuditEntry.id,
        at.concat("+00:00").label("at"),
        AuditEntry.actor,
        AuditEntry.staff_id,
        AuditEntry.address,
        type_coerce(AuditEntry.event, String).label("event"),
        AuditEntry.subject,
        AuditEntry.site_id,
        AuditEntry.facts,
        AuditEntry.position,
        AuditEntry.previous,
        AuditEntry.digest,
    )


def unlinked(session: Session, size: int) -> list[Row[Any]]:
    """The oldest entries that are not in the chain yet."""
    statement = _chained(session).where(AuditEntry.position.is_(None)).order_by(AuditEntry.id).limit(size)
    return list(session.connection().execute(statement))


def head(session: Session) -> tuple[int, str]:
    """Position and digest of the last linked entry; 0 and zeros before the first."""
    row = session.execute(
        select(AuditEntry.position, AuditEntry.digest)
        .where(AuditEntry.position.is_not(None))
        .order_by(AuditEntry.position.desc())
        .limit(1)
    ).one_or_none()
    return (0, rules.START) if row is None else (row.position or 0, row.digest or "")


ANCHORS = 10  # shown on the page


def anchors(session: Session, size: int | None = ANCHORS) -> list[AuditAnchor]:
    """What was told outside about the end of the chain, the latest first."""
    statement = select(AuditAnchor).order_by(AuditAnchor.id.desc())
    return list(session.scalars(statement if size is None else statement.limit(size)))


def last_anchor(session: Session, places: str) -> AuditAnchor | None:
    """The latest anchor whose place begins with ``places``."""
    told = AuditAnchor.place.startswith(places, autoescape=True)
    return session.scalars(select(AuditAnchor).where(told).order_by(AuditAnchor.id.desc()).limit(1)).one_or_none()


def linked(session: Session, *, size: int = 5_000) -> Iterator[Row[Any]]:
    """Every linked entry by position, read in pieces."""
    last = 0
    while True:
        statement = (
            _chained(session).where(AuditEntry.position > last).order_by(AuditEntry.position, AuditEntry.id).limit(size)
        )
        rows = session.connection().execute(statement).all()
        if not rows:
            return
        yield from rows
        last = rows[-1].position


def unlinked_count(session: Session) -> int:
    """How many entries wait to be linked."""
    return session.scalar(select(func.count()).where(AuditEntry.position.is_(None))) or 0
