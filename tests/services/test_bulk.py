"""Rows inserted in bulk are the rows given, under ids that nobody else gets."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, delete, select
from sqlalchemy.orm import Session

from tests.factories import NOW
from webapp.adapters.engines import engine_options
from webapp.models import Profile
from webapp.services import bulk

NAMES = ("id", "external_id", "attributes", "tags", "created_at", "updated_at")
SAME = dict.fromkeys(("first_name", "last_name", "email", "phone", "zone", "search_text", "name_key", "phone_key"), "")


def insert(session, ids, facts=None):
    rows = [(number, f"B{number}", facts or {"n": number}, ["a"], NOW, NOW) for number in ids]
    bulk.insert_rows(session, Profile.__table__, NAMES, rows, SAME)


@pytest.mark.parametrize("count", [1, 99, 100, 101, 250])
def test_every_row_is_there_with_its_values(session, make, count):
    shared = {"postcode": "2000"}
    ids = bulk.reserve_ids(session, Profile.__table__, count)
    insert(session, ids)
    more = bulk.reserve_ids(session, Profile.__table__, count)
    insert(session, more, shared)
    found = {row.id: row for row in session.scalars(select(Profile).where(Profile.external_id.startswith("B")))}
    assert sorted(found) == sorted([*ids, *more])
    assert all(
        found[number].attributes == {"n": number} and found[number].external_id == f"B{number}" for number in ids
    )
    assert all(found[number].attributes == shared and found[number].tags == ["a"] for number in more)
    assert {row.created_at for row in found.values()} == {NOW}


def test_ids_go_on_behind_every_row_there_ever_was(session, make):
    ids = bulk.reserve_ids(session, Profile.__table__, 3)
    insert(session, ids)
    session.execute(delete(Profile).where(Profile.id == ids[-1]))
    session.commit()
    assert make.profile().id > ids[-1]
    assert min(bulk.reserve_ids(session, Profile.__table__, 2)) > ids[-1]


def test_two_at_once_get_different_ids(own_database):
    engine = create_engine(own_database, **engine_options(own_database, threads=2))
    seen = []
    with Session(engine) as one, Session(engine) as other:
        writes = {"largesse_write": True}
        for session in (one, other):
            session.connection(execution_options=writes)
            ids = bulk.reserve_ids(session, Profile.__table__, 5)
            insert(session, ids)
            seen += ids
            if engine.dialect.name == "sqlite":
                session.commit()  # the second could not even begin before
        one.commit()
        other.commit()
    engine.dispose()
    assert len(set(seen)) == 10
