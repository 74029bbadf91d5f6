"""Works the winners: tell them, record the answer, pass a slot to the next reserve, allocate codes, hand over."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select, update

from webapp.domain import fulfilment as rules
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, NotFound, Refused
from webapp.domain.fulfilment import LEFT, Stage
from webapp.domain.protocol import log
from webapp.domain.rewards import RewardStatus
from webapp.models import Reward, Site, VoucherType, Winner, WinnerEvent
from webapp.services import draw_log, vouchers
from webapp.services.work import Work


@dataclass(frozen=True, slots=True)
class NotifyWinner:
    """Say that the winner was told, and how."""

    winner_id: int
    note: str


@dataclass(frozen=True, slots=True)
class AcceptPrize:
    """The winner takes the prize; codes are allocated to them, once."""

    winner_id: int


@dataclass(frozen=True, slots=True)
class LeaveSlot:
    """The winner leaves the slot: declined, unclaimed or disqualified, with the reason that stays in the record."""

    winner_id: int
    stage: Stage
    reason: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """The prize is with the winner; the note says how it got there."""

    winner_id: int
    note: str


@dataclass(frozen=True, slots=True)
class FinishReward:
    """Say that everything of this reward is done."""

    reward_id: int


_LEAVING = {
    Stage.DECLINED: (Event.WINNER_DECLINED, log.Event.DECLINED),
    Stage.UNCLAIMED: (Event.WINNER_UNCLAIMED, log.Event.UNCLAIMED),
    Stage.DISQUALIFIED: (Event.WINNER_DISQUALIFIED, log.Event.DISQUALIFIED),
}


def notify(work: Work, command: NotifyWinner) -> Winner:
    """To contact → waiting for an answer."""
    winner = _move(work, command.winner_id, Stage.NOTIFIED, command.note)
    reward = _reward(work, winner)
    draw_log.append(work, winner.draw_id, log.Event.NOTIFIED, **_place(winner))
    work.record(
        Event.WINNER_NOTIFIED,
        winner,
        reward.site_id,
        rank=winner.rank,
        reward=reward.title,
        slot=winner.slot,
        note=command.note,
    )
    return winner


def accept(work: Work, command: AcceptPrize) -> Winner:
    """→ accepted, and the codes of the reward's voucher type go to the winner in the same transaction (walk step 6).

    Accepting twice is once: the second time gives the winner with the codes they have. Raises ``Refused`` when
    the pool is short; nothing is written then.
    """
    found = work.session.get(Winner, command.winner_id)
    if found is not None and found.stage is Stage.ACCEPTED:
        return found
    winner = _move(work, command.winner_id, Stage.ACCEPTED, "")
    reward = _reward(work, winner)
    draw_log.append(work, winner.draw_id, log.Event.ACCEPTED, **_place(winner))
    work.record(Event.WINNER_ACCEPTED, winner, reward.site_id, rank=winner.rank, reward=reward.title, slot=winner.slot)
    if reward.voucher_type_id is not None:
        _allocate(work, winner, reward, reward.voucher_type_id)
    return winner


def _allocate(work: Work, winner: Winner, reward: Reward, voucher_type_id: int) -> None:
    site = work.session.get_one(Site, reward.site_id)
    given = vouchers.allocate(
        work,
        vouchers.AllocateVouchers(
            voucher_type_id=voucher_type_id,
            winner_id=winner.id,
            profile_id=winner.profile_id,
            quantity=reward.vouchers_per_winner,
            zone=site.timezone,
            label=f"winner {winner.rank} of «{reward.title}»",
        ),
    )
    winner.voucher_count = len(given)
    work.record(
        Event.VOUCHERS_ALLOCATED,
        winner,
        reward.site_id,
        count=len(given),
        title=work.session.get_one(VoucherType, voucher_type_id).title,
        rank=winner.rank,
        reward=reward.title,
    )


def leave(work: Work, command: LeaveSlot) -> Winner:
    """The winner leaves the slot and the next reserve in the order of the draw gets it; nobody chooses who.

    Gives the reserve it was passed to, or the winner who left when no reserve is left (the slot stays vacant).
    """
    if command.stage not in LEFT:
        raise Refused("winner.no_stage", "Choose what happened: declined, unclaimed or disqualified.", "stage")
    winner = _move(work, command.winner_id, command.stage, command.reason)
    reward = _reward(work, winner)
    told, logged = _LEAVING[command.stage]
    draw_log.append(work, winner.draw_id, logged, **_place(winner), reason=winner.reason)
    work.record(
        told,
        winner,
        reward.site_id,
        rank=winner.rank,
        reward=reward.title,
        slot=winner.slot,
        reason=winner.reason,
    )
    return _promote(work, winner, reward) or winner


def _promote(work: Work, left: Winner, reward: Reward) -> Winner | None:
    """Pass the slot to the reserve of the lowest rank. The row is taken by a guarded UPDATE, so no two slots share one."""
    next_rank = (
        select(func.min(Winner.rank))
        .where(Winner.draw_id == left.draw_id, Winner.round == left.round, Winner.stage == Stage.RESERVE)
        .scalar_subquery()
    )
    taken = work.session.execute(
        update(Winner)
        .where(
            Winner.draw_id == left.draw_id,
            Winner.round == left.round,
            Winner.stage == Stage.RESERVE,
            Winner.rank == next_rank,
        )
        .values(
            slot=left.slot,
            prize_id=left.prize_id,
            stage=Stage.TO_CONTACT,
            stage_at=work.now,
            passed_from_id=left.id,
        )
        .returning(Winner.id)
    ).scalar_one_or_none()
    if taken is None:
        work.record(Event.SLOT_VACANT, left, reward.site_id, slot=left.slot, reward=reward.title)
        return None
    reserve = work.session.get_one(Winner, taken, populate_existing=True)
    _note(work, reserve, f"Passed on from winner {left.rank}: {left.stage}")
    draw_log.append(work, left.draw_id, log.Event.PROMOTED, **_place(reserve))
    work.record(
        Event.WINNER_PROMOTED, reserve, reward.site_id, slot=reserve.slot, reward=reward.title, rank=reserve.rank
    )
    return reserve


def hand_over(work: Work, command: HandOver) -> Winner:
    """Accepted → fulfilled."""
    winner = _move(work, command.winner_id, Stage.FULFILLED, command.note)
    reward = _reward(work, winner)
    draw_log.append(work, winner.draw_id, log.Event.FULFILLED, **_place(winner))
    work.record(
        Event.WINNER_FULFILLED,
        winner,
        reward.site_id,
        slot=winner.slot,
        reward=reward.title,
        rank=winner.rank,
        note=command.note,
    )
    return winner


def finish(work: Work, command: FinishReward) -> Reward:
    """expired → fulfilled, when every winner who stands has the prize in hand (K31, K32)."""
    reward = work.session.get(Reward, command.reward_id)
    if reward is None:
        raise NotFound("reward.not_found", "There is no such reward.")
    open_stages = (Stage.TO_CONTACT, Stage.NOTIFIED, Stage.ACCEPTED)
    waiting = select(func.count()).where(Winner.reward_id == reward.id, Winner.stage.in_(open_stages)).scalar_subquery()
    drawn = select(func.count()).where(Winner.reward_id == reward.id).scalar_subquery()
    moved = work.session.execute(
        update(Reward)
        .where(Reward.id == reward.id, Reward.status == RewardStatus.EXPIRED, waiting == 0, drawn > 0)
        .values(status=RewardStatus.FULFILLED, fulfilled_at=work.now, version=Reward.version + 1)
        .returning(Reward.id)
    ).scalar_one_or_none()
    if moved is None:
        left = work.session.scalar(select(waiting)) or 0
        raise Refused(
            "reward.not_finished",
            f"{left:,} winners of «{reward.title}» do not have their prize yet; hand it over or pass it on first."
            if left
            else f"«{reward.title}» is {reward.status} and its prizes are not drawn, so it cannot be marked as fulfilled.",
        )
    work.record(Event.REWARD_FULFILLED, reward, reward.site_id, title=reward.title)
    return reward


def _move(work: Work, winner_id: int, stage: Stage, note: str) -> Winner:
    """One guarded UPDATE decides; the explanation comes after."""
    note = note.strip()
    leaves = stage in LEFT
    moved = None
    if not leaves or len(note) >= rules.SHORTEST_REASON:
        moved = work.session.execute(
            update(Winner)
            .where(Winner.id == winner_id, Winner.stage.in_(rules.comes_from(stage)))
            .values(stage=stage, stage_at=work.now, **({"reason": note} if leaves else {}))
            .returning(Winner.id)
        ).scalar_one_or_none()
    winner = work.session.get(Winner, winner_id, populate_existing=True)
    if winner is None:
        raise NotFound("winner.not_found", "There is no such winner.")
    if moved is None:
        rules.may_move(winner.stage, stage, note).require()
        raise Conflict("winner.moved", "Somebody moved this winner a moment ago. Look at the card again.")
    _note(work, winner, note)
    return winner


def _note(work: Work, winner: Winner, note: str) -> None:
    work.session.add(
        WinnerEvent(winner_id=winner.id, at=work.now, by=work.actor.label, stage=winner.stage, note=note[:500])
    )
    work.session.flush()


def _reward(work: Work, winner: Winner) -> Reward:
    return work.session.get_one(Reward, winner.reward_id)


def _place(winner: Winner) -> dict[str, str | int]:
    return {"round": winner.round, "slot": winner.slot or "", "rank": winner.rank}
