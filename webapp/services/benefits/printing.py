"""Orders sheets of benefits to be printed, and writes down what was printed and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Table, func, select

from webapp.domain.audit import Event
from webapp.domain.errors import Refused
from webapp.domain.redemptions import BenefitMove
from webapp.models import Benefit, BenefitChange, BenefitDefinition, Job
from webapp.queries import benefit_cards as read
from webapp.queries.matching import among_ids
from webapp.services import bulk, jobs, vouchers
from webapp.services.work import Work

KIND = "benefits.print"


@dataclass(frozen=True, slots=True)
class PrintBenefits:
    """``start`` is the first free label of the first sheet; ``reason`` stands in every history and in the audit log."""

    benefit_ids: tuple[int, ...]
    layout: str
    reason: str
    start: int = 1


def order(work: Work, command: PrintBenefits) -> Job:
    """Queue the job that makes the sheets; which benefits are on them is settled now.

    Raises ``Refused`` when there is nothing to print, too much, or benefits of more than one site.
    """
    chosen = read.among_these(work.session, None, command.benefit_ids, work.now)
    if not chosen:
        raise Refused(
            "benefit.none_to_print",
            "There is nothing to print: benefits that are void, used up or expired are left out, and those without a code.",
        )
    if len(chosen) > read.MOST:
        raise Refused(
            "benefit.many_to_print", f"More than {read.MOST:,} at once cannot be printed. Print them batch by batch."
        )
    sites = {one.site_id for one in chosen}
    if len(sites) > 1:
        raise Refused("benefit.sites", "These are benefits of more than one site. Print those of one site at a time.")
    many = len(chosen)
    arguments = {
        "benefit_ids": [one.id for one in chosen],
        "layout": command.layout,
        "start": command.start,
        "reason": command.reason,
    }
    return jobs.enqueue(
        work,
        jobs.NewJob(
            KIND,
            f"Print {many:,} {'benefit' if many == 1 else 'benefits'}",
            sites.pop(),
            arguments=arguments,
            total=many,
        ),
    )


def note_printed(work: Work, benefit_ids: Sequence[int], layout: str, reason: str) -> None:
    """Tell every history and the audit log, and count the codes out of pools as printed once more."""
    same = {"move": BenefitMove.PRINTED, "at": work.now, "by": work.actor.label, "note": reason}
    bulk.insert_columns(work.session, cast(Table, BenefitChange.__table__), {"benefit_id": benefit_ids}, same)
    among = among_ids(work.session, Benefit.id, benefit_ids)
    codes = work.session.scalars(select(Benefit.voucher_id).where(among, Benefit.voucher_id.is_not(None)))
    vouchers.count_printed(work, [number for number in codes if number is not None])
    counted = (
        select(BenefitDefinition, func.count(Benefit.id))
        .join(Benefit, Benefit.definition_id == BenefitDefinition.id)
        .where(among)
        .group_by(BenefitDefinition.id)
        .order_by(BenefitDefinition.id)
    )
    for definition, count in work.session.execute(counted).all():
        work.record(
            Event.BENEFITS_PRINTED,
            definition,
            definition.site_id,
            count=count,
            title=definition.name,
            layout=layout,
            reason=reason,
        )
