"""Rewrites a SQLite file, so that what was erased is gone from its unused corners too."""

from __future__ import annotations

from sqlalchemy import Engine


def rewrite(engine: Engine) -> bool:
    """Write the file anew and fold its log in; gives whether there was a file to rewrite.

    With ``secure_delete`` SQLite zeroes what it deletes, but a page it once split or merged may keep a copy of rows
    that moved away in the space between its parts. PostgreSQL reuses such space by itself after its own vacuum.
    """
    if engine.dialect.name != "sqlite":
        return False
    connection = engine.raw_connection()  # outside any transaction, or neither is possible
    try:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.fetchall()
    finally:
        connection.close()
    return True
