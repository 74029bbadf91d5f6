"""The second factor: set up, asked for, used once, lost, reset, and needed by some (reliability.md 6.2)."""

import re

import pytest
from sqlalchemy import select, update

from tests.support.clock import NOW
from tests.support.signing_in import sign_in
from webapp.domain import second_factor as rules
from webapp.domain.permissions import Role
from webapp.models import AccountSettings, AuditEntry, RecoveryCode, SignInAttempt, StaffMember, StaffSession
from webapp.services import passwords, staff

WORDS = "four plain words here"
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def ada(make):
    return make.actor(Role.EDITOR, name="Ada Berg", email="ada@example.org", password_hash=passwords.hashed(WORDS))


@pytest.fixture
def browser(new_console, session, ada):
    browser = new_console()
    sign_in(browser.client, session, ada)
    return browser


def events(session):
    return session.scalars(select(AuditEntry.event).order_by(AuditEntry.id)).all()


def set_up(browser, moment):
    """Set up a second factor; gives the secret and the recovery codes, half a minute later."""
    page = browser.follow(browser.submit(browser.get("/account/second-factor"), "#begin"))
    secret = page.one("#totp-secret").get_text().replace(" ", "")
    done = browser.submit(page, "#form", code=rules.code(secret, rules.step_at(moment.now)))
    codes = browser.follow(done).texts("#recovery-codes li")
    moment.forward(seconds=30)
    return secret, codes


def first_step(browser, status=200):
    return browser.post("/sign-in", {"email": "ada@example.org", "password": WORDS}, status=status)


def test_it_is_set_up_with_a_first_code_and_ten_recovery_codes_are_shown_once(browser, moment, session):
    page = browser.follow(browser.submit(browser.get("/account/second-factor"), "#begin"))
    secret = page.one("#totp-secret").get_text().replace(" ", "")
    assert re.fullmatch("[A-Z2-7]{32}", secret)
    assert page.one("img.qr")["src"].startswith("data:image/svg+xml;base64,")
    row = session.scalars(select(StaffMember).where(StaffMember.email == "ada@example.org")).one()
    assert secret not in row.totp_secret
    assert row.totp_since is None
    wrong = browser.submit(page, "#form", status=422, code="000000")
    assert "This code is not right" in wrong.texts("#code-error")[0]
    done = browser.submit(wrong, "#form", code=rules.code(secret, rules.step_at(NOW)))
    codes = browser.follow(done).texts("#recovery-codes li")
    assert len(codes) == 10
    hashes = session.scalars(select(RecoveryCode.code_hash)).all()
    assert set(hashes) == {rules.recovery_hash(code) for code in codes}
    again = browser.get("/account/second-factor/recovery-codes", status=303)
    assert again.response.headers["Location"] == "/account/second-factor"
    assert not browser.get("/account/second-factor").soup.select("#totp-secret")
    assert events(session) == ["staff.second-factor-set"]


def test_a_form_sent_twice_shows_no_codes_that_were_never_kept(browser, moment, session):
    page = browser.follow(browser.submit(browser.get("/account/second-factor"), "#begin"))
    secret = page.one("#totp-secret").get_text().replace(" ", "")
    fields = page.fields("#form") | {"code": rules.code(secret, rules.step_at(NOW))}
    browser.follow(browser.post("/account/second-factor/prove", fields))
    browser.post("/account/second-factor/prove", fields)
    browser.get("/account/second-factor/recovery-codes", status=303)


def test_signing_in_asks_for_the_code(browser, anonymous, moment, session):
    secret, _ = set_up(browser, moment)
    anonymous.get("/sites?q=n", status=302)
    page = anonymous.post("/sign-in", {"email": "ada@example.org", "password": WORDS, "next": "/sites?q=n"}, status=200)
    assert page.texts("h1") == ["Your second factor"]
    anonymous.get("/today", status=302)
    wrong = anonymous.submit(page, status=422, code="000000")
    assert "This code is not right" in wrong.texts("#code-error")[0]
    done = anonymous.submit(wrong, code=rules.code(secret, rules.step_at(moment.now)))
    assert done.response.headers["Location"] == "/sites?q=n"
    anonymous.get("/today")
    anonymous.get("/sign-in/code", status=303)


def test_a_code_counts_once(browser, anonymous, new_console, moment):
    secret, _ = set_up(browser, moment)
    digits = rules.code(secret, rules.step_at(moment.now))
    anonymous.submit(first_step(anonymous), code=digits)
    other = new_console()
    page = other.submit(first_step(other), status=422, code=digits)
    assert "was used before" in page.texts("#code-error")[0]


def test_a_recovery_code_counts_once_and_is_told(browser, anonymous, new_console, moment, session):
    _, codes = set_up(browser, moment)
    anonymous.submit(first_step(anonymous), code=codes[3].lower().replace("-", " "))
    anonymous.get("/today")
    assert "Recovery codes left: 9 of 10" in anonymous.get("/account/second-factor").text
    other = new_console()
    other.submit(first_step(other), status=422, code=codes[3])
    row = session.scalars(select(AuditEntry).where(AuditEntry.event == "staff.recovery-code-used")).one()
    assert row.facts == {"left": 9}


