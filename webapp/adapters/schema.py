"""Moves a database to the schema of this program, forwards or back, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData

_FOLDER = Path(__file__).resolve().parent.parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """The newest revision this program knows."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def revision(engine: Engine) -> str | None:
    """The revision the database is at; None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def is_known(name: str | None) -> bool:
    """Whether this program has the revision; a database newer than the program is left alone."""
    return name is None or any(
        script.revision == name for script in ScriptDirectory.from_config(_config()).walk_revisions()
    )


def upgrade(engine: Engine, to: str = "head") -> None:
    """Run every migration up to ``to`` in one transaction."""
    _move(engine, command.upgrade, to)


def downgrade(engine: Engine, to: str = "base") -> None:
    """Run migrations back to ``to`` in one transaction."""
    _move(engine, command.downgrade, to)


def _move(engine: Engine, act: Any, to: str) -> None:
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # A table rebuilt with foreign keys on would take its children with it (reliability.md 2.2).
            connection.connection.driver_connection.execute("PRAGMA foreign_keys = OFF")  # type: ignore[union-attr]
        try:
            connection = connection.execution_options(largesse_write=True)
            with connection.begin():
                act(_config(connection), to)
                if engine.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    raise RuntimeError("The migration would leave rows that point at nothing; it was taken back.")
        finally:
            if engine.dialect.name == "sqlite":
                connection.connection.driver_connection.execute("PRAGMA foreign_keys = ON")  # type: ignore[union-attr]


def drift(engine: Engine, metadata: MetaData) -> list[Any]:
    """What differs between the database and the tables of the program; empty when nothing does."""
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))
