"""Short pieces of work that many ask for at once: on SQLite those who wait share one transaction and one wait for the disk.

Whoever gets the turn does what all who wait have asked for, each in a savepoint of its own, and commits once. A refusal
rolls its own savepoint back; nobody is answered before the commit (performance.md, «The shape that wins on SQLite»).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from webapp.domain.errors import DomainError
from webapp.domain.identity import Actor
from webapp.services import work
from webapp.services.work import WRITES, RequestStamp, Work

T = TypeVar("T")
MOST = 64  # pieces of work that share a commit
_WAITING: WeakKeyDictionary[Engine, deque[_Unit]] = WeakKeyDictionary()


@dataclass(eq=False, slots=True)
class _Unit:
    """What somebody waits for; once ``is_over`` the others have let go of it, and unless it ``stands`` it was not done."""

    actor: Actor
    now: datetime
    act: Callable[[Work], Any]
    stamp: RequestStamp | None
    result: Any = None
    refusal: DomainError | None = None
    stands: bool = False
    is_over: Event = field(default_factory=Event)


def perform(
    session: Session, actor: Actor, now: datetime, act: Callable[[Work], T], stamp: RequestStamp | None = None
) -> T:
    """As ``work.perform``, together with whoever else waits for the database of ``session`` at this moment.

    ``act`` is given another session than this one, so it must bring nothing that belongs to this one, and what it
    returns belongs to none. What cannot be done together, for a reason that is no refusal, is done alone.
    """
    engine = session.get_bind()
    if not isinstance(engine, Engine) or engine.dialect.name != "sqlite":
        return work.perform(session, actor, now, act, stamp)
    work.refuse_looking(actor)
    session.rollback()  # its connection is not needed while it waits
    unit, waiting = _Unit(actor, now, act, stamp), _WAITING.setdefault(engine, deque())
    waiting.append(unit)
    with work.turn(session) as is_mine:
        if not _leave(waiting, unit):
            unit.is_over.wait()
        elif is_mine and (others := _next(waiting)):
            _together(engine, [unit, *others])
        if not (unit.stands or unit.refusal):
            return work.perform(session, actor, now, act, stamp)
    if unit.refusal:
        raise unit.refusal
    return cast("T", unit.result)


def _leave(waiting: deque[_Unit], unit: _Unit) -> bool:
    """Whether ``unit`` still waited; somebody else may have taken it up."""
    with suppress(ValueError):
        waiting.remove(unit)
        return True
    return False


def _next(waiting: deque[_Unit]) -> list[_Unit]:
    """Those who have waited longest."""
    found: list[_Unit] = []
    with suppress(IndexError):
        while len(found) < MOST - 1:
            found.append(waiting.popleft())
    return found


def _together(engine: Engine, units: list[_Unit]) -> None:
    """Do all of them in one transaction. When the database fails, or one of them, none was done and each is tried alone.

    A mistake in the program is met by whoever does the work, and once more by whoever asked for it.
    """
    try:
        with Session(engine, expire_on_commit=False) as session:
            session.connection(execution_options=WRITES)
            for unit in units:
                _do(session, unit)
            session.commit()
            for unit in units:
                unit.stands = unit.refusal is None
    except SQLAlchemyError:
        for unit in units:
            unit.refusal = None  # what it was refused by may be gone again
    finally:
        for unit in units:
            unit.is_over.set()


def _do(session: Session, unit: _Unit) -> None:
    piece, savepoint = Work(session, unit.actor, unit.now), session.connection().begin_nested()
    try:
        unit.result = work.carry_out(piece, unit.act, unit.stamp)
        session.flush()
        work.write_audit(piece)
        savepoint.commit()
    except DomainError as refusal:
        savepoint.rollback()
        unit.refusal = refusal
    session.expunge_all()  # nobody is shown what somebody else's work believes
