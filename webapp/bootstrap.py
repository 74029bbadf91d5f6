"""Set-up on first use: makes `.venv`, installs what the locks name, and starts the command inside it.

Only the standard library is imported here, and nothing newer than Python 3.8 can read, so that an
old or bare Python still gets a sentence instead of a traceback.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

OLDEST = (3, 11)
# Set while starting again inside the environment, so that a broken one cannot start itself for ever.
STARTED = "_LARGESSE_STARTED"
OFFLINE = re.compile(
    r"connection ?error|connection (refused|reset|timed out)|connect ?timeout|read ?timed? ?out|name or service"
    r"|name resolution|getaddrinfo|dns error|error sending request|unreachable|no route to host|max retries",
    re.IGNORECASE,
)


def main() -> None:
    """Run the command named on the command line, in an environment that has what it needs."""
    arguments = sys.argv[1:]
    is_test = arguments[:1] == ["test"]
    ensure_environment("development" if is_test else "runtime")
    try:
        if is_test:
            raise SystemExit(importlib.import_module("tests.check").main(arguments[1:]))
        importlib.import_module("webapp.cli").main()
    except ModuleNotFoundError as missing:
        raise SystemExit(_explain(missing.name or "")) from None


def ensure_environment(kind: str) -> None:
    """Return when this process can import what `kind` (runtime or development) locks; else start again in `.venv`."""
    if sys.version_info[:2] < OLDEST:
        raise SystemExit("Largesse needs Python 3.11 or newer; this is Python {}.{}.".format(*sys.version_info))
    started = os.environ.pop(STARTED, "")
    here = Environment(Path(__file__).resolve().parent.parent)
    if os.environ.get("LARGESSE_NO_BOOTSTRAP", "0") not in {"", "0"} or not here.is_checkout:
        return
    if here.is_running:
        if here.is_ready(kind, sys.version_info):
            return
    elif started:
        raise SystemExit(f"The Python in {here.folder} does not start; delete that folder and try again.")
    elif (sys.prefix != sys.base_prefix or not here.is_ready(kind)) and is_installed(here.lock(kind)):
        return
    if here.is_running or not here.is_ready(kind):
        here.set_up(kind)
    _start_again(here.python)


def is_installed(lock: Path) -> bool:
    """Whether the running Python has every package of the lock, whatever the platform, in the locked version."""
    metadata = importlib.import_module("importlib.metadata")
    try:
        return all(metadata.version(name) == version for name, version in pins(lock).items())
    except metadata.PackageNotFoundError:
        return False


def pins(lock: Path) -> dict[str, str]:
    """Package → version for the lines of a lock that hold on every platform."""
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+) *\\?$", lock.read_text(encoding="utf-8"), re.MULTILINE))


class Environment:
    """The `.venv` of one checkout."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        self.unfinished = self.folder / "largesse-unfinished"
        self.held: tuple[int, ...] = ()

    @property
    def is_checkout(self) -> bool:
        return (self.root / "pyproject.toml").is_file()

    @property
    def is_running(self) -> bool:
        """Whether this very process is the environment's Python."""
        return Path(sys.prefix).resolve() == self.folder.resolve()

    def lock(self, kind: str) -> Path:
        return self.root / "webapp" / "locks" / f"{kind}.txt"

    def stamp(self, kind: str) -> Path:
        return self.folder / f"largesse-{kind}"

    def fingerprint(self, kind: str) -> str:
        return hashlib.sha256(self.lock(kind).read_bytes()).hexdigest()

    def is_ready(self, kind: str, version: Sequence[object] = ()) -> bool:
        """Whether a set-up of this lock finished here, and for this Python where a version is given."""
        stamp = self.stamp(kind)
        if self.unfinished.exists() or not self.python.exists() or not stamp.is_file():
            return False
        fingerprint, made_for = [*stamp.read_text().split(), "", ""][:2]
        return fingerprint == self.fingerprint(kind) and (not version or made_for == "{}.{}".format(*version))

    def set_up(self, kind: str) -> None:
        """Make or mend the environment; at most one process at a time does, the others wait and find it done."""
        began = time.monotonic()
        try:
            with self._alone():
                if self.is_ready(kind) and not self.is_running:
                    return
                self._make()
                self.unfinished.touch()
                self._install(kind)
                for done in ("runtime", kind):  # the development lock contains the runtime lock
                    self.stamp(done).write_text(f"{self.fingerprint(done)} {self._version()}\n")
                self.unfinished.unlink()
        except OSError as problem:
            raise SystemExit(f"Set-up cannot write to {self.folder}: {problem.strerror}.") from None
        say(f"ready after {time.monotonic() - began:.0f} s.")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the set-up lock. Installers inherit it, so it outlives this process while they still write."""
        path = self.root / "instance" / ".set-up.lock"
        path.parent.mkdir(exist_ok=True)
        with path.open("w") as handle:
            if os.name == "posix":
                fcntl = importlib.import_module("fcntl")
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    say("another one is under way; waiting for it.")
                    fcntl.flock(handle, fcntl.LOCK_EX)
                self.held = (handle.fileno(),)
            yield
            self.held = ()

    def _make(self) -> None:
        """An environment whose Python starts. One that a set-up left half-way, or an older Python made, goes first."""
        if not self.unfinished.exists() and self._version():
            return
        say("making .venv …")
        shutil.rmtree(self.folder, ignore_errors=True)
        try:
            importlib.import_module("venv").create(self.folder, with_pip=False, symlinks=os.name != "nt")
        except ImportError:  # some systems package venv apart
            make_bare(self.folder)

    def _version(self) -> str:
        """The version the environment's Python answers with, if it runs and has its folder for packages."""
        question = (
            "import os, sys, sysconfig;"
            "print('{}.{}'.format(*sys.version_info) if os.path.isdir(sysconfig.get_path('purelib')) else '')"
        )
        try:
            answer = subprocess.run([str(self.python), "-c", question], capture_output=True, text=True, check=False)
        except OSError:
            return ""
        return answer.stdout.strip()

    def _install(self, kind: str) -> None:
        lock = self.lock(kind)
        say(f"installing {len(pins(lock))} packages …")
        pip = find_pip()
        uv = shutil.which("uv") or (self._fetch_uv(pip) if pip else None)
        if uv:
            command = [uv, "pip", "install", "--quiet", "--require-hashes", "--compile-bytecode"]
            environment = uv_environment(pip_settings(pip) if pip else {}, os.environ)
            if self._run([*command, "--python", str(self.python), "-r", str(lock)], environment).returncode == 0:
                return
            say("uv could not do it, trying pip …")
        if not pip:
            self.give_up("pip is missing: install it (on Debian: apt-get install python3-pip) and try again.")
        say("pip needs a minute or two …")
        done = self._run(
            [*pip, "--python", str(self.python), "install", "--quiet", "--require-hashes", "-r", str(lock)]
        )
        if done.returncode != 0:
            self._give_up_on(done.stdout)

    def _fetch_uv(self, pip: list[str]) -> str | None:
        """uv, in a private place: it installs the rest four times as fast as pip does. None where there is none."""
        place = self.folder / "largesse-uv"
        wanted = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(self.lock("uv"))]
        if not place.exists():
            done = self._run([*pip, "install", "--quiet", "--target", str(place), *wanted])
            if done.returncode != 0 and OFFLINE.search(done.stdout):
                self._give_up_on(done.stdout)
        return shutil.which("uv", path=str(place / "bin"))

    def _run(
        self, command: list[str], environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run quietly, output and errors together, nothing asked and no setting of the caller's virtual environment."""
        values = {**(os.environ if environment is None else environment)}
        values.pop("VIRTUAL_ENV", None)
        values.update(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_REQUIRE_VIRTUALENV="0", PIP_USER="0", PIP_NO_INPUT="1")
        return subprocess.run(
            command,
            env=values,
            pass_fds=self.held,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )

    def _give_up_on(self, output: str) -> NoReturn:
        if OFFLINE.search(output):
            self.give_up("the package index cannot be reached: check the network or pip's settings and try again.")
        lines = re.sub(r"\w+://\S+", "(an address)", output).strip().splitlines()[-12:]
        raise SystemExit("\n".join([*lines, "Set-up failed: a package could not be installed; the reason is above."]))

    def give_up(self, why: str) -> NoReturn:
        """Stop before anything was installed: what was ready before still is."""
        self.unfinished.unlink()
        raise SystemExit(f"Set-up stopped: {why}")


def make_bare(folder: Path) -> None:
    """What `venv` would make, for a Python that comes without it."""
    version = "{}.{}".format(*sys.version_info)
    base = Path(getattr(sys, "_base_executable", "") or sys.executable)
    (folder / "lib" / f"python{version}" / "site-packages").mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(base)
    (folder / "pyvenv.cfg").write_text(f"home = {base.parent}\ninclude-system-site-packages = false\n")


def find_pip() -> list[str] | None:
    """The command of the first pip at hand: this Python's, or that of the Python an environment stands on."""
    for python in dict.fromkeys((sys.executable, getattr(sys, "_base_executable", sys.executable))):
        command = [python, "-m", "pip"]
        if (
            Path(python).exists()
            and subprocess.run([*command, "--version"], capture_output=True, check=False).returncode == 0
        ):
            return command
    return None


def pip_settings(pip: list[str]) -> dict[str, str]:
    """The machine's pip configuration, files and environment together, by option name."""
    listed = subprocess.run([*pip, "config", "list"], capture_output=True, text=True, check=False).stdout
    settings: dict[str, str] = {}
    for section in ("global", "install", ":env:"):  # a later one wins
        for name, value in re.findall(rf"^{section}\.([\w-]+)=('.*'|\".*\")$", listed, re.MULTILINE):
            settings[name] = ast.literal_eval(value)
    return settings


def uv_environment(pip: dict[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The environment in which uv asks the same indexes, in the same way, as pip would; uv's own settings win."""
    mapped = {
        "UV_DEFAULT_INDEX": pip.get("index-url", ""),
        "UV_INDEX": " ".join(pip.get("extra-index-url", "").split()),
        "UV_FIND_LINKS": ",".join(pip.get("find-links", "").split()),
        "UV_INSECURE_HOST": " ".join(pip.get("trusted-host", "").split()),
        "UV_HTTP_TIMEOUT": pip.get("timeout", pip.get("default-timeout", "")),
        "SSL_CERT_FILE": pip.get("cert", ""),
        "SSL_CLIENT_CERT": pip.get("client-cert", ""),
        "ALL_PROXY": pip.get("proxy", ""),
        "UV_INDEX_STRATEGY": "unsafe-best-match",  # as pip looks; the hashes make it safe
        "UV_PYTHON_DOWNLOADS": "never",
    }
    return {**{name: value for name, value in mapped.items() if value}, **environment}


def say(text: str) -> None:
    print(f"Set-up: {text}", file=sys.stderr, flush=True)


def _start_again(python: Path) -> NoReturn:
    """Replace this process by the same command inside the environment."""
    command = [str(python), *sys.orig_argv[1:]]
    os.environ[STARTED] = "1"
    os.environ.pop("__PYVENV_LAUNCHER__", None)
    if os.name == "nt":
        raise SystemExit(subprocess.run(command, check=False).returncode)
    os.execv(command[0], command)


def _explain(missing: str) -> str:
    if missing.partition(".")[0] == "tests":
        return "The tests come with a checkout of the project, not with the installed package."
    if missing == "webapp.cli":
        return "This copy of Largesse is not complete: webapp/cli is missing."
    return f"The package {missing} is not installed; webapp/locks names everything that must be."
