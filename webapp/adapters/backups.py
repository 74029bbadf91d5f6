"""Whole copies of a database in use: SQLite by its own online copy, PostgreSQL by pg_dump."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import make_url

from webapp.domain.errors import Refused

_PAGES = 2_000  # copied at a time; writers get in between


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished copy; ``sha256`` stands in a file of the same name with «.sha256» after it."""

    path: str
    size: int
    sha256: str


def name_for(url: str, revision: str, now: datetime) -> str:
    """«2026-11-22T140500Z-0001.db»: when, and at which schema."""
    kind = "db" if url.startswith("sqlite") else "dump"
    return f"{now:%Y-%m-%dT%H%M%SZ}-{revision[:4]}.{kind}"


def write(url: str, path: Path) -> Backup:
    """Copy the database at ``url`` to ``path``, which must not exist. The file appears whole or not at all.

    Raises ``Refused`` when the place is taken, cannot be written, or the copy does not hold.
    """
    if path.exists():
        raise Refused("backup.exists", f"{path} already exists; a backup never overwrites a file.")
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        part.touch(mode=0o600)
        (_copy_sqlite if url.startswith("sqlite") else _dump_postgresql)(url, part)
        digest = _digest(part)
        path.with_name(f"{path.name}.sha256").write_text(f"{digest}  {path.name}\n")
        os.replace(part, path)
    except OSError as error:
        raise Refused("backup.unwritten", f"The backup could not be written: {error}.") from error
    finally:
        part.unlink(missing_ok=True)
    return Backup(str(path), path.stat().st_size, digest)


def _copy_sqlite(url: str, path: Path) -> None:
    source = make_url(url).database or ""
    try:
        with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(path)) as there:
            here.backup(there, pages=_PAGES)
            there.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
            verdict = there.execute("PRAGMA integrity_check").fetchone()[0]
            orphan = there.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.Error as error:
        raise Refused("backup.unwritten", f"The backup could not be written: {error}.") from error
    if verdict != "ok" or orphan:
        raise Refused(
            "backup.broken", f"The copy does not hold: {verdict if verdict != 'ok' else 'rows point at nothing'}."
        )


def _dump_postgresql(url: str, path: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise Refused(
            "backup.no_pg_dump",
            "pg_dump was not found, so PostgreSQL cannot be backed up from here. Install the PostgreSQL client, or back up "
            "on the server (and give «migrate» the option --no-backup).",
        )
    address = make_url(url).set(drivername="postgresql")
    # The password goes by the environment: a command line can be read by everybody on the machine.
    environment = {**os.environ, "PGPASSWORD": address.password or ""}
    plain = address.set(password=None).render_as_string()
    done = subprocess.run(
        [program, "--format=custom", f"--file={path}", plain],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Refused("backup.unwritten", f"pg_dump could not write the backup: {reason}")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
