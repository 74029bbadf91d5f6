"""What a till looks for: what a code means, whom a customer is, and the benefits they can use."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from webapp.domain.errors import NotFound
from webapp.domain.identity import Reach, Where
from webapp.domain.search import is_near
from webapp.domain.voucher_codes import normalise
from webapp.models import Benefit, BenefitDefinition, Location, Profile, VoucherChange
from webapp.queries import memberships, people_named, people_there, reaches
from webapp.queries.matching import among_ids, aside

MOST_PEOPLE = 8
_LOOKED_AT = 1_000  # people found in one way, of whom is asked what they hold
_SHORTEST_NEAR = 6  # signs: of shorter codes everything is near
_MOST_CODES = 500


@dataclass(frozen=True, slots=True)
class Place:
    """Where a till stands."""

    id: int
    title: str


def place(session: Session, location_id: int | None, where: Where = None) -> Place | None:
    """The location a till remembers, unless it was closed since, or is none of ``where``."""
    wanted = select(Location.id, Location.title).where(Location.id == location_id, Location.closed_at.is_(None))
    if bound := reaches.only_parts(where):
        wanted = wanted.where(reaches.places(bound, Location.organisation_id))
    found = session.execute(wanted).one_or_none()
    return None if found is None else Place(*found)


def people(session: Session, where: Where, search: str, size: int = MOST_PEOPLE) -> list[Profile]:
    """People who hold a benefit within ``where`` and whose name, e-mail, member id or phone begins with ``search``.

    One more than ``size`` when there are further ones. Of a beginning that many share the first of each way to find
    them are looked at; only when too few of these hold anything, those who do are looked through.
    """
    fits = aside(people_named.matches(search))
    bound = reaches.only_parts(where)
    if bound and (few := reaches.parts(session, bound, 5 * reaches.FEW).people) is not None:
        return _holding(session, where, size, among_ids(session, Profile.id, few), fits)
    if (ids := people_named.few(session, search)) is not None:
        return _holding(session, where, size, among_ids(session, Profile.id, ids))
    found = _holding(session, where, size, Profile.id.in_(people_named.first(search, _LOOKED_AT)))
    if len(found) > size:
        return found
    holders = None if isinstance(where, Reach) else people_there.holders(session, where)
    among = [] if holders is None else [among_ids(session, Profile.id, holders)]
    return _holding(session, where, size, *among, fits)


def _holding(session: Session, where: Where, size: int, *conditions: ColumnElement[bool]) -> list[Profile]:
    """The first of those who meet the conditions and hold a benefit within ``where``."""
    held = select(Benefit.id).where(Benefit.profile_id == Profile.id)
    if where is not None:
        held = held.join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
        held = held.where(aside(reaches.holds(where, BenefitDefinition.site_id, Profile.id)))
    holds = held.limit(1).correlate(Profile).scalar_subquery().is_not(None)
    wanted = select(Profile).where(Profile.merged_into_id.is_(None), Profile.erased_at.is_(None), *conditions, holds)
    return list(session.scalars(wanted.order_by(Profile.search_text, Profile.id).limit(size + 1)))


def person(session: Session, profile_id: int, where: Where) -> Profile:
    """The person on screen, or ``NotFound``. Within organisations one of theirs, or who holds something of one's sites."""
    found = session.get(Profile, profile_id)
    if found is None or (isinstance(where, Reach) and not _is_customer(session, profile_id, where)):
        raise NotFound("profile.not_found", "There is no such person.")
    return found


def person_named(session: Session, name: str, where: Where) -> Profile | None:
    """Whom a member id or an e-mail means, as ``person`` would show them."""
    found = memberships.person_named(session, name)
    if found is None or (isinstance(where, Reach) and not _is_customer(session, found.id, where)):
        return None
    return found


def _is_customer(session: Session, profile_id: int, where: Reach) -> bool:
    if reaches.has_person(session, where, profile_id):
        return True
    held = select(Benefit.id).join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id).limit(1)
    on_sites = reaches.holds(where.sites, BenefitDefinition.site_id, Benefit.profile_id)
    return session.scalar(held.where(Benefit.profile_id == profile_id, on_sites)) is not None


def definition_of_code(session: Session, code: str, scope: frozenset[int] | None) -> str | None:
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


def near_code(session: Session, profile_id: int, code: str, where: Where) -> NearCode | None:
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
    if where is not None:
        wanted = wanted.where(reaches.holds(where, BenefitDefinition.site_id, Benefit.profile_id))
    rows = session.execute(wanted.order_by(Benefit.id.desc()).limit(_MOST_CODES))
    near = [NearCode(benefit_id, name) for benefit_id, key, name in rows if is_near(typed, str(key))]
    return near[0] if len(near) == 1 else None


def last_change(session: Session, voucher_id: int) -> VoucherChange | None:
    """The latest line of a voucher's change log."""
    wanted = select(VoucherChange).where(VoucherChange.voucher_id == voucher_id)
    return session.scalars(wanted.order_by(VoucherChange.id.desc()).limit(1)).first()
