"""Codes are handed out exactly, whoever asks at the same time, and every move leaves a trace."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories import NOW, Factories
from webapp.domain.errors import Refused
from webapp.domain.vouchers import VoucherStatus
from webapp.models import Voucher, VoucherChange, VoucherType, Winner
from webapp.services import vouchers
from webapp.services.vouchers import AllocateVouchers
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
