"""Reads of benefits: one, some by their ids, those of a person, and what happened to one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, not_, or_, select
from sqlalchemy.orm import Session

from webapp.domain.benefits import BenefitFacts, BenefitState, state
from webapp.domain.errors import NotFound
from webapp.domain.identity import Reach, Where
from webapp.domain.redemptions import BenefitSource
from webapp.domain.voucher_codes import normalise
from webapp.models import (
    Benefit,
    BenefitChange,
    BenefitDefinition,
    BenefitDefinitionVersion,
    Profile,
    Site,
    Voucher,
)
from webapp.queries import reaches
from webapp.queries.matching import among
from webapp.queries.prepared import Prepared

Scope = frozenset[int] | None
PAGE = 50
_FRESH = {"populate_existing": True}
# Whether a version of a definition holds the terms a benefit was issued under.
IS_UNDER = and_(
    BenefitDefinitionVersion.definition_id == Benefit.definition_id,
    BenefitDefinitionVersion.number == Benefit.terms_number,
)
# Put together once: the till asks it with every redemption.
_OWNER = Prepared(
    select(BenefitDefinition.id, BenefitDefinition.site_id, BenefitDefinition.name)
    .join(Benefit, Benefit.definition_id == BenefitDefinition.id)
    .where(Benefit.id == bindparam("benefit_id"))
)


@dataclass(frozen=True, slots=True)
class Owner:
    """The definition of a benefit, as far as limits and the log need it."""

    definition_id: int
    site_id: int
    name: str

    def is_on(self, sites: Scope) -> bool:
        """Whether it belongs to one of ``sites``; None is every one."""
        return sites is None or self.site_id in sites


@dataclass(frozen=True, slots=True)
class BenefitRow:
    """One line of a list; the code is known by its last four signs."""

    id: int
    definition_id: int
    definition: str
    profile_id: int
    first_name: str
    last_name: str
    external_id: str | None
    facts: BenefitFacts
    source: BenefitSource
    value_minor: int | None
    currency: str
    code: str | None
    voucher_last_four: str | None

    def state(self, now: datetime) -> BenefitState:
        return state(self.facts, now)


@dataclass(frozen=True, slots=True)
class BenefitSheet:
    """One benefit with everything its page shows, in one statement."""

    benefit: Benefit
    definition: BenefitDefinition
    site: Site
    holder: Profile
    voucher: Voucher | None
    terms: BenefitDefinitionVersion


def get(session: Session, benefit_id: int) -> Benefit:
    """The benefit as it stands in the database now, or ``NotFound``."""
    found = session.get(Benefit, benefit_id, populate_existing=True)
    if found is None:
        raise missing()
    return found


def owner(session: Session, benefit_id: int, where: Where = None) -> Owner:
    """The definition of a benefit, without the benefit; ``NotFound`` outside ``where``."""
    row = _OWNER.one(session.connection(), benefit_id=benefit_id)
    if row is None or not is_reached(session, found := Owner(*row), benefit_id, where):
        raise missing()
    return found


def is_reached(session: Session, owner: Owner, benefit_id: int, where: Where) -> bool:
    """Whether ``where`` reaches a benefit of this owner; asked of the database only where organisations decide."""
    if isinstance(where, Reach):
        return owner.is_on(where.sites) or reaches.has_benefit(session, where, benefit_id)
    return owner.is_on(where)


def sheet(session: Session, benefit_id: int, where: Where) -> BenefitSheet:
    """The benefit with definition, holder and code; ``NotFound`` outside ``where``."""
    statement = (
        select(Benefit, BenefitDefinition, Site, Profile, Voucher, BenefitDefinitionVersion)
        .join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
        .join(Site, Site.id == BenefitDefinition.site_id)
        .join(Profile, Profile.id == Benefit.profile_id)
        .outerjoin(Voucher, Voucher.id == Benefit.voucher_id)
        .join(
            BenefitDefinitionVersion,
            IS_UNDER,
        )
        .where(Benefit.id == benefit_id)
    )
    if where is not None:
        statement = statement.where(_held(where))
    found = session.execute(statement.execution_options(**_FRESH)).one_or_none()
    if found is None:
        raise missing()
    return BenefitSheet(*found)


def person(session: Session, profile_id: int) -> Profile:
    """The person, or ``NotFound``."""
    found = session.get(Profile, profile_id)
    if found is None:
        raise NotFound("profile.not_found", "There is no such person.")
    return found


def definition(session: Session, definition_id: int, scope: Scope) -> tuple[BenefitDefinition, Site]:
    """A definition with its site; ``NotFound`` outside ``scope``."""
    wanted = select(BenefitDefinition, Site).join(Site, Site.id == BenefitDefinition.site_id)
    wanted = wanted.where(BenefitDefinition.id == definition_id)
    if scope is not None:
        wanted = wanted.where(BenefitDefinition.site_id.in_(scope))
    found = session.execute(wanted.execution_options(**_FRESH)).one_or_none()
    if found is None:
        raise NotFound("definition.unknown", "There is no such definition.")
    return found[0], found[1]


def several(session: Session, scope: Scope, ids: Collection[int]) -> list[BenefitRow]:
    """Those of these benefits that are in ``scope``, in the order of their ids."""
    statement = rows().where(Benefit.id.in_(ids)).order_by(Benefit.id)
    if scope is not None:
        statement = statement.where(BenefitDefinition.site_id.in_(scope))
    return lines(session, statement)


def of_person(
    session: Session, ids: Collection[int], where: Where, *, size: int = PAGE, before: int | None = None
) -> list[BenefitRow]:
    """The benefits a person holds, the newest first, one more than ``size`` when there are further ones."""
    statement = rows().where(Benefit.profile_id.in_(ids)).order_by(Benefit.id.desc()).limit(size + 1)
    if where is not None:
        statement = statement.where(_held(where))
    if before is not None:
        statement = statement.where(Benefit.id < before)
    return lines(session, statement)


def rows() -> Select[*tuple[Any, ...]]:
    """What a line of a list is made of; ``lines`` reads it."""
    return (
        select(
            Benefit,
            BenefitDefinition.name,
            Profile.first_name,
            Profile.last_name,
            Profile.external_id,
            Voucher.last_four,
        )
        .join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
        .join(Profile, Profile.id == Benefit.profile_id)
        .outerjoin(Voucher, Voucher.id == Benefit.voucher_id)
    )


def lines(session: Session, statement: Select[*tuple[Any, ...]]) -> list[BenefitRow]:
    """The lines of a list, as the database has them now."""
    return [
        BenefitRow(
            id=row.id,
            definition_id=row.definition_id,
            definition=definition,
            profile_id=row.profile_id,
            first_name=first_name,
            last_name=last_name,
            external_id=external_id,
            facts=row.facts,
            source=row.source,
            value_minor=row.value_minor,
            currency=row.currency,
            code=row.redeem_code_pos,
            voucher_last_four=last_four,
        )
        for row, definition, first_name, last_name, external_id, last_four in session.execute(
            statement.execution_options(**_FRESH)
        )
    ]


def is_usable(now: datetime) -> ColumnElement[bool]:
    """Whether something of a row can be redeemed at ``now`` or later."""
    return and_(
        Benefit.voided_at.is_(None),
        or_(Benefit.max_redemptions.is_(None), Benefit.redeemed_count < Benefit.max_redemptions),
        or_(Benefit.expires_at.is_(None), Benefit.expires_at >= now),
    )


def is_in(wanted: BenefitState, now: datetime) -> ColumnElement[bool]:
    """Whether a row is in a state at ``now``: what ``domain.benefits.state`` says of it. No test of it is ever null."""
    void = Benefit.voided_at.is_not(None)
    used = and_(Benefit.max_redemptions.is_not(None), Benefit.redeemed_count >= Benefit.max_redemptions)
    past = and_(Benefit.expires_at.is_not(None), Benefit.expires_at < now)
    scheduled = Benefit.issued_at > now
    partly = Benefit.redeemed_count > 0
    order = {
        BenefitState.VOID: void,
        BenefitState.REDEEMED: used,
        BenefitState.EXPIRED: past,
        BenefitState.SCHEDULED: scheduled,
        BenefitState.PARTLY_REDEEMED: partly,
    }
    before: list[ColumnElement[bool]] = []
    for name, test in order.items():
        if name is wanted:
            return and_(*map(not_, before), test)
        before.append(test)
    return not_(or_(*before))


def known_codes(session: Session, codes: Collection[str]) -> set[str]:
    """Those of ``codes``, each without signs between, that a benefit has already."""
    wanted = select(Benefit.code_key).where(among(session, Benefit.code_key, codes))
    return {code for code in session.scalars(wanted) if code}


def id_of_code(session: Session, code: str, where: Where = None) -> int | None:
    """The benefit whose own code this is, if there is one within ``where``."""
    statement = select(Benefit.id).where(Benefit.code_key == normalise(code))
    if isinstance(where, Reach):
        statement = statement.join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id).where(_held(where))
    elif where is not None:
        held = select(BenefitDefinition.id).where(BenefitDefinition.site_id.in_(where))
        statement = statement.where(Benefit.definition_id.in_(held))
    return session.scalar(statement)


def _held(where: Where) -> ColumnElement[bool]:
    """Whether ``where`` reaches a benefit, joined with its definition."""
    return reaches.holds(where, BenefitDefinition.site_id, Benefit.profile_id)


def name_of(session: Session, benefit_id: int) -> str:
    """What the benefit is called: its definition's name."""
    return session.scalars(select(BenefitDefinition.name).join(Benefit).where(Benefit.id == benefit_id)).one()


