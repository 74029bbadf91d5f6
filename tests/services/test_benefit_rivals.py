"""P1, P2 and 13.3 «race»: a limit of 100 means 100, however many redeem or claim at the same moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import create_engine, func, insert, select, update
from sqlalchemy.orm import Session

from tests.factories import Factories
from tests.services.test_benefits import ABOUT_BENEFITS
from tests.support.benefits import MINT, T
from webapp.adapters.engines import engine_options
from webapp.domain.errors import DomainError
from webapp.domain.identity import SYSTEM
from webapp.domain.redemptions import RedemptionKind
from webapp.models import Benefit, BenefitDefinition, Profile, Redemption
from webapp.queries import benefit_gates
from webapp.queries.invariants import broken
from webapp.services import benefits
from webapp.services.work import RequestStamp, Work, perform

THREADS = 8
Redeem = Callable[[Work, benefits.RedeemBenefit], Any]


@pytest.fixture
def own(own_database: str) -> Iterator[Session]:
    """A session on a database of this test's own, whose commits are real."""
    engine = create_engine(own_database, **engine_options(own_database, threads=1))
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


def together(url: str, tasks: list[Callable[[Session], object]]) -> Counter[str]:
    """Every task on one of eight threads that start at once: how often each answer came, a refusal by its code."""
    engine = create_engine(url, **engine_options(url, threads=THREADS))
    start = Barrier(THREADS)

    def run(number: int) -> list[str]:
        start.wait()
        with Session(engine, expire_on_commit=False) as session:
            return [answer(session, task) for task in tasks[number::THREADS]]

    try:
        with ThreadPoolExecutor(THREADS) as pool:
            return Counter(said for part in pool.map(run, range(THREADS)) for said in part)
    finally:
        engine.dispose()


def answer(session: Session, task: Callable[[Session], object]) -> str:
    try:
        task(session)
    except DomainError as refusal:
        return refusal.code
    return "done"


def doing(act: Any, command: Any, stamp: RequestStamp | None = None, at: datetime = T) -> Callable[[Session], object]:
    return lambda session: perform(session, SYSTEM, at, lambda work: act(work, command), stamp)


def assert_sound(session: Session) -> None:
    session.rollback()
    assert {item.name: broken(session, item) for item in ABOUT_BENEFITS if broken(session, item)} == {}


def capped(session: Session, **terms: object) -> tuple[BenefitDefinition, list[Benefit]]:
    """A definition with these limits and ten people with a benefit each."""
    make = Factories(session)
    definition = make.benefit_definition(**terms)
    return definition, [make.benefit(definition, issued_at=T) for _ in range(10)]


def two_hundred(held: list[Benefit], act: Redeem) -> list[Callable[[Session], object]]:
    return [doing(act, benefits.RedeemBenefit(held[number % 10].id, f"{number:04}")) for number in range(200)]


def lines(session: Session) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(Redemption)) or 0


def test_p1_two_hundred_at_once_redeem_exactly_a_hundred(own: Session, own_database: str) -> None:
    definition, held = capped(own, max_redemptions=None, max_global_redemptions=100)
    said = together(own_database, two_hundred(held, benefits.redeem))
    assert said == {"done": 100, "global_limit_reached": 100}
    own.refresh(definition)
    assert (definition.total_global_redemptions, lines(own)) == (100, 100)
    assert_sound(own)


def test_13_5_global_race(own: Session, own_database: str, repeat: Callable[[int, int], int]) -> None:
    """Eight writers, each 400 times against a cap of 1,000; normally an eighth of all of it."""
    attempts, cap = repeat(50, 400), repeat(125, 1000)
    definition, held = capped(own, max_redemptions=None, max_global_redemptions=cap)
    tasks = [
        doing(benefits.redeem, benefits.RedeemBenefit(held[number % 10].id, f"{number:04}"))
        for number in range(THREADS * attempts)
    ]
    said = together(own_database, tasks)
    assert said == {"done": cap, "global_limit_reached": THREADS * attempts - cap}
    own.refresh(definition)
    assert (definition.total_global_redemptions, lines(own)) == (cap, cap)
    assert_sound(own)


