"""Largesse as a process of its own: a server to press on and to kill, and commands to run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from tests.support.databases import environment_for, settings_for
from tests.support.processes import free_port, kill_group, tied, wait_until
from tests.support.run import ROOT
from webapp.adapters.engines import engine_options
from webapp.config import Settings


@dataclass
class Server:
    """One `python -m webapp run` on a port and a database of its own; stopped and started at will."""

    settings: Settings
    port: int
    options: tuple[str, ...] = ()
    program: tuple[str, ...] = ("-m", "webapp")
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Everything it has written so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def _log(self) -> Path:
        return self.settings.instance / "server.log"

    def start(self) -> None:
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Begin to start, and wait for nothing."""
        command = [
            sys.executable,
            *self.program,
            "run",
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            *self.options,
        ]
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                tied(*command, signal_name="TERM"),
                cwd=ROOT,
                env=environment_for(self.settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Until it answers."""
        try:
            wait_until(self._answers, "the server answers", process=self.process)
        except AssertionError as problem:
            raise AssertionError(f"{problem}\n{self.log[-3000:]}") from None

    def kill(self) -> None:
        """As a power cut would: every process of it at once."""
        if self.process:
            kill_group(self.process)
            self.process.wait()

    def stop(self) -> None:
        """As a service manager would."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.kill()
        self.kill()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session on the server's database; what it commits the server sees."""
        engine = create_engine(self.settings.database, **engine_options(self.settings.database, threads=1))
        try:
            with Session(engine, expire_on_commit=False) as session:
                yield session
        finally:
            engine.dispose()

    def _answers(self) -> bool:
        try:
            with urlopen(f"{self.url}/healthz", timeout=2) as answer:  # noqa: S310 - an address of our own
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


class Command(Protocol):
    settings: Settings

    def __call__(self, *arguments: str, status: int = 0, stdin: str = "", **changes: object) -> CompletedCommand: ...


CompletedCommand = subprocess.CompletedProcess[str]


@pytest.fixture
def new_server(new_database: Callable[..., str], tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """`new_server(*options, **settings)` makes a server, not yet started; every one is killed in the end."""
    made: list[Server] = []

    def make(*options: str, **changes: object) -> Server:
        port = free_port()
        instance = tmp_path / f"server-{len(made)}"
        url = str(changes.pop("database_url", "") or new_database())
        settings = settings_for(url, instance, public_url=f"http://127.0.0.1:{port}", **changes)
        made.append(Server(settings, port, options))
        return made[-1]

    yield make
    for server in made:
        server.kill()


@pytest.fixture
def live_server(new_server: Callable[..., Server]) -> Iterator[Server]:
    """A server that runs, with its scheduler, on a migrated and otherwise empty database."""
    server = new_server(scheduler=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def command(own_database: str, tmp_path: Path) -> Command:
    """`command("staff", "list", status=0)` runs one command as a process on a migrated database of its own."""
    settings = settings_for(own_database, tmp_path / "instance")

    def run(*arguments: str, status: int = 0, stdin: str = "", **changes: object) -> CompletedCommand:
        done = subprocess.run(
            tied(sys.executable, "-m", "webapp", *arguments),
            cwd=ROOT,
            env=environment_for(replace(settings, **changes)),  # type: ignore[arg-type]
            input=stdin,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == status, f"exit code {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done

    run.settings = settings  # type: ignore[attr-defined]
    return run  # type: ignore[return-value]
