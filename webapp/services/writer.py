"""Short pieces of work that many ask for at once: those who wait share one transaction and one wait for the disk.

Whoever is first does what all who wait have asked for and commits once; then the next one is first. Nobody is answered
before the commit (performance.md, «The shape that wins on SQLite»). A refusal rolls everything back, and all of it is
done again with a savepoint for each: it is rare, and savepoints for nothing are not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock
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
# What several of a kind hold before the first of them is done, given what each of them is about: rows that two servers
# take in other orders would make each wait for the other. SQLite has one writer and is not asked.
Hold = Callable[[Session, Sequence[int]], None]


@dataclass(frozen=True, slots=True)
class Shared:
    """That a piece of work may share its commit with others of its kind, and what it is ``about``."""

    hold: Hold
    about: int


@dataclass(eq=False, slots=True)
class _Unit:
    """What somebody waits for: called to be the first, or because it is over; unless it ``stands`` it was not done."""

    actor: Actor
    now: datetime
    act: Callable[[Work], Any]
    stamp: RequestStamp | None
    shared: Shared
    result: Any = None
    refusal: DomainError | None = None
    stands: bool = False
    is_first: bool = False
    is_called: Event = field(default_factory=Event)


class _Queue:
    """Those who wait for one database, the first of whom does the work; it stays in the queue until it has the turn."""

    def __init__(self) -> None:
        self.waiting: deque[_Unit] = deque()
        self._lock, self._is_led = Lock(), False

    def join(self, unit: _Unit) -> None:
        with self._lock:
            self.waiting.append(unit)
            if self._is_led:
                return
            self._is_led = unit.is_first = True
        unit.is_called.set()

    def take(self) -> list[_Unit]:
        """The first and those who have waited longest."""
        with self._lock:
            return [self.waiting.popleft() for _ in range(min(MOST, len(self.waiting)))]

    def hand_over(self, first: _Unit) -> None:
        """Let the next one be first, whatever became of this one."""
        with self._lock:
            if first in self.waiting:
                self.waiting.remove(first)
            self._is_led = bool(self.waiting)
            if not self._is_led:
                return
            self.waiting[0].is_first = True
            self.waiting[0].is_called.set()


_QUEUES: WeakKeyDictionary[Engine, _Queue] = WeakKeyDictionary()


def perform(
    session: Session,
    actor: Actor,
    now: datetime,
    act: Callable[[Work], T],
    stamp: RequestStamp | None,
    shared: Shared,
) -> T:
    """As ``work.perform``, together with whoever else waits for the database of ``session`` at this moment.

    ``act`` is given another session than this one, so it must bring nothing that belongs to this one, and what it
    returns belongs to none. What cannot be done together, for a reason that is no refusal, is done alone.
    """
    engine = session.get_bind()
    if not isinstance(engine, Engine):
        return work.perform(session, actor, now, act, stamp)
    work.refuse_looking(actor)
    session.rollback()  # its connection is not needed while it waits
    unit, queue = _Unit(actor, now, act, stamp, shared), _QUEUES.setdefault(engine, _Queue())
    queue.join(unit)
    unit.is_called.wait()
    if unit.is_first:
        try:
            _lead(session, engine, queue, unit)
        finally:
            queue.hand_over(unit)
    if unit.refusal:
        raise unit.refusal
    return cast("T", unit.result) if unit.stands else work.perform(session, actor, now, act, stamp)


def _lead(session: Session, engine: Engine, queue: _Queue, first: _Unit) -> None:
    """Do what is waited for when one's turn has come. When it does not come, everybody tries alone."""
    with work.turn(session) as is_mine:
        units = queue.take()
        try:
            if len(units) == 1:
                first.result = work.perform(session, first.actor, first.now, first.act, first.stamp)
                first.stands = True
            elif is_mine or engine.dialect.name != "sqlite":
                _together(engine, _apart(units))
        finally:
            for unit in units:
                unit.is_called.set()


def _apart(units: Sequence[_Unit]) -> list[_Unit]:
    """Without those of a key that is here already: where a form led to is known only after the commit."""
    found: dict[object, _Unit] = {}
    for unit in units:
        found.setdefault(unit.stamp.key if unit.stamp else unit, unit)
    return list(found.values())


def _together(engine: Engine, units: Sequence[_Unit]) -> None:
    """Do all of them in one transaction. When the database fails, or one of them, none was done and each is tried alone.

    A mistake in the program is met by whoever does the work, and once more by whoever asked for it.
    """
    try:
        try:
            _commit(engine, units, is_guarded=False)
        except DomainError:
            _commit(engine, units, is_guarded=True)
        for unit in units:
            unit.stands = unit.refusal is None
    except SQLAlchemyError:
        for unit in units:
            unit.refusal = None  # what it was refused by may be gone again


def _commit(engine: Engine, units: Sequence[_Unit], *, is_guarded: bool) -> None:
    with Session(engine, expire_on_commit=False) as session:
        connection = session.connection(execution_options=WRITES)
        if connection.dialect.name != "sqlite":
            for hold in dict.fromkeys(unit.shared.hold for unit in units):
                hold(session, [unit.shared.about for unit in units if unit.shared.hold == hold])
        done = [_do_guarded(session, unit) if is_guarded else _do(session, unit) for unit in units]
        work.tell([piece for piece in done if piece])
        session.commit()


def _do(session: Session, unit: _Unit) -> Work:
    piece = Work(session, unit.actor, unit.now)
    unit.result = work.carry_out(piece, unit.act, unit.stamp)
    session.flush()
    session.expunge_all()  # nobody is shown what somebody else's work believes
    return piece


def _do_guarded(session: Session, unit: _Unit) -> Work | None:
    """A refusal takes back its own only."""
    savepoint = session.connection().begin_nested()
    try:
        piece = _do(session, unit)
        savepoint.commit()
    except DomainError as refusal:
        savepoint.rollback()
        session.expunge_all()
        unit.refusal = refusal
        return None
    return piece
