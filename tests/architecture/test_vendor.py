"""What others wrote is what we took: every vendored file still has the hash that was written down."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from webapp.config import ROOT

STATIC = ROOT / "static"
ROW = re.compile(r"^\| `(?P<file>[^`]+)` \|.*\| (?P<licence>[^|]+) \| `(?P<digest>[^`]+)` \|$", re.MULTILINE)
ROWS = {row["file"]: row for row in ROW.finditer((STATIC / "vendor" / "VENDOR.md").read_text(encoding="utf-8"))}
TAKEN = [*(STATIC / "vendor").glob("*.js"), *(STATIC / "fonts").glob("*.woff2"), STATIC / "icons.svg"]


@pytest.mark.parametrize("path", TAKEN, ids=lambda path: path.name)
def test_a_vendored_file_is_unchanged(path):
    digest = base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()
    assert digest == ROWS[path.relative_to(STATIC).as_posix()]["digest"]


@pytest.mark.parametrize("name", ROWS)
def test_a_vendored_file_comes_with_its_licence(name):
    text = ROWS[name]["licence"].rpartition(" ")[2]
    assert any((folder / text).is_file() for folder in (STATIC, STATIC / "vendor"))


def test_every_icon_a_template_names_is_in_the_sprite():
    drawn = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text(encoding="utf-8")))
    named = {
        name
        for path in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r'\b(?:icon|draw)\("([a-z0-9-]+)"', path.read_text(encoding="utf-8"))
    }
    assert named <= drawn
