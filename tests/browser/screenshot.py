"""The README's picture, of the real console on the sample programme: `python -m tests.browser.screenshot`."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import click
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from tests.support.browser import QUIET, SIZES, find_browser
from tests.support.clock import NOW
from tests.support.databases import settings_for
from tests.support.processes import free_port
from tests.support.run import ROOT
from webapp.adapters import clock, schema
from webapp.adapters.engines import engine_options
from webapp.app import create_app
from webapp.config import Settings
from webapp.demo.programme import Builder, SignIn
from webapp.domain.permissions import Role
from webapp.extensions import db

PICTURE = ROOT / ".github" / "console.png"
LARGEST = 300_000
WIDTH, HEIGHT = SIZES["desk"]
SEALED = "Harvest hamper draw"


@dataclass(frozen=True, slots=True)
class Console:
    """A console that answers at ``url``, and the way in."""

    url: str
    who: SignIn


@contextmanager
def sample_console(folder: Path) -> Iterator[Console]:
    """The sample programme, served by this process as an installation with a certificate would be: no notice on top."""
    port = free_port()
    settings = settings_for("", folder, insecure_local=False, public_url=f"http://localhost:{port}")
    who = next(way for way in _build(settings) if way.role == Role.DRAW_SUPERVISOR)
    app = create_app(settings)
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Console(settings.public_url, who)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        with app.app_context():
            db.engine.dispose()


def _build(settings: Settings) -> list[SignIn]:
    engine = create_engine(settings.database, **engine_options(settings.database, settings.threads))
    try:
        schema.upgrade(engine)
        return Builder(lambda: Session(engine, expire_on_commit=False), NOW, settings, "small").build()
    finally:
        engine.dispose()


def take(browser: Browser, console: Console, path: Path) -> None:
    """Sign in as the draw supervisor, open the draw that waits for its witness, and keep what is seen."""
    size = {"width": WIDTH, "height": HEIGHT}
    page = browser.new_page(viewport=size, color_scheme="light", locale="en-GB", reduced_motion="reduce")  # type: ignore[arg-type]
    page.goto(f"{console.url}/sign-in")
    page.get_by_label("E-mail").fill(console.who.email)
    page.get_by_label("Password").fill(console.who.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/today")
    page.goto(f"{console.url}/rewards")
    page.get_by_role("link", name=SEALED).click()
    page.get_by_role("main").get_by_role("link", name="The draw, step by step").click()
    page.wait_for_url("**/draw")
    page.evaluate("document.fonts.ready")
    page.screenshot(path=path, animations="disabled")
    page.close()


def main() -> int:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    clock.now = lambda: NOW
    options = [*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with (
        sync_playwright() as playwright,
        tempfile.TemporaryDirectory() as folder,
        sample_console(Path(folder)) as console,
    ):
        browser = playwright.chromium.launch(executable_path=find_browser(), args=options)
        take(browser, console, PICTURE)
        browser.close()
    click.echo(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
