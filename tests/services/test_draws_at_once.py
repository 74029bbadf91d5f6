"""P7: however many press at once, a draw is sealed once and drawn once; with the guard off it is not."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import create_engine, func, select, true
from sqlalchemy.orm import Session

from tests.factories import Factories
from tests.services.test_draws import VALUE, opened, running
from tests.support.clock import NOW
from webapp.adapters.engines import engine_options
from webapp.domain.draws import DrawState
from webapp.domain.errors import DomainError
from webapp.models import Draw, DrawRound, StoredFile, Winner
from webapp.services import draws, fulfilment, review, rewards
from webapp.services.work import perform

PRESSES = 16


@pytest.fixture
def sessions(own_database):
    engine = create_engine(own_database, **engine_options(own_database, PRESSES))
    yield lambda: Session(engine, expire_on_commit=False)
    engine.dispose()


@pytest.fixture
def people(sessions):
    """An editor and as many supervisors as there are presses; ids of the reward and the draw, closed and reviewed."""
    with sessions() as session:
        make = Factories(session)
        editor = make.actor("editor")
        supervisors = [make.actor("draw supervisor") for _ in range(PRESSES)]
        session.commit()
        reward_id = perform(session, editor, NOW, lambda work: opened(work, make)).id
        perform(session, editor, NOW, lambda work: rewards.close(work, rewards.CloseReward(reward_id)))
        draw_id = session.scalars(select(Draw.id)).one()
        perform(session, editor, NOW, lambda work: review.confirm(work, review.ConfirmReview(draw_id)))
    return editor, supervisors, draw_id


def at_once(count, act):
    """Run `act(number)` in `count` threads that start together; gives what came back, refusals included."""
    gate = Barrier(count)

    def press(number):
        gate.wait()
        try:
            return act(number)
        except DomainError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(press, range(count)))


def sealing(sessions, editor, draw_id):
    def act(_number):
        with sessions() as session, tempfile.TemporaryFile() as spool:
            return perform(
                session,
                editor,
                NOW,
                lambda work: draws.seal(work, draws.SealDraw(draw_id), draws.prepare(work.session, draw_id, spool)),
            )

    return act


def test_sealed_once_by_many_at_once(sessions, people):
    editor, _, draw_id = people
    answers = at_once(PRESSES, sealing(sessions, editor, draw_id))
    assert sum(isinstance(answer, Draw) for answer in answers) == 1
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(StoredFile)) == 1


def test_p7_drawn_once_by_many_at_once_with_many_values(sessions, people):
    editor, supervisors, draw_id = people
    sealing(sessions, editor, draw_id)(0)

    def act(number):
        with sessions() as session:
            later = NOW + timedelta(minutes=10, seconds=number)
            draw = perform(
                session,
                supervisors[number],
                later,
                lambda work: draws.run(work, running(session.get(Draw, draw_id), f"{VALUE[:-2]}{number:02}")),
            )
            return draw.state

    assert set(at_once(PRESSES, act)) == {DrawState.DRAWN}
    with sessions() as session:
        drawn = session.scalars(select(DrawRound)).one()
        assert drawn.attempts == PRESSES
        assert session.scalar(select(func.count()).select_from(Winner)) == 6


def test_the_twin_with_the_guard_off_fails(sessions, people, monkeypatch):
    """Without the guard every press draws again; only the table's constraints stand in the way of a second result."""
    monkeypatch.setattr(draws, "_is_sealed", true)
    editor, supervisors, draw_id = people
    sealing(sessions, editor, draw_id)(0)

    def act(number):
        with sessions() as session:
            command = running(session.get(Draw, draw_id))
            later = NOW + timedelta(minutes=10)
            return perform(session, supervisors[number], later, lambda work: draws.run(work, command)).state

    answers = at_once(4, act)
    assert sum(isinstance(answer, DomainError) for answer in answers) == 3


def test_two_declines_at_once_take_two_reserves_and_never_the_same(sessions, people):
    editor, supervisors, draw_id = people
    sealing(sessions, editor, draw_id)(0)
    with sessions() as session:
        command = running(session.get(Draw, draw_id))
        perform(session, supervisors[0], NOW + timedelta(minutes=10), lambda work: draws.run(work, command))
        first_three = session.scalars(select(Winner.id).where(Winner.slot.is_not(None)).order_by(Winner.rank)).all()

    def act(number):
        with sessions() as session:
            command = fulfilment.LeaveSlot(first_three[number], fulfilment.Stage.DECLINED, "no thanks")
            return perform(session, editor, NOW + timedelta(days=1), lambda work: fulfilment.leave(work, command)).rank

    assert sorted(at_once(3, act)) == [4, 5, 6]
