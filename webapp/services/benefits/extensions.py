"""Extends several benefits in one act, and takes that back for those nobody has used since."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update

from webapp.domain import benefits as rules
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, Refused
from webapp.domain.extensions import Extended, may_take_back, why_it_stays
from webapp.domain.identity import Actor
from webapp.domain.permissions import Permission
from webapp.domain.redemptions import BenefitMove
from webapp.models import Benefit, BenefitChange, BenefitDefinition, BenefitExtension, ExtendedBenefit
from webapp.queries import benefits as read
from webapp.queries import extensions as read_extensions
from webapp.services import notices
from webapp.services.benefits import codes
from webapp.services.benefits.changing import ExtendBenefit, extended
from webapp.services.work import Work, changed_rows


@dataclass(frozen=True, slots=True)
class ExtendBenefits:
    """Several benefits, each by itself: by a number of calendar days or to the last day."""

    benefit_ids: tuple[int, ...]
    extend_days: int | None = None
    extend_date: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class UndoExtension:
    """Give the benefits extended together the ends they had."""

    extension_id: int


def extend_several(work: Work, command: ExtendBenefits) -> BenefitExtension:
    """Extend those that may be; the others stay as they are, each with its reason in ``passed_over``.

    ``Refused`` for both or neither of days and date, and when none of them may be extended that way.
    """
    if (command.extend_days is None) == (command.extend_date is None):
        raise Refused("extend_args", "Give either a number of days or a date to extend to, not both and not neither.")
    ids = sorted(set(command.benefit_ids))
    before = _held(work, ids)
    made = BenefitExtension(at=work.now, by=work.actor.label, by_id=work.actor.staff_id)
    work.session.add(made)
    work.session.flush()
    refusals: list[tuple[int, Refused]] = []
    for number in ids:
        try:
            one = ExtendBenefit(number, command.extend_days, command.extend_date, command.note)
            benefit, code_over = extended(work, one)
        except Refused as refusal:  # told before anything of this benefit was written
            refusals.append((number, refusal))
            continue
        work.session.add(_line(made, benefit, before[number], code_over))
    if refusals and len(refusals) == len(ids):
        raise refusals[0][1]
    made.passed_over = [[number, refusal.message] for number, refusal in refusals]
    work.session.flush()
    return made


def _held(work: Work, ids: list[int]) -> dict[int, tuple[datetime | None, datetime | None]]:
    """Ends and when they were told, held until the transaction ends, in the order in which everybody takes them."""
    wanted = select(Benefit.id, Benefit.expires_at, Benefit.expiry_told_at).where(Benefit.id.in_(ids))
    rows = work.session.execute(wanted.order_by(Benefit.id).with_for_update())
    return {row[0]: (row[1], row[2]) for row in rows}


def _line(
    made: BenefitExtension,
    benefit: Benefit,
    before: tuple[datetime | None, datetime | None],
    code_over: datetime | None,
) -> ExtendedBenefit:
    return ExtendedBenefit(
        extension_id=made.id,
        benefit_id=benefit.id,
        ended_at=before[0],
        ends_at=benefit.expires_at,
        told_at=before[1],
        code_over_at=code_over,
        redeemed_count=benefit.redeemed_count,
    )


def undo_extension(work: Work, command: UndoExtension) -> BenefitExtension:
    """Within ten minutes, once: those not used or changed since get their former ends, the others keep a reason.

    ``Refused`` when none of them can go back.
    """
    made = read_extensions.get(work.session, command.extension_id)
    lines = read_extensions.lines(work.session, made.id)
    is_allowed = may_undo_extension(work.actor, made, read_extensions.sites(work.session, made.id))
    may_take_back(made.at, made.by, made.undone_at, work.now, is_allowed=is_allowed).require()
    _claim(work, made)
    _held(work, [line.benefit_id for line in lines])
    moves = read_extensions.moves_since(work.session, made)
    for line in lines:
        line.stays = _take_back(work, made, line, moves.get(line.benefit_id, set()))
    left = [line.stays for line in lines if line.stays]
    if len(left) == len(lines):
        raise Refused("extension.used", f"None of them can go back. {left[0]}")
    work.record(Event.EXTENSION_UNDONE, made, count=len(lines) - len(left), left=len(left))
    work.session.flush()
    return made


def may_undo_extension(actor: Actor, made: BenefitExtension, sites: Collection[int]) -> bool:
    """Whoever extended them and still may, or whoever may set the end, on every site they are of."""
    is_own = made.by_id is not None and made.by_id == actor.staff_id
    return all(
        (is_own and actor.may(Permission.BENEFITS_CHANGE, site)) or actor.may(Permission.BENEFITS_OVERRIDE, site)
        for site in sites
    )


def _claim(work: Work, made: BenefitExtension) -> None:
    """The stamp decides which of two is first."""
    row = BenefitExtension
    first = update(row).where(row.id == made.id, row.undone_at.is_(None))
    if changed_rows(work.session, first.values(undone_at=work.now, undone_by=work.actor.label)) != 1:
        raise Conflict("extension.undone", "Somebody took this extension back a moment ago.")
    work.session.refresh(made)


def _take_back(work: Work, made: BenefitExtension, line: ExtendedBenefit, moves: set[BenefitMove]) -> str:
    benefit = read.get(work.session, line.benefit_id)
    then = Extended(made.at, line.ends_at, line.redeemed_count)
    why = why_it_stays(benefit.facts, then, moves, has_expired=benefit.expiry_told_at is not None)
    if why:
        return why
    row = Benefit
    unused = (row.redeemed_count == line.redeemed_count, row.voided_at.is_(None), row.expiry_told_at.is_(None))
    moved = changed_rows(
        work.session,
        update(row)
        .where(row.id == benefit.id, row.expires_at == line.ends_at, row.extended_at == made.at, *unused)
        .values(expires_at=line.ended_at, extended_at=None, expiry_told_at=line.told_at),
    )
    if moved != 1:
        return "Somebody changed it at the same moment."
    if line.code_over_at is not None:
        codes.shorten(work, benefit, line.code_over_at)
    _tell(work, line, read.get(work.session, benefit.id))
    return ""


def _tell(work: Work, line: ExtendedBenefit, benefit: Benefit) -> None:
    definition = work.session.get_one(BenefitDefinition, benefit.definition_id, populate_existing=True)
    notices.move(work, benefit, definition)
    until = rules.told(line.ended_at, benefit.zone)
    note = f"From {rules.told(line.ends_at, benefit.zone)} back to {until}."
    work.session.add(
        BenefitChange(
            benefit_id=benefit.id,
            move=BenefitMove.EXTENSION_UNDONE,
            at=work.now,
            by=work.actor.label,
            note=note,
            ended_at=line.ends_at,
        )
    )
    work.record(
        Event.BENEFIT_EXTENSION_UNDONE,
        benefit,
        definition.site_id,
        title=definition.name,
        person=benefit.profile_id,
        until=until,
    )
