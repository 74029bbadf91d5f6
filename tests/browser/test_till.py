"""The till in a real browser: by keyboard alone, without a mouse and without JavaScript, and with no connection."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from tests.factories import Factories
from tests.support.browser import axe, shot
from tests.support.clock import NOW
from webapp.models import AccountSettings, BenefitDefinition, Profile, Redemption, StaffGrant, StaffSession
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


def test_enter_redeems_wherever_the_focus_is(counter, new_tab) -> None:
    page = signed_in(new_tab(), counter)
    page.goto(f"{counter.url}/till/benefits/1")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Enter")
    page.wait_for_url("**/till/redemptions/*")
    assert lines(counter) == ["redeem"]


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


CAMERA = """
window.stopped = 0;
window.BarcodeDetector = class {
  static async getSupportedFormats() { return ["qr_code", "ean_13", "aztec"]; }
  constructor(options) { window.asked = options.formats; }
  async detect(video) { return window.shown && video.srcObject ? [{ rawValue: ` ${window.shown} ` }] : []; }
};
navigator.mediaDevices.getUserMedia = async () => {
  if (window.refused) throw new DOMException("Permission denied", "NotAllowedError");
  const stream = document.createElement("canvas").captureStream();
  for (const track of stream.getTracks()) {
    const stop = track.stop.bind(track);
    track.stop = () => { window.stopped += 1; stop(); };
  }
  return stream;
};
"""
ALLOWED = "document.featurePolicy.allowsFeature('camera')"


def test_the_camera_reads_a_code_and_stops(counter, new_tab) -> None:
    page = new_tab(390, 844)
    page.add_init_script(CAMERA)
    signed_in(page, counter)
    assert page.evaluate(ALLOWED) is True
    start = page.get_by_role("button", name="Scan with the camera")
    start.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Scan with the camera")
    expect(dialog.get_by_role("status")).to_contain_text("Hold the code in front of the camera")
    assert page.evaluate("window.asked") == ["qr_code", "ean_13"]
    axe(page)
    shot(page, "till-camera")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(start).to_be_focused()
    assert page.evaluate("[window.stopped, document.querySelector('video').srcObject]") == [1, None]
    page.keyboard.press("Enter")
    page.evaluate("window.shown = 'FIRSTC0DE'")
    page.wait_for_url(re.compile(r"/till/benefits/1$"))
    expect(page.locator(".verdict__word")).to_have_text("Good")
    page.get_by_role("button", name="Scan with the camera").click()
    page.evaluate("window.shown = 'SEC0NDC0DE'")
    page.wait_for_url(re.compile(r"/till/benefits/2$"))
    assert lines(counter) == []


def test_a_camera_that_is_refused_is_told_of(counter, new_tab) -> None:
    page = new_tab()
    page.add_init_script(CAMERA)
    signed_in(page, counter)
    page.evaluate("window.refused = true")
    page.get_by_role("button", name="Scan with the camera").click()
    dialog = page.get_by_role("dialog", name="Scan with the camera")
    expect(dialog.get_by_role("status")).to_contain_text("The camera cannot be used")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()


@pytest.mark.parametrize(
    "lacks", ["delete window.BarcodeDetector", "BarcodeDetector.getSupportedFormats = async () => []"]
)
def test_a_browser_that_cannot_read_codes_shows_no_camera(counter, new_tab, lacks) -> None:
    page = new_tab()
    page.add_init_script(CAMERA + lacks)
    signed_in(page, counter)
    expect(page.get_by_role("button", name="Look")).to_be_visible()
    expect(page.locator("[data-camera]")).to_be_hidden()
    page.goto(f"{counter.url}/today")
    assert page.evaluate(ALLOWED) is False


@pytest.fixture
def alone(counter, browser):
    """A till whose lock, which is a 401, the console may tell of."""
    context = browser.new_context()
    yield signed_in(context.new_page(), counter)
    context.close()


def left_alone(server) -> None:
    """The clock of the browser can be put forward, that of the server not: it is told of an earlier use."""
    with server.session() as session:
        before = datetime.now(UTC) - timedelta(minutes=6)
        session.execute(update(StaffSession).values(till_seen_at=before, confirmed_at=before))
        session.commit()


def test_a_till_left_alone_turns_to_its_lock_and_comes_back(counter, alone) -> None:
    page = alone
    page.clock.install()
    page.goto(f"{counter.url}/till/benefits/1")
    page.clock.fast_forward("05:05")
    expect(page.locator(".verdict__word")).to_have_text("Good")  # in use elsewhere, says the server
    left_alone(counter)
    page.locator("#code").fill("FIRST")
    page.clock.fast_forward("00:35")
    expect(page.locator("#code")).to_have_value("FIRST")  # whoever is typing is not disturbed
    page.locator("#code").fill("")
    page.clock.fast_forward("00:35")
    page.wait_for_url("**/till/lock?next=%2Ftill%2Fbenefits%2F1")
    expect(page.locator("h1")).to_have_text("The till is locked")
    axe(page)
    page.keyboard.type(PHRASE)
    page.keyboard.press("Enter")
    page.wait_for_url("**/till/benefits/1")
    expect(page.locator(".verdict__word")).to_have_text("Good")


def test_a_redemption_pressed_at_a_locked_till_is_done_when_it_is_pressed_again(counter, alone) -> None:
    page = alone
    page.goto(f"{counter.url}/till/benefits/1")
    page.get_by_text("More than one").click()
    page.get_by_label("Receipt of the shop").fill("S-12")
    left_alone(counter)
    page.get_by_role("button", name="Redeem").click()
    expect(page.locator("h1")).to_have_text("The till is locked")
    page.keyboard.type(PHRASE)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Receipt of the shop")).to_have_value("S-12")
    assert lines(counter) == []
    axe(page)
    page.locator("#code").press("Enter")
    page.wait_for_url("**/till/redemptions/*")
    assert lines(counter) == ["redeem"]


@pytest.fixture
def within(counter):
    """The same till bound to an organisation; the customer belongs there, another one with a card elsewhere."""
    with counter.session() as session:
        make = Factories(session)
        harbour = make.organisation(title="Harbour Coffee")
        hill = make.organisation(title="Hill Bakery")
        till = session.scalars(select(StaffGrant)).one()
        definition = session.scalars(select(BenefitDefinition)).one()
        till.site_id, till.organisation_id = definition.site_id, harbour.id
        definition.is_claimable = True
        group = make.group(title="Regulars")
        make.member(group, session.scalars(select(Profile)).one(), harbour)
        stranger = make.profile(first_name="Bo", last_name="Hill", external_id="HILL-1", email="bo@hill.example")
        make.member(group, stranger, hill)
        make.benefit(definition, stranger, redeem_code_pos="TH1RDC0DE", code_key="TH1RDC0DE", issued_at=NOW)
        make.location(title="Quay Street", organisation_id=harbour.id)
        make.location(title="Hill Road", organisation_id=hill.id)
        session.commit()
    return counter


def test_k150_a_till_within_an_organisation(within, new_tab) -> None:
    """Its own customers are found, redeemed and claimed for; a card of somebody else is a code that nobody knows."""
    page = signed_in(new_tab(width=390), within)
    expect(page.locator("#where option")).to_have_text(["Not said", "Quay Street"])
    shot(page, "till-within-desk")
    page.keyboard.type("th1rd-c0de")
    page.keyboard.press("Enter")
    expect(page.locator(".verdict__word")).to_have_text("Unknown code")
    axe(page)
    shot(page, "till-within-unknown")
    page.goto(f"{within.url}/till/people?q=Hill")
    expect(page.get_by_text("Nobody who holds a benefit is found")).to_be_visible()
    page.goto(f"{within.url}/till/people?q=Zoe")
    shot(page, "till-within-person")
    page.get_by_role("link", name="Coffee for two").first.click()
    expect(page.locator(".verdict__word")).to_have_text("Good")
    page.keyboard.press("Enter")
    expect(page.locator(".verdict__word")).to_have_text("Redeemed")
    shot(page, "till-within-receipt")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".verdict__word")).to_have_text("Taken back")
    page.goto(f"{within.url}/till")
    page.get_by_role("link", name="Claim for a person").click()
    page.get_by_label("Member id or e-mail").fill("HILL-1")
    page.get_by_role("button", name="Claim benefit").click()
    expect(page.get_by_text("Nobody has this member id or e-mail").first).to_be_visible()
    axe(page)
    shot(page, "till-within-claim")
    assert page.goto(f"{within.url}/till/benefits/3").status == 404
    shot(page, "till-within-404")
    assert lines(within) == ["redeem", "reversal"]
