"""The triggers of 0002_guards and 0005_benefits: what was sealed, drawn or told cannot be rewritten, whatever program asks."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, String, Table, delete, insert, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.types import JSON, Boolean, Integer, LargeBinary

from tests.support.clock import NOW
from webapp.domain.draws import DrawState
from webapp.domain.errors import Conflict
from webapp.domain.identity import SYSTEM
from webapp.models import Base
from webapp.models.base import Utc
from webapp.services.work import transaction

SEALED = "reward_id in (select reward_id from draws where state = 'sealed')"
DRAWN = "reward_id in (select reward_id from draws where state = 'drawn')"
OF_SEALED_FILE = "file_id in (select entries_file_id from draws where state = 'drawn')"
# table, which rows, the columns that may go on changing
FROZEN = (
    ("entries", SEALED, ()),
    ("entries", DRAWN, ()),
    ("prizes", SEALED, ()),
    ("stored_chunks", OF_SEALED_FILE, ()),
    ("draws", "state = 'sealed'", ("state", "drawn_at", "drawn_by_id", "log_count", "log_head")),
    ("draws", "state = 'drawn'", ("log_count", "log_head")),
    ("draw_log_lines", "number = 1", ()),
    ("draw_rounds", "round = 1", ("attempts",)),
    ("winners", "slot is not null", ("stage", "stage_at", "reason", "claim_until", "voucher_count")),
    ("winner_events", "id > 0", ()),
    ("voucher_changes", "id > 0", ()),
    ("benefit_changes", "id > 0", ()),
    ("redemptions", "id > 0", ()),
    ("redemption_attempts", "id > 0", ()),
    ("audit_entries", "position is not null", ()),
)
NEVER_GO = (
    ("entries", SEALED),
    ("prizes", SEALED),
    ("stored_chunks", OF_SEALED_FILE),
    ("draws", "sealed_at is not null"),
    ("draw_log_lines", "1 = 1"),
    ("draw_rounds", "1 = 1"),
    ("winners", "1 = 1"),
    ("winner_events", "1 = 1"),
    ("voucher_changes", "1 = 1"),
    ("benefit_changes", "1 = 1"),
    ("redemptions", "1 = 1"),
    ("redemption_attempts", "1 = 1"),
    ("audit_entries", "1 = 1"),
)


@pytest.fixture
def connection(filled):
    """Whatever a test does is taken back."""
    with filled.connect().execution_options(largesse_write=True) as connection:
        yield connection
        connection.rollback()


def refused(connection, statement, *rows):
    with pytest.raises(IntegrityError, match="never"), connection.begin_nested():
        connection.execute(statement, *rows)


def another(column: Column, *, gone: bool = False):
    """A value that the column does not hold, of its type; nothing at all with ``gone``."""
    ways = (
        (Utc, lambda: NOW.replace(year=2001)),
        (LargeBinary, lambda: b"another"),
        (Boolean, lambda: ~column),
        (Integer, lambda: column + 1000),
        (JSON, lambda: {"another": 1}),
    )
    found = (way() for kind, way in ways if isinstance(column.type, kind))
    return None if gone else next(found, literal("another"[: getattr(column.type, "length", None)], String))


def frozen_columns():
    for name, rows, free in FROZEN:
        for column in Base.metadata.tables[name].columns:
            if column.name not in free:
                yield pytest.param(column, rows, False, id=f"{name}.{column.name} where {rows}")
                if column.nullable:
                    yield pytest.param(column, rows, True, id=f"{name}.{column.name} to null where {rows}")


@pytest.mark.parametrize(("column", "rows", "gone"), list(frozen_columns()))
def test_what_was_sealed_drawn_or_told_is_not_rewritten(connection, column, rows, gone):
    table: Table = column.table
    held = text(rows)
    if gone:
        held = text(f"{rows} and {table.name}.{column.name} is not null")
    statement = select(table).where(held)
    if connection.execute(statement.limit(1)).first() is None:
        assert gone, f"no row of {table.name} where {rows}"
        return
    refused(connection, update(table).where(held).values({column.name: another(column, gone=gone)}))


@pytest.mark.parametrize(("name", "rows"), NEVER_GO, ids=lambda value: value)
def test_what_was_sealed_drawn_or_told_does_not_go(connection, name, rows):
    refused(connection, delete(Base.metadata.tables[name]).where(text(rows)))


@pytest.mark.parametrize("name", [name for name, rows in NEVER_GO if rows == "1 = 1"])
def test_a_whole_table_does_not_go_at_one_blow(connection, name):
    emptying = "delete from {}" if connection.dialect.name == "sqlite" else "truncate {} cascade"
    refused(connection, text(emptying.format(name)))


@pytest.mark.parametrize("name", [name for name, rows in NEVER_GO if rows == "1 = 1"])
def test_a_row_is_not_replaced_by_another_of_its_key(connection, name):
    """SQLite's REPLACE takes the old row away first; PostgreSQL's upsert updates it."""
    table = Base.metadata.tables[name]
    row = dict(connection.execute(select(table).limit(1)).mappings().one())
    if connection.dialect.name == "sqlite":
        refused(connection, insert(table).prefix_with("or replace"), row)
    else:
        key = list(table.primary_key)
        changed = {column.name: another(column) for column in table.columns if not column.primary_key}
        statement = upsert(table).values(row).on_conflict_do_update(index_elements=key, set_=changed)
        refused(connection, statement)


@pytest.mark.parametrize("rows", [SEALED, DRAWN])
@pytest.mark.parametrize("name", ["entries", "prizes"])
def test_a_sealed_draw_takes_nothing_more(connection, name, rows):
    table = Base.metadata.tables[name]
    row = dict(connection.execute(select(table).where(text(rows)).limit(1)).mappings().one())
    row |= {"number": 9999, "receipt": None} if name == "entries" else {"id": 9999, "position": 99, "handle": "more"}
    refused(connection, insert(table), row)
    elsewhere = text("reward_id not in (select reward_id from draws where sealed_at is not null)")
    moving = update(table).where(elsewhere).values(reward_id=row["reward_id"])
    refused(connection, moving)


def test_a_sealed_list_gets_no_further_piece(connection):
    chunks = Base.metadata.tables["stored_chunks"]
    row = dict(connection.execute(select(chunks).where(text(OF_SEALED_FILE)).limit(1)).mappings().one())
    refused(connection, insert(chunks), row | {"number": 99})


@pytest.mark.parametrize("state", [DrawState.OPEN, DrawState.CLOSED])
def test_a_draw_does_not_go_back(connection, state):
    draws = Base.metadata.tables["draws"]
    for before in (DrawState.SEALED, DrawState.DRAWN):
        refused(connection, update(draws).where(draws.c.state == before).values(state=state))
    refused(connection, update(draws).where(draws.c.state == DrawState.DRAWN).values(state=DrawState.SEALED))


def test_a_commitment_stands_before_the_seal_too(connection):
    draws = Base.metadata.tables["draws"]
    for name in ("secret", "holder_key", "code_commit", "reference", "opened_at"):
        refused(connection, update(draws).where(draws.c.sealed_at.is_(None)).values({name: another(draws.c[name])}))


def test_counters_of_the_log_and_of_attempts_only_rise(connection):
    draws, rounds = Base.metadata.tables["draws"], Base.metadata.tables["draw_rounds"]
    refused(connection, update(draws).values(log_count=draws.c.log_count - 1))
    refused(connection, update(rounds).values(attempts=rounds.c.attempts - 1))
    connection.execute(update(rounds).values(attempts=rounds.c.attempts + 1))


def test_an_audit_entry_is_linked_once_and_changed_in_nothing_else(connection):
    audit = Base.metadata.tables["audit_entries"]
    told = text("site_id is not null and staff_id is not null")
    row = dict(connection.execute(select(audit).where(told).limit(1)).mappings().one())
    new = row.keys() - {"id", "position", "previous", "digest"}
    key = connection.execute(insert(audit).returning(audit.c.id), {name: row[name] for name in new}).scalar_one()
    mine = update(audit).where(audit.c.id == key)
    link = {"position": 999_999, "previous": "a" * 64, "digest": "b" * 64}
    for name, value in link.items():
        refused(connection, mine.values({name: value}))
    for name in new:
        refused(connection, mine.values({**link, name: another(audit.c[name])}))
    connection.execute(mine.values(link))
    refused(connection, mine.values(dict.fromkeys(link)))
    refused(connection, mine.values(link))


def test_what_is_not_sealed_can_still_change(connection):
    for name in ("entries", "prizes"):
        table = Base.metadata.tables[name]
        free = text("reward_id not in (select reward_id from draws where sealed_at is not null)")
        column = "tickets" if name == "entries" else "quantity"
        assert connection.execute(update(table).where(free).values({column: 2})).rowcount > 0


def test_a_refusal_reaches_people_as_a_sentence(filled):
    with Session(filled) as session, pytest.raises(Conflict) as refusal, transaction(session, SYSTEM, NOW) as work:
        work.session.execute(delete(Base.metadata.tables["draw_rounds"]))
    assert refusal.value.message == "The result of a draw never goes. Nothing was saved."
