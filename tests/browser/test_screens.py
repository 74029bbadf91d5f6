"""Every screen of the console in a real browser: nothing inaccessible, nothing wider than the window, in light and dark.

The screens are those of `tests.bench.crowd`, which `tests/web/test_page_costs.py` compares with the addresses there are:
a page that is not walked here fails there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from tests.bench import crowd
from tests.factories import Factories
from tests.support.browser import NewTab, axe, shot
from tests.support.clock import NOW
from tests.support.databases import settings_for
from tests.support.processes import free_port
from tests.support.signing_in import sign_in
from webapp.adapters import clock
from webapp.adapters.engines import engine_options
from webapp.app import create_app
from webapp.domain.permissions import Role
from webapp.extensions import db
from webapp.models import StaffSession

SIZES = {"phone": (390, 844), "desk": (1280, 800)}
FOR_STRANGERS = {"sign-in"}
LOOKS = list(product(SIZES, (False, True)))


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory, database: str) -> Iterator[tuple[str, dict[str, str], str]]:
    """Address of a console on a crowded database, the addresses of its screens, and the cookie of somebody with every role."""
    if database != "sqlite":
        pytest.skip("what a page looks like does not depend on the database; it is walked on SQLite")
    port = free_port()
    settings = settings_for("", Path(tmp_path_factory.mktemp("screens")), public_url=f"http://127.0.0.1:{port}")
    engine = create_engine(settings.database, **engine_options(settings.database, threads=1))
    crowd.build(engine)
    app = create_app(settings)
    with Session(engine, expire_on_commit=False) as session:
        addresses = crowd.addresses(session)
        cookie = _cookie(app, session)
    engine.dispose()
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield settings.public_url, addresses, cookie
    server.shutdown()
    thread.join()
    server.server_close()
    with app.app_context():
        db.engine.dispose()


def _cookie(app: Flask, session: Session) -> str:
    client = app.test_client()
    sign_in(client, session, Factories(session).actor(*Role, name="Ann Able"))
    found = client.get_cookie("session")
    assert found is not None
    assert session.scalars(select(StaffSession.id)).first() is not None
    return str(found.value)


@pytest.fixture(scope="module")
def windows(browser: Browser) -> Iterator[NewTab]:
    """Windows for all of these tests: a browser that knows the styles and the scripts draws a page in half the time."""
    tabs = NewTab(browser)
    yield tabs
    tabs.close()


@pytest.fixture(scope="module")
def opened() -> dict[tuple[str, bool], Page]:
    """The window of each size and theme, once it is open."""
    return {}


@pytest.fixture
def window(
    windows: NewTab,
    opened: dict[tuple[str, bool], Page],
    crowded: tuple[str, dict[str, str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[str, str, bool], Page]]:
    """`window("people", "phone", True)` opens a screen on a phone in the dark, and waits until all of it is there."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    url, addresses, cookie = crowded

    def open_screen(name: str, size: str, dark: bool) -> Page:  # noqa: FBT001
        width, height = SIZES[size]
        if (size, dark) not in opened:
            opened[size, dark] = windows(width, height, dark=dark)
        page = opened[size, dark]
        page.context.clear_cookies()
        if name not in FOR_STRANGERS:
            page.context.add_cookies([{"name": "session", "value": cookie, "url": url}])
        page.goto(url + addresses[name])
        page.wait_for_function("() => !document.querySelector('.htmx-request, [hx-trigger=load]')")
        return page

    windows.complaints.clear()
    yield open_screen
    assert not windows.complaints, "\n".join(windows.complaints)


@pytest.mark.parametrize("name", crowd.SCREENS)
def test_a_screen_is_accessible_and_fits_the_window(window, name, repeat):
    # One phone and one desk, each in another light; everything in everything under --proofs.
    place = list(crowd.SCREENS).index(name)
    few = [LOOKS[place % 2], LOOKS[3 - place % 2]]
    for size, dark in LOOKS[: repeat(0, 4)] or few:
        page = window(name, size, dark)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if os.environ.get("TEST_SHOTS"):
            shot(
                page, f"{name.replace(' ', '-').replace(',', '').replace('?', '')}-{size}-{'dark' if dark else 'light'}"
            )
        assert wide <= 0, f"{page.url} is {wide} px too wide on a {size}"
        axe(page)


def test_the_days_of_the_log_stand_side_by_side(window):
    for size in SIZES:
        page = window("audit", size, dark=False)
        first, last = (page.locator(f"#filter-{name}").bounding_box() for name in ("since", "until"))
        assert first["y"] == last["y"], size
        label = page.locator("label[for='filter-until']").bounding_box()
        assert first["x"] + first["width"] <= label["x"] < last["x"], size


def test_the_settings_break_no_word(window):
    for size in SIZES:
        assert window("settings", size, dark=False).locator("#installation").evaluate(_BROKEN) == [], size


# The words of an element that stand on two lines; at a hyphen a line may end.
_BROKEN = """element => {
  const found = [], walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    for (const word of node.data.matchAll(/[^\\s-]+/g)) {
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map(line => Math.round(line.top))).size > 1) found.push(word[0]);
    }
  return found;
}"""


@pytest.mark.parametrize("size", SIZES)
def test_an_e_mail_among_the_facts_of_a_person_stands_on_one_line(window, size):
    page = window("person", size, dark=False)
    lines = page.evaluate(
        """() => {
            const label = [...document.querySelectorAll("#facts dt")].find((one) => one.textContent === "E-mail");
            const value = label.nextElementSibling;
            value.textContent = "barista12@staff.harbour.example";
            const words = document.createRange();
            words.selectNodeContents(value);
            return words.getClientRects().length;
        }"""
    )
    assert lines == 1
    columns = page.evaluate(
        "new Set([...document.querySelectorAll('#facts dt')].map((one) => Math.round(one.getBoundingClientRect().left))).size"
    )
    assert columns == {"phone": 2, "desk": 4}[size]


@pytest.mark.parametrize("name", ["module", "group", "person, edit"])
def test_labels_and_controls_beside_one_another_stand_on_lines_they_share(window, name):
    """A hint below one label moves neither the other label nor its control."""
    tops = window(name, "desk", dark=False).evaluate(
        """() => [...document.querySelectorAll(".row")].map((row) => [...row.children].map((field) =>
            [".field__label", "input, select"].map((part) =>
                Math.round(field.querySelector(part).getBoundingClientRect().top))))"""
    )
    assert tops
    assert [len({tuple(field) for field in row}) for row in tops] == [1] * len(tops)


def test_buttons_of_a_card_stand_below_its_text(window):
    lefts = window("group", "phone", dark=False).evaluate(
        """() => [...document.querySelectorAll("tbody tr:has(.actions .btn)")].map((card) => {
            const button = card.querySelector(".actions .btn");
            const words = card.querySelector("th, td:not(.actions):not(.pick)");
            return Math.round(button.getBoundingClientRect().left - words.getBoundingClientRect().left);
        })"""
    )
    assert lefts
    assert set(lefts) == {0}
