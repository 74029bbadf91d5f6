"""Reads of notices: with everything a letter is written from, those of a benefit, and how many are due."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from webapp.domain.errors import NotFound
from webapp.domain.notices import NoticeStatus
from webapp.models import (
    Benefit,
    BenefitDefinition,
    BenefitDefinitionVersion,
    Notice,
    Profile,
    Target,
    Voucher,
)
from webapp.queries.benefits import IS_UNDER

_ADDRESSEE = aliased(Profile)


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice with its benefit, whoever holds it now, its target, the whole code and the terms it was issued under."""

    notice: Notice
    benefit: Benefit
    definition: BenefitDefinition
    person: Profile
    target: Target
    own_code: str | None
    terms: Mapping[str, Any]
    merged_into_id: int | None  # whom the row it was planned for turned out to be

    @property
    def code(self) -> str:
        """The code the person uses; empty where there is none."""
        return self.benefit.redeem_code_pos or self.own_code or self.definition.redeem_code_pos or ""

    @property
    def is_secret(self) -> bool:
        """Whether the code is its own, and not the same for everybody."""
        return bool(self.benefit.redeem_code_pos or self.own_code)


def letters(session: Session, ids: Collection[int]) -> list[Letter]:
    """The notices with these ids, the oldest due first; one statement for 500 at most."""
    wanted = (
        select(
            Notice,
            Benefit,
            BenefitDefinition,
            Profile,
            Target,
            Voucher.code,
            BenefitDefinitionVersion.terms,
            _ADDRESSEE.merged_into_id,
        )
        .join(Benefit, Benefit.id == Notice.benefit_id)
        .join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
        .join(Profile, Profile.id == Benefit.profile_id)
        .join(_ADDRESSEE, _ADDRESSEE.id == Notice.profile_id)
        .join(Target, Target.id == Notice.target_id)
        .outerjoin(Voucher, Voucher.id == Benefit.voucher_id)
        .join(BenefitDefinitionVersion, IS_UNDER)
        .where(Notice.id.in_(ids))
        .order_by(Notice.due_at, Notice.id)
    )
    return [Letter(*row) for row in session.execute(wanted.execution_options(populate_existing=True))]


def is_due(session: Session, now: datetime) -> bool:
    """Whether any could be sent now; a look costs no write."""
    due = and_(Notice.status == NoticeStatus.PLANNED, Notice.due_at <= now)
    return session.execute(select(Notice.id).where(due).limit(1)).first() is not None


def get(session: Session, notice_id: int, scope: frozenset[int] | None) -> Notice:
    """The notice, or ``NotFound`` outside ``scope``."""
    wanted = select(Notice).join(Benefit, Benefit.id == Notice.benefit_id).where(Notice.id == notice_id)
    if scope is not None:
        held = select(BenefitDefinition.id).where(BenefitDefinition.site_id.in_(scope))
        wanted = wanted.where(Benefit.definition_id.in_(held))
    found = session.scalars(wanted.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound("notice.unknown", "There is no such notice.")
    return found


def of_benefit(session: Session, benefit_id: int, size: int = 50) -> list[tuple[Notice, str]]:
    """The notices of a benefit with the titles of their targets, the latest due first."""
    wanted = select(Notice, Target.title).join(Target, Target.id == Notice.target_id)
    wanted = wanted.where(Notice.benefit_id == benefit_id).order_by(Notice.due_at.desc(), Notice.id.desc()).limit(size)
    return [(row[0], row[1]) for row in session.execute(wanted)]


def open_count(session: Session, definition_id: int, now: datetime) -> int:
    """How many benefits of a definition can still be redeemed, now or later."""
    wanted = select(func.count()).select_from(Benefit).where(*_open(definition_id, now))
    return session.execute(wanted).scalar_one()


def open_benefits(session: Session, definition_id: int, now: datetime, after: int, size: int) -> list[Benefit]:
    """The first of them with an id above ``after``."""
    wanted = select(Benefit).where(*_open(definition_id, now), Benefit.id > after).order_by(Benefit.id).limit(size)
    return list(session.scalars(wanted.execution_options(populate_existing=True)))


def _open(definition_id: int, now: datetime) -> list[ColumnElement[bool]]:
    return [
        Benefit.definition_id == definition_id,
        Benefit.voided_at.is_(None),
        or_(Benefit.expires_at.is_(None), Benefit.expires_at >= now),
        or_(Benefit.max_redemptions.is_(None), Benefit.redeemed_count < Benefit.max_redemptions),
    ]
