"""Every check of the doctor: what was looked at, pass, warn or fail, and what would mend it."""

from __future__ import annotations

import os
import shutil
import smtplib
import sqlite3
import stat
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, create_engine, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from webapp.adapters import clock, mail, schema
from webapp.adapters.engines import engine_options
from webapp.config import PREFIX, ROOT, BadSettings, Settings
from webapp.domain.health import HEARTBEAT_BY, LEAST_DISK
from webapp.queries import health

PASS, WARN, FAIL = "pass", "warn", "fail"
LEAST_SECRET = 32
ALMOST_NOTHING = 20 * 1024 * 1024  # bytes of disk with which nothing can be served
# Below this a race of checkpoint and reset can damage a database in WAL mode (reliability.md section 1).
SAFE_SQLITE = (3, 51, 3)
CLOCK_OFF_BY = timedelta(seconds=5)
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "fuse.glusterfs", "ceph", "afs"})
_SECRETS = frozenset({"secret_key", "smtp_url", "database_url"})


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report."""

    name: str
    status: str
    message: str


def examine(settings: Settings) -> list[Check]:
    """Look at everything; nothing is changed but for the database's own housekeeping on opening it."""
    checks = [*_settings(settings), *_machine(settings), *_files(settings)]
    engine = create_engine(settings.database, **engine_options(settings.database, threads=1))
    try:
        checks += _database(settings, engine)
    finally:
        engine.dispose()
    return [*checks, _mail(settings)]


def _settings(settings: Settings) -> Iterator[Check]:
    for item in (one for one in fields(settings) if one.name != "threads"):
        value = getattr(settings, item.name)
        shown = ("set" if value else "not set") if item.name in _SECRETS else value
        yield Check(f"setting {PREFIX}{item.name.upper()}", PASS, f"{shown} ({_source(item.name, settings)})")
    length = len(settings.secret_key.encode())
    yield Check(
        "secret key",
        PASS if length >= LEAST_SECRET else FAIL,
        f"{length} bytes"
        if length >= LEAST_SECRET
        else f"{length} bytes; it needs {LEAST_SECRET}. Set {PREFIX}SECRET_KEY or run «init», which writes one.",
    )
    yield _address(settings)
    if os.environ.get("FLASK_DEBUG", "0") not in {"", "0"}:
        yield Check("debug mode", FAIL, "FLASK_DEBUG is set; it shows the program's inside to everybody. Unset it.")


def _source(name: str, settings: Settings) -> str:
    if f"{PREFIX}{name.upper()}" in os.environ:
        return "environment"
    if name == "secret_key" and (settings.instance / "secret_key").is_file():
        return f"file {settings.instance / 'secret_key'}"
    return "default"


def _address(settings: Settings) -> Check:
    host = urlsplit(settings.public_url).hostname or ""
    if settings.is_https:
        return Check("public address", PASS, settings.public_url)
    if settings.insecure_local and host in {"localhost", "127.0.0.1", "::1"}:
        return Check("public address", WARN, "Insecure local mode: sign-in travels unencrypted, on this machine only.")
    return Check(
        "public address",
        FAIL,
        f"{settings.public_url} is not https, so browsers would not keep the sign-in cookie. Put a TLS proxy in front and "
        f"set {PREFIX}PUBLIC_URL=https://…, or on this machine alone {PREFIX}INSECURE_LOCAL=on.",
    )


def _machine(settings: Settings) -> Iterator[Check]:
    free = shutil.disk_usage(_existing(settings.instance)).free
    level = FAIL if free < ALMOST_NOTHING else WARN if free < LEAST_DISK else PASS
    yield Check("disk", level, f"{free // 2**20:,} MB free in {settings.instance}")
    year = clock.now().year
    yield Check("clock", PASS if 2026 <= year < 2100 else FAIL, f"{clock.now():%Y-%m-%d %H:%M:%S} UTC")
    fonts = list((ROOT / "templates" / "print" / "fonts").glob("*.ttf"))
    can_print = bool(fonts) and find_spec("typst") is not None
    yield Check(
        "printing",
        PASS if can_print else WARN,
        f"Typst with {len(fonts)} fonts"
        if can_print
        else "Typst or its fonts are missing; vouchers cannot be printed.",
    )


def _files(settings: Settings) -> Iterator[Check]:
    """Nobody else on this machine may read the database or the key."""
    kept = [settings.instance / "secret_key"]
    if settings.is_sqlite:
        kept.append(Path(settings.database.removeprefix("sqlite:///")))
        yield _file_system(kept[-1])
    for path in kept:
        if path.is_file():
            mode = stat.S_IMODE(path.stat().st_mode)
            is_open = bool(mode & 0o077)
            hint = f"; others may read it. Run: chmod 600 {path}" if is_open else ""
            yield Check(f"file {path.name}", WARN if is_open else PASS, f"mode {mode:04o}{hint}")


