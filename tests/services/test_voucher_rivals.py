"""K90: however many hand out codes at the same moment, no code goes to two and no winner gets more than was promised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import create_engine, func, insert, select, update
from sqlalchemy.orm import Session

from tests.factories import NOW, Factories
from webapp.adapters.engines import engine_options
from webapp.domain.errors import DomainError
from webapp.domain.identity import SYSTEM
from webapp.domain.vouchers import VoucherStatus
from webapp.models import Voucher, VoucherChange, VoucherType, Winner
from webapp.services import vouchers
from webapp.services.vouchers import AllocateVouchers
from webapp.services.work import Work, perform

AT_ONCE = 8
Give = Callable[[Work, AllocateVouchers], object]


@pytest.fixture
def own(own_database: str) -> Iterator[Session]:
    """A session on a database of this test's own, whose commits are real."""
    engine = create_engine(own_database, **engine_options(own_database, threads=1))
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


def stock(session: Session, codes: int, winners: int) -> tuple[VoucherType, list[Winner]]:
    make = Factories(session)
    kind, reward = make.voucher_type(), make.reward()
    for _ in range(codes):
        make.voucher(kind)
    return kind, [make.winner(reward) for _ in range(winners)]


def asking(kind: VoucherType, winner: Winner, quantity: int = 1) -> AllocateVouchers:
    return AllocateVouchers(kind.id, winner.id, winner.profile_id, quantity, "Europe/London", "")


def rivals(url: str, act: Callable[[Session, int], object]) -> list[object]:
    """What each of eight threads got from `act`; all start together, each on a connection of its own."""
    engine = create_engine(url, **engine_options(url, threads=AT_ONCE))
    start = Barrier(AT_ONCE)

    def run(number: int) -> object:
        with Session(engine, expire_on_commit=False) as session:
            start.wait()
            return act(session, number)

    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(run, range(AT_ONCE)))
    finally:
        engine.dispose()


def serve_all(url: str, kind: VoucherType, winners: list[Winner], give: Give) -> int:
    """Eight threads each try to serve every eighth winner; how many they could serve."""

    def act(session: Session, number: int) -> int:
        return sum(served(session, asking(kind, winner), give) for winner in winners[number::AT_ONCE])

    return sum(map(int, map(str, rivals(url, act))))


def served(session: Session, command: AllocateVouchers, give: Give) -> bool:
    try:
        perform(session, SYSTEM, NOW, lambda work: give(work, command))
    except DomainError as refusal:
        assert refusal.code == "voucher.short"  # noqa: PT017 - any other refusal is a fault
        return False
    return True


def assert_exact(session: Session, kind: VoucherType, codes: int, answered: int) -> None:
    """As many winners hold a code as were told so, no code had two owners, and the counters say the same."""
    session.expire_all()
    owners = session.scalars(select(Voucher.winner_id).where(Voucher.winner_id.is_not(None))).all()
    given = session.scalars(select(VoucherChange.voucher_id)).all()
    counted = session.get_one(VoucherType, kind.id)
    assert len(given) == len(set(given)), "a code was given away twice"
    assert answered == len(owners) == len(set(owners)) == len(given), "a winner was told of a code that is not theirs"
    assert (counted.idle_count, counted.allocated_count) == (codes - len(given), len(given))


@pytest.mark.parametrize("codes", [5, 16])
def test_k90_eight_at_once_serve_sixteen_winners_exactly(own: Session, own_database: str, codes: int) -> None:
    kind, winners = stock(own, codes, 16)
    answered = serve_all(own_database, kind, winners, vouchers.allocate)
    assert answered == codes
    assert_exact(own, kind, codes, answered)


def test_p3_eight_runs_over_the_same_winners_give_each_of_them_one_code(
    own: Session, own_database: str, repeat: Callable[[int, int], int]
) -> None:
    people = repeat(40, 6_000)
    kind, winners = stock(own, people, people)
    commands = [asking(kind, winner) for winner in winners]

    def run(session: Session, number: int) -> None:
        start = number * people // AT_ONCE
        for command in [*commands[start:], *commands[:start]]:
            perform(session, SYSTEM, NOW, lambda work, command=command: vouchers.allocate(work, command))

    rivals(own_database, run)
    assert_exact(own, kind, people, people)


def test_k90_eight_at_once_for_the_same_winner_give_one_set_of_codes(own: Session, own_database: str) -> None:
    kind, (winner,) = stock(own, 20, 1)
    command = asking(kind, winner, 2)

    def act(session: Session, _: int) -> tuple[int, ...]:
        given = perform(session, SYSTEM, NOW, lambda work: vouchers.allocate(work, command))
        return tuple(code.id for code in given)

    (answer,) = set(rivals(own_database, act))
    assert len(answer) == 2
    own.expire_all()
    assert own.get_one(VoucherType, kind.id).allocated_count == 2
    assert own.scalar(select(func.count()).select_from(VoucherChange)) == 2


def give_unguarded(work: Work, voucher_id: int, winner: Winner) -> None:
    """The twin of `allocate`: no counter decides, and nobody asks whether the code is still idle."""
    work.session.execute(
        update(Voucher)
        .where(Voucher.id == voucher_id)
        .values(
            status=VoucherStatus.ALLOCATED,
            winner_id=winner.id,
            winner_place=1,
            profile_id=winner.profile_id,
            allocated_at=work.now,
        )
    )
    change = {"voucher_id": voucher_id, "at": work.now, "by": "", "status": VoucherStatus.ALLOCATED, "note": ""}
    work.session.execute(insert(VoucherChange).values(change))


def test_the_twin_without_the_guard_gives_a_code_twice(own: Session, own_database: str) -> None:
    """Proves that the tests above can fail: all eight look for an idle code before any of them gives it."""
    kind, winners = stock(own, AT_ONCE, AT_ONCE)
    all_have_looked = Barrier(AT_ONCE)
    idle = select(Voucher.id).where(Voucher.status == VoucherStatus.IDLE).order_by(Voucher.id).limit(1)

    def act(session: Session, number: int) -> None:
        found = session.scalars(idle).one()
        all_have_looked.wait()
        perform(session, SYSTEM, NOW, lambda work: give_unguarded(work, found, winners[number]))

    rivals(own_database, act)
    with pytest.raises(AssertionError, match="given away twice"):
        assert_exact(own, kind, AT_ONCE, AT_ONCE)
