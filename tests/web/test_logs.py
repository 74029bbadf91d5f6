"""One line a request: who, what, how long, and never a secret."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest
from flask import Flask

from webapp.web import logs


@pytest.fixture
def lines(monkeypatch) -> Iterator[io.StringIO]:
    """What is logged, with the root logger put back afterwards."""
    out, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(logs.sys, "stderr", out)
    logs.configure("info")
    yield out
    root.handlers[:] = handlers
    root.setLevel(level)


def read(lines: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_a_request_is_one_json_line_in_utc(app: Flask, lines):
    answer = app.test_client().get("/nowhere?code=SECRET")
    [line] = read(lines)
    assert line["event"] == "request"
    assert (line["method"], line["path"], line["status"], line["staff"]) == ("GET", "/nowhere", 404, None)
    assert line["request"] == answer.headers["X-Request-Id"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", str(line["at"]))
    assert isinstance(line["ms"], float)
    assert "SECRET" not in lines.getvalue()


def test_the_line_names_the_person_signed_in(console, actor, lines):
    console.get("/jobs")
    assert read(lines)[-1]["staff"] == actor.staff_id


def test_line_breaks_in_an_address_do_not_make_lines(app: Flask, lines):
    app.test_client().get("/a%0d%0a%7b%22event%22:%22forged%22%7d")
    assert len(read(lines)) == 1


def test_monitors_do_not_fill_the_log(app: Flask, lines):
    app.test_client().get("/healthz")
    assert read(lines) == []


def test_what_the_standard_library_logs_is_json_with_its_traceback(lines):
    try:
        int("two\nlines")
    except ValueError:
        logging.getLogger("somewhere").exception("It failed: %s", "a\nb")
    [line] = read(lines)
    assert (line["event"], line["level"], line["logger"]) == ("It failed: a\nb", "error", "somewhere")
    assert "ValueError: invalid literal" in str(line["exception"])


def test_a_path_with_a_secret_is_logged_as_its_pattern(app: Flask, lines):
    rule = next(
        (rule for rule in app.url_map.iter_rules() if "token" in rule.arguments and "GET" in (rule.methods or ())), None
    )
    assert rule is not None
    token = "x" * 43
    with app.test_request_context():
        address = app.url_map.bind("localhost").build(rule.endpoint, {"token": token})
    app.test_client().get(address)
    assert token not in lines.getvalue()
    assert read(lines)[-1]["path"] == rule.rule
