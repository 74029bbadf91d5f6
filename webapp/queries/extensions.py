"""Reads of benefits that were extended together."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.domain.errors import NotFound
from webapp.domain.extensions import SINCE
from webapp.domain.redemptions import BenefitMove
from webapp.models import Benefit, BenefitChange, BenefitDefinition, BenefitExtension, ExtendedBenefit

Scope = frozenset[int] | None


def get(session: Session, extension_id: int, scope: Scope = None) -> BenefitExtension:
    """One extension as it stands now; ``NotFound`` when a benefit of it is outside ``scope``."""
    found = session.get(BenefitExtension, extension_id, populate_existing=True)
    if found is None or (scope is not None and not sites(session, extension_id) <= scope):
        raise NotFound("extension.not_found", "There is no such extension.")
    return found


def sites(session: Session, extension_id: int) -> set[int]:
    """The ids of the sites its benefits are of."""
    wanted = (
        select(BenefitDefinition.site_id)
        .join(Benefit, Benefit.definition_id == BenefitDefinition.id)
        .join(ExtendedBenefit, ExtendedBenefit.benefit_id == Benefit.id)
        .where(ExtendedBenefit.extension_id == extension_id)
        .distinct()
    )
    return set(session.scalars(wanted))


def lines(session: Session, extension_id: int) -> list[ExtendedBenefit]:
    """Its benefits in the order of their ids."""
    of = ExtendedBenefit
    wanted = select(of).where(of.extension_id == extension_id).order_by(of.benefit_id)
    return list(session.scalars(wanted.execution_options(populate_existing=True)))


def moves_since(session: Session, extension: BenefitExtension) -> dict[int, set[BenefitMove]]:
    """By id of a benefit, what was done to it since that an undoing must not touch."""
    wanted = (
        select(BenefitChange.benefit_id, BenefitChange.move)
        .join(ExtendedBenefit, ExtendedBenefit.benefit_id == BenefitChange.benefit_id)
        .where(
            ExtendedBenefit.extension_id == extension.id,
            BenefitChange.at >= extension.at,
            BenefitChange.move.in_(list(SINCE)),
        )
    )
    found: defaultdict[int, set[BenefitMove]] = defaultdict(set)
    for benefit_id, move in session.execute(wanted):
        found[benefit_id].add(move)
    return found


def newest_of(session: Session, benefit_id: int, since: datetime) -> BenefitExtension | None:
    """The extension of several this benefit was in, made since then and not taken back."""
    wanted = (
        select(BenefitExtension)
        .join(ExtendedBenefit, ExtendedBenefit.extension_id == BenefitExtension.id)
        .where(
            ExtendedBenefit.benefit_id == benefit_id,
            BenefitExtension.at >= since,
            BenefitExtension.undone_at.is_(None),
        )
        .order_by(BenefitExtension.id.desc())
    )
    return session.scalars(wanted.limit(1)).one_or_none()
