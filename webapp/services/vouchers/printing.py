"""Orders sheets of vouchers to be printed, and keeps count of what was printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import update

from webapp.domain.audit import Event
from webapp.domain.errors import Refused
from webapp.models import Job, Reward, Voucher, VoucherType
from webapp.queries import voucher_cards as read
from webapp.services import jobs
from webapp.services.work import Work, name_of

KIND = "vouchers.print"
MANY = 500


@dataclass(frozen=True, slots=True)
class PrintVouchers:
    """``winner_ids`` None prints for every accepted winner; ``start`` is the first free label of the first sheet."""

    reward_id: int
    layout: str
    start: int = 1
    winner_ids: tuple[int, ...] | None = None


def order(work: Work, command: PrintVouchers) -> Job:
    """Queue the job that makes the sheets; which vouchers are on them is settled now.

    Raises ``Refused`` when there is nothing to print.
    """
    reward = work.session.get(Reward, command.reward_id)
    ids = read.ids_of_reward(work.session, command.reward_id, work.now, command.winner_ids)
    if reward is None or not ids:
        raise Refused(
            "voucher.none_to_print",
            "There is no voucher to print: winners get theirs when they accept, and expired ones are left out. "
            "Record who accepts on the fulfilment board first.",
            "winner_ids",
        )
    return jobs.enqueue(
        work,
        jobs.NewJob(
            KIND,
            f"Print {len(ids):,} {'voucher' if len(ids) == 1 else 'vouchers'} of «{reward.title}»",
            reward.site_id,
            name_of(reward),
            {"reward_id": reward.id, "voucher_ids": ids, "layout": command.layout, "start": command.start},
            len(ids),
        ),
    )


def note_reward(work: Work, reward_id: int, voucher_ids: Sequence[int], layout: str) -> None:
    """Count these vouchers of a reward as printed once more and tell the audit log."""
    count_printed(work, voucher_ids)
    reward = work.session.get_one(Reward, reward_id)
    work.record(
        Event.VOUCHERS_PRINTED,
        reward,
        reward.site_id,
        count=len(voucher_ids),
        reward=reward.title,
        layout=layout,
    )


def note_type(work: Work, voucher_type_id: int, voucher_ids: Sequence[int], layout: str) -> None:
    """The same for vouchers of a type, printed whoever has them."""
    count_printed(work, voucher_ids)
    kind = work.session.get_one(VoucherType, voucher_type_id)
    work.record(
        Event.VOUCHERS_TYPE_PRINTED, kind, kind.site_id, count=len(voucher_ids), title=kind.title, layout=layout
    )


def count_printed(work: Work, voucher_ids: Sequence[int]) -> None:
    """Count these codes as printed once more."""
    for at in range(0, len(voucher_ids), MANY):
        work.session.execute(
            update(Voucher)
            .where(Voucher.id.in_(voucher_ids[at : at + MANY]))
            .values(printed_count=Voucher.printed_count + 1)
            .execution_options(synchronize_session=False)
        )
