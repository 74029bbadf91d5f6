"""A prepared statement answers and writes as SQLAlchemy's own way does, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, column, create_engine, func, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.factories import NOW
from webapp.adapters.engines import engine_options
from webapp.domain.redemptions import BenefitSource
from webapp.models import AuditEntry, Benefit, Profile, RequestKey
from webapp.queries.prepared import Prepared

KEYS = RequestKey.__table__
COLUMNS = ("key", "at", "staff_id", "digest", "result")


def key(name, **changes):
    return {"key": name, "at": NOW, "staff_id": None, "digest": "d", "result": ""} | changes


def test_values_come_back_as_their_columns_say(session, make):
    person = make.profile(tags=["a", "b"], attributes={"n": 1})
    benefit = make.benefit(profile_id=person.id, source=BenefitSource.CLAIM)
    statement = select(
        Benefit.source,
        Benefit.issued_at,
        Benefit.expires_at.label("ends"),
        Profile.tags,
        Profile.attributes,
        Profile.id,
    )
    statement = statement.join(Profile, Profile.id == Benefit.profile_id).where(
        Benefit.id == bindparam("of"), Benefit.issued_at <= bindparam("now"), Profile.first_name != "none%s?"
    )
    row = Prepared(statement).one(session.connection(), of=benefit.id, now=NOW)
    assert tuple(row) == tuple(session.execute(statement, {"of": benefit.id, "now": NOW}).one())
    assert row.source is BenefitSource.CLAIM
    assert (row.issued_at, row.ends, row.tags) == (benefit.issued_at, benefit.expires_at, ["a", "b"])
    assert Prepared(statement).one(session.connection(), of=benefit.id + 1, now=NOW) is None


def test_rows_are_written_one_or_many_and_counted(session):
    connection, write = session.connection(), Prepared(insert(KEYS), COLUMNS)
    assert write.count(connection, **key("a")) == 1
    write.many(connection, [key("b"), key("c", result="x:1")])
    write.many(connection, [])
    change = Prepared(update(KEYS).where(KEYS.c.result == bindparam("was")).values(result=bindparam("new")))
    assert change.count(connection, was="", new="y:2") == 2
    assert change.count(connection, was="", new="y:2") == 0
    found = session.execute(select(RequestKey.key, RequestKey.at, RequestKey.result).order_by(RequestKey.key)).all()
    assert [tuple(row) for row in found] == [("a", NOW, "y:2"), ("b", NOW, "y:2"), ("c", NOW, "x:1")]


def test_a_broken_rule_of_the_database_is_the_error_everybody_knows(session):
    connection, write = session.connection(), Prepared(insert(KEYS), COLUMNS)
    write.count(connection, **key("a"))
    with pytest.raises(IntegrityError), session.begin_nested():
        write.count(session.connection(), **key("a"))


def test_what_is_given_to_it_is_checked_as_ever(session):
    look = Prepared(select(AuditEntry.id).where(AuditEntry.at < bindparam("now")))
    with pytest.raises(ValueError, match="naive"):
        look.rows(session.connection(), now=NOW.replace(tzinfo=None))


def test_what_is_asked_alone_begins_nothing_on_postgresql_and_sees_what_has_begun(own_database, database):
    engine = create_engine(own_database, **engine_options(own_database, threads=1))
    count, write = Prepared(select(func.count().label("n")).select_from(KEYS)), Prepared(insert(KEYS), COLUMNS)
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert count.alone(connection)[0].n == 0
        if database == "postgresql":
            assert (driver.info.transaction_status.name, driver.autocommit) == ("IDLE", False)
        write.count(connection, **key("a"))
        assert count.alone(connection)[0].n == 1
        connection.rollback()
        assert count.alone(connection)[0].n == 0
    engine.dispose()


def test_a_mistake_in_what_is_asked_alone_leaves_the_connection_as_it_was(own_database, database):
    engine = create_engine(own_database, **engine_options(own_database, threads=1))
    with engine.connect() as connection:
        with pytest.raises(DBAPIError):
            Prepared(select(column("nothing")).select_from(KEYS)).alone(connection)
        connection.rollback()
        assert database == "sqlite" or not connection.connection.driver_connection.autocommit
        write = Prepared(insert(KEYS), COLUMNS)
        write.count(connection, **key("a"))
        connection.rollback()
        assert Prepared(select(KEYS.c.key)).rows(connection) == []
    engine.dispose()
