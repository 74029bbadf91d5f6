"""What every answer carries (reliability.md 6.3), and what never gets in."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

import pytest

from webapp.app import create_app
from webapp.config import ROOT
from webapp.web.headers import fingerprint

ALWAYS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
    "frame-ancestors 'none'; report-uri /csp-report",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Server": "Largesse",
}
KEPT = "public, max-age=31536000, immutable"


def static_url(app, name: str) -> str:
    return str(app.jinja_env.globals["static_url"](name))


@pytest.mark.parametrize(
    ("address", "status"),
    [("/healthz", 200), ("/jobs", 302), ("/nowhere", 404), ("/csp-report", 405), ("/static/css/base.css", 200)],
)
def test_every_answer_carries_every_header(app, address, status):
    answer = app.test_client().get(address, buffered=True)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS
    assert {"Cookie", "HX-Request"} <= set(answer.vary)
    assert "Strict-Transport-Security" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_camera_may_be_used_at_the_till_and_nowhere_else(console):
    policy = {address: console.get(address).response.headers["Permissions-Policy"] for address in ("/till", "/help")}
    assert policy["/till"].startswith("camera=(self), ")
    assert policy["/help"].startswith("camera=(), ")


def test_over_https_browsers_are_told_to_stay_there(settings):
    app = create_app(replace(settings, public_url="https://prizes.example.org", image_hosts=("images.example.org",)))
    answer = app.test_client().get("/healthz", headers={"Host": "prizes.example.org"})
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert "img-src 'self' data: https://images.example.org;" in answer.headers["Content-Security-Policy"]


def test_static_files_are_kept_for_ever_under_their_fingerprint_only(app):
    client = app.test_client()
    assert client.get(static_url(app, "css/base.css"), buffered=True).headers["Cache-Control"] == KEPT
    assert client.get("/static/000000000000/css/base.css", buffered=True).headers["Cache-Control"] == "no-store"
    assert client.get(static_url(app, "css/nothing.css")).headers["Cache-Control"] == "no-store"


def test_what_a_style_sheet_names_has_the_fingerprint_too(app):
    client, sheet = app.test_client(), static_url(app, "css/base.css")
    [font, *_] = re.findall(r'url\("\.\./(fonts/[^"]+)"\)', client.get(sheet, buffered=True).get_data(as_text=True))
    assert client.get(sheet.replace("css/base.css", font), buffered=True).headers["Cache-Control"] == KEPT


def test_the_fingerprint_moves_with_any_file(tmp_path):
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "base.css").write_text("a {}")
    before = fingerprint(tmp_path)
    (tmp_path / "css" / "base.css").write_text("b {}")
    assert fingerprint(tmp_path) != before
    assert re.fullmatch("[0-9a-f]{12}", fingerprint(ROOT / "static"))


@pytest.mark.parametrize(
    ("headers", "is_refused"),
    [
        ({}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Origin": "https://evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "http://localhost.evil.example"}, True),
    ],
)
def test_forms_of_other_sites_are_refused(app, headers, is_refused):
    answer = app.test_client().post("/jobs", headers=headers)
    assert (answer.status_code == 403) is is_refused


def test_links_from_other_sites_are_welcome(app):
    assert app.test_client().get("/healthz", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_a_browser_may_tell_what_the_policy_stopped(app, caplog):
    report = {
        "csp-report": {
            "document-uri": "http://localhost/jobs?q=secret",
            "violated-directive": "img-src",
            "blocked-uri": "http://x/y?z",
        }
    }
    with caplog.at_level(logging.WARNING):
        answer = app.test_client().post("/csp-report", json=report)
    assert answer.status_code == 204
    assert "img-src on /jobs: http://x/y" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("body", ["nonsense", "[1]", '{"csp-report": 7}'])
def test_a_report_that_says_nothing_is_taken_quietly(app, body, caplog):
    answer = app.test_client().post("/csp-report", data=body, content_type="application/csp-report")
    assert answer.status_code == 204
    assert caplog.text == ""


def test_a_report_without_end_is_not_read(app):
    assert app.test_client().post("/csp-report", data="x" * 20_000).status_code == 413
