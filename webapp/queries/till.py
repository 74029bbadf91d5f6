"""What a till looks for: what a code means, whom a customer is, and the benefits they can use."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from webapp.domain.search import is_near
from webapp.domain.voucher_codes import normalise
from webapp.models import Benefit, BenefitDefinition, Location, Profile, VoucherChange
from webapp.queries.profiles import matches

Scope = frozenset[int] | None
MOST_PEOPLE = 8
_SHORTEST_NEAR = 6  # signs: of shorter codes everything is near
_MOST_CODES = 500


@dataclass(frozen=True, slots=True)
class Place:
    """Where a till stands."""

    id: int
    title: str


def place(session: Session, location_id: int | None) -> Place | None:
    """The location a till remembers, unless it was closed since."""
    wanted = select(Location.id, Location.title).where(Location.id == location_id, Location.closed_at.is_(None))
    found = session.execute(wanted).one_or_none()
    return None if found is None else Place(*found)


def people(session: Session, scope: Scope, search: str, size: int = MOST_PEOPLE) -> list[Profile]:
    """People who hold a benefit within ``scope`` and whose name, e-mail, member id or phone begins with ``search``."""
    held = exists().where(Benefit.profile_id == Profile.id)
    if scope is not None:
        held = held.where(Benefit.definition_id == BenefitDefinition.id, BenefitDefinition.site_id.in_(scope))
    wanted = select(Profile).where(Profile.merged_into_id.is_(None), Profile.erased_at.is_(None), matches(search), held)
    return list(session.scalars(wanted.order_by(Profile.search_text, Profile.id).limit(size + 1)))


def definition_of_code(session: Session, code: str, scope: Scope) -> str | None:
    """The name of the definition whose code for everybody this is, if there is one."""
    wanted = select(BenefitDefinition.name).where(
        func.upper(func.replace(func.replace(BenefitDefinition.redeem_code_pos, "-", ""), " ", ""))
        == code.upper().replace("-", "").replace(" ", "")
    )
    if scope is not None:
        wanted = wanted.where(BenefitDefinition.site_id.in_(scope))
    return session.scalars(wanted.limit(1)).first()


@dataclass(frozen=True, slots=True)
class NearCode:
    """A benefit whose code is but one slip away from what was typed."""

    benefit_id: int
    definition: str


def near_code(session: Session, profile_id: int, code: str, scope: Scope) -> NearCode | None:
    """The one benefit of this person that ``code`` was meant for, but for one wrong, missing, extra or swapped sign.

    Nothing when several would fit, and of nobody else: who tries codes learns none of another person's.
    """
    typed = normalise(code)
    if len(typed) < _SHORTEST_NEAR:
        return None
    wanted = (
        select(Benefit.id, Benefit.code_key, BenefitDefinition.name)
        .join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
        .where(Benefit.profile_id == profile_id, Benefit.code_key.is_not(None), Benefit.voided_at.is_(None))
    )
    if scope is not None:
        wanted = wanted.where(BenefitDefinition.site_id.in_(scope))
    rows = session.execute(wanted.order_by(Benefit.id.desc()).limit(_MOST_CODES))
    near = [NearCode(benefit_id, name) for benefit_id, key, name in rows if is_near(typed, str(key))]
    return near[0] if len(near) == 1 else None


def last_change(session: Session, voucher_id: int) -> VoucherChange | None:
    """The latest line of a voucher's change log."""
    wanted = select(VoucherChange).where(VoucherChange.voucher_id == voucher_id)
    return session.scalars(wanted.order_by(VoucherChange.id.desc()).limit(1)).first()
