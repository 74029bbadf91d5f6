"""Failures as pages: the right words, the reference, and what was typed."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from flask import Flask, abort, request
from sqlalchemy.exc import OperationalError

from tests.pages import Console
from tests.support.databases import settings_for
from webapp.app import create_app
from webapp.domain.errors import Busy, Conflict, NotFound, Refused
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.web import errors
from webapp.web.access import requires
from webapp.web.words import WORDS

HTMX = {"HX-Request": "true"}
LOCKED = OperationalError("update", {}, Exception("database is locked"))
FULL = OperationalError("update", {}, Exception("database or disk is full"))
GONE = OperationalError("select", {}, Exception("connection refused"))


@pytest.fixture(scope="module")
def failing(new_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """An application of its own with one more address that fails as it is told to."""
    app = create_app(settings_for(new_database(), tmp_path_factory.mktemp("failing")))
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    told = SimpleNamespace(app=app, error=None)

    @app.route("/fail", methods=["GET", "POST"])
    @requires(Permission.PUBLIC)
    def fail() -> str:
        if request.args.get("read"):
            return str(len(request.form))
        if isinstance(told.error, int):
            abort(told.error)
        raise told.error

    yield told
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def browser_of(failing: SimpleNamespace) -> Console:
    return Console(failing.app.test_client())


@pytest.mark.parametrize(
    ("error", "status", "title", "sentence"),
    [
        (Refused("x", "The draw is sealed."), 422, "This cannot be done", "The draw is sealed."),
        (Conflict("x", "Somebody changed it."), 409, "Somebody was faster", "Somebody changed it."),
        (NotFound("x", "There is no draw 7."), 404, "There is no such page", "There is no draw 7."),
        (Busy("x", "The database is busy."), 503, "The database is busy", "The database is busy."),
        (LOCKED, 503, "The database is busy", "could not take the change in time"),
        (FULL, 503, "The disk is full", "What is stored is safe"),
        (GONE, 503, "The database does not answer", "cannot reach its database"),
        (ZeroDivisionError("inside"), 500, "The program failed", "our fault, not yours"),
        *(
            (status, status, WORDS[status].title, WORDS[status].what)
            for status in (400, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503)
        ),
        (418, 418, WORDS[400].title, "not a form of this console"),
    ],
)
def test_every_failure_has_its_page(failing, browser_of, error, status, title, sentence):
    failing.error = error
    page = browser_of.get("/fail", status)
    assert page.texts("h1") == [title]
    assert sentence in page.text
    assert page.response.headers["X-Request-Id"] in page.text
    assert page.response.headers["Cache-Control"] == "no-store"


def test_a_fault_is_logged_with_its_traceback_under_the_reference_on_the_page(failing, browser_of, caplog):
    failing.error = ZeroDivisionError("inside only")
    with caplog.at_level(logging.ERROR):
        page = browser_of.get("/fail", 500)
    assert "inside only" not in page.text
    assert page.response.headers["X-Request-Id"] in caplog.text
    assert "inside only" in caplog.text


@pytest.mark.parametrize("error", [LOCKED, ZeroDivisionError(), 413, 429])
def test_what_was_typed_is_kept_but_for_secrets_and_files(failing, browser_of, error):
    failing.error = error
    typed = {
        "title": "Spring draw",
        "notes": "First line\nsecond <b>line</b>",
        "password": "hunter2 hunter2",
        "csrf_token": "t0ken",
        "voucher_code": "ABCD",
        "empty": "  ",
        "file": (io.BytesIO(b"bytes of a file"), "x.csv"),
    }
    status = error if isinstance(error, int) else 503 if error is LOCKED else 500
    page = browser_of.post("/fail", typed, status)
    assert page.texts(".kept dt") == ["Title", "Notes"]
    assert page.texts(".kept dd") == ["Spring draw", "First line second <b>line</b>"]
    for secret in ("hunter2", "t0ken", "ABCD", "bytes of a file"):
        assert secret not in page.response.get_data(as_text=True)
    assert page.one("a[href='/fail']").get_text(strip=True) == "Go back"


def test_a_form_that_is_too_large_is_refused_without_reading_it(failing, browser_of):
    page = browser_of.post("/fail?read=1", {"notes": "x" * 600_000}, 413)
    assert "500 kB" in page.text


def test_htmx_gets_a_toast_and_the_form_stays(failing, browser_of):
    failing.error = LOCKED
    answer = browser_of.post("/fail", {"title": "Spring draw"}, 503, headers=HTMX)
    assert answer.response.headers["HX-Reswap"] == "none"
    assert answer.response.headers["Retry-After"] == "5"
    toast = answer.one("#flashes")
    assert toast["hx-swap-oob"] == "true"
    assert "The database is busy" in answer.text


def test_an_error_page_that_fails_itself_is_plain_text(failing, browser_of, monkeypatch):
    failing.error = 404

    def fail(*_arguments: object, **_context: object) -> str:
        raise OSError("the templates are gone")

    monkeypatch.setattr(errors, "render_template", fail)
    page = browser_of.get("/fail", 404)
    assert page.response.mimetype == "text/plain"
    assert "There is no such page" in page.text


def test_an_address_that_cannot_be_used_like_this_says_how(failing, browser_of):
    page = browser_of.get("/csp-report", 405)
    assert "POST" in page.response.headers["Allow"]


def test_a_host_we_do_not_serve_is_refused(failing):
    answer = failing.app.test_client().get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "evil.example" not in answer.get_data(as_text=True)


def test_a_form_without_its_token_is_refused_with_what_was_typed(failing):
    app: Flask = failing.app
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        answer = app.test_client().post("/fail", data={"title": "Spring draw"})
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    text = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "This form is no longer good" in text
    assert "Spring draw" in text


@pytest.mark.parametrize(
    "address", ["/jobs/2147483648", "/jobs/0", "/jobs/007", "/jobs/-1", "/jobs/٣", "/jobs/9999999999999999999"]
)
def test_numbers_that_are_no_ids_are_no_addresses(console, address):
    console.get(address, 404)
