"""Inserts many rows at the driver's speed, with values converted as the tables declare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, islice, repeat
from typing import Any

from sqlalchemy import JSON, Connection, LargeBinary, Table
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from webapp.models.base import Utc

Convert = Callable[[Any], Any]
_TOGETHER = 100  # rows in one statement: past that nothing is gained


def insert_rows(
    session: Session,
    table: Table,
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    same: Mapping[str, Any] | None = None,
    *,
    pass_over_known: bool = False,
) -> None:
    """``insert_columns`` of ``rows``, whose values are those of the columns ``names``."""
    columns = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {}
    insert_columns(session, table, columns, same, pass_over_known=pass_over_known)


def insert_columns(
    session: Session,
    table: Table,
    columns: Mapping[str, Sequence[Any]],
    same: Mapping[str, Any] | None = None,
    *,
    pass_over_known: bool = False,
) -> None:
    """Insert rows whose values are given column by column; ``same`` holds what every row has alike.

    With ``pass_over_known`` a row that is there already is left as it is; sort them, so that rivals do not cross.

    SQLAlchemy's own way spends four times as long on a row of ours as the database does; here each column's
    conversion is looked up once. Columns left out must be nullable: defaults of the models are not applied.
    """
    if not columns:
        return
    connection = session.connection()
    constants = _constants(connection.dialect, table, same or {})
    converted: list[Iterable[Any]] = []
    for name, values in columns.items():
        convert = _convert(connection.dialect, table, name)
        if convert is not None and isinstance(table.c[name].type, JSON | Utc):
            converted.append(_once(convert, values))
        else:
            converted.append(map(convert, values) if convert else values)
    tail = " ON CONFLICT DO NOTHING" if pass_over_known else ""
    head, marks = _sql(connection, table, (*columns, *constants))
    count = len(next(iter(columns.values())))
    rows = zip(*converted, *(repeat(value, count) for value in constants.values()), strict=True)
    if connection.dialect.name != "sqlite" and not pass_over_known:  # COPY knows no ON CONFLICT
        _copy(connection, table, (*columns, *constants), rows)
        return
    # Each statement costs the drivers as much as a row does, so one statement carries many.
    while some := tuple(chain.from_iterable(islice(rows, _TOGETHER))):
        places = [marks] * (len(some) // (len(converted) + len(constants)))
        connection.exec_driver_sql(f"{head} {', '.join(places)}{tail}", some)


def _copy(connection: Connection, table: Table, names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """PostgreSQL's own way to take rows in; its errors come as SQLAlchemy's, which callers know."""
    sql = f"COPY {_target(connection, table, names)} FROM STDIN"
    driver = connection.dialect.loaded_dbapi
    cursor: Any = connection.connection.cursor()  # psycopg's own, which has more than the standard asks for
    try:
        with cursor, cursor.copy(sql) as copy:
            write = copy.write_row
            for row in rows:
                write(row)
    except driver.Error as error:
        raise DBAPIError.instance(sql, None, error, driver.Error, hide_parameters=True) from error


def reserve_ids(session: Session, table: Table, count: int) -> list[int]:
    """``count`` ids that nobody else gets, for rows this transaction inserts; ids are never used twice.

    On SQLite call it in a transaction that writes: its lock keeps rivals away until the rows are there.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        last = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,)).scalar()
        return list(range((last or 0) + 1, (last or 0) + count + 1))
    sql = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
    return sorted(connection.exec_driver_sql(sql, (table.name, count)).scalars())


def _convert(dialect: Dialect, table: Table, name: str) -> Convert | None:
    kind = table.c[name].type
    if isinstance(kind, LargeBinary):  # both drivers take bytes as they are
        return None
    found: Convert | None = kind.dialect_impl(dialect).bind_processor(dialect)
    return found


def _once(convert: Convert, values: Sequence[Any]) -> list[Any]:
    """Converts each different object once: of many rows of a file most hold the very same list or moment."""
    ids = list(map(id, values))
    converted = {number: convert(value) for number, value in dict(zip(ids, values, strict=True)).items()}
    return list(map(converted.__getitem__, ids))


def _constants(dialect: Dialect, table: Table, same: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, value in same.items():
        convert = _convert(dialect, table, name)
        found[name] = convert(value) if convert else value
    return found


def _sql(connection: Connection, table: Table, names: Sequence[str]) -> tuple[str, str]:
    """The beginning of the statement, and one row of marks in the order of ``names``."""
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    return f"INSERT INTO {_target(connection, table, names)} VALUES", f"({', '.join([mark] * len(names))})"


def _target(connection: Connection, table: Table, names: Sequence[str]) -> str:
    quote = connection.dialect.identifier_preparer.quote
    return f"{quote(table.name)} ({', '.join(map(quote, names))})"
