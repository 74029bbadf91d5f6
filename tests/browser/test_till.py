"""The till in a real browser: by keyboard alone, without a mouse and without JavaScript, and with no connection."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from tests.factories import Factories
from tests.support.browser import axe, shot
from tests.support.clock import NOW
from webapp.models import AccountSettings, Redemption
from webapp.services import passwords

PHRASE = "a-long-enough-sentence-42"


@pytest.fixture
def counter(live_server):
    """A benefit with a code at a till that somebody may sign in to."""
    with live_server.session() as session:
        make = Factories(session)
        make.add(AccountSettings(id=1, is_second_factor_optional=True))
        make.staff("till", email="tilly@example.org", name="Tilly Marsh", password_hash=passwords.hashed(PHRASE))
        definition = make.benefit_definition(name="Coffee for two", redeem_instructions_store="Two cups, any size.")
        holder = make.profile(first_name="Zoë", last_name="Ørsted", phone="0400 123 456")
        for code in ("FIRSTC0DE", "SEC0NDC0DE"):
            make.benefit(definition, holder, redeem_code_pos=code, code_key=code.replace("I", "1"), issued_at=NOW)
        session.commit()
    return live_server


def signed_in(page: Page, server) -> Page:
    page.goto(f"{server.url}/sign-in")
    page.get_by_label("E-mail").fill("tilly@example.org")
    page.get_by_label("Password").fill(PHRASE)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/today")
    page.goto(f"{server.url}/till")
    return page


def lines(server) -> list[str]:
    with server.session() as session:
        return [line.kind.value for line in session.scalars(select(Redemption).order_by(Redemption.id))]


def test_the_till_is_worked_by_keyboard_alone(counter, new_tab) -> None:
    page = signed_in(new_tab(), counter)
    page.keyboard.type("firstc0de")
    page.keyboard.press("Enter")
    page.wait_for_url("**/till/benefits/*")
    expect(page.locator(".verdict__word")).to_have_text("Good")
    assert lines(counter) == []
    axe(page)
    shot(page, "till-verdict")
    page.keyboard.type("sec0nd-c0de")  # the next customer: looked at, nothing redeemed
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/till/benefits/2$"))
    assert lines(counter) == []
    page.keyboard.press("Enter")
    page.wait_for_url("**/till/redemptions/*")
    assert lines(counter) == ["redeem"]
    expect(page.locator(".verdict__receipt b")).to_have_text(re.compile(r"^[0-9A-Z]{4}$"))
    axe(page)
    shot(page, "till-receipt")
    page.keyboard.press("Tab")  # past «Look»
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".verdict__word")).to_have_text("Taken back")
    assert lines(counter) == ["redeem", "reversal"]


def test_a_scanner_finds_the_field_wherever_the_focus_is(counter, new_tab) -> None:
    page = signed_in(new_tab(), counter)
    page.locator("h1").click()
    page.keyboard.type("FIRSTC0DE")
    page.keyboard.press("Enter")
    expect(page.locator(".verdict__word")).to_have_text("Good")


def test_undo_drains_and_goes(counter, new_tab) -> None:
    page = signed_in(new_tab(), counter)
    page.clock.install()
    page.goto(f"{counter.url}/till/benefits/1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/till/redemptions/*")
    page.clock.run_for(30_000)
    left = float(page.locator(".undo progress").evaluate("bar => bar.value"))
    assert 20 < left < 35
    page.clock.run_for(31_000)
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)


def test_without_a_connection_nothing_is_sent_and_the_till_says_so(counter, new_tab) -> None:
    page = signed_in(new_tab(), counter)
    page.goto(f"{counter.url}/till/benefits/1")
    page.context.set_offline(True)
    expect(page.get_by_text("No connection")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(".verdict__word")).to_have_text("Good")
    page.context.set_offline(False)
    expect(page.get_by_text("No connection")).to_be_hidden()
    assert lines(counter) == []


def test_the_till_works_without_javascript_on_a_phone(counter, browser) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    page = signed_in(context.new_page(), counter)
    page.get_by_label("Scan or type a code").fill("FIRSTC0DE")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Redeem").click()
    expect(page.locator(".verdict__word")).to_have_text("Redeemed")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".verdict__word")).to_have_text("Taken back")
    context.close()
    assert lines(counter) == ["redeem", "reversal"]