def test_p1_a_benefit_capped_at_a_hundred_is_redeemed_a_hundred_times(own: Session, own_database: str) -> None:
    _, held = capped(own, max_redemptions=100)
    said = together(own_database, two_hundred(held[:1] * 10, benefits.redeem))
    assert said == {"done": 100, "no_redemptions_left": 100}
    assert lines(own) == 100
    assert_sound(own)


def test_p2_each_of_ten_people_redeems_once(own: Session, own_database: str) -> None:
    _, held = capped(own, max_redemptions=1)
    said = together(own_database, two_hundred(held, benefits.redeem))
    assert said == {"done": 10, "no_redemptions_left": 190}
    assert_sound(own)


def redeem_unguarded(work: Work, command: benefits.RedeemBenefit) -> None:
    """The twin of `redeem`: it looks first and moves the counter afterwards, without asking again."""
    benefit = work.session.get_one(Benefit, command.benefit_id)
    work.session.execute(
        update(Benefit).where(Benefit.id == benefit.id).values(redeemed_count=Benefit.redeemed_count + 1)
    )
    work.session.execute(
        insert(Redemption).values(
            benefit_id=benefit.id, kind=RedemptionKind.REDEEM, count=1, at=work.now, by="", receipt=command.receipt
        )
    )


def test_the_twin_without_the_guard_redeems_too_much(own: Session, own_database: str) -> None:
    """Proves that the tests above can fail: all eight see one redemption left before any of them takes it."""
    _, held = capped(own, max_redemptions=1)
    all_have_looked = Barrier(THREADS)

    def look_then_act(session: Session) -> None:
        left = session.get_one(Benefit, held[0].id).facts.redemptions_left
        all_have_looked.wait()
        if left:
            doing(redeem_unguarded, benefits.RedeemBenefit(held[0].id, "0000"))(session)

    said = together(own_database, [look_then_act] * THREADS)
    assert said == {"done": THREADS}
    with pytest.raises(AssertionError):
        assert lines(own) == 1


def test_what_came_back_comes_back_once(own: Session, own_database: str) -> None:
    _, held = capped(own, max_redemptions=5)
    line = perform(own, SYSTEM, T, lambda work: benefits.redeem(work, benefits.RedeemBenefit(held[0].id, "0000", 5)))
    tasks = [doing(benefits.give_back, benefits.ReturnRedemption(line.id, "0001", 1)) for _ in range(20)]
    tasks += [doing(benefits.reverse, benefits.ReverseRedemption(line.id, "0002", "slip")) for _ in range(4)]
    together(own_database, tasks)
    own.rollback()
    came_back = select(func.sum(Redemption.count)).where(Redemption.original_id == line.id)
    assert own.scalar(came_back) == 5
    assert_sound(own)


def test_p4_the_same_form_two_hundred_times_is_one_redemption(own: Session, own_database: str) -> None:
    _, held = capped(own, max_redemptions=None)
    stamp = RequestStamp("one-key", "one-content")
    task = doing(benefits.attempt, benefits.RedeemBenefit(held[0].id, "0000"), stamp)
    assert together(own_database, [task] * 200) == {"done": 200}
    assert lines(own) == 1


def test_p5_the_same_key_with_another_benefit_is_refused(own: Session, own_database: str) -> None:
    _, held = capped(own)
    first = doing(benefits.attempt, benefits.RedeemBenefit(held[0].id, "0000"), RequestStamp("key", "first"))
    other = doing(benefits.attempt, benefits.RedeemBenefit(held[1].id, "0000"), RequestStamp("key", "other"))
    assert (answer(own, first), answer(own, other), lines(own)) == ("done", "request.changed", 1)


def test_13_3_claim_race_for_the_last_code_has_one_winner(own: Session, own_database: str) -> None:
    make = Factories(own)
    kind = make.voucher_type()
    make.voucher(kind)
    definition = make.benefit_definition(is_claimable=True, voucher_type_id=kind.id, force_allocation=True)
    own.commit()
    people = [make.profile() for _ in range(2)]
    claims = [
        doing(benefits.claim, benefits.ClaimBenefit(definition_id=definition.id, profile_id=person.id, mint=MINT))
        for person in people
    ]
    assert together(own_database, claims) == {"done": 1, "no_codes_left": 1}
    assert_sound(own)


