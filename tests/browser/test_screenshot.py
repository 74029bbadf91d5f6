"""The README's picture can be made, and the one that lies there is of the size it should be."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.screenshot import HEIGHT, LARGEST, PICTURE, WIDTH, sample_console, take
from tests.support.clock import NOW
from webapp.adapters import clock


def size_of(path: Path) -> tuple[int, int]:
    """Width and height, from the first piece of a PNG."""
    width, height = struct.unpack_from(">II", path.read_bytes(), 16)
    return width, height


def test_the_picture_is_made_from_the_sample_programme(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    with sample_console(tmp_path / "instance") as console:
        take(browser, console, tmp_path / "console.png")
    assert size_of(tmp_path / "console.png") == (WIDTH, HEIGHT)


def test_the_readme_shows_a_picture_of_the_console() -> None:
    assert PICTURE.relative_to(PICTURE.parents[1]).as_posix() in (PICTURE.parents[1] / "README.md").read_text()
    assert size_of(PICTURE) == (WIDTH, HEIGHT)
    assert 20_000 < PICTURE.stat().st_size <= LARGEST
