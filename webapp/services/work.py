"""One piece of work: one actor, one moment, one transaction, and the events it caused."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import RLock
from time import sleep
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, CursorResult, Engine, Table, UpdateBase, bindparam, insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from webapp.domain.audit import FACTS, Event
from webapp.domain.errors import Busy, Conflict, Refused
from webapp.domain.identity import Actor
from webapp.models import AuditEntry, Base, OutboxMessage, RequestKey
from webapp.queries.prepared import Prepared

T = TypeVar("T")
WRITES = {"largesse_write": True}  # BEGIN IMMEDIATE on SQLite, see webapp.adapters.engines
RETRIES = 5
_LOCKED = "database is locked"
_TURNS: WeakKeyDictionary[Engine, RLock] = WeakKeyDictionary()
_PATIENCE = 5.0  # seconds, as long as SQLite itself waits
# PostgreSQL: serialisation failure, deadlock, lock not available.
_TRY_AGAIN = frozenset({"40001", "40P01", "55P03"})
# What every form says to the database, put together once.
_KEYS, _LOG = cast("Table", RequestKey.__table__), cast("Table", AuditEntry.__table__)
_TAKE_KEY = Prepared(
    {
        "sqlite": sqlite.insert(_KEYS).on_conflict_do_nothing(),
        "postgresql": postgresql.insert(_KEYS).on_conflict_do_nothing(),
    },
    ("key", "at", "staff_id", "digest", "result"),
)
_KEEP_ANSWER = update(_KEYS).where(_KEYS.c.key == bindparam("of")).values(result=bindparam("led_to"))
_KEEP = Prepared(_KEEP_ANSWER)
_ENTRY = ("at", "actor", "staff_id", "address", "event", "subject", "site_id", "facts")
_TELL_IT = insert(_LOG).inline().values({name: bindparam(name, type_=_LOG.c[name].type) for name in _ENTRY})
_TELL = Prepared(_TELL_IT)
# PostgreSQL does both at once, and whoever sent a form waits once less for its answer.
_KEEP_AND_TELL = Prepared(_TELL_IT.add_cte(_KEEP_ANSWER.cte("kept")))


@dataclass(frozen=True, slots=True)
class RequestStamp:
    """What makes a form count once: the key it carried and the digest of its content."""

    key: str
    digest: str


@dataclass(slots=True)
class Work:
    """A session inside one write transaction, and what will be said about it.

    ``now`` is the one moment of the whole piece of work, aware and in UTC.
    """

    session: Session
    actor: Actor
    now: datetime
    events: list[dict[str, object]] = field(default_factory=list)
    answer: dict[str, str] | None = None  # the key of the form, and the row that it led to
    _connection: Connection | None = field(default=None, repr=False)

    @property
    def connection(self) -> Connection:
        """What prepared statements run on. What the session holds is not written first; a savepoint it began is set."""
        if self._connection is None or self.session.in_nested_transaction():
            self._connection = self.session.connection()
        return self._connection

    def record(self, event: Event, subject: Base | str, site_id: int | None = None, **facts: object) -> None:
        """Tell the audit log that ``event`` happened to ``subject``; the facts must be exactly the event's."""
        if facts.keys() != FACTS[event]:
            raise ValueError(f"{event} must tell {sorted(FACTS[event])}, not {sorted(facts)}")
        self.events.append({"event": event, "subject": subject, "site_id": site_id, "facts": facts})

    def post(
        self,
        dedupe_key: str,
        recipient: str,
        subject: str,
        body: str,
        *,
        wait: timedelta = timedelta(),
        webhook_id: int | None = None,
    ) -> None:
        """Queue one e-mail in this transaction; a second one with the same ``dedupe_key`` is refused by the table.

        With ``webhook_id``, a target, it is a delivery to that webhook; ``recipient`` is the host then.
        """
        message = OutboxMessage(
            dedupe_key=dedupe_key,
            recipient=recipient,
            subject=subject,
            body=body,
            webhook_id=webhook_id,
            due_at=self.now + wait,
            created_at=self.now,
        )
        self.session.add(message)


def changed_rows(session: Session, statement: UpdateBase) -> int:
    """Run an UPDATE, DELETE or INSERT and say how many rows it changed: the guard's answer. Objects stay as they are."""
    result = session.execute(statement.execution_options(synchronize_session=False))
    return cast("CursorResult[object]", result).rowcount


def name_of(subject: Base | str) -> str:
    """«rewards:12» for a row, the text itself for a text."""
    return subject if isinstance(subject, str) else f"{subject.__tablename__}:{getattr(subject, 'id', '')}"


