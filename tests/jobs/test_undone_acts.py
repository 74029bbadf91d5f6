"""Every invariant holds after whatever is done to many at once, and after it was taken back (product.md ruling 11)."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select

from tests.services.test_fulfilment import drawn, winners
from tests.support.benefits import MINT, T, programme
from tests.support.clock import NOW
from tests.support.invariants import faults
from tests.support.jobs import run_jobs
from webapp.domain.benefit_batches import Audience, BatchStatus
from webapp.domain.benefits import BenefitState
from webapp.domain.fulfilment import Stage
from webapp.domain.vouchers import VoucherStatus
from webapp.models import Benefit, BenefitBatch, Entry, Profile, Voucher, VoucherType
from webapp.queries.benefit_filters import Filter
from webapp.services import benefits, fulfilment, profiles, vouchers
from webapp.services.benefits import batches, voiding
from webapp.services.benefits.batches import PlanBatch, StartBatch, UndoBatch
from webapp.services.benefits.voiding import VoidBenefits
from webapp.services.profiles import EraseProfile, MergeProfiles
from webapp.services.vouchers import MoveVoucher, RedeemVoucher
from webapp.services.work import perform


@pytest.fixture
def d(make, actor, moment):
    """A definition that allows everything; each of its benefits has a code out of a pool of 20."""
    moment.now = T
    found = programme(make, actor)
    kind = make.voucher_type(site_id=found.definition.site_id, currency="AUD")
    found.do(partial(vouchers.generate, mint=MINT), vouchers.GenerateVouchers(kind.id, 20))
    found.change(
        is_extendable=True, is_reassignable=True, is_claimable=True, is_reclaimable=True, max_redemptions=3,
        voucher_type_id=kind.id,
    )  # fmt: skip
    found.kind = kind
    return found


def sound(session) -> bool:
    assert faults(session) == {}
    session.expire_all()
    return True


def run(d, moment) -> None:
    moment.now = d.at
    run_jobs(d.session)
    d.session.rollback()
    d.session.expire_all()


def numbers(d) -> tuple[int, int, int, int]:
    """Codes of the pool: idle, allocated, redeemed, cancelled."""
    kind = d.session.get_one(VoucherType, d.kind.id, populate_existing=True)
    return kind.idle_count, kind.allocated_count, kind.redeemed_count, kind.cancelled_count


def issued(d, make, moment, size: int) -> tuple[BenefitBatch, list[Benefit]]:
    """A batch to ``size`` new people, and its benefits."""
    people = [make.profile(zone="Australia/Melbourne") for _ in range(size)]
    listed = "\n".join(person.external_id for person in people)
    batch = d.do(batches.plan, PlanBatch(definition_id=d.definition.id, audience=Audience.LIST, listed=listed))
    run(d, moment)
    d.do(batches.start, StartBatch(batch.id))
    run(d, moment)
    assert sound(d.session)
    held = d.session.scalars(select(Benefit).where(Benefit.batch_id == batch.id).order_by(Benefit.id))
    return d.session.get_one(BenefitBatch, batch.id), list(held)


def merged(d, winner_id: int, loser_id: int) -> None:
    d.do(profiles.merge, MergeProfiles(winner_id, loser_id, "same phone"))
    assert sound(d.session)


def erased(d, profile_id: int) -> None:
    d.do(profiles.erase, EraseProfile(profile_id, str(profile_id), f"mark-{profile_id}"))
    assert sound(d.session)


def test_a_batch_undone_after_some_of_it_was_used_handed_on_merged_and_erased(d, make, moment):
    batch, held = issued(d, make, moment, 8)
    d.redeem(held[0])
    d.do(benefits.extend, benefits.ExtendBenefit(held[1].id, 3))
    d.do(benefits.reassign, benefits.ReassignBenefit(held[2].id, d.other.external_id, is_confirmed=True))
    d.do(benefits.void, benefits.VoidBenefit(held[3].id, "by mistake"))
    d.reverse(d.redeem(held[4]))
    merged(d, held[5].profile_id, held[6].profile_id)
    erased(d, held[7].profile_id)
    d.do(batches.undo, UndoBatch(batch.id))
    run(d, moment)
    assert sound(d.session)
    batch = d.session.get_one(BenefitBatch, batch.id)
    assert (batch.status, batch.voided_count, batch.left_count) == (BatchStatus.UNDONE, 3, 5)
    assert numbers(d) == (12, 4, 0, 4)


def test_what_a_batch_undone_made_void_is_given_back_one_by_one(d, make, moment):
    batch, held = issued(d, make, moment, 3)
    d.do(batches.undo, UndoBatch(batch.id))
    run(d, moment)
    assert numbers(d) == (17, 0, 0, 3)
    for one in held:
        d.do(benefits.restore, benefits.RestoreBenefit(one.id))
        assert sound(d.session)
    assert numbers(d) == (17, 3, 0, 0)


def test_many_made_void_and_given_back_with_what_was_used_of_them(d, make, moment):
    _, held = issued(d, make, moment, 5)
    claimed = d.claim()
    d.redeem(held[0], 3)
    d.redeem(held[1], 1)
    before = numbers(d)
    assert before == (14, 5, 1, 0)
    ids = (*(one.id for one in held), claimed.id)
    d.do(voiding.start, VoidBenefits(None, Filter(ids=ids), len(ids), "the wrong ones"))
    run(d, moment)
    assert sound(d.session)
    assert numbers(d) == (14, 0, 0, 6)
    for number in ids:
        d.do(benefits.restore, benefits.RestoreBenefit(number))
        assert sound(d.session)
    assert numbers(d) == before
    assert d.state(held[0]) is BenefitState.REDEEMED


def test_a_code_that_was_let_go_goes_to_somebody_else(d, make, moment):
    _, held = issued(d, make, moment, 1)
    d.do(benefits.void, benefits.VoidBenefit(held[0].id, "by mistake"))
    d.forward(minutes=11)
    d.do(benefits.release, benefits.ReleaseCode(held[0].id, "nobody saw it"))
    assert sound(d.session)
    assert numbers(d) == (20, 0, 0, 0)
    d.redeem(d.issue(), 3)
    assert sound(d.session)
    assert numbers(d) == (19, 0, 1, 0)


def test_several_extended_and_taken_back_after_some_were_used_merged_and_erased(d, make, moment):
    _, held = issued(d, make, moment, 6)
    made = d.do(benefits.extend_several, benefits.ExtendBenefits(tuple(one.id for one in held), extend_days=7))
    assert sound(d.session)
    d.redeem(held[0])
    d.do(benefits.void, benefits.VoidBenefit(held[1].id, "by mistake"))
    merged(d, held[2].profile_id, held[3].profile_id)
    erased(d, held[4].profile_id)
    d.forward(minutes=5)
    d.do(benefits.undo_extension, benefits.UndoExtension(made.id))
    assert sound(d.session)


def test_claims_redeemed_returned_and_reversed_of_people_who_become_one(d, make):
    first, second = d.claim(), d.claim(d.other)
    line = d.redeem(first, 2)
    d.give_back(line, 1)
    d.reverse(d.redeem(second))
    assert sound(d.session)
    merged(d, d.other.id, d.person.id)
    d.redeem(first, 1)
    erased(d, d.other.id)
    d.do(benefits.void, benefits.VoidBenefit(second.id, "erased"))
    assert sound(d.session)


@pytest.fixture
def prize(work, make):
    """A drawn reward whose three winners get two codes each out of a pool of seven."""
    make.site(), make.profile()
    reward = drawn(work, make, codes=7, per_winner=2)
    work.session.commit()
    assert sound(work.session)
    return reward


def do(work, act: Any, command: Any) -> Any:
    found = perform(work.session, work.actor, NOW + timedelta(days=1), lambda fresh: act(fresh, command))
    assert sound(work.session)
    return found


def accepted(work, reward) -> list[Voucher]:
    """The codes of the first winner, who accepted."""
    first = winners(work, reward)[0]
    do(work, fulfilment.accept, fulfilment.AcceptPrize(first.id))
    return list(work.session.scalars(select(Voucher).where(Voucher.winner_id == first.id).order_by(Voucher.id)))


def test_codes_given_to_a_winner_are_held_redeemed_cancelled_and_all_of_it_taken_back(work, prize):
    first, second = accepted(work, prize)
    kind = work.session.get_one(VoucherType, prize.voucher_type_id)
    before = (kind.idle_count, kind.allocated_count)
    do(work, vouchers.hold, MoveVoucher(first.id))
    do(work, vouchers.let_go, MoveVoucher(first.id))
    do(work, vouchers.redeem, RedeemVoucher(first.id, is_late_accepted=True))
    do(work, vouchers.undo, MoveVoucher(first.id))
    do(work, vouchers.redeem, RedeemVoucher(first.id, is_late_accepted=True))
    do(work, vouchers.reverse, MoveVoucher(first.id, "the wrong one"))
    do(work, vouchers.cancel, MoveVoucher(second.id, "lost"))
    do(work, vouchers.reactivate, MoveVoucher(second.id, "found"))
    kind = work.session.get_one(VoucherType, prize.voucher_type_id, populate_existing=True)
    assert ((kind.idle_count, kind.allocated_count), kind.redeemed_count) == (before, 0)


def test_an_idle_code_cancelled_and_taken_back_is_idle_again(work, prize):
    idle = work.session.scalars(select(Voucher).where(Voucher.status == VoucherStatus.IDLE)).first()
    do(work, vouchers.cancel, MoveVoucher(idle.id, "by mistake"))
    do(work, vouchers.reactivate, MoveVoucher(idle.id, "it was a mistake"))
    assert work.session.get_one(Voucher, idle.id).status is VoucherStatus.IDLE


def test_winners_who_leave_are_merged_and_erased_keep_their_draw_whole(work, make, prize):
    accepted(work, prize)
    ids = [winner.id for winner in winners(work, prize)]
    left = fulfilment.LeaveSlot(ids[0], Stage.DECLINED, "does not want it")
    heir = do(work, fulfilment.leave, left)
    do(work, fulfilment.accept, fulfilment.AcceptPrize(heir.id))
    other = make.profile()
    for winner in (*winners(work, prize, Stage.ACCEPTED), *winners(work, prize, Stage.DECLINED)):
        do(work, profiles.merge, MergeProfiles(other.id, winner.profile_id, "same phone"))
    do(work, fulfilment.accept, fulfilment.AcceptPrize(ids[1]))
    for winner in winners(work, prize, Stage.ACCEPTED):
        do(work, fulfilment.hand_over, fulfilment.HandOver(winner.id, "posted"))
    do(work, profiles.erase, EraseProfile(other.id, str(other.id), "mark"))
    entrants = set(work.session.scalars(select(Entry.profile_id)))
    gone = set(work.session.scalars(select(Profile.id).where(Profile.erased_at.is_not(None))))
    assert len(entrants & gone) == 3


def test_people_who_have_everything_are_merged_both_ways_round_and_erased(session, work, make):
    """Each pair has entries, memberships, completions, identities and codes, some of them alike."""
    reward, module, group, place = make.reward(), make.module(), make.group(), make.organisation()
    kind, marks = make.voucher_type(), count(1)
    for is_first in (True, False):
        pair = [make.profile(home_phone=f"020 {next(marks)}", last_name="van Dam") for _ in range(2)]
        for person in pair:
            make.identity(person.id)
            make.entry(reward, profile_id=person.id)
            make.member(group, person, place)
            make.completed(module, person)
            make.voucher(kind, reserved_for_id=person.id)
        make.member(group, pair[1])
        assert sound(session)
        winner, loser = pair if is_first else reversed(pair)
        do(work, profiles.merge, MergeProfiles(winner.id, loser.id, "same phone"))
        do(work, profiles.erase, EraseProfile(winner.id, str(winner.id), f"mark-{next(marks)}"))
    assert (group.member_count, place.member_count, module.completion_count) == (0, 0, 2)
