"""P27: a migration loses no row, is whole or not at all, and leaves the checks of the database in force."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from alembic import command
from sqlalchemy import Engine, event, insert, inspect, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.factories import Factories
from tests.migrations.conftest import FRAME
from tests.migrations.full import columns, digests, open_engine
from tests.support.clock import NOW
from tests.support.processes import tied, wait_until
from tests.support.run import ROOT
from webapp.adapters import schema
from webapp.domain.audit import Event
from webapp.domain.benefit_batches import Audience
from webapp.models import AuditEntry, Base, BenefitChange, SitePerson
from webapp.queries.invariants import INVARIANTS, broken

# Upgrades a database and kills itself right before statement number N, so that every moment can be had again.
KILLED = """
import os, signal, sys
from sqlalchemy import create_engine, event
from webapp.adapters import schema
from webapp.adapters.engines import engine_options
url, fatal = sys.argv[1], int(sys.argv[2])
engine = create_engine(url, **engine_options(url, threads=1))
seen = 0
@event.listens_for(engine, "before_cursor_execute")
def count(*_):
    global seen
    seen += 1
    if seen == fatal:
        os.kill(os.getpid(), signal.SIGKILL)
@event.listens_for(engine, "commit")
def last(connection):
    if fatal == 0:
        os.kill(os.getpid(), signal.SIGKILL)
schema.upgrade(engine)
"""


def tables(engine):
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def guards(engine):
    """Names of the triggers, and of the functions behind them where there are any."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            return set(connection.scalars(text("select name from sqlite_master where type = 'trigger'")))
        found = set(connection.scalars(text("select tgname from pg_trigger where not tgisinternal")))
        return found | set(connection.scalars(text("select proname || '()' from pg_proc where proname like 'guard_%'")))


def shape(engine):
    """What a comparison by Alembic passes over: checks, conditions of indexes, and the rest, as the database tells it."""
    seen = inspect(engine)
    found = {}
    for name in sorted(tables(engine)):
        found[name] = {
            "columns": {column["name"]: (str(column["type"]), column["nullable"], column["default"]) for column in seen.get_columns(name)},
            "checks": sorted((check["name"], check["sqltext"]) for check in seen.get_check_constraints(name)),
            "unique": sorted((one["name"], tuple(one["column_names"])) for one in seen.get_unique_constraints(name)),
            "keys": sorted(named(engine, key) for key in seen.get_foreign_keys(name)),
            "indexes": sorted(
                (index["name"], tuple(index["column_names"]), bool(index["unique"]), conditions(index)) for index in seen.get_indexes(name)
            ),
        }  # fmt: skip
    return found


def named(engine, key):
    """A reference by its columns, its target and its name; SQLite does not tell the name of one added later."""
    name = key["name"] if engine.dialect.name == "postgresql" else ""
    return (tuple(key["constrained_columns"]), key["referred_table"], str(key["options"]), name)


def conditions(index):
    return sorted((name, str(value)) for name, value in index.get("dialect_options", {}).items() if "where" in name)


def test_the_migrations_make_the_very_tables_of_the_program(empty, new_database):
    schema.upgrade(empty)
    models = open_engine(new_database(migrated=False))
    Base.metadata.create_all(models)
    assert shape(empty) == shape(models)
    models.dispose()


def test_an_id_is_never_handed_out_twice(empty):
    schema.upgrade(empty)
    row = "insert into sign_in_attempts (at, email, address) values ('2026-03-02', 'a', 'b') returning id"
    with empty.connect() as connection:
        first = connection.scalar(text(row))
        connection.execute(text("delete from sign_in_attempts"))
        assert connection.scalar(text(row)) > first


def test_down_to_nothing_leaves_no_guard_behind(empty):
    schema.upgrade(empty)
    assert guards(empty)
    schema.downgrade(empty)
    assert (tables(empty), guards(empty)) == (set(), set())
    schema.upgrade(empty)
    assert tables(empty) == set(Base.metadata.tables)


def test_every_table_of_the_sample_has_rows(filled):
    assert [name for name, (count, _) in digests(filled).items() if not count] == []


def test_p27_a_migration_over_a_full_database_loses_no_row(framed, filled):
    assert guards(framed) == set()
    kept = columns(framed)
    before = digests(framed, kept)
    assert before.keys() > {"profiles", "entries", "winners", "audit_entries"}
    assert all(count for count, _ in before.values())
    schema.upgrade(framed)
    assert (digests(framed, kept), guards(framed)) == (before, guards(filled))
    assert schema.drift(framed, Base.metadata) == []
    with Session(framed) as session:
        assert session.scalars(select(SitePerson.profile_id).limit(1)).all()
        assert [item.name for item in INVARIANTS if "site_people" in item.sql and broken(session, item)] == []
    schema.downgrade(framed, FRAME)
    assert digests(framed) == before