def test_new_recovery_codes_end_the_old_ones(browser, anonymous, moment):
    _, codes = set_up(browser, moment)
    page = browser.get("/account/second-factor")
    fresh = browser.follow(browser.submit(page, "form[action$='recovery-codes']")).texts("#recovery-codes li")
    assert not set(codes) & set(fresh)
    anonymous.submit(first_step(anonymous), status=422, code=codes[0])
    anonymous.submit(anonymous.get("/sign-in/code"), code=fresh[0])


def test_whoever_has_only_the_password_has_ten_tries(browser, anonymous, moment, session):
    """The try of the password goes on counting, so the second step is no way around the limit."""
    set_up(browser, moment)
    page = first_step(anonymous)
    for _ in range(9):
        page = anonymous.submit(page, status=422, code="000000")
    page = anonymous.submit(page, status=429, code="000000")
    assert page.response.headers["Retry-After"] == "300"
    assert len(session.scalars(select(SignInAttempt)).all()) == 10
    first_step(anonymous, status=429)


def test_half_a_sign_in_is_worth_nothing_after_five_minutes_or_a_new_password(browser, anonymous, moment, session):
    secret, _ = set_up(browser, moment)
    page = first_step(anonymous)
    moment.forward(minutes=5, seconds=1)
    anonymous.submit(page, status=303, code=rules.code(secret, rules.step_at(moment.now)))
    anonymous.get("/today", status=302)
    page = first_step(anonymous)
    session.execute(update(StaffMember).values(password_hash=passwords.hashed("another password of hers")))
    session.commit()
    anonymous.submit(page, status=303, code=rules.code(secret, rules.step_at(moment.now)))
    anonymous.get("/today", status=302)


def test_the_second_step_alone_is_no_way_in(anonymous, browser, moment):
    secret, _ = set_up(browser, moment)
    anonymous.post("/sign-in/code", {"code": rules.code(secret, rules.step_at(moment.now))}, status=303)
    anonymous.get("/today", status=302)


def test_a_link_for_a_forgotten_password_does_not_stand_in_for_it(browser, anonymous, moment, session, work, ada):
    secret, _ = set_up(browser, moment)
    staff.renew(work, staff.RenewInvitation(ada.staff_id, "t" * 43, "link"))
    session.commit()
    page = anonymous.get(f"/invitations/{'t' * 43}")
    done = anonymous.submit(page, password="another password of hers")
    assert done.response.headers["Location"] == "/sign-in/code"
    anonymous.get("/today", status=302)
    anonymous.submit(anonymous.get("/sign-in/code"), code=rules.code(secret, rules.step_at(moment.now)))
    anonymous.get("/today")


def test_an_administrator_resets_a_lost_one(browser, console, anonymous, moment, session, ada):
    set_up(browser, moment)
    page = console.get(f"/staff/{ada.staff_id}")
    assert page.soup.select(f"a[href='/staff/{ada.staff_id}/second-factor']")
    console.submit(console.get(f"/staff/{ada.staff_id}/second-factor"))
    browser.get("/today", status=302)
    assert first_step(anonymous, status=303).response.headers["Location"] == "/"
    assert session.scalars(select(RecoveryCode)).all() == []
    assert "staff.second-factor-reset" in events(session)


def test_it_is_removed_by_whoever_does_not_need_it(browser, anonymous, moment, session):
    set_up(browser, moment)
    browser.submit(browser.get("/account/second-factor"), "form[action$='remove']")
    first_step(anonymous, status=303)
    assert "staff.second-factor-removed" in events(session)


@pytest.fixture
def boss(make, new_console, session):
    """An administrator without a second factor."""
    browser = new_console()
    sign_in(browser.client, session, make.actor(Role.ADMINISTRATOR, email="boss@example.org", totp_since=None))
    return browser


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.DRAW_SUPERVISOR])
def test_who_needs_one_gets_nowhere_without(signed_in, role, moment):
    browser = signed_in(role, totp_since=None)
    for address in ("/today", "/staff", "/rewards", "/vouchers/print/7/file"):
        assert browser.get(address, status=302).response.headers["Location"] == "/account/second-factor"
    assert browser.get("/jobs", status=401, headers=HTMX).response.headers["HX-Redirect"] == "/account/second-factor"
    assert "need a second factor" in browser.post("/staff/new", {}, status=403).text
    assert "Your roles need a second factor" in browser.get("/account/second-factor").text
    set_up(browser, moment)
    browser.get("/today")
    browser.post("/account/second-factor/remove")
    browser.get("/today")


def test_it_may_be_made_optional_openly(boss, console, session):
    boss.get("/today", status=302)
    console.submit(console.get("/settings"), is_second_factor_optional="y")
    assert "The second factor is optional" in boss.get("/today").texts(".banner")[0]
    row = session.scalars(select(AuditEntry)).one()
    assert row.facts == {"changes": "second factor optional on"}
    assert session.get_one(AccountSettings, 1).is_small_team is False


def test_setting_it_up_needs_the_password(browser, moment):
    moment.forward(minutes=11)
    page = browser.get("/account/second-factor")
    assert browser.submit(page, "#begin", status=401).texts("h1") == ["Confirm it is you"]


def test_a_session_ended_by_the_reset_stays_ended(session, browser, console, moment, ada):
    set_up(browser, moment)
    console.submit(console.get(f"/staff/{ada.staff_id}/second-factor"))
    open_ones = select(StaffSession).where(StaffSession.staff_id == ada.staff_id, StaffSession.ended_at.is_(None))
    assert session.scalars(open_ones).all() == []
