"""House rules of the sources that a linter cannot see."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
MODULES = sorted((ROOT / "webapp").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LONGEST = 400
SUPPRESSIONS = re.compile(r"#\s*(noqa|type:\s*ignore)")

# What only some places may do, and the reason they may.
MARKUP = {"webapp/web/filters.py"}  # the one place that builds HTML from parts it escapes itself
CATCH_ALL = {
    "webapp/web/errors.py",  # a bug becomes a page with a reference
    "webapp/jobs/runner.py",  # a bug in one job must not stop the others
    "webapp/scheduler.py",
}
SLEEP = {
    "webapp/services/work.py",  # rivals that collided wait a random moment
    "webapp/cli/vouchers.py",  # another process holds the lease of all jobs
    "tests/support/processes.py",  # the one loop that waits for another process
}
NOW = {"webapp/adapters/clock.py"}
LONG = {"webapp/domain/protocol/verify_draw.py"}  # one file that an auditor can run and read alone


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def calls(path):
    """Every call of a module as (dotted name, line)."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def offences(paths, allowed, is_offence):
    return [
        f"{name_of(path)}:{line} {name}"
        for path in paths
        if name_of(path) not in allowed
        for name, line in calls(path)
        if is_offence(name)
    ]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_say_what_they_are(path):
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_no_module_is_too_long_to_read():
    lengths = {
        name_of(path): len(path.read_text().splitlines())
        for path in MODULES
        if "migrations" not in path.parts and name_of(path) not in LONG
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_suppressions_are_rare_and_name_what_they_suppress():
    lines = [line for path in MODULES for line in path.read_text().splitlines()]
    # WTForms has no types, so each class that extends one of its own says so.
    found = [line.strip() for line in lines if SUPPRESSIONS.search(line) and not line.startswith("class ")]
    assert [line for line in found if not re.search(r"(noqa: [A-Z]+\d+|type: ignore\[[\w, -]+\])", line)] == []
    assert len(found) <= max(10, len(lines) // 1000), "\n".join(found)


def test_html_is_built_in_one_place():
    assert offences(MODULES, MARKUP, lambda name: name.split(".")[-1] == "Markup") == []


def test_templates_are_files():
    assert offences(MODULES, set(), lambda name: name.split(".")[-1] in {"render_template_string", "from_string"}) == []


def test_only_the_edges_catch_everything():
    caught = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler) and name_of(path) not in CATCH_ALL:
                kind = ast.unparse(node.type) if node.type else "everything"
                passes_on = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
                if re.search(r"\b(everything|Exception|BaseException)\b", kind) and not passes_on:
                    caught.append(f"{name_of(path)}:{node.lineno} except {kind}")
    assert caught == []


def test_nothing_sleeps_where_it_could_wait_for_a_condition():
    assert offences([*MODULES, *TESTS], SLEEP, lambda name: name in {"sleep", "time.sleep"}) == []


def test_one_place_asks_for_the_time():
    clocks = re.compile(r"(datetime\.(now|utcnow|today)|date\.today|time\.time|utcnow)$")
    assert offences(MODULES, NOW, clocks.search) == []


def test_the_clock_is_called_through_its_module():
    """Tests stop the clock by replacing `clock.now`; a name imported from it would go on running."""
    importers = [
        name_of(path) for path in MODULES if re.search(r"from webapp\.adapters\.clock import", path.read_text())
    ]
    assert importers == []


def test_the_project_speaks_only_of_itself():
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    if not tracked:
        pytest.skip("git lists no files here")
    foreign = re.compile(r"/(work|root|opt)/[a-z.]|pypi\.org|pythonhosted|npmjs\.|\.\./shared\b")
    found = []
    for name in filter(None, tracked.split("\0")):
        path = ROOT / name
        if path.is_file() and path != Path(__file__) and "vendor" not in path.parts:
            data = path.read_bytes()
            if b"\0" not in data[:4096] and foreign.search(data.decode(errors="replace")):
                found.append(name)
    assert found == []
