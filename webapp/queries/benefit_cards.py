"""What is printed on the cards of benefits: whose they are, their code, what they are worth, how long they are good."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, not_, or_, select
from sqlalchemy.orm import Session

from webapp.models import (
    Benefit,
    BenefitChange,
    BenefitDefinition,
    BenefitDefinitionVersion,
    Profile,
    Site,
    Voucher,
    VoucherType,
)
from webapp.queries.benefits import IS_UNDER, is_usable
from webapp.queries.matching import among_ids

Scope = frozenset[int] | None
MOST = 50_000  # cards one job makes, 500 to a file; their numbers travel with the job
MANY = 500  # cards fetched at a time
LISTED = 200  # definitions to choose from on one page


@dataclass(frozen=True, slots=True)
class BenefitCardRow:
    """One benefit as a sheet shows it; ``expires_at`` is its last second, ``zone`` is whose days it counts in.

    ``terms`` are those it was issued under; without any, those of the voucher type its code is of.
    """

    benefit_id: int
    code: str
    expires_at: datetime | None
    zone: str
    title: str
    subtitle: str
    terms: str
    value_minor: int | None
    currency: str
    left: int | None
    site: str
    organiser: str
    first_name: str
    last_name: str

    @property
    def holder(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class Chosen:
    """A benefit that can be printed, and the site it is of."""

    id: int
    site_id: int


@dataclass(frozen=True, slots=True)
class PrintableDefinition:
    """A definition of which something was issued."""

    id: int
    name: str
    site: str
    issued: int


def definitions(session: Session, scope: Scope, size: int = LISTED) -> list[PrintableDefinition]:
    """Definitions of which benefits were issued, newest first."""
    statement = (
        select(BenefitDefinition.id, BenefitDefinition.name, Site.title, BenefitDefinition.total_global_created)
        .join(Site, Site.id == BenefitDefinition.site_id)
        .where(BenefitDefinition.total_global_created > 0)
        .order_by(BenefitDefinition.id.desc())
        .limit(size)
    )
    if scope is not None:
        statement = statement.where(BenefitDefinition.site_id.in_(scope))
    return [PrintableDefinition(*row) for row in session.execute(statement)]


def among_these(session: Session, scope: Scope, ids: Collection[int], now: datetime) -> list[Chosen]:
    """Those of these benefits that can be printed, in the order of their ids."""
    return _chosen(session, scope, among_ids(session, Benefit.id, ids), now, len(ids))


def of_definition(
    session: Session, scope: Scope, definition_id: int, now: datetime, size: int | None = None
) -> list[Chosen]:
    """The first benefits of a definition that can be printed; without ``size`` one more than a job makes, if there are."""
    return _chosen(session, scope, Benefit.definition_id == definition_id, now, size or MOST + 1)


def of_batch(session: Session, scope: Scope, batch_id: int, now: datetime, size: int | None = None) -> list[Chosen]:
    """The same of those that a batch issued."""
    return _chosen(session, scope, Benefit.batch_id == batch_id, now, size or MOST + 1)


def _chosen(session: Session, scope: Scope, which: ColumnElement[bool], now: datetime, size: int) -> list[Chosen]:
    statement = (
        select(Benefit.id, BenefitDefinition.site_id)
        .join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
        .where(which, is_usable(now), _HAS_CODE, _IS_TAKEN)
        .order_by(Benefit.id)
        .limit(size)
    )
    if scope is not None:
        statement = statement.where(BenefitDefinition.site_id.in_(scope))
    return [Chosen(*row) for row in session.execute(statement)]


def rows(session: Session, benefit_ids: Sequence[int]) -> Iterator[BenefitCardRow]:
    """The cards of these benefits, in the order of the ids given, a few hundred in memory at a time."""
    for at in range(0, len(benefit_ids), MANY):
        some = benefit_ids[at : at + MANY]
        statement = _CARDS.where(among_ids(session, Benefit.id, some), _HAS_CODE).execution_options(
            populate_existing=True
        )
        found = {row.Benefit.id: _row(row) for row in session.execute(statement)}
        yield from (found[number] for number in some if number in found)


def _row(found: Any) -> BenefitCardRow:
    benefit, terms = found.Benefit, found.BenefitDefinitionVersion.terms
    return BenefitCardRow(
        benefit_id=benefit.id,
        code=found.code,
        expires_at=benefit.expires_at,
        zone=benefit.zone,
        title=terms.get("name") or found.name,
        subtitle=terms.get("short_description") or "",
        terms=terms.get("terms_conditions") or found.terms or "",
        value_minor=benefit.value_minor,
        currency=benefit.currency,
        left=benefit.facts.redemptions_left,
        site=found.title,
        organiser=found.organiser,
        first_name=found.first_name,
        last_name=found.last_name,
    )


def held_by(session: Session, profile_ids: Collection[int]) -> set[int]:
    """The benefits these people hold, and those that went from them to others."""
    now = select(Benefit.id).where(Benefit.profile_id.in_(profile_ids))
    before = select(BenefitChange.benefit_id).where(BenefitChange.profile_id.in_(profile_ids))
    return set(session.scalars(now.union(before)))


_HAS_CODE = or_(
    Benefit.redeem_code_pos.is_not(None),
    Benefit.voucher_id.is_not(None),
    and_(BenefitDefinition.redeem_code_pos.is_not(None), BenefitDefinition.redeem_code_pos != ""),
)
_IS_TAKEN = not_(and_(BenefitDefinition.is_archived, BenefitDefinition.stops_redemptions))
_CARDS = (
    select(
        Benefit,
        BenefitDefinitionVersion,
        BenefitDefinition.name,
        func.coalesce(Benefit.redeem_code_pos, Voucher.code, BenefitDefinition.redeem_code_pos).label("code"),
        Site.title,
        Site.organiser,
        Profile.first_name,
        Profile.last_name,
        VoucherType.terms,
    )
    .join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
    .join(Site, Site.id == BenefitDefinition.site_id)
    .join(Profile, Profile.id == Benefit.profile_id)
    .join(
        BenefitDefinitionVersion,
        IS_UNDER,
    )
    .outerjoin(Voucher, Voucher.id == Benefit.voucher_id)
    .outerjoin(VoucherType, VoucherType.id == Voucher.voucher_type_id)
)
