"""`migrate`, `backup`, `check`, `tick` as processes."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from tests.factories import Factories
from tests.support.clock import NOW
from webapp.adapters import backups, schema
from webapp.adapters.engines import engine_options
from webapp.domain.errors import Refused
from webapp.models import Job, OutboxMessage


def in_database(url: str, *statements: str) -> None:
    engine = create_engine(url, **engine_options(url, threads=1))
    with Session(engine) as session:
        for statement in statements:
            session.execute(text(statement))
        session.commit()
    engine.dispose()


def test_an_empty_database_comes_to_head_and_stays_there(command, fresh_database):
    assert "from schema none" in command("migrate", database_url=fresh_database).stdout
    assert f"already at schema {schema.head()}" in command("migrate", database_url=fresh_database).stdout


def test_a_database_with_content_is_backed_up_first(command, database):
    in_database(command.settings.database_url, "update alembic_version set version_num = '0001_frame'")
    if database == "sqlite":
        done = command("migrate", status=1)  # the guards are there already: the migration fails, whole
        [kept] = (command.settings.instance / "backups").glob("*.db")
        assert str(kept) in done.stdout
        return
    if shutil.which("pg_dump") is None:
        assert "pg_dump was not found" in command("migrate", status=1).stderr


def test_a_database_newer_than_the_program_is_left_alone(command):
    in_database(command.settings.database_url, "update alembic_version set version_num = '9999_future'")
    for name in ("migrate", "check", "tick"):
        assert "newer than this program" in command(name, status=1).stderr


def test_a_backup_is_whole_and_checked(command, database, tmp_path):
    if database != "sqlite":
        with pytest.raises(Refused, match="pg_dump"):
            backups.write("postgresql+psycopg://nobody@127.0.0.1:9/none", tmp_path / "x.dump")
        return
    in_database(
        command.settings.database_url,
        "insert into sites (name, title, organiser, timezone, staff_domains, created_at, version) "
        "values ('club', 'Club', 'Club Ltd', 'Europe/London', '', '2026-03-02 09:00:00', 1)",
    )
    target = tmp_path / "kept.db"
    told = json.loads(command("backup", str(target), "--json").stdout)
    assert told["sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()
    assert (tmp_path / "kept.db.sha256").read_text() == f"{told['sha256']}  kept.db\n"
    assert target.stat().st_mode & 0o077 == 0
    copy = sqlite3.connect(target)
    assert copy.execute("select title from sites").fetchall() == [("Club",)]
    copy.close()
    assert "already exists" in command("backup", str(target), status=1).stderr
    assert "could not be written" in command("backup", str(tmp_path / "no" / "x.db"), status=1).stderr


def test_check_holds_on_a_sound_database_and_names_what_is_broken(command):
    assert ", 0 broken" in command("check").stdout
    in_database(
        command.settings.database_url,
        "insert into outbox_messages (dedupe_key, recipient, subject, body, status, due_at, attempts, owner, error, created_at) "
        "values ('x', 'a@b.c', 's', 'b', 'sent', '2026-03-02 09:00:00', 1, '', '', '2026-03-02 09:00:00')",
    )
    assert "sent has a time" in command("check", status=1).stdout
    found = json.loads(command("check", "--json", status=1).stdout)
    assert [item["name"] for item in found if item["rows"]] == ["sent has a time"]


def test_13_5_reconcile(command):
    """What is run every night: it names the benefit, what the counter says, and what the ledger comes to."""
    url = command.settings.database_url
    engine = create_engine(url, **engine_options(url, threads=1))
    with Session(engine) as session:
        benefit = Factories(session).benefit(max_redemptions=5)
        number = benefit.id
        session.commit()
    engine.dispose()
    assert ", 0 broken" in command("check").stdout
    in_database(url, "update benefits set redeemed_count = 3")
    found = json.loads(command("check", "--json", status=1).stdout)
    assert {item["name"]: item["rows"] for item in found if item["rows"]}["redemptions of a benefit counted"] == [
        f"{number}:3:0"
    ]
    assert f"{number}:3:0" in command("check", status=1).stdout


def test_tick_does_once_what_is_due(command):
    url = command.settings.database_url
    engine = create_engine(url, **engine_options(url, threads=1))
    with Session(engine) as session:
        session.add(Job(kind="from.the.future", title="Unknown", created_at=NOW, created_by="Ann"))
        session.add(
            OutboxMessage(
                dedupe_key="x", recipient="a@example.org", subject="Hello", body="B\n", due_at=NOW, created_at=NOW
            )
        )
        session.commit()
    done = json.loads(command("tick", "--json", smtp_url="file:").stdout)
    assert (done["jobs"], done["outbox"]) == (1, 1)
    assert [file.name for file in (command.settings.instance / "mail").iterdir()] == ["00000001.eml"]
    assert "outbox 0" in command("tick", smtp_url="file:").stdout
    engine.dispose()


@pytest.mark.parametrize("name", ["run", "migrate", "doctor", "check", "backup", "tick"])
def test_every_command_has_help(command, name):
    assert "Usage:" in command(name, "--help").stdout


def test_an_unknown_command_is_one_plain_sentence(command):
    done = command("frobnicate", status=2)
    assert "No such command 'frobnicate'" in done.stderr
    assert "Traceback" not in done.stderr
