"""Every checker and every test, in order: `python3 -m webapp test [PYTEST ARGS] [--proofs] [--database NAME]`."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"
CHECKERS = {
    "Format (ruff format)": ["-m", "ruff", "format", "--check", "."],
    "Lint (ruff check)": ["-m", "ruff", "check", "."],
    "Types (mypy --strict)": ["-m", "mypy"],
    "Layers (import-linter)": ["-c", LINT_IMPORTS],
    "Templates (djlint)": ["-m", "djlint", "--lint", "--quiet", "templates"],
}
NO_TESTS = 5  # pytest's exit code
LONGEST_RUN = 85 * 60  # seconds for everything together: who waits for a result gives up after ninety minutes
STARTED = time.monotonic()


@dataclass
class Step:
    """One checker or one run of the tests, and how it ended."""

    title: str
    code: int = 0
    seconds: float = 0.0
    passed: int = 0
    failed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        tests = f"{self.passed} passed, {self.failed} failed, {self.skipped.total()} skipped"
        counted = self.passed or self.failed or self.skipped
        return f"{'FAILED' if self.code else 'ok':8}{self.title:32}{self.seconds:6.1f} s  {tests if counted else ''}".rstrip()


def main(arguments: Sequence[str] = ()) -> int:
    """Run it all; the exit code is 0 only if every step passed. With arguments for pytest the checkers are left out."""
    rest = [argument for argument in arguments if argument != "--proofs"]
    steps = [] if rest else [check(title, command) for title, command in CHECKERS.items()]
    steps += [run_tests(database, arguments) for database in wanted_databases(rest)]
    return conclude(steps)


def wanted_databases(arguments: Sequence[str]) -> list[str]:
    """Both, unless the arguments name one."""
    named = [name for name in DATABASES if f"--database={name}" in arguments or _follows("--database", name, arguments)]
    return named or list(DATABASES)


def check(title: str, command: Sequence[str]) -> Step:
    _heading(title)
    step = Step(title)
    _run(step, command)
    return step


def run_tests(database: str, arguments: Sequence[str]) -> Step:
    """One run of pytest; what no database can change is left to the run on SQLite."""
    step = Step(f"Tests on {DATABASES[database]}")
    _heading(step.title)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = ["-m", "pytest", f"--junit-xml={report}", *_workers(arguments), *arguments]
        _run(step, command, TEST_DATABASE=database)
        if report.exists():
            _count(step, report)
    return step


def conclude(steps: Sequence[Step]) -> int:
    """Print what was skipped and why, how each step ended, and the sum as the last line."""
    _heading("Summary")
    if any(step.passed for step in steps):  # what was asked for had tests for one database only
        steps = [step for step in steps if step.code != NO_TESTS]
    for step in steps:
        for reason, count in step.skipped.most_common():
            print(f"SKIPPED {count:5} × {step.title}: {reason}")
    print(*steps, sep="\n")
    passed, failed = sum(step.passed for step in steps), sum(step.failed for step in steps)
    skipped = sum(step.skipped.total() for step in steps)
    bad = [step.title for step in steps if step.code]
    print(f"\nNot passed: {', '.join(bad)}." if bad else "\nEverything passed.")
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if bad else 0


def _heading(title: str) -> None:
    print(f"\n━━ {title} ".ljust(100, "━"), flush=True)


def _run(step: Step, command: Sequence[str], **environment: str) -> None:
    began = time.monotonic()
    left = max(LONGEST_RUN - (began - STARTED), 1)
    values = {**os.environ, "LARGESSE_NO_BOOTSTRAP": "1", **environment}
    values.pop("PYTHONDONTWRITEBYTECODE", None)  # every process would compile every module anew
    try:
        step.code = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=values, timeout=left, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        print(f"Stopped: everything together may take {LONGEST_RUN // 60} minutes.")
        step.code = 1
    step.seconds = time.monotonic() - began


def _count(step: Step, report: Path) -> None:
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - our own pytest wrote it
        skipped = case.find("skipped")
        if skipped is not None:
            step.skipped[skipped.get("message", "")] += 1
        elif case.find("failure") is not None or case.find("error") is not None:
            step.failed += 1
        else:
            step.passed += 1


def _workers(arguments: Sequence[str]) -> list[str]:
    """One process per core, unless the arguments say how many or a debugger needs the terminal."""
    own = (
        "-n",
        "--numprocesses",
        "--dist",
        "--pdb",
        "--trace",
        "-s",
        "no:xdist",
        "--collect-only",
        "--co",
        "--version",
    )
    return [] if any(argument.startswith(own) for argument in arguments) else ["-n", str(os.cpu_count() or 2)]


def _follows(option: str, value: str, arguments: Sequence[str]) -> bool:
    return any(pair == (option, value) for pair in itertools.pairwise(arguments))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