def id_of_voucher(session: Session, voucher_id: int) -> int | None:
    """The benefit that this code was taken for, if it was taken for one, whoever asks."""
    return session.scalar(select(Benefit.id).where(Benefit.voucher_id == voucher_id))


def changes(session: Session, benefit_id: int, size: int = 100) -> list[BenefitChange]:
    """The history of a benefit besides its ledger, the newest first."""
    wanted = select(BenefitChange).where(BenefitChange.benefit_id == benefit_id)
    return list(session.scalars(wanted.order_by(BenefitChange.id.desc()).limit(size)))


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A benefit that went from a person to another."""

    id: int
    definition: str
    at: datetime
    by: str
    zone: str


def handed_over(session: Session, ids: Collection[int], scope: Scope, size: int = PAGE) -> list[HandedOver]:
    """The benefits that a person had and passed on, the latest first."""
    wanted = (
        select(Benefit.id, BenefitDefinition.name, BenefitChange.at, BenefitChange.by, Benefit.zone)
        .join(Benefit, Benefit.id == BenefitChange.benefit_id)
        .join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
        .where(BenefitChange.profile_id.in_(ids))
        .order_by(BenefitChange.id.desc())
        .limit(size)
    )
    if scope is not None:
        wanted = wanted.where(BenefitDefinition.site_id.in_(scope))
    return [HandedOver(*row) for row in session.execute(wanted)]


def missing() -> NotFound:
    """What is said of a benefit that there is not, or that is none of one's business."""
    return NotFound("benefit.unknown", "There is no such benefit.")
