"""Programs the tests start: they never outlive the tests, however those end."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable


def tied(*command: str, signal_name: str = "KILL") -> list[str]:
    """The command, arranged to get the signal when the process that starts it ends, where the system can do that."""
    setpriv = shutil.which("setpriv")
    return [setpriv, f"--pdeathsig={signal_name}", *command] if setpriv else list(command)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until(
    is_so: Callable[[], object], what: str, seconds: float = 120, process: subprocess.Popen[str] | None = None
) -> None:
    """Look again and again until something holds; say what never came, or that the process ended first."""
    until = time.monotonic() + seconds
    while not is_so():
        if process is not None and process.poll() is not None:
            raise AssertionError(f"the process ended with {process.returncode} before {what}")
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.02)


def kill_group(process: subprocess.Popen[str], number: int = signal.SIGKILL) -> None:
    """Send a signal to a process and all it started; it must lead a group of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
