"""The server as a process: it answers everybody before it goes, and never alone."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.support.clock import NOW
from tests.support.databases import environment_for, settings_for
from tests.support.processes import free_port, kill_group, tied, wait_until
from tests.support.run import ROOT
from webapp.domain.jobs import JobStatus
from webapp.models import Job, Lease

# The application with an address that takes its time, served by the very code of `run`.
SLOW = """
import sys, time
from webapp.cli import serving
from webapp.config import Settings
from webapp.domain.permissions import Permission
from webapp.web.access import requires

def create_app(settings, make=serving.create_app):
    app = make(settings)
    @app.get("/slow")
    @requires(Permission.PUBLIC)
    def slow():
        print("began", flush=True)
        time.sleep(1.5)
        return "answered"
    return app

serving.create_app = create_app
serving.serve(Settings.from_environment(), "127.0.0.1", int(sys.argv[1]))
"""


@pytest.fixture
def slow_server(own_database: str, tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[str], Path]]:
    """A server with an address `/slow`, run as a process."""
    port = free_port()
    settings = settings_for(own_database, tmp_path / "instance", scheduler=True, public_url=f"http://127.0.0.1:{port}")
    script, log = tmp_path / "slow.py", tmp_path / "slow.log"
    script.write_text(SLOW)
    with log.open("w") as out:
        process = subprocess.Popen(
            tied(sys.executable, str(script), str(port), signal_name="TERM"),
            cwd=tmp_path,
            env={**environment_for(settings), "PYTHONPATH": str(ROOT)},
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: _answers(url), "the server answers", process=process)
    yield url, process, log
    kill_group(process)
    process.wait()


def test_told_to_stop_it_answers_every_request_under_way_and_exits_0(slow_server):
    url, process, log = slow_server
    with ThreadPoolExecutor(6) as pool:
        answers = [pool.submit(_get, f"{url}/slow") for _ in range(6)]
        wait_until(lambda: log.read_text().count("began") == len(answers), "all are under way")
        process.send_signal(signal.SIGTERM)
        assert [answer.result(timeout=120) for answer in answers] == ["answered"] * 6
    assert process.wait(timeout=120) == 0, log.read_text()[-2000:]
    assert not _answers(url)


def test_a_second_signal_ends_it_at_once(slow_server):
    url, process, log = slow_server
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(_get, f"{url}/slow")
        wait_until(lambda: "began" in log.read_text(), "it is under way")
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: "Shutting down" in log.read_text(), "the first signal has arrived")
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        assert isinstance(answer.exception(timeout=60), OSError)


def test_a_worker_that_is_killed_is_replaced_and_its_job_goes_on(live_server):
    [worker, *_] = _children(live_server.process.pid)
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: worker not in _children(live_server.process.pid), "the dead worker is noticed")
    wait_until(lambda: _answers(live_server.url), "the next worker answers")
    assert live_server.process.poll() is None


def test_workers_do_not_outlive_their_parent(live_server):
    workers = _children(live_server.process.pid)
    assert workers
    os.kill(live_server.process.pid, signal.SIGKILL)
    wait_until(lambda: not any(_lives(worker) for worker in workers), "the workers end")


def _is_ready(url: str) -> bool:
    try:
        return _get(f"{url}/readyz") == "ok\n"
    except HTTPError:  # not yet: it says what is missing, with 503
        return False


def test_the_scheduler_beats_and_gives_back_its_leases_when_stopped(live_server):
    with live_server.session() as session:
        session.add(Job(kind="from.the.future", title="Unknown", created_at=NOW, created_by="Ann"))
        session.commit()

        def ended() -> bool:
            session.rollback()
            return session.query(Job).filter_by(status=JobStatus.FAILED).count() == 1

        wait_until(ended, "the scheduler has run the job")
        wait_until(lambda: _is_ready(live_server.url), "it is ready")
        live_server.stop()
        session.rollback()
        assert {lease.owner for lease in session.query(Lease).filter(Lease.name.in_(["jobs", "scheduler"]))} == {""}


def test_every_line_of_its_log_is_json(live_server):
    _get(f"{live_server.url}/healthz")
    live_server.stop()
    lines = [json.loads(line) for line in live_server.log.splitlines()]
    assert {"at", "level", "event"} <= set.intersection(*(set(line) for line in lines))


def test_static_files_come_with_the_headers(live_server):
    with urlopen(f"{live_server.url}/static/css/base.css", timeout=10) as answer:  # noqa: S310
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert answer.headers["Server"] == "Largesse"


@pytest.mark.parametrize(
    ("changes", "options", "sentence"),
    [
        ({"secret_key": "short"}, (), "secret key: 5 bytes; it needs 32."),
        ({"insecure_local": False}, (), "is not https"),
        ({}, ("--host", "0.0.0.0"), "only this machine is served"),  # noqa: S104
    ],
)
def test_it_refuses_to_start_where_the_doctor_finds_a_fault(command, changes, options, sentence):
    done = command("run", *options, status=1, **changes)
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_it_refuses_a_database_without_its_tables(command, fresh_database):
    done = command("run", status=1, database_url=fresh_database)
    assert "Run «migrate»." in done.stderr


def _get(url: str) -> str:
    with urlopen(url, timeout=30) as answer:  # noqa: S310 - an address of our own
        return str(answer.read().decode())


def _answers(url: str) -> bool:
    try:
        return _get(f"{url}/healthz") == "ok\n"
    except OSError:
        return False


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _lives(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]
    except OSError:
        return False


@pytest.mark.parametrize("name", ["run", "demo"])
def test_it_refuses_a_port_at_which_another_server_listens(command, name):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = command(name, "--port", str(port), status=1)
    assert f"Port {port} at 127.0.0.1 cannot be used: address already in use." in done.stderr