def _file_system(path: Path) -> Check:
    kind = _mounted(_existing(path))
    if kind in _NETWORK:
        return Check(
            "file system",
            FAIL,
            f"{path} is on {kind}. SQLite is not safe on a network drive; move it, or use PostgreSQL.",
        )
    return Check("file system", PASS, kind or "unknown kind")


def _mounted(path: Path) -> str:
    """The kind of file system ``path`` is on, where the system tells (Linux)."""
    try:
        lines = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return ""
    mounts = [(Path(part[1].replace("\\040", " ")), part[2]) for part in (line.split() for line in lines)]
    above = [(len(point.parts), kind) for point, kind in mounts if path.resolve().is_relative_to(point)]
    return max(above, default=(0, ""))[1]


def _existing(path: Path) -> Path:
    return next((place for place in (path, *path.parents) if place.exists()), Path("/"))


def _database(settings: Settings, engine: Engine) -> Iterator[Check]:
    try:
        with engine.connect() as connection:
            yield from _sqlite(connection) if settings.is_sqlite else _postgresql(connection)
        found, head = schema.revision(engine), schema.head()
    except DBAPIError as error:
        yield Check("database", FAIL, f"It does not answer as it should: {str(error.orig).strip().splitlines()[0]}")
        return
    yield _schema(found, head)
    if found == head:
        with Session(engine) as session:
            yield _scheduler(settings, session)


def _schema(found: str | None, head: str) -> Check:
    if found == head:
        return Check("schema", PASS, f"at {head}")
    if not schema.is_known(found):
        return Check("schema", FAIL, f"at {found}, which is newer than this program. Update the program.")
    return Check("schema", FAIL, f"at {found or 'none'}, the program is at {head}. Run «migrate».")


def _sqlite(connection: Connection) -> Iterator[Check]:
    version = ".".join(map(str, SAFE_SQLITE))
    is_safe = sqlite3.sqlite_version_info >= SAFE_SQLITE
    yield Check(
        "SQLite",
        PASS if is_safe else WARN,
        sqlite3.sqlite_version
        if is_safe
        else f"{sqlite3.sqlite_version} has the WAL-reset defect (mended in {version}): a checkpoint that races with a reset of the "
        "log can damage the database. One server process is what keeps it rare; back up daily.",
    )
    for name, wanted in {"foreign_keys": 1, "journal_mode": "wal", "synchronous": 2}.items():
        value = connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
        yield Check(
            f"SQLite {name}",
            PASS if value == wanted else FAIL,
            f"{value}" if value == wanted else f"{value}, not {wanted}",
        )


def _postgresql(connection: Connection) -> Iterator[Check]:
    version = connection.exec_driver_sql("SHOW server_version").scalar_one()
    yield Check("PostgreSQL", PASS, str(version))
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    yield Check("PostgreSQL encoding", PASS if encoding == "UTF8" else FAIL, str(encoding))
    off_by = abs(connection.execute(select(func.clock_timestamp())).scalar_one() - clock.now())
    level = PASS if off_by < CLOCK_OFF_BY else WARN
    yield Check("PostgreSQL clock", level, f"{off_by.total_seconds():.1f} s from ours")


def _scheduler(settings: Settings, session: Session) -> Check:
    beat = health.facts(session, clock.now()).heartbeat_at
    if not settings.scheduler:
        return Check("scheduler", WARN, "switched off here; another process or «tick» must do the regular work.")
    if beat is None:
        return Check("scheduler", WARN, "has never run yet; it runs inside «run».")
    is_late = clock.now() - beat > HEARTBEAT_BY
    return Check("scheduler", WARN if is_late else PASS, f"last heard of {beat:%Y-%m-%d %H:%M:%S} UTC")


def _mail(settings: Settings) -> Check:
    if not settings.smtp_url:
        return Check("mail", WARN, f"{PREFIX}SMTP_URL is not set; messages wait in the outbox until it is.")
    try:
        way = mail.sender(settings)
        if isinstance(way, mail.SmtpSender):
            mail.connect(settings.smtp_url).quit()
    except BadSettings as error:
        return Check("mail", FAIL, str(error))
    except (OSError, smtplib.SMTPException) as error:
        return Check("mail", WARN, f"The mail server does not answer as it should: {error}. Messages wait meanwhile.")
    return Check("mail", PASS, "the mail server answers" if isinstance(way, mail.SmtpSender) else "into a folder")
