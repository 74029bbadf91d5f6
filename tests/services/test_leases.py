"""The right to do what only one process at a time may do."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from tests.support.clock import NOW
from webapp.adapters.engines import engine_options
from webapp.domain.identity import SYSTEM
from webapp.services import leases
from webapp.services.work import Work, perform

SPAN = timedelta(seconds=30)


@pytest.fixture
def take(session) -> Callable[..., bool]:
    def take(owner: str, after: float = 0) -> bool:
        return leases.take(Work(session, SYSTEM, NOW + timedelta(seconds=after)), "jobs", owner, SPAN)

    return take


def test_the_first_to_ask_has_it_and_may_renew_it(take):
    assert take("a")
    assert take("a", after=29)
    assert not take("b", after=58)


def test_a_lease_that_has_lapsed_is_anybodys(take):
    assert take("a")
    assert not take("b", after=30)
    assert take("b", after=31)
    assert not take("a", after=32)


def test_a_lease_given_back_is_free_at_once(take, work):
    assert take("a")
    leases.give_back(work, "jobs", "b")
    assert not take("b")
    leases.give_back(work, "jobs", "a")
    assert take("b")


def test_of_many_that_ask_at_once_one_gets_it(own_database, repeat):
    engine = create_engine(own_database, **engine_options(own_database, threads=8))
    for number in range(repeat(3, 20)):

        def ask(owner: str, name: str = f"lease-{number}") -> bool:
            with Session(engine) as session:
                return perform(session, SYSTEM, NOW, lambda work: leases.take(work, name, owner, SPAN))

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(ask, "abcdefgh")) == 1
    engine.dispose()
