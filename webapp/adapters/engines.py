"""How each database is opened: its pool, and on SQLite its pragmas and the kind of BEGIN."""

from __future__ import annotations

import select
import sqlite3
from contextlib import suppress
from time import monotonic
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.pool import ConnectionPoolEntry

# reliability.md section 5. WAL survives a kill, FULL survives a power cut, 64 MiB of cache keeps bulk inserts flat.
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "busy_timeout = 5000",
    "recursive_triggers = ON",  # REPLACE takes no row away behind the guards
    "trusted_schema = OFF",
    "secure_delete = ON",
    "cache_size = -65536",
)

_TRUSTED = 30.0  # seconds for which a connection that rests is believed to stand
_ONLY_WHEN_TOLD = 1_000_000_000  # runs after which PostgreSQL keeps the plan of a statement nobody asked it for


def engine_options(url: str, threads: int) -> dict[str, object]:
    """Pool for ``threads`` request threads; a spare pair for the scheduler and the readiness probe."""
    if ":memory:" in url or url == "sqlite://":
        return {"hide_parameters": True}
    return {
        "hide_parameters": True,  # an error in the log must not tell codes or people
        "pool_size": threads + 2,
        "max_overflow": 2,
    }


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: object, _entry: ConnectionPoolEntry) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "connect")
def _prepare_postgresql(connection: Any, _entry: ConnectionPoolEntry) -> None:
    """A plan for any value is a bad one for a list with filters: only ``queries.prepared`` asks for plans to be kept."""
    if hasattr(connection, "prepare_threshold"):
        connection.prepare_threshold = _ONLY_WHEN_TOLD


@event.listens_for(Engine, "checkin")
def _rests(connection: Any, entry: ConnectionPoolEntry) -> None:
    entry.info["rests_since"] = monotonic()
    if getattr(connection, "read_only", None) and not connection.closed:
        connection.read_only = None


@event.listens_for(Engine, "checkout")
def _still_stands(connection: Any, entry: ConnectionPoolEntry, _proxy: object) -> None:
    """Ask a PostgreSQL connection out of the pool whether its server is still there, and have another one if not.

    Only where there is doubt, or each page would wait for the answer twice: it rested long, or there is something to
    read, which nobody asked for. That is how a server says that it goes away.
    """
    if isinstance(connection, sqlite3.Connection):
        return
    rested = monotonic() - entry.info.get("rests_since", monotonic())
    if rested < _TRUSTED and not connection.closed and not _has_word(connection.fileno()):
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except connection.Error as error:
        raise DisconnectionError("The database server ended this connection.") from error


def _has_word(line: int) -> bool:
    waiting = select.poll()
    waiting.register(line, select.POLLIN)
    return bool(waiting.poll(0))


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    """A writer takes its lock at once: a read that turns into a write could never get one (reliability.md 2.1)."""
    if connection.dialect.name == "sqlite":
        writes = connection.get_execution_options().get("largesse_write")
        driver: Any = connection.connection.driver_connection
        driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")


def only_reads(_session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    """For «after_begin» of sessions that write in pieces of work alone: PostgreSQL refuses every other write."""
    driver: Any = connection.connection.driver_connection
    writes = connection.get_execution_options().get("largesse_write")
    if not writes and hasattr(driver, "read_only") and driver.info.transaction_status.name == "IDLE":
        driver.read_only = True


@event.listens_for(Engine, "rollback")
def _keep_plans(connection: Connection) -> None:
    """With ROLLBACK the driver forgets every plan that was kept. COMMIT ends what only read just as well."""
    driver: Any = None if connection.invalidated else connection.connection.driver_connection
    if getattr(driver, "read_only", None) and driver.info.transaction_status.name == "INTRANS":
        with suppress(driver.Error):  # what is lost is found out by the ROLLBACK that follows
            driver.commit()
