"""Connections of a pool: one whose server has ended it is replaced before anybody notices, and none is asked in vain."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, event, text

from webapp.adapters import engines
from webapp.adapters.engines import engine_options


@pytest.fixture
def pool(own_database):
    engine = create_engine(own_database, **engine_options(own_database, threads=1))
    yield engine
    engine.dispose()


def lent(pool) -> object:
    """The driver's connection that is next."""
    with pool.connect() as connection:
        return connection.connection.driver_connection


def test_a_connection_the_server_ended_is_replaced(pool, database):
    first = lent(pool)
    assert lent(pool) is first
    if database == "sqlite":  # nobody but us ends a connection to a file
        return
    with pool.connect() as own, pool.connect() as other:
        victim = own.scalar(text("select pg_backend_pid()"))
        own.rollback()
        own.close()
        other.execute(text("select pg_terminate_backend(:pid, 5000)"), {"pid": victim})
    with pool.connect() as one, pool.connect() as two:
        assert victim not in {each.scalar(text("select pg_backend_pid()")) for each in (one, two)}


@pytest.mark.parametrize(("trusted", "asked"), [(30.0, 0), (-1.0, 3)])
def test_only_one_that_rested_long_is_asked(pool, monkeypatch, database, trusted, asked):
    driver, seen = type(lent(pool)), []
    if database == "sqlite":
        assert event.contains(type(pool), "checkout", engines._still_stands)
        return
    execute = driver.execute
    monkeypatch.setattr(engines, "_TRUSTED", trusted)
    monkeypatch.setattr(driver, "execute", lambda own, *told: (seen.append(told[0]), execute(own, *told))[1])
    for _ in range(3):
        lent(pool)
    assert seen == ["SELECT 1"] * asked