def test_13_3_reclaim_race_of_one_person_makes_one_benefit(own: Session, own_database: str) -> None:
    make = Factories(own)
    definition, person = make.benefit_definition(is_claimable=True), make.profile()
    claim = benefits.ClaimBenefit(definition_id=definition.id, profile_id=person.id, mint=MINT)
    said = together(own_database, [doing(benefits.claim, claim)] * 8)
    assert said == {"done": 1, "already_claimed": 7}
    assert_sound(own)


def test_13_7_unique_forever(own: Session, own_database: str, repeat: Callable[[int, int], int]) -> None:
    number, make = repeat(60, 500), Factories(own)
    kind = make.voucher_type()
    for _ in range(number):
        make.voucher(kind)
    own.commit()
    definition = make.benefit_definition(voucher_type_id=kind.id, force_allocation=True)
    people = [make.profile() for _ in range(10)]
    tasks = [
        doing(
            benefits.issue,
            benefits.IssueBenefit(definition_id=definition.id, profile_id=people[at % 10].id, mint=MINT),
        )
        for at in range(number + 8)
    ]
    assert together(own_database, tasks) == {"done": number, "no_codes_left": 8}
    own.rollback()
    assert own.scalar(select(func.count(Benefit.voucher_id.distinct()))) == number
    assert_sound(own)


def to_one(session: Session) -> tuple[BenefitDefinition, Profile, list[Benefit]]:
    """A definition of which a person may get one, that person, and eight benefits of eight others."""
    make = Factories(session)
    definition = make.benefit_definition(max_per_profile=1, is_reassignable=True)
    person = make.profile()
    return definition, person, [make.benefit(definition, issued_at=T) for _ in range(THREADS)]


def held_by(session: Session, definition: BenefitDefinition, person: Profile) -> int:
    session.rollback()
    return benefit_gates.standing(session, definition.id, person.id, T).held


def test_ruling_4_eight_hand_theirs_over_to_one_who_may_get_one(own: Session, own_database: str) -> None:
    definition, person, theirs = to_one(own)
    own.commit()
    acts = [doing(benefits.reassign, benefits.ReassignBenefit(one.id, person.external_id or "")) for one in theirs]
    assert together(own_database, acts) == {"done": 1, "profile_limit_reached": THREADS - 1}
    assert held_by(own, definition, person) == 1
    assert_sound(own)


def test_ruling_4_a_void_is_undone_while_others_issue(own: Session, own_database: str) -> None:
    definition, person, _ = to_one(own)
    own.commit()
    issue = benefits.IssueBenefit(definition_id=definition.id, profile_id=person.id, mint=MINT)
    first = perform(own, SYSTEM, T, lambda work: benefits.issue(work, issue))
    perform(own, SYSTEM, T, lambda work: benefits.void(work, benefits.VoidBenefit(first.id, "by mistake")))
    acts = [doing(benefits.restore, benefits.RestoreBenefit(first.id)), *[doing(benefits.issue, issue)] * 7]
    assert together(own_database, acts) == {"done": 1, "profile_limit_reached": 7}
    assert held_by(own, definition, person) == 1
    assert_sound(own)


def hand_over_unguarded(work: Work, command: benefits.ReassignBenefit) -> None:
    """The twin of `reassign`: it believes what was seen before."""
    person = work.session.scalars(select(Profile.id).where(Profile.external_id == command.person)).one()
    work.session.execute(update(Benefit).where(Benefit.id == command.benefit_id).values(profile_id=person))


def test_the_twin_that_hands_over_without_the_guard_gives_too_many(own: Session, own_database: str) -> None:
    """Proves that the two tests above can fail: all eight see that the person holds none before any of them acts."""
    definition, person, theirs = to_one(own)
    own.commit()
    all_have_looked = Barrier(THREADS)

    def look_then_act(benefit_id: int) -> Callable[[Session], object]:
        command = benefits.ReassignBenefit(benefit_id, person.external_id or "")

        def act(session: Session) -> None:
            stands = benefit_gates.standing(session, definition.id, person.id, T)
            all_have_looked.wait()
            if stands.held == 0:
                doing(hand_over_unguarded, command)(session)

        return act

    assert together(own_database, [look_then_act(one.id) for one in theirs]) == {"done": THREADS}
    with pytest.raises(AssertionError):
        assert held_by(own, definition, person) == 1
