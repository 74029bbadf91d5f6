"""Databases to migrate: an empty one for each test, and a full one that every test leaves as it found it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine

from tests.migrations.full import fill, open_engine
from webapp.adapters import schema

FRAME = "0001_frame"


@pytest.fixture
def empty(fresh_database: str) -> Iterator[Engine]:
    """An engine on an empty database."""
    engine = open_engine(fresh_database)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def filled(new_database: Callable[..., str]) -> Iterator[Engine]:
    """An engine on a database with rows in every table."""
    engine = open_engine(new_database())
    fill(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def framed(new_database: Callable[..., str]) -> Iterator[Engine]:
    """An engine on a full database as the first release left it; what later releases added is not in it."""
    engine = open_engine(new_database())
    fill(engine)
    schema.downgrade(engine, FRAME)
    yield engine
    engine.dispose()