def upgrade_and_die(engine: Engine, fatal: int) -> None:
    """Upgrade in a process of its own that dies right before statement ``fatal``, before the commit when that is 0."""
    engine.dispose()
    url = engine.url.render_as_string(hide_password=False)
    done = subprocess.run(
        tied(sys.executable, "-c", KILLED, url, str(fatal)), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
    if engine.dialect.name == "postgresql":
        wait_until(lambda: is_alone(engine), "the server notices that the process is gone")


def is_alone(engine: Engine) -> bool:
    with engine.connect() as connection:
        others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        return connection.scalar(text(others)) == 0


@pytest.mark.parametrize("start", [None, FRAME], ids=["from nothing", "from the frame"])
def test_p27_a_migration_killed_in_the_middle_leaves_the_old_or_the_new(empty, repeat, start):
    total = count_statements(empty, start)
    old = (schema.revision(empty), tables(empty), guards(empty))
    for fatal in [0, *range(total * 3 // 4, 1, -(total // repeat(1, 20)))]:
        upgrade_and_die(empty, fatal)
        assert (schema.revision(empty), tables(empty), guards(empty)) == old, f"killed before statement {fatal}"
    schema.upgrade(empty)
    assert schema.drift(empty, Base.metadata) == []


def count_statements(engine, start):
    """Go up from ``start`` and back to it; how many statements it took upwards."""
    if start:
        schema.upgrade(engine, start)
    seen = []
    event.listen(engine, "before_cursor_execute", lambda *call: seen.append(call))
    schema.upgrade(engine)
    total = len(seen)
    schema.downgrade(engine, start or "base")
    return total


def test_p27_a_migration_killed_over_a_full_database_loses_no_row(framed, filled):
    kept = columns(framed)
    before = digests(framed, kept)
    for fatal in (0, 12):
        upgrade_and_die(framed, fatal)
        assert (schema.revision(framed), columns(framed), digests(framed), guards(framed)) == (
            FRAME,
            kept,
            before,
            set(),
        )
    schema.upgrade(framed)
    assert (digests(framed, kept), guards(framed)) == (before, guards(filled))
    schema.downgrade(framed, FRAME)


@pytest.mark.parametrize("arguments", [("migrate",), ("staff", "list"), ("run", "--port", "1")], ids=" ".join)
def test_a_database_newer_than_the_program_is_refused_in_a_sentence(command, arguments):
    engine = open_engine(command.settings.database)
    with engine.connect().execution_options(largesse_write=True) as connection:
        connection.execute(text("update alembic_version set version_num = '9999_from_the_future'"))
        connection.commit()
    before = digests(engine)
    told = command(*arguments, status=1)
    assert "at schema 9999_from_the_future, which is newer than this program." in told.stderr.replace(
        "schema: at", "at schema"
    )
    assert "Traceback" not in told.stderr
    assert (schema.revision(engine), digests(engine)) == ("9999_from_the_future", before)
    engine.dispose()


def orphan(connection):
    connection.execute(text("insert into staff_grants (staff_id, role) values (4711, 'editor')"))


@pytest.mark.parametrize("to", ["head", "base"])
def test_foreign_keys_are_on_again_after_a_migration(empty, to):
    schema.upgrade(empty)
    if to == "base":
        schema.downgrade(empty)
        schema.upgrade(empty)
    with empty.connect() as connection, pytest.raises(IntegrityError):
        orphan(connection)


def test_foreign_keys_are_on_again_after_a_migration_that_failed(empty, monkeypatch):
    schema.upgrade(empty)

    def fail(_config, _to):
        raise LookupError("in the middle")

    monkeypatch.setattr(command, "downgrade", fail)
    with pytest.raises(LookupError):
        schema.downgrade(empty)
    with empty.connect() as connection, pytest.raises(IntegrityError):
        orphan(connection)


def test_a_migration_that_would_leave_orphans_is_taken_back(empty, monkeypatch):
    schema.upgrade(empty)
    monkeypatch.setattr(command, "downgrade", lambda config, _to: orphan(config.attributes["connection"]))
    with pytest.raises((RuntimeError, IntegrityError)):
        schema.downgrade(empty)
    with empty.connect() as connection:
        assert connection.scalar(text("select count(*) from staff_grants")) == 0


def test_staff_of_before_have_no_pin_and_their_sessions_no_wrong_one(empty):
    schema.upgrade(empty, "0007_uploaded_codes")
    with empty.connect().execution_options(largesse_write=True) as connection:
        connection.execute(
            text(
                "insert into staff_members (id, email, name, is_active, created_at) "
                "values (1, 'a@example.org', 'A', true, '2026-03-02')"
            )
        )
        connection.execute(
            text(
                "insert into staff_sessions (token_hash, staff_id, address, browser, created_at, seen_at, expires_at) "
                "values ('x', 1, '', '', '2026-03-02', '2026-03-02', '2026-03-02')"
            )
        )
        connection.commit()
    schema.upgrade(empty)
    with empty.connect() as connection:
        assert connection.execute(text("select pin_hash from staff_members")).all() == [(None,)]
        seen = text("select till_seen_at, wrong_proof_count from staff_sessions")
        assert connection.execute(seen).all() == [(None, 0)]
    schema.downgrade(empty, "0007_uploaded_codes")
    with empty.connect() as connection:
        assert connection.scalar(text("select count(*) from staff_sessions")) == 1


def test_webhooks_are_put_away_by_the_program_that_knows_e_mails_only(empty):
    """Down from there no row goes, and nobody is sent JSON by e-mail; up again every target is an e-mail."""
    schema.upgrade(empty)
    with Session(empty) as session:
        make = Factories(session)
        target = make.target()
        hook = make.webhook(site_id=target.site_id)
        make.message()
        make.message(webhook_id=hook.id)
        with pytest.raises(IntegrityError, match="webhook_whole"):
            make.webhook(site_id=target.site_id, secret="")
    schema.downgrade(empty, "0009_notices")
    with empty.connect() as connection:
        archived = text("select archived_at is not null from targets order by id")
        assert [bool(one) for one in connection.scalars(archived)] == [False, True]
        waits = text("select status from outbox_messages order by id")
        assert connection.scalars(waits).all() == ["queued", "skipped"]
    schema.upgrade(empty)
    with empty.connect() as connection:
        assert connection.scalars(text("select kind from targets")).all() == ["email", "email"]


def test_histories_stay_readable_for_the_program_that_takes_no_extension_back(empty):
    schema.upgrade(empty)
    with Session(empty) as session:
        make = Factories(session)
        benefit = make.benefit()
        make.extension(benefit)
        change = {"benefit_id": benefit.id, "move": "extension undone", "at": NOW, "by": "A", "note": ""}
        session.execute(insert(BenefitChange), [change])
        session.commit()
    kept = guards(empty)
    schema.downgrade(empty, "0010_webhooks")
    with empty.connect() as connection:
        assert connection.scalars(text("select move from benefit_changes")).all() == ["expiry set"]
        with pytest.raises(IntegrityError, match="never changes"):
            connection.execute(text("update benefit_changes set move = 'issued'"))
    schema.upgrade(empty)
    assert guards(empty) == kept


def test_a_batch_of_before_without_a_condition_is_for_everybody_by_name(empty):
    schema.upgrade(empty)
    with Session(empty) as session:
        make = Factories(session)
        rule = {"===": [{"var": "gender"}, "female"]}
        for audience, condition in (("everybody", {}), ("condition", rule), ("list", {})):
            make.benefit_batch(audience=Audience(audience), condition=condition)
        session.commit()
    schema.downgrade(empty, "0013_long_lists")
    audiences = text("select audience from benefit_batches order by id")
    with empty.connect() as connection:
        assert connection.scalars(audiences).all() == ["condition", "condition", "list"]
    schema.upgrade(empty)
    with empty.connect() as connection:
        assert connection.scalars(audiences).all() == ["everybody", "condition", "list"]


def test_who_started_a_batch_of_before_is_taken_from_the_audit_log(empty):
    schema.upgrade(empty)
    with Session(empty) as session:
        make = Factories(session)
        first, last = make.staff(), make.staff()
        started, fresh = make.benefit_batch(), make.benefit_batch()
        for staff_id in (first.id, last.id):
            about = {"event": Event.BATCH_STARTED, "subject": f"benefit_batches:{started.id}", "staff_id": staff_id}
            session.execute(insert(AuditEntry), [{"at": NOW, "actor": "A", "address": "", "facts": {}} | about])
        session.commit()
        expected = [(started.id, last.id), (fresh.id, None)]
    schema.downgrade(empty, "0013_long_lists")
    schema.upgrade(empty)
    with empty.connect() as connection:
        rows = connection.execute(text("select id, started_by_id from benefit_batches order by id"))
        assert [tuple(row) for row in rows] == expected


def test_whoever_claimed_a_benefit_before_it_was_handed_on_or_they_were_merged_is_known(empty):
    schema.upgrade(empty)
    with Session(empty) as session:
        make = Factories(session)
        definition = make.benefit_definition()
        first, second, third = (make.profile() for _ in range(3))
        merged = make.profile(merged_into_id=third.id)
        claims = [make.benefit(definition, who, source="claim") for who in (first, second, second)]
        make.benefit(definition, first)
        for benefit, *owners in ((claims[1], first.id, third.id), (claims[2], merged.id)):
            for owner in owners:
                line = {
                    "benefit_id": benefit.id,
                    "move": "reassigned",
                    "at": NOW,
                    "by": "A",
                    "note": "",
                    "profile_id": owner,
                }
                session.execute(insert(BenefitChange), [line])
        wanted = [first.id, first.id, third.id, None]
        session.commit()
    schema.downgrade(empty, "0013_long_lists")
    schema.upgrade(empty)
    with empty.connect() as connection:
        assert connection.scalars(text("select claimed_by_id from benefits order by id")).all() == wanted


def test_histories_written_in_words_tell_the_end_that_was_moved(empty):
    schema.upgrade(empty)
    notes = {
        "extended": "From 30 March 2026 23:59 (Australia/Melbourne) to 13 April 2026 23:59 (Australia/Melbourne). by phone",
        "extension undone": "From 13 April 2026 23:59 (Australia/Melbourne) back to 30 March 2026 23:59 (Australia/Melbourne).",
        "expiry set": "From no end to 1 May 2026 23:59 (Europe/London). by order",
        "voided": "From 30 March 2026 23:59 (Australia/Melbourne) to nothing",
    }
    with Session(empty) as session:
        benefit = Factories(session).benefit()
        lines = [
            {"benefit_id": benefit.id, "move": move, "at": NOW, "by": "A", "note": note} for move, note in notes.items()
        ]
        session.execute(insert(BenefitChange), lines)
        session.commit()
    kept = guards(empty)
    schema.downgrade(empty, "0013_long_lists")
    schema.upgrade(empty)
    assert guards(empty) == kept
    with Session(empty) as session:
        ends = session.scalars(select(BenefitChange.ended_at).order_by(BenefitChange.id)).all()
    assert [str(end)[:19] for end in ends] == ["2026-03-30 12:59:59", "2026-04-13 13:59:59", "None", "None"]


def test_whoever_others_were_merged_into_before_is_found_where_only_the_old_rows_entered(empty):
    schema.upgrade(empty)
    with Session(empty) as session:
        make = Factories(session)
        zoe = make.profile(first_name="Zoe", last_name="van der Berg")
        make.identity(zoe.id, "till", "T77")
        other = make.profile(merged_into_id=zoe.id)
        both = make.reward()
        for reward, person in ((make.reward(), other), (both, other), (both, zoe)):
            make.entry(reward, profile_id=person.id)
        session.commit()
    copies = [
        text("select profile_id, site_id, search_text from site_people order by profile_id, site_id"),
        text("select profile_id, site_id, is_identity, term from site_terms order by 1, 2, 3, 4"),
    ]

    def kept():
        with empty.connect() as connection:
            return [connection.execute(copy).all() for copy in copies]

    after = kept()
    assert len(after[0]) == 4
    schema.downgrade(empty, "0019_audit_ways")
    before = kept()
    assert [len(rows) for rows in before] == [3, len(after[1]) // 2]
    schema.upgrade(empty)
    assert kept() == after


def test_who_shared_an_address_before_is_found_by_it(empty):
    schema.upgrade(empty)
    with Session(empty) as session:
        make = Factories(session)
        make.profile(email="Home@Example.com")
        other = make.profile(email="HOME@example.com", email_key=None)
        make.entry(make.reward(), profile_id=other.id)
        number = other.id
    schema.downgrade(empty, "0021_merged_entrants")

    def found():
        with empty.connect() as connection:
            words = connection.execute(text("select profile_id, term from profile_terms")).all()
            return [words, connection.execute(text("select profile_id, term from site_terms")).all()]

    assert found() == [[], []]
    schema.upgrade(empty)
    assert found() == [[(number, "home@example.com")]] * 2
    with Session(empty) as session:
        assert [item.name for item in INVARIANTS if broken(session, item)] == []
