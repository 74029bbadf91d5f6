"""Winners from the draw to the prize in their hand: stages, reserves in order, codes allocated once."""

import pytest
from sqlalchemy import select

from tests.services.test_draws import opened, running, seal, supervising
from webapp.domain import fulfilment as rules
from webapp.domain.errors import NotFound, Refused
from webapp.domain.fulfilment import Stage
from webapp.domain.protocol import log
from webapp.domain.rewards import RewardStatus
from webapp.domain.vouchers import VoucherStatus
from webapp.models import Draw, Reward, Voucher, VoucherType, Winner
from webapp.queries import draws as read_draws
from webapp.queries import fulfilment as read
from webapp.services import draws, fulfilment, review, rewards
from webapp.services.work import Work


def drawn(work, make, *, codes=0, per_winner=1, **changes):
    """A drawn reward with three winners and three reserves, and a pool of `codes`."""
    if codes:
        site = make.site()
        kind = make.voucher_type(site_id=site.id, idle_count=0)
        for _ in range(codes):
            make.voucher(kind)
        kind.idle_count = codes
        changes |= {"site_id": site.id, "voucher_type_id": kind.id, "vouchers_per_winner": per_winner}
    reward = opened(work, make, **changes)
    rewards.close(work, rewards.CloseReward(reward.id))
    draw = work.session.scalars(select(Draw).where(Draw.reward_id == reward.id)).one()
    review.confirm(work, review.ConfirmReview(draw.id))
    seal(work, draw)
    draws.run(supervising(work, make), running(draw))
    return reward


def winners(work, reward, stage=Stage.TO_CONTACT):
    statement = select(Winner).where(Winner.reward_id == reward.id, Winner.stage == stage).order_by(Winner.rank)
    return work.session.scalars(statement.execution_options(populate_existing=True)).all()


def leaving(winner, stage=Stage.DECLINED, reason="does not want it"):
    return fulfilment.LeaveSlot(winner.id, stage, reason)


def test_k87_a_declined_prize_passes_to_the_next_reserve_with_the_reason(work, make):
    reward = drawn(work, make)
    second = winners(work, reward)[1]
    heir = fulfilment.leave(work, leaving(second))
    assert (heir.rank, heir.slot, heir.stage, heir.passed_from_id) == (4, second.slot, Stage.TO_CONTACT, second.id)
    assert (second.stage, second.reason) == (Stage.DECLINED, "does not want it")


def test_t6_reserves_follow_in_the_order_of_the_draw_and_none_is_skipped(work, make):
    reward = drawn(work, make)
    assert [fulfilment.leave(work, leaving(winner)).rank for winner in winners(work, reward)] == [4, 5, 6]


def test_without_a_reserve_the_slot_stays_vacant_and_is_named(work, make):
    reward = drawn(work, make, reserve_count=0)
    first = winners(work, reward)[0]
    assert fulfilment.leave(work, leaving(first, Stage.UNCLAIMED, "no answer in 14 days")).id == first.id
    assert read.vacant(work.session, reward.id) == [first.slot]


def test_a_slot_is_not_left_without_a_reason(work, make):
    winner = winners(work, drawn(work, make))[0]
    with pytest.raises(Refused, match="Say why") as refusal:
        fulfilment.leave(work, leaving(winner, reason="  "))
    assert (refusal.value.field, winner.stage) == ("reason", Stage.TO_CONTACT)


def test_a_slot_is_not_left_by_accepting(work, make):
    with pytest.raises(Refused, match="Choose what happened"):
        fulfilment.leave(work, leaving(winners(work, drawn(work, make))[0], Stage.ACCEPTED))


def test_accepting_allocates_the_codes_once(work, make):
    reward = drawn(work, make, codes=5, per_winner=2)
    winner = winners(work, reward)[0]
    for _ in range(2):
        assert fulfilment.accept(work, fulfilment.AcceptPrize(winner.id)).voucher_count == 2
    held = work.session.scalars(select(Voucher).where(Voucher.winner_id == winner.id)).all()
    assert [voucher.status for voucher in held] == [VoucherStatus.ALLOCATED] * 2
    assert {voucher.profile_id for voucher in held} == {winner.profile_id}
    kind = work.session.get(VoucherType, reward.voucher_type_id, populate_existing=True)
    assert (kind.idle_count, kind.allocated_count) == (3, 2)


def test_k89_a_short_pool_refuses_and_the_winner_does_not_move(session, work, make):
    reward = drawn(work, make, codes=1, per_winner=2)
    winner = winners(work, reward)[0]
    session.commit()
    with pytest.raises(Refused, match="short"):
        fulfilment.accept(work, fulfilment.AcceptPrize(winner.id))
    session.rollback()
    assert session.get(Winner, winner.id, populate_existing=True).stage is Stage.TO_CONTACT


def test_the_whole_way_to_fulfilled(work, make):
    reward = drawn(work, make)
    for winner in winners(work, reward):
        fulfilment.notify(work, fulfilment.NotifyWinner(winner.id, "phoned"))
        fulfilment.accept(work, fulfilment.AcceptPrize(winner.id))
        fulfilment.hand_over(work, fulfilment.HandOver(winner.id, "posted"))
    assert fulfilment.finish(work, fulfilment.FinishReward(reward.id)).status is RewardStatus.FULFILLED
    assert work.session.get(Reward, reward.id, populate_existing=True).fulfilled_at == work.now


def test_k31_a_reward_with_a_winner_waiting_is_not_fulfilled(work, make):
    reward = drawn(work, make)
    with pytest.raises(Refused, match=r"3 winners of .* do not have their prize yet"):
        fulfilment.finish(work, fulfilment.FinishReward(reward.id))


@pytest.mark.parametrize("before", list(Stage))
@pytest.mark.parametrize("after", list(Stage))
def test_a_winner_moves_only_as_the_stages_allow(work, make, before, after):
    reward = make.reward()
    winner = make.winner(reward, stage=before)
    allowed = rules.may_move(before, after, "for a reason").ok
    assert allowed == (before in rules.comes_from(after))
    if after is Stage.NOTIFIED and not allowed:
        with pytest.raises(Refused, match="cannot follow"):
            fulfilment.notify(work, fulfilment.NotifyWinner(winner.id, "told"))
        assert winner.stage is before


def test_a_winner_that_does_not_exist_is_not_found(work):
    with pytest.raises(NotFound):
        fulfilment.notify(work, fulfilment.NotifyWinner(404, "told"))


def test_every_step_is_in_the_log_of_the_draw(work, make):
    reward = drawn(work, make)
    first, second, _ = winners(work, reward)
    fulfilment.notify(work, fulfilment.NotifyWinner(first.id, "phoned"))
    fulfilment.accept(work, fulfilment.AcceptPrize(first.id))
    fulfilment.hand_over(work, fulfilment.HandOver(first.id, "posted"))
    fulfilment.leave(
        Work(work.session, make.actor("draw supervisor"), work.now), leaving(second, Stage.DISQUALIFIED, "staff")
    )
    draw = work.session.scalars(select(Draw)).one()
    lines = b"".join(line + b"\n" for line in read_draws.log_lines(work.session, draw.id))
    told = [(event["event"], event.get("slot"), event.get("rank")) for event in log.read(lines)][5:]
    assert told == [
        ("notified", first.slot, 1),
        ("accepted", first.slot, 1),
        ("fulfilled", first.slot, 1),
        ("disqualified", second.slot, 2),
        ("promoted", second.slot, 4),
    ]
