"""Threads that write take turns on SQLite; a turn is a courtesy, the database's own lock is what holds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import RLock

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from tests.support.clock import NOW
from webapp.adapters.engines import engine_options
from webapp.domain.errors import Refused
from webapp.domain.identity import SYSTEM
from webapp.services import leases, work
from webapp.services.work import Work, perform


@pytest.fixture
def own(own_database):
    engine = create_engine(own_database, **engine_options(own_database, threads=1))
    with Session(engine) as session:
        yield session
    engine.dispose()


def take(unit: Work) -> bool:
    return leases.take(unit, "a lease", "Ann", unit.now - unit.now)


def refuse(unit: Work) -> None:
    take(unit)
    raise Refused("no", "No.")


def is_held(session: Session) -> bool:
    """Whether another thread would have to wait."""
    turn = work._TURNS.get(session.get_bind())
    with ThreadPoolExecutor(1) as other:
        return (
            turn is not None and not other.submit(lambda: turn.acquire(blocking=False) and not turn.release()).result()
        )


def test_only_sqlite_takes_turns_and_every_turn_ends(own, database):
    assert perform(own, SYSTEM, NOW, lambda unit: (take(unit), is_held(own))) == (True, database == "sqlite")
    assert not is_held(own)
    with pytest.raises(Refused):
        perform(own, SYSTEM, NOW, refuse)
    assert not is_held(own)


def test_whoever_waited_too_long_goes_on_without_a_turn_and_takes_none_from_another(own, monkeypatch):
    monkeypatch.setattr(work, "_PATIENCE", 0.01)
    turn = work._TURNS.setdefault(own.get_bind(), RLock())
    with ThreadPoolExecutor(1) as other:
        other.submit(turn.acquire).result()
        assert perform(own, SYSTEM, NOW, take)
        assert is_held(own)
        other.submit(turn.release).result()


def test_who_has_the_turn_does_not_wait_for_it(own, monkeypatch):
    monkeypatch.setattr(work, "_PATIENCE", 60)
    assert perform(own, SYSTEM, NOW, lambda _: perform(own, SYSTEM, NOW, take))
