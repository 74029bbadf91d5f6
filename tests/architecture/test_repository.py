"""What lies where in the repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CARD = {"webapp", "templates", "static", "tests", "instance", "pyproject.toml", "README.md"}


def tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    if not listed:
        pytest.skip("git lists no files here")
    return [name for name in listed.split("\0") if name]


def test_the_top_level_is_the_card_and_hidden_files():
    top = {name.split("/")[0] for name in tracked()}
    assert {name for name in top if not name.startswith(".")} == CARD


def test_the_instance_folder_is_empty_in_the_repository():
    assert [name for name in tracked() if name.startswith("instance/")] == ["instance/.gitkeep"]


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_every_test_is_in_a_file_that_pytest_collects():
    stray = [
        name
        for name in tracked()
        if name.startswith("tests/") and name.endswith(".py") and not name.split("/")[-1].startswith("test_")
        if "\ndef test_" in (ROOT / name).read_text()
    ]
    assert stray == []
