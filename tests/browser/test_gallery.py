"""The design system in a real browser: no accessibility fault, no sideways scrolling, and the comforts of console.js."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Page, expect

from tests.browser import gallery, gallery_content
from tests.pages import check
from tests.support.browser import axe

LONGEST_SCRIPT = 150


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with gallery.served() as found:
        yield found


@pytest.fixture
def show(new_tab, address):
    """Open a page of the gallery; the toasts stay out of the way unless wanted."""

    def open_page(name: str, *, toasts: bool = False, **options: object) -> Page:
        page = new_tab(**options)
        page.goto(f"{address}/{name}")
        if not toasts:
            page.evaluate("document.querySelectorAll('.toast').forEach((toast) => toast.remove())")
        return page

    return open_page


@pytest.mark.parametrize("is_trimmed", [False, True], ids=["bare", "trimmed"])
@pytest.mark.parametrize("name", gallery_content.PAGES)
def test_a_page_is_valid_whatever_jinja_does_with_white_space(name, is_trimmed):
    jinja = gallery.environment()
    jinja.trim_blocks = jinja.lstrip_blocks = is_trimmed
    text = gallery.render(jinja, name, f"{name}.html")
    check(text, BeautifulSoup(text, "html.parser"))


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1280, True)], ids=["phone light", "desk dark"])
def test_no_page_has_an_accessibility_fault_or_scrolls_sideways(new_tab, address, width, dark):
    page = new_tab(width=width, dark=dark)
    for name in gallery_content.PAGES:
        page.goto(f"{address}/{name}")
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name


def test_the_script_stays_short():
    assert len((gallery.ROOT / "static/js/console.js").read_text(encoding="utf-8").splitlines()) <= LONGEST_SCRIPT


def test_slash_goes_to_the_search_but_not_while_typing(show):
    page = show("list")
    page.keyboard.press("/")
    expect(page.locator("#site-search")).to_be_focused()
    page.locator("#list-search").focus()
    page.keyboard.type("a/b")
    expect(page.locator("#list-search")).to_have_value("a/b")


def test_the_theme_is_chosen_and_remembered(show, address):
    page = show("today")
    page.locator(".bar__right details").last.locator("summary").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto(f"{address}/list")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_refused_form_comes_back_in_place_with_focus_on_what_is_wrong(show):
    page = show("form")
    page.locator("#title").fill("Typed by hand")
    page.get_by_role("button", name="Save definition").click()
    expect(page.locator("#form-refusals")).to_be_focused()
    assert page.url.endswith("/form")
    expect(page.locator("h1")).to_have_count(1)
    expect(page.locator("#handle")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("button", name="Save definition")).to_be_enabled()
    axe(page)


def test_a_chosen_file_survives_a_refusal(show, tmp_path):
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"not really")
    page = show("form")
    page.locator("#image").set_input_files(picture)
    page.get_by_role("button", name="Save definition").click()
    expect(page.locator("#form-refusals")).to_be_visible()
    assert page.evaluate("document.getElementById('image').files.length") == 1


def test_leaving_a_touched_form_asks_first(show, address):
    page = show("form")
    page.locator("#title").press_sequentially("x")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto(f"{address}/list")
    assert asked == ["beforeunload"]


def test_a_refused_form_is_still_unsaved(show, address):
    page = show("form")
    page.get_by_role("button", name="Save definition").click()
    expect(page.locator("#form-refusals")).to_be_focused()
    page.locator("#title").click()
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto(f"{address}/list")
    assert asked == ["beforeunload"]


def test_ticking_rows_shows_the_bar_and_counts(show):
    page = show("list")
    bar = page.locator(".bulk-bar")
    expect(bar).to_be_hidden()
    page.locator("#bulk-1000").check()
    page.locator("#bulk-1002").check()
    expect(bar).to_contain_text("2 ticked")
    expect(page.get_by_role("button", name="Publish 2")).to_be_visible()
    page.locator("#bulk-all").check()
    expect(page.get_by_role("button", name="Publish 1,204")).to_be_visible()
    axe(page)


def test_the_bar_appears_without_scripts_too(show):
    page = show_plain = show("list", toasts=True, scripts=False)
    expect(show_plain.locator(".bulk-bar")).to_be_hidden()
    page.locator("#bulk-1000").check()
    expect(page.locator(".bulk-bar")).to_be_visible()


def test_a_dialog_opens_by_plain_html_and_closes_by_escape(show):
    page = show("parts")
    page.get_by_role("button", name="Open dialog").click()
    expect(page.get_by_role("dialog", name="Reveal this code")).to_be_visible()
    axe(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_on_a_phone_the_rail_is_a_drawer(show):
    page = show("today", width=390, height=844)
    rail = page.get_by_role("navigation", name="Main")
    expect(rail).to_be_hidden()
    page.get_by_role("button", name="Menu", exact=True).click()
    expect(rail).to_be_visible()
    axe(page)
    page.keyboard.press("Escape")
    expect(rail).to_be_hidden()


def test_toasts_leave_but_errors_and_looked_at_ones_stay(show, address, new_tab):
    page = new_tab()
    # The clock is turned faster than any server answers: a poll under way would run into its time limit.
    page.route("**/poll", lambda route: route.fulfill(status=304))
    page.clock.install()
    page.goto(f"{address}/today")
    page.locator(".toast--message").hover()
    page.clock.run_for(20_000)
    expect(page.locator(".toast")).to_have_count(2)
    page.mouse.move(5, 5)
    page.clock.run_for(20_000)
    expect(page.locator(".toast")).to_have_class(re.compile("toast--error"))


def test_a_job_asks_again_with_the_tag_it_was_given(show):
    page = show("today")
    with page.expect_request("**/poll") as asked:
        pass
    assert asked.value.headers["hx-ptag"] == "v7"


def test_copying_a_fingerprint_leaves_out_the_spaces(show):
    page = show("detail")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy Root of 4,812 entries").click()
    assert page.evaluate("navigator.clipboard.readText()") == gallery_content.HASH


def test_the_header_of_a_table_that_fits_stays_in_sight(show):
    page = show("list", height=500)
    page.mouse.wheel(0, 500)
    expect(page.locator(".table thead th").first).to_be_in_viewport()


def test_the_sheet_prints_on_white_without_buttons(show):
    page = show("detail", dark=True)
    page.emulate_media(media="print")
    for selector in (".rail", ".bar", ".btn"):
        expect(page.locator(selector).first).to_be_hidden()
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
