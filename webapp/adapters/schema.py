"""Moves a database to the schema of this program, forwards or back, whole or not at all."""

from __future__ import annotations

import sqlite3
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Connection, Engine, MetaData, column, inspect, select, table

if TYPE_CHECKING:
    from alembic.config import Config

_FOLDER = Path(__file__).resolve().parent.parent / "migrations"
_VERSION = table("alembic_version", column("version_num"))  # where Alembic keeps the revision


def _config(connection: Connection | None = None) -> Config:
    from alembic.config import Config  # only a migration needs Alembic, and every command would wait for it

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@cache
def _known() -> list[str]:
    """Every revision of this program, the newest last: each migration is in the file of its name."""
    return sorted(path.stem for path in (_FOLDER / "versions").glob("[0-9]*_*.py"))


def head() -> str:
    """The newest revision this program knows."""
    return _known()[-1]


def revision(engine: Engine) -> str | None:
    """The revision the database is at; None for an empty one."""
    with engine.connect() as connection:
        if not inspect(connection).has_table(_VERSION.name):
            return None
        found = connection.execute(select(_VERSION.c.version_num)).scalar_one_or_none()
    return None if found is None else str(found)


def is_known(name: str | None) -> bool:
    """Whether this program has the revision; a database newer than the program is left alone."""
    return name is None or name in _known()


def upgrade(engine: Engine, to: str = "head") -> None:
    """Run every migration up to ``to`` in one transaction."""
    from alembic import command

    _move(engine, command.upgrade, to)


def downgrade(engine: Engine, to: str = "base") -> None:
    """Run migrations back to ``to`` in one transaction."""
    from alembic import command

    _move(engine, command.downgrade, to)


def _move(engine: Engine, act: Any, to: str) -> None:
    with engine.connect() as opened:
        connection = opened.execution_options(largesse_write=True)
        if engine.dialect.name != "sqlite":
            with connection.begin():
                act(_config(connection), to)
            return
        # A table rebuilt with foreign keys on would take its children with it, and the pragma does nothing inside a
        # transaction (reliability.md 2.2).
        _pragma(connection, "foreign_keys = OFF")
        try:
            with connection.begin():
                act(_config(connection), to)
                if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    raise RuntimeError("The migration would leave rows that point at nothing; it was taken back.")
        finally:
            _pragma(connection, "foreign_keys = ON")


def _pragma(connection: Connection, text: str) -> None:
    cast(sqlite3.Connection, connection.connection.driver_connection).execute(f"PRAGMA {text}")


def drift(engine: Engine, metadata: MetaData) -> list[Any]:
    """What differs between the database and the tables of the program; empty when nothing does."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))
