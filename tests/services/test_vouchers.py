"""Codes are handed out exactly, whoever asks at the same time, and every move leaves a trace."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories import NOW, Factories
from webapp.adapters import randomness
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, Refused
from webapp.domain.fulfilment import Stage
from webapp.domain.voucher_codes import check_ok, code_hash
from webapp.domain.vouchers import VoucherStatus
from webapp.models import Voucher, VoucherChange, VoucherType, Winner
from webapp.services import vouchers
from webapp.services.vouchers import (
    AllocateVouchers,
    GenerateVouchers,
    Mint,
    MoveVoucher,
    PrintVouchers,
    RedeemVoucher,
    code_key,
)
from webapp.services.work import Work, perform


def asking(kind: VoucherType, winner: Winner, quantity: int = 1, zone: str = "Europe/London") -> AllocateVouchers:
    return AllocateVouchers(kind.id, winner.id, winner.profile_id, quantity, zone, "Winner of «Spring draw»")


@pytest.fixture
def stocked(make: Factories) -> Callable[..., VoucherType]:
    """`stocked(4)` is a voucher type with four idle codes."""

    def of(count: int, **changes: object) -> VoucherType:
        kind = make.voucher_type(**changes)
        for _ in range(count):
            make.voucher(kind)
        return kind

    return of


def counts(session: Session, kind: VoucherType) -> dict[str, int]:
    """The counters of a type that are not nought."""
    session.expire_all()
    kind = session.get_one(VoucherType, kind.id)
    return {status: n for status in VoucherStatus if (n := getattr(kind, f"{status}_count"))}


def real_counts(session: Session, kind: VoucherType) -> dict[str, int]:
    """The same, counted on the codes themselves."""
    statement = select(Voucher.status, func.count()).where(Voucher.voucher_type_id == kind.id).group_by(Voucher.status)
    return {str(status): n for status, n in session.execute(statement)}


def test_a_winner_is_given_the_idle_codes_with_the_lowest_ids(work: Work, make: Factories, stocked) -> None:
    kind = stocked(3)
    winner = make.winner(make.reward())
    given = vouchers.allocate(work, asking(kind, winner, 2))
    assert [code.id for code in given] == sorted(work.session.scalars(select(Voucher.id)))[:2]
    assert [(code.winner_place, code.status, code.profile_id) for code in given] == [
        (1, VoucherStatus.ALLOCATED, winner.profile_id),
        (2, VoucherStatus.ALLOCATED, winner.profile_id),
    ]
    assert counts(work.session, kind) == real_counts(work.session, kind) == {"idle": 1, "allocated": 2}


def test_every_code_handed_out_is_in_the_change_log(work: Work, make: Factories, stocked) -> None:
    given = vouchers.allocate(work, asking(stocked(2), make.winner(make.reward()), 2))
    log = work.session.scalars(select(VoucherChange).order_by(VoucherChange.id)).all()
    assert [(line.voucher_id, line.status, line.by, line.note) for line in log] == [
        (code.id, VoucherStatus.ALLOCATED, "Ann Able", "Winner of «Spring draw»") for code in given
    ]


def test_the_same_winner_asked_for_again_gets_the_same_codes(work: Work, make: Factories, stocked) -> None:
    kind = stocked(4)
    winner = make.winner(make.reward())
    first = vouchers.allocate(work, asking(kind, winner, 2))
    again = vouchers.allocate(work, asking(kind, winner, 2))
    assert [code.code for code in again] == [code.code for code in first]
    assert counts(work.session, kind) == {"idle": 2, "allocated": 2}
    assert work.session.scalar(select(func.count()).select_from(VoucherChange)) == 2


def test_k89_five_recipients_and_four_codes_are_refused_whole(
    session: Session, actor, make: Factories, stocked
) -> None:
    kind, reward = stocked(4), make.reward()
    winners = [make.winner(reward) for _ in range(5)]

    def all_five(work: Work) -> None:
        for winner in winners:
            vouchers.allocate(work, asking(kind, winner))

    with pytest.raises(Refused, match=r"^1 short: 1 code of «Gift voucher \d+» wanted, 0 idle.* Generate at least 1"):
        perform(session, actor, NOW, all_five)
    assert counts(session, kind) == real_counts(session, kind) == {"idle": 4}
    assert session.scalar(select(func.count()).select_from(VoucherChange)) == 0


def test_k89_a_winner_of_five_codes_is_told_how_many_are_missing(work: Work, make: Factories, stocked) -> None:
    with pytest.raises(Refused, match=r"^1 short: 5 codes of «.*» wanted, 4 idle"):
        vouchers.allocate(work, asking(stocked(4), make.winner(make.reward()), 5))


@pytest.mark.parametrize(
    ("rule", "zone", "ends"),
    [
        ((30, date(2026, 3, 15)), "Europe/London", datetime(2026, 3, 16, tzinfo=UTC)),  # K130: the earlier of the two
        ((30, None), "Pacific/Auckland", datetime(2026, 4, 1, 11, tzinfo=UTC)),
        ((None, date(2027, 3, 31)), "Europe/London", datetime(2027, 3, 31, 23, tzinfo=UTC)),
        ((None, None), "Europe/London", None),
    ],
)
def test_k130_a_code_ends_as_its_type_says(
    work: Work, make: Factories, stocked, rule: tuple[int | None, date | None], zone: str, ends: datetime | None
) -> None:
    kind = stocked(1, valid_for_days=rule[0], static_expiry_on=rule[1])
    (code,) = vouchers.allocate(work, asking(kind, make.winner(make.reward()), zone=zone))
    assert code.expires_at == ends


def test_codes_whose_fixed_end_is_past_are_not_handed_out(session: Session, actor, make: Factories, stocked) -> None:
    kind = stocked(1, static_expiry_on=date(2026, 3, 1))
    winner = make.winner(make.reward())
    with pytest.raises(Refused, match=r"good until 1 March 2026.* Move the fixed end date"):
        perform(session, actor, NOW, lambda work: vouchers.allocate(work, asking(kind, winner)))
    assert counts(session, kind) == {"idle": 1}


# Codes are made.

MINT = Mint(code_key("a secret of the installation"), randomness.entropy)


def test_codes_are_counted_hashed_and_told_of_in_one_go(work: Work, make: Factories) -> None:
    kind = make.voucher_type(title="Coffee")
    batch = vouchers.generate(work, GenerateVouchers(kind.id, 500), MINT)
    made = work.session.scalars(select(Voucher).order_by(Voucher.id)).all()
    assert (batch.wanted, batch.made) == (500, 500)
    assert len({voucher.code for voucher in made}) == 500
    assert all(check_ok(voucher.code) and voucher.code.endswith(voucher.last_four) for voucher in made)
    assert [voucher.code_hash for voucher in made] == sorted(code_hash(MINT.key, voucher.code) for voucher in made)
    digest = hashlib.sha256("".join(f"{code}\n" for code in sorted(v.code for v in made)).encode()).hexdigest()
    assert batch.sha256 == digest
    (event,) = work.events
    assert event["facts"] == {"count": 500, "title": "Coffee", "sha256": digest[:16]}
    assert counts(work.session, kind) == real_counts(work.session, kind) == {"idle": 500}


def test_the_key_of_the_hashes_is_hkdf_of_the_secret() -> None:
    """Checked against the steps of RFC 5869 written out, since a changed key would lose every code."""
    extracted = hmac.new(b"\0" * 32, b"a secret of the installation", hashlib.sha256).digest()
    assert MINT.key == hmac.new(extracted, b"largesse voucher codes" + b"\x01", hashlib.sha256).digest()
    assert code_key("another") != MINT.key


def test_k129_own_patterns_give_distinct_codes_and_redraw_those_that_exist(work: Work, make: Factories) -> None:
    kind = make.voucher_type(id_pattern="MM-{year}-{rand:4}")
    twins: list[int] = []
    read_twins = vouchers.generation.read.taken_hashes

    def count_twins(session: Session, hashes: list[str]) -> set[str]:
        found = read_twins(session, hashes)
        twins.append(len(found))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vouchers.generation.read, "taken_hashes", count_twins)
        patch.setattr(vouchers.generation.patterns, "SPARE", 1)
        for _ in range(3):
            vouchers.generate(work, GenerateVouchers(kind.id, 9_000), MINT)
    codes = work.session.scalars(select(Voucher.code)).all()
    assert len(set(codes)) == len(codes) == 27_000
    assert all(re.fullmatch(r"MM-2026-[0-9A-HJKMNP-TV-Z]{4}", code) for code in codes)
    assert sum(twins) > 0, "no twin came up, so nothing was proved"
    assert counts(work.session, kind) == {"idle": 27_000}


def test_an_own_code_is_dated_by_the_site_s_day(work: Work, make: Factories) -> None:
    site = make.site(timezone="Pacific/Auckland")
    kind = make.voucher_type(site_id=site.id, id_pattern="{year}{month}-{rand:12}")
    work.now = datetime(2026, 2, 28, 12, tzinfo=UTC)  # the first of March over there
    vouchers.generate(work, GenerateVouchers(kind.id, 1), MINT)
    assert (work.session.scalars(select(Voucher.code)).one()).startswith("202603-")


@pytest.mark.parametrize(("count", "code"), [(0, "voucher.count"), (1_000_001, "voucher.count")])
def test_orders_of_none_and_of_too_many_are_refused(work: Work, make: Factories, count: int, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        vouchers.generate(work, GenerateVouchers(make.voucher_type().id, count), MINT)
    assert (refusal.value.code, refusal.value.field) == (code, "count")


def test_codes_on_order_count_against_a_small_pattern(work: Work, make: Factories) -> None:
    kind = make.voucher_type(id_pattern="{rand:5}")  # 33,554,432: room for 33,554 codes
    vouchers.generate(work, GenerateVouchers(kind.id, 30_000), MINT)
    with pytest.raises(Refused, match=r"and 34,000 codes need at least 34,000,000"):
        vouchers.generate(work, GenerateVouchers(kind.id, 4_000), MINT)


# Vouchers move.


@pytest.fixture
def held(work: Work, make: Factories, stocked) -> Voucher:
    return vouchers.allocate(work, asking(stocked(2), make.winner(make.reward())))[0]


def kind_of(session: Session, voucher: Voucher) -> VoucherType:
    return session.get_one(VoucherType, voucher.voucher_type_id)


def test_every_move_keeps_the_counters_and_tells_the_audit_log(work: Work, held: Voucher) -> None:
    for act, status in (
        (vouchers.hold, "pending"),
        (vouchers.let_go, "allocated"),
        (vouchers.hold, "pending"),
        (vouchers.cancel, "cancelled"),
        (vouchers.reactivate, "allocated"),
        (vouchers.reverse, None),
    ):
        if status is None:
            with pytest.raises(Conflict, match=r"is allocated and cannot be reversed; only redeemed"):
                act(work, MoveVoucher(held.id, "a slip"))
            continue
        assert act(work, MoveVoucher(held.id, "because")).status == status
        kind = kind_of(work.session, held)
        assert counts(work.session, kind) == real_counts(work.session, kind) == {"idle": 1, status: 1}
    assert [event["event"] for event in work.events] == [
        Event.VOUCHER_HELD,
        Event.VOUCHER_LET_GO,
        Event.VOUCHER_HELD,
        Event.VOUCHER_CANCELLED,
        Event.VOUCHER_REACTIVATED,
    ]
    assert held.code not in str([event["facts"] for event in work.events])


def test_k131_a_redeemed_voucher_is_not_redeemed_again(work: Work, held: Voucher) -> None:
    vouchers.redeem(work, RedeemVoucher(held.id, "Receipt 77"))
    with pytest.raises(Conflict, match=r"is redeemed and cannot be redeemed; only allocated or pending vouchers can"):
        vouchers.redeem(work, RedeemVoucher(held.id))


@pytest.mark.parametrize("reason", ["", "   "])
def test_reversing_needs_a_reason(work: Work, held: Voucher, reason: str) -> None:
    vouchers.redeem(work, RedeemVoucher(held.id))
    with pytest.raises(Refused) as refusal:
        vouchers.reverse(work, MoveVoucher(held.id, reason))
    assert refusal.value.field == "reason"


def test_a_code_nobody_had_comes_back_as_idle(work: Work, make: Factories, stocked) -> None:
    kind = stocked(1)
    voucher = work.session.scalars(select(Voucher)).one()
    vouchers.cancel(work, MoveVoucher(voucher.id, "misprint"))
    assert counts(work.session, kind) == {"cancelled": 1}
    with pytest.raises(Refused, match=r"Say why the voucher is to be re"):
        vouchers.reactivate(work, MoveVoucher(voucher.id))
    assert vouchers.reactivate(work, MoveVoucher(voucher.id, "it was fine")).status is VoucherStatus.IDLE
    assert counts(work.session, kind) == real_counts(work.session, kind) == {"idle": 1}
    assert vouchers.allocate(work, asking(kind, make.winner(make.reward())))[0].id == voucher.id


def test_a_voucher_that_somebody_moved_meanwhile_is_left_alone(
    work: Work, held: Voucher, monkeypatch: pytest.MonkeyPatch
) -> None:
    vouchers.redeem(work, RedeemVoucher(held.id))
    seen_before = Voucher(id=held.id, voucher_type_id=held.voucher_type_id, status=VoucherStatus.ALLOCATED, code="X")
    now = vouchers.moves.read.get
    answers = iter([seen_before])
    monkeypatch.setattr(vouchers.moves.read, "get", lambda *a: next(answers, None) or now(*a))
    with pytest.raises(Conflict, match=r"is redeemed and cannot be cancelled"):
        vouchers.cancel(work, MoveVoucher(held.id, "late"))


def test_k133_a_late_redemption_says_so_in_the_log(work: Work, held: Voucher) -> None:
    held.expires_at = NOW
    work.session.flush()
    with pytest.raises(Refused) as refusal:
        vouchers.redeem(work, RedeemVoucher(held.id))
    assert refusal.value.field == "is_late_accepted"
    vouchers.redeem(work, RedeemVoucher(held.id, is_late_accepted=True))
    assert work.events[-1]["facts"]["note"] == "(accepted after it had expired)"  # type: ignore[index]


def test_only_good_vouchers_of_accepted_winners_are_printed(work: Work, make: Factories, stocked) -> None:
    kind, reward = stocked(5), make.reward()
    winners = [make.winner(reward) for _ in range(3)] + [make.winner(reward, stage=Stage.DECLINED)]
    codes = [vouchers.allocate(work, asking(kind, winner))[0] for winner in winners]
    vouchers.cancel(work, MoveVoucher(codes[0].id, "lost"))
    codes[1].expires_at = NOW
    work.session.flush()
    job = vouchers.order(work, PrintVouchers(reward.id, "a4-1"))
    assert job.arguments["voucher_ids"] == [codes[2].id]
    with pytest.raises(Refused, match=r"There is no voucher to print"):
        vouchers.order(work, PrintVouchers(reward.id, "a4-1", winner_ids=(winners[0].id,)))
