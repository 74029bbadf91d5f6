"""The set-up: what its locks promise, what it imports, when it acts and when it does not."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from webapp import bootstrap
from webapp.bootstrap import Environment

pytestmark = pytest.mark.once
ROOT = Path(bootstrap.__file__).resolve().parent.parent
LOCKS = sorted((ROOT / "webapp" / "locks").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRA = PROJECT["optional-dependencies"]["development"]
LINE = re.compile(r"^([\w.-]+)==([^\s;]+)", re.MULTILINE)


@pytest.fixture
def checkout(tmp_path):
    """A checkout with locks and nothing else."""
    locks = tmp_path / "webapp" / "locks"
    locks.mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    for kind in ("runtime", "development"):
        (locks / f"{kind}.txt").write_text("flask==3.1.3 \\\n    --hash=sha256:0\n")
    return Environment(tmp_path)


@pytest.fixture
def ready(checkout):
    """The same checkout after a set-up of the runtime lock."""
    bootstrap.make_bare(checkout.folder)
    checkout.stamp("runtime").write_text(f"{checkout.fingerprint('runtime')} 3.11\n")
    return checkout


def locked(kind):
    return dict(LINE.findall((ROOT / "webapp" / "locks" / f"{kind}.txt").read_text()))


@pytest.mark.parametrize(("kind", "wanted"), [("runtime", []), ("development", EXTRA)])
def test_the_lock_satisfies_the_project(kind, wanted):
    versions = locked(kind)
    for line in [*PROJECT["dependencies"], *wanted]:
        requirement = Requirement(line)
        assert versions[requirement.name.lower()] in requirement.specifier, line


def test_the_development_lock_contains_the_runtime_lock():
    assert locked("runtime").items() <= locked("development").items()


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_a_lock_holds_no_address_and_a_hash_for_every_line(path):
    text = path.read_text()
    assert "://" not in text
    for block in re.split(r"(?m)^(?=[\w.-]+==)", text):
        assert not block or "--hash=sha256:" in block, block.splitlines()[0]


@pytest.mark.parametrize("name", ["__init__", "__main__", "bootstrap"])
def test_an_old_python_can_read_what_runs_first(name):
    ast.parse((ROOT / "webapp" / f"{name}.py").read_text(), feature_version=(3, 8))


def test_what_runs_first_imports_only_the_standard_library():
    question = (
        "import sys; sys.path.insert(0, sys.argv[1]); import webapp.bootstrap, webapp.__main__;"
        "print([name for name in sys.modules if name.split('.')[0] not in {*sys.stdlib_module_names, 'webapp', '__main__'}])"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", question, str(ROOT)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_set_up_that_finished_is_not_done_again(ready):
    assert ready.is_ready("runtime")
    assert not ready.is_ready("development")


def test_a_changed_lock_asks_for_a_set_up(ready):
    ready.lock("runtime").write_text("flask==3.1.4 \\\n    --hash=sha256:1\n")
    assert not ready.is_ready("runtime")


def test_another_python_asks_for_a_set_up(ready):
    assert ready.is_ready("runtime", (3, 11, 9))
    assert not ready.is_ready("runtime", (3, 12, 1))


def test_an_interrupted_set_up_is_not_ready(ready):
    ready.unfinished.touch()
    assert not ready.is_ready("runtime")


def test_giving_up_early_leaves_what_was_ready_as_it_was(ready):
    ready.unfinished.touch()
    with pytest.raises(SystemExit, match="Set-up stopped: no network"):
        ready.give_up("no network")
    assert ready.is_ready("runtime")


def test_a_hand_made_environment_starts(ready):
    done = subprocess.run(
        [str(ready.python), "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()).samefile(ready.folder)


def test_an_environment_with_other_versions_does_not_count(checkout):
    here = locked("runtime")["flask"]
    checkout.lock("runtime").write_text(f"flask=={here} \\\n")
    assert bootstrap.is_installed(checkout.lock("runtime"))
    checkout.lock("runtime").write_text("flask==0.0.1 \\\n")
    assert not bootstrap.is_installed(checkout.lock("runtime"))


def test_lines_for_some_platforms_only_are_not_asked_of_this_one(checkout):
    checkout.lock("runtime").write_text(
        "flask==3 \\\n    --hash=sha256:0\ncolorama==0.4 ; sys_platform == 'win32' \\\n"
    )
    assert bootstrap.pins(checkout.lock("runtime")) == {"flask": "3"}


def test_uv_asks_where_pip_would_ask():
    pip = {
        "index-url": "https://a/simple",
        "extra-index-url": "https://b https://c",
        "find-links": "/x\n/y",
        "cert": "/ca",
    }
    values = bootstrap.uv_environment(pip, {"UV_INDEX": "https://mine"})
    assert values["UV_DEFAULT_INDEX"] == "https://a/simple"
    assert values["UV_INDEX"] == "https://mine"
    assert values["UV_FIND_LINKS"] == "/x,/y"
    assert values["SSL_CERT_FILE"] == "/ca"


@pytest.mark.parametrize(
    ("output", "is_offline"),
    [
        ("WARNING: Retrying … NewConnectionError: Temporary failure in name resolution", True),
        ("error: Request failed: error sending request for url", True),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", False),
        ("ERROR: No matching distribution found for typst==0.15.2", False),
    ],
)
def test_a_missing_network_is_told_from_other_failures(output, is_offline):
    assert bool(bootstrap.OFFLINE.search(output)) is is_offline


def test_refuses_an_old_python_in_one_sentence(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit, match=r"^Largesse needs Python 3\.11 or newer; this is Python 3\.9\.$"):
        bootstrap.ensure_environment("runtime")


def test_those_who_manage_their_own_environment_are_left_alone(monkeypatch):
    monkeypatch.setenv("LARGESSE_NO_BOOTSTRAP", "1")
    monkeypatch.setattr(Environment, "set_up", lambda *_: pytest.fail("it set something up"))
    monkeypatch.setattr(Environment, "is_ready", lambda *_: False)
    bootstrap.ensure_environment("runtime")


def test_a_failure_names_no_address(checkout, capsys):
    with pytest.raises(SystemExit) as stopped:
        checkout._give_up_on("Looking in indexes: https://user:secret@registry.example/simple\nERROR: bad wheel")
    assert "registry.example" not in str(stopped.value)
    assert "bad wheel" in str(stopped.value)


@pytest.mark.skipif(os.name != "posix", reason="file locks are for POSIX systems")
def test_a_second_set_up_waits_for_the_first_and_finds_it_done(ready, monkeypatch):
    monkeypatch.setattr(Environment, "_make", lambda *_: pytest.fail("it was done twice"))
    ready.set_up("runtime")
