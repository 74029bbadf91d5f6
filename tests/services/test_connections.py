"""Connections of a pool: one whose server has ended it is replaced before anybody notices, and none is asked in vain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import bindparam, create_engine, event, select, text
from sqlalchemy.exc import DBAPIError, InternalError
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import NOW, Factories
from webapp.adapters import engines
from webapp.adapters.engines import engine_options
from webapp.domain.identity import SYSTEM
from webapp.models import Site
from webapp.queries.prepared import Prepared
from webapp.services import leases
from webapp.services.work import perform


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


@pytest.fixture
def console(pool) -> Callable[[], Session]:
    """Sessions as the console has them."""
    make = sessionmaker(pool, expire_on_commit=False)
    event.listen(make, "after_begin", engines.only_reads)
    return make


LOOK = Prepared(select(Site.id).where(Site.id == bindparam("of")))


def kept(pool) -> int:
    """How many plans the server keeps for the one connection that is in use."""
    with pool.connect() as connection:
        return connection.scalar(text("select count(*) from pg_prepared_statements"))


def test_plans_survive_pages_and_pieces_of_work(pool, console, database):
    if database == "sqlite":
        return
    with console() as session:
        for _ in range(3):
            assert LOOK.one(session.connection(), of=0) is None
            session.rollback()
            perform(session, SYSTEM, NOW, lambda unit: leases.take(unit, "a lease", "Ann", timedelta(1)))
    before = kept(pool)
    assert before >= 1
    with console() as session:
        LOOK.one(session.connection(), of=0)
    assert kept(pool) == before


def test_a_plan_is_kept_only_where_it_was_asked_for(pool, console, database):
    if database == "sqlite":
        return
    with console() as session:
        for _ in range(20):
            session.scalar(select(Site.id).where(Site.id == 0))
            session.rollback()
    assert kept(pool) == 0


def test_the_console_writes_in_pieces_of_work_alone(pool, console, database):
    if database == "sqlite":
        return
    with console() as session:
        session.scalar(select(Site.id).limit(1))
        with pytest.raises(InternalError, match="read-only transaction"):
            Factories(session).site()
        session.rollback()
        perform(session, SYSTEM, NOW, lambda unit: Factories(unit.session).site())
        with pytest.raises(InternalError, match="read-only transaction"):
            Factories(session).site()
    with Session(pool) as other:  # the same connection, in other hands
        Factories(other).site(name="elsewhere")
        assert len(other.scalars(select(Site.id)).all()) == 2


def test_what_failed_while_reading_leaves_a_connection_that_works(pool, console):
    with console() as session:
        with pytest.raises(DBAPIError):
            session.execute(text("select nothing from nowhere"))
        session.rollback()
        assert LOOK.one(session.connection(), of=0) is None


def test_a_statement_that_was_prepared_notices_that_its_connection_is_gone(pool, console, database):
    if database == "sqlite":
        return
    with console() as session, pool.connect() as other:
        LOOK.one(session.connection(), of=0)
        victim = session.scalar(text("select pg_backend_pid()"))
        other.execute(text("select pg_terminate_backend(:pid, 5000)"), {"pid": victim})
        with pytest.raises(DBAPIError) as told:
            LOOK.one(session.connection(), of=0)
        assert told.value.connection_invalidated
        session.rollback()
        assert LOOK.one(session.connection(), of=0) is None


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