@contextmanager
def transaction(session: Session, actor: Actor, now: datetime) -> Iterator[Work]:
    """Open a write transaction; on leaving, write the audit rows and commit, or roll everything back.

    Raises ``Conflict`` with the column's name when a unique value is taken, or with the words of the guard
    when a trigger keeps what was sealed; ``Busy`` when the database could not take the change in time.
    """
    session.rollback()  # a read snapshot taken earlier in this request must not be written on
    refuse_looking(actor)
    with turn(session):
        try:
            session.connection(execution_options=WRITES)
            work = Work(session, actor, now)
            yield work
            session.flush()
            tell([work])
            session.commit()
        except IntegrityError as error:
            session.rollback()
            raise _conflict(error) from error
        except OperationalError as error:
            session.rollback()
            if is_passing(error):
                raise Busy(
                    "busy", "The database is busy. Nothing was changed; send the form again in a moment."
                ) from error
            raise
        except BaseException:
            session.rollback()
            raise


def refuse_looking(actor: Actor) -> None:
    """Nothing is ever written for somebody who sees the console as another person does."""
    if actor.is_looking:
        raise Refused("actor.looking", "You see the console as somebody else, so nothing can be changed. Stop first.")


@contextmanager
def turn(session: Session) -> Iterator[bool]:
    """Wait for one's turn on SQLite, which has one writer at a time; after five seconds go on without it, told so.

    The next thread is woken at once, while SQLite would let it sleep and look again; what holds is still its own lock.
    """
    engine = session.get_bind().engine
    is_mine = engine.dialect.name == "sqlite" and (lock := _TURNS.setdefault(engine, RLock())).acquire(
        timeout=_PATIENCE
    )
    try:
        yield is_mine
    finally:
        if is_mine:
            lock.release()


def perform(
    session: Session, actor: Actor, now: datetime, act: Callable[[Work], T], stamp: RequestStamp | None = None
) -> T:
    """Run ``act`` in a transaction of its own, again after a passing fault, once for each request key.

    With a ``stamp`` seen before, nothing is done: the row the first answer led to is given again
    (``Conflict`` when the content differs from the first time).
    """
    for attempt in range(RETRIES):
        try:
            with transaction(session, actor, now) as work:
                return carry_out(work, act, stamp)
        except (Busy, DBAPIError) as error:
            cause = error.__cause__ if isinstance(error, Busy) else error
            if attempt >= _most_retries(cause) or not is_passing(cause):
                raise
            # Rivals that collided once must not march in step: wait a random moment, longer each time.
            sleep(random.uniform(0.01, 0.05) * (attempt + 1))  # noqa: S311
    raise AssertionError("unreachable")


def carry_out(work: Work, act: Callable[[Work], T], stamp: RequestStamp | None) -> T:
    """Do ``act`` in the transaction of ``work`` and tell the session all of it, but what ``tell`` says at the end.

    With a ``stamp`` seen before, nothing is done, see ``perform``.
    """
    if stamp and (seen := _claim(work, stamp)):
        return _first_answer(work.session, seen, stamp)  # type: ignore[return-value]
    result = act(work)
    if stamp and isinstance(result, Base) and hasattr(result, "id"):
        work.session.flush()
        work.answer = {"of": stamp.key, "led_to": name_of(result)}
    return result


def _most_retries(error: BaseException | None) -> int:
    """SQLite has waited five seconds before it says «locked»: once more is enough for somebody who looks at a page."""
    return 1 if _LOCKED in str(getattr(error, "orig", "")) else RETRIES - 1


def is_passing(error: BaseException | None) -> bool:
    """Whether the same statement may succeed in a moment: busy, deadlock, serialisation failure."""
    origin = getattr(error, "orig", None)
    return getattr(origin, "sqlstate", None) in _TRY_AGAIN or _LOCKED in str(origin)


def _claim(work: Work, stamp: RequestStamp) -> RequestKey | None:
    """Take the key, or give the row of whoever had it before. A rival's insert makes this one wait, then do nothing."""
    row = {"key": stamp.key, "at": work.now, "staff_id": work.actor.staff_id, "digest": stamp.digest, "result": ""}
    taken = _TAKE_KEY.count(work.connection, **row)
    return None if taken else work.session.get_one(RequestKey, stamp.key)


