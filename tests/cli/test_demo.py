"""`demo` as a process: it builds its programme, prints one sign-in for each role, serves, and keeps what it built."""

import json
import os
import re
import signal
import subprocess
import sys
from urllib.request import urlopen

import pytest

from tests.support.processes import free_port, kill_group, tied, wait_until
from tests.support.run import ROOT
from webapp.domain.permissions import Role


@pytest.fixture
def start(tmp_path):
    """Starts the demo in a folder of its own and gives its process, its port and what it printed when it answered."""
    running = []

    def begin(*options):
        port, out = free_port(), tmp_path / f"demo-{len(running)}.log"
        keep = {name: value for name, value in os.environ.items() if not name.startswith("LARGESSE_")}
        with out.open("w") as log:
            process = subprocess.Popen(
                tied(sys.executable, "-m", "webapp", "demo", "--port", str(port), *options, signal_name="TERM"),
                cwd=ROOT,
                env=keep | {"LARGESSE_NO_BOOTSTRAP": "1", "LARGESSE_INSTANCE": str(tmp_path / "instance")},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        running.append(process)
        wait_until(lambda: answers(port), "the demo answers", seconds=240, process=process)
        return process, port, out.read_text()

    yield begin
    for process in running:
        kill_group(process)
        process.wait()


def answers(port):
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def test_the_demo_prints_one_sign_in_for_each_role_and_keeps_them(start, tmp_path):
    process, port, told = start()
    assert f"http://localhost:{port}" in told
    ways = json.loads((tmp_path / "instance" / "demo" / "sign-ins.json").read_text())
    assert {way["role"] for way in ways} == {role.value for role in Role}
    assert all(way["email"] in told and way["password"] in told for way in ways)
    assert len({way["password"] for way in ways}) == len(ways)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=120) == 0
    _, _, again = start()
    assert re.findall(r"\S+@\S+ +\S+", again) == re.findall(r"\S+@\S+ +\S+", told)
