"""Statements put together once: what each redemption, or each page, says to the database and should not pay for twice.

SQLAlchemy looks a statement up in its cache, binds, and dresses the answer each time, which costs five times what
SQLite needs to answer. Here its text, and what converts values on their way in and out, are kept for each kind of
database, and PostgreSQL keeps its plan; errors, events and transactions are SQLAlchemy's as ever.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Executable
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

Convert = Callable[[Any], Any]


class Prepared:
    """A statement that is run with the values of its ``bindparam``s; objects of a session are neither written nor read.

    Either the statement itself, or by name of the database; of an INSERT ``columns`` are those it fills, every one of
    them given with each run. A list as one value (``in_``) cannot be prepared.
    """

    def __init__(self, statement: Executable | Mapping[str, Executable], columns: Sequence[str] | None = None) -> None:
        self._statement, self._columns = statement, columns
        self._ready: dict[str, _Ready] = {}

    def rows(self, connection: Connection, **values: Any) -> list[Any]:
        """What it answers, as named tuples."""
        ready = self._for(connection.dialect)
        cursor = ready.run(connection, ready.bind(values))
        try:
            return ready.read(cursor.fetchall())
        finally:
            cursor.close()

    def one(self, connection: Connection, **values: Any) -> Any:
        """The one row of its answer, or None."""
        rows = self.rows(connection, **values)
        return rows[0] if rows else None

    def alone(self, connection: Connection, **values: Any) -> list[Any]:
        """``rows`` of a statement that needs no other beside it.

        Where no transaction has begun, PostgreSQL begins none for it, and two of three ways there are spared.
        """
        driver: Any = connection.connection.driver_connection
        if connection.dialect.driver != "psycopg" or driver.info.transaction_status.name != "IDLE":
            return self.rows(connection, **values)
        driver.autocommit = True
        try:
            return self.rows(connection, **values)
        finally:
            if not driver.closed:
                driver.autocommit = False

    def count(self, connection: Connection, **values: Any) -> int:
        """How many rows it changed."""
        ready = self._for(connection.dialect)
        cursor = ready.run(connection, ready.bind(values))
        try:
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def many(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run it once for each of ``rows``; none is no error."""
        ready = self._for(connection.dialect)
        if bound := [ready.bind(row) for row in rows]:
            ready.run(connection, bound if len(bound) > 1 else bound[0]).close()

    def _for(self, dialect: Dialect) -> _Ready:
        if dialect.name not in self._ready:
            given = self._statement
            statement = given[dialect.name] if isinstance(given, Mapping) else given
            self._ready[dialect.name] = _Ready(statement, self._columns, dialect)
        return self._ready[dialect.name]


class _Ready:
    """The text of a statement for one kind of database, and the way of its values."""

    def __init__(self, statement: Any, columns: Sequence[str] | None, dialect: Dialect) -> None:
        compiled: SQLCompiler = statement.compile(dialect=dialect, column_keys=columns)
        self.sql = str(compiled)
        # A plan that is kept is one for any value: right for rows that are found by their keys.
        self._kept = {"prepare": True} if dialect.driver == "psycopg" else {}
        self._fixed = {name: value for name, value in compiled.params.items() if not compiled.binds[name].required}
        places = list(compiled.positiontup or []) if compiled.positional else None
        self._in_order = _picker(places) if places is not None else None
        self._convert = {
            name: convert
            for name, bound in compiled.binds.items()
            if (convert := bound.type.dialect_impl(dialect).bind_processor(dialect))
        }
        answer = list(getattr(statement, "exported_columns", ()))
        self._row: Any = namedtuple("Row", [column.key for column in answer], rename=True)  # type: ignore[misc]
        self._read: list[tuple[int, Convert]] = [
            (place, convert)
            for place, column in enumerate(answer)
            if (convert := column.type.dialect_impl(dialect).result_processor(dialect, None))
        ]

    def bind(self, values: Mapping[str, Any]) -> Any:
        told = {**self._fixed, **values}
        for name, convert in self._convert.items():
            told[name] = convert(told[name])
        return told if self._in_order is None else self._in_order(told)

    def run(self, connection: Connection, bound: Any) -> Any:
        """The driver's cursor after it ran this, once for each of a list; who listens to the connection hears of it.

        Whoever asks closes it.
        """
        is_many = isinstance(bound, list)
        if not connection.in_transaction():
            connection.begin()
        cursor = connection.connection.cursor()
        try:
            for hear in connection.dispatch.before_cursor_execute:
                hear(connection, cursor, self.sql, bound, None, is_many)
            if is_many:
                cursor.executemany(self.sql, bound)
            else:
                cursor.execute(self.sql, bound, **self._kept)
        except connection.dialect.loaded_dbapi.Error as error:
            cursor.close()
            raise _told(connection, self.sql, error) from error
        return cursor

    def read(self, rows: Any) -> list[Any]:
        found = []
        for row in rows:
            cells = list(row)
            for place, convert in self._read:
                cells[place] = convert(cells[place])
            found.append(self._row._make(cells))
        return found


def _picker(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """What gives the values of these names in order."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple(values[name] for name in names)


def _told(connection: Connection, sql: str, error: Exception) -> BaseException:
    """SQLAlchemy's own error for one of the driver's; a connection that was lost is not lent again."""
    dialect = connection.dialect
    is_lost = dialect.is_disconnect(error, connection.connection, None)  # type: ignore[arg-type]
    if is_lost:
        connection.invalidate(error)
    base = dialect.loaded_dbapi.Error
    return DBAPIError.instance(
        sql, None, error, base, hide_parameters=True, connection_invalidated=is_lost, dialect=dialect
    )