def _first_answer(session: Session, seen: RequestKey, stamp: RequestStamp) -> object:
    if seen.digest != stamp.digest:
        raise Conflict(
            "request.changed",
            "This form was already sent once with other content. Open the page again to see what it did, then start anew.",
        )
    table, _, number = seen.result.partition(":")
    for mapper in Base.registry.mappers:
        if getattr(mapper.class_, "__tablename__", "") == table:
            return session.get(mapper.class_, int(number)) or True
    return True


def tell(pieces: Sequence[Work]) -> None:
    """Say what these pieces of work, all of one transaction, have to say at its end: where each form led, and the audit log."""
    if not pieces:
        return
    connection = pieces[0].connection
    told = [[_entry(piece, item) for item in piece.events] for piece in pieces]
    answers = [piece.answer for piece in pieces]
    if connection.dialect.name == "postgresql":
        both = [answer | told[at].pop(0) for at, answer in enumerate(answers) if answer and told[at]]
        answers = [answer for at, answer in enumerate(answers) if not pieces[at].events]
        _KEEP_AND_TELL.many(connection, both)
    _KEEP.many(connection, [answer for answer in answers if answer])
    _TELL.many(connection, [entry for entries in told for entry in entries])


def _entry(work: Work, item: Mapping[str, Any]) -> dict[str, object]:
    """An event as a row of the audit log."""
    return {
        "at": work.now,
        "actor": work.actor.label,
        "staff_id": work.actor.staff_id,
        "address": work.actor.address,
        "event": item["event"],
        "subject": name_of(item["subject"]),
        "site_id": item["site_id"],
        "facts": item["facts"],
    }


def _guard(error: IntegrityError) -> str | None:
    """What a trigger of the migration «guards» said, if one of them refused."""
    origin = error.orig
    if getattr(origin, "sqlite_errorname", "") == "SQLITE_CONSTRAINT_TRIGGER":
        return str(origin)
    diagnosis = getattr(origin, "diag", None)
    return str(diagnosis.message_primary) if diagnosis and diagnosis.sqlstate == "23001" else None


def _conflict(error: IntegrityError) -> Conflict:
    """What the database would not take, in a sentence that is true of it: no two faults of data are told alike."""
    if words := _guard(error):
        return Conflict("guarded", f"{words[:1].upper()}{words[1:]}. Nothing was saved.")
    kind, column = _kind(error), _column_in(error)
    if kind == "foreign key":
        sentence = "Something refers to this, or what it refers to is gone. Nothing was saved; look at the page again."
        return Conflict("referred_to", sentence)
    if kind == "check":
        sentence = (
            f"These values do not fit one another: the data keeps to «{_words(_rule_in(error))}». Nothing was saved."
        )
        return Conflict("values_unfit", sentence)
    if kind == "not null":
        return Conflict("value_missing", f"The {_words(column)} is missing. Nothing was saved.", column)
    return Conflict("conflict", f"This {_words(column)} is already in use; choose another.", column)


_KINDS = {
    "SQLITE_CONSTRAINT_FOREIGNKEY": "foreign key",
    "SQLITE_CONSTRAINT_CHECK": "check",
    "SQLITE_CONSTRAINT_NOTNULL": "not null",
    "23503": "foreign key",
    "23514": "check",
    "23502": "not null",
}


def _kind(error: IntegrityError) -> str:
    """What kind of promise of the tables was broken; a value that is taken when it is none of the others."""
    origin = error.orig
    told = getattr(origin, "sqlite_errorname", None) or getattr(origin, "sqlstate", None)
    return _KINDS.get(str(told), "unique")


def _rule_in(error: IntegrityError) -> str:
    """``expires_after_issue`` from «ck_benefits_expires_after_issue»."""
    diagnosis = getattr(error.orig, "diag", None)
    name = str(getattr(diagnosis, "constraint_name", None) or str(error.orig).rsplit(" ", 1)[-1])
    known = (name.removeprefix(f"ck_{table}_") for table in Base.metadata.tables)
    return min(known, key=len)


def _column_in(error: IntegrityError) -> str | None:
    """``name`` from SQLite's «table.name» or PostgreSQL's «uq_table_name»."""
    diagnosis = getattr(error.orig, "diag", None)
    if column := getattr(diagnosis, "column_name", None):
        return str(column)
    constraint = getattr(diagnosis, "constraint_name", None)
    if constraint:
        table = getattr(diagnosis, "table_name", "") or ""
        return str(constraint).split(f"{table}_", 1)[-1]
    return str(error.orig).rsplit(".", 1)[-1] or None


def _words(column: str | None) -> str:
    return (column or "value").replace("_", " ")
