"""Databases for tests: migrated once a run, then copied."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine

from tests.support import postgres
from webapp.adapters import schema
from webapp.adapters.engines import engine_options
from webapp.config import Settings

TEMPLATE = "largesse_template"
_number = count(1)


@pytest.fixture(scope="session")
def database(request: pytest.FixtureRequest) -> str:
    """The database under test: sqlite or postgresql. Skips, with the reason, where it cannot be had."""
    name = str(request.config.option.database)
    if name == "postgresql":
        postgres.server_url()
    return name


@pytest.fixture(scope="session")
def new_database(database: str, run_folder: Path) -> Iterator[Callable[..., str]]:
    """`new_database()` gives the address of a migrated database of one's own; `migrated=False` an empty one."""
    made: list[str] = []

    def make(*, migrated: bool = True) -> str:
        name = f"test_{os.getpid()}_{next(_number)}"
        template = _template(database, run_folder) if migrated else ""
        if database == "sqlite":
            path = run_folder / f"{name}.db"
            if template:
                shutil.copy(template, path)
            return f"sqlite:///{path}"
        made.append(name)
        return postgres.create_database(name, template or "template1")

    yield make
    for name in made:
        postgres.drop_database(name)


@pytest.fixture
def own_database(new_database: Callable[..., str]) -> str:
    """A migrated database that nothing else uses: for threads, processes and real commits."""
    return new_database()


@pytest.fixture
def fresh_database(new_database: Callable[..., str]) -> str:
    """An empty database that nothing else uses: for migrations, restoring and moving."""
    return new_database(migrated=False)


def settings_for(url: str, instance: Path, **changes: object) -> Settings:
    """Settings that let a program serve one database from one folder."""
    instance.mkdir(parents=True, exist_ok=True)
    values: dict[str, object] = {
        "secret_key": uuid4().hex,
        "database_url": url,
        "instance": instance,
        "scheduler": False,
        "insecure_local": True,
    }
    return Settings(**values | changes)  # type: ignore[arg-type]


def environment_for(settings: Settings) -> dict[str, str]:
    """The environment in which a program reads exactly these settings."""
    values = {name: value for name, value in os.environ.items() if not name.startswith("LARGESSE_")}
    given = {
        "NO_BOOTSTRAP": "1",
        "SECRET_KEY": settings.secret_key,
        "DATABASE_URL": settings.database_url,
        "INSTANCE": str(settings.instance),
        "PUBLIC_URL": settings.public_url,
        "SMTP_URL": settings.smtp_url,
        "SCHEDULER": "on" if settings.scheduler else "off",
        "INSECURE_LOCAL": "on" if settings.insecure_local else "off",
    }
    return {**values, **{f"LARGESSE_{name}": value for name, value in given.items()}}


def migrate(url: str) -> None:
    engine = create_engine(url, **engine_options(url, threads=1))
    try:
        schema.upgrade(engine)
    finally:
        engine.dispose()


def _template(database: str, run_folder: Path) -> str:
    """The migrated database the others are copied from; whichever process needs it first makes it."""
    done = run_folder / f"{database}.template"
    with (run_folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            if database == "sqlite":
                migrate(f"sqlite:///{run_folder / 'template.db'}")
            else:
                migrate(postgres.create_database(TEMPLATE))
            done.touch()
    return str(run_folder / "template.db") if database == "sqlite" else TEMPLATE
