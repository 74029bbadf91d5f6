"""`doctor`: each fault is named with what mends it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.databases import settings_for
from webapp.cli import examination
from webapp.cli.examination import FAIL, PASS, WARN


@pytest.fixture
def found(own_database, tmp_path):
    """The doctor's checks by name, under changed settings."""
    settings = settings_for(own_database, tmp_path / "instance", scheduler=True)

    def found(**changes: object) -> dict[str, examination.Check]:
        return {check.name: check for check in examination.examine(replace(settings, **changes))}

    return found


def test_a_sound_installation_has_no_failure(found):
    assert [check for check in found().values() if check.status == FAIL] == []


@pytest.mark.parametrize(
    ("changes", "name", "status", "words"),
    [
        ({"secret_key": "x" * 31}, "secret key", FAIL, "31 bytes; it needs 32"),
        ({"insecure_local": False}, "public address", FAIL, "is not https"),
        ({"public_url": "https://x.example"}, "public address", PASS, "https://x.example"),
        ({"public_url": "http://x.example"}, "public address", FAIL, "not https"),
        ({"smtp_url": ""}, "mail", WARN, "messages wait in the outbox"),
        ({"smtp_url": "smtp://127.0.0.1:9"}, "mail", WARN, "does not answer"),
        ({"smtp_url": "file:"}, "mail", PASS, "into a folder"),
        ({"smtp_url": "carrier pigeon"}, "mail", FAIL, "LARGESSE_SMTP_URL must be"),
        ({"scheduler": False}, "scheduler", WARN, "switched off"),
        ({}, "scheduler", WARN, "has never run yet"),
    ],
)
def test_each_setting_is_judged(found, changes, name, status, words):
    check = found(**changes)[name]
    assert check.status == status
    assert words in check.message


def test_secrets_are_not_shown(found):
    checks = found(secret_key="s3cret" * 8, smtp_url="smtp://me:hunter2@127.0.0.1:9", database_url="")
    shown = " ".join(check.message for check in checks.values())
    assert "s3cret" not in shown
    assert "hunter2" not in shown


def test_a_database_that_is_not_there_is_said(found, tmp_path):
    assert found(database_url=f"sqlite:///{tmp_path}/none/x.db")["database"].status == FAIL
    gone = found(database_url="postgresql://nobody@127.0.0.1:9/none")["database"]
    assert gone.status == FAIL
    assert "does not answer" in gone.message


def test_an_empty_database_wants_the_migration(found, fresh_database):
    assert "Run «migrate»" in found(database_url=fresh_database)["schema"].message


def test_a_version_of_sqlite_with_the_known_defect_is_named(found, database, monkeypatch):
    if database != "sqlite":
        assert "SQLite" not in found()
        return
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 2))
    assert found()["SQLite"].status == WARN
    assert "WAL-reset" in found()["SQLite"].message
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 3))
    assert found()["SQLite"].status == PASS


def test_a_network_drive_is_refused_for_sqlite(found, database, monkeypatch):
    monkeypatch.setattr(examination, "_mounted", lambda _path: "nfs4")
    checks = found()
    assert ("file system" in checks) is (database == "sqlite")
    assert database != "sqlite" or checks["file system"].status == FAIL


def test_a_file_others_may_read_is_warned_of(found, tmp_path):
    key = tmp_path / "instance" / "secret_key"
    key.parent.mkdir(exist_ok=True)
    key.write_text("x" * 40)
    key.chmod(0o644)
    check = found()["file secret_key"]
    assert check.status == WARN
    assert f"chmod 600 {key}" in check.message
    key.chmod(0o600)
    assert found()["file secret_key"].status == PASS


@pytest.mark.parametrize(("free", "status"), [(10**10, PASS), (400 * 2**20, WARN), (10 * 2**20, FAIL)])
def test_a_disk_that_fills_up_is_seen(found, monkeypatch, free, status):
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr(examination.shutil, "disk_usage", lambda _path: usage)
    assert found()["disk"].status == status


def test_the_deepest_mount_counts():
    assert examination._mounted(Path("/proc/self")) == "proc"


def test_as_a_command_it_prints_every_check_and_fails_with_them(command):
    done = command("doctor")
    assert "pass  schema" in done.stdout
    assert "0 failed" in done.stdout
    checks = json.loads(command("doctor", "--json", status=1, secret_key="short").stdout)
    assert {"name": "secret key", "status": "fail"}.items() <= next(
        c for c in checks if c["name"] == "secret key"
    ).items()


def test_a_setting_that_is_none_is_one_plain_sentence(command):
    done = command("doctor", status=1, public_url="ftp://prizes.example.org")
    assert "LARGESSE_PUBLIC_URL is «ftp://prizes.example.org»" in done.stderr
    assert "Traceback" not in done.stderr
