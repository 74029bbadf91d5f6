"""One run of pytest: its options, what it leaves out and why, the folder its processes share, closed sockets."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections import Counter
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.support import postgres

ROOT = Path(__file__).resolve().parent.parent.parent
# No database can change what these find, so they run once, with SQLite.
ONCE = ("domain", "adapters", "architecture")
FOLDER = "TEST_RUN_FOLDER"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("largesse")
    group.addoption(
        "--database",
        choices=["sqlite", "postgresql"],
        default=os.environ.get("TEST_DATABASE", "sqlite"),
        help="the database to test on",
    )
    group.addoption("--proofs", action="store_true", help="repeat what is repeated as often as the promises say")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "once: the database cannot change the outcome; runs with SQLite only")
    sys.addaudithook(_stay_at_home)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Before any worker starts: the folder they share and, where it is wanted, the server they share."""
    config = session.config
    if _is_worker(config) or config.option.collectonly:
        return
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="largesse-tests-")
    if config.option.database == "postgresql":
        config.stash[postgres.SERVER] = postgres.begin()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not _is_worker(config):
        if server := config.stash.get(postgres.SERVER, None):
            server.stop()
        shutil.rmtree(os.environ.pop(FOLDER, ""), ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what runs once, and leave it out of the run on PostgreSQL."""
    for item in items:
        if item.path.is_relative_to(ROOT / "tests") and item.path.relative_to(ROOT / "tests").parts[0] in ONCE:
            item.add_marker("once")
    if config.option.database == "postgresql":
        left_out = [item for item in items if item.get_closest_marker("once")]
        if left_out:
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if item not in set(left_out)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Skipped tests are said aloud, with their reasons: a gap must not look like a pass."""
    reasons = Counter(str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", []))
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"NOT TESTED: {count} × {reason.removeprefix('Skipped: ')}", yellow=True, bold=True)


@pytest.fixture(scope="session")
def run_folder() -> Path:
    """A folder that every process of this run shares."""
    return Path(os.environ[FOLDER])


@pytest.fixture(scope="session")
def repeat(request: pytest.FixtureRequest) -> object:
    """`repeat(few, many)`: few normally, many under `--proofs`."""
    return lambda few, many: many if request.config.option.proofs else few


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _stay_at_home(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse every connection that would leave this machine."""
    if event in {"socket.connect", "socket.sendto"} and isinstance(address := arguments[-1], tuple):
        host = str(address[0])
    elif event == "socket.getaddrinfo":
        host = str(arguments[0] or "localhost").removeprefix("b'").removesuffix("'")
    else:
        return
    if host not in {"localhost", ""} and not _is_loopback(host):
        raise OSError(f"tests do not talk to the outside: {host}")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback or host == "0.0.0.0"  # noqa: S104 - listening everywhere is not going out
    except ValueError:
        return False
