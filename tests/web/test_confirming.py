"""Acts that need the password again (reliability.md 6.2): what was typed is kept, goes on, and counts once."""

import pytest
from sqlalchemy import select

from tests.support.clock import NOW
from tests.support.signing_in import sign_in
from webapp.domain.permissions import Role
from webapp.models import AuditEntry, SignInAttempt, StaffGrant, StaffMember, StaffSession
from webapp.services import passwords, staff

WORDS = "four plain words here"
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
ACTS = {
    "benefits.print_sheets",
    "benefits.void_several",
    "draws.run",
    "draws.seal",
    "settings.index",
    "staff.disable",
    "staff.edit",
    "staff.enable",
    "staff.invite",
    "staff.renew",
    "vouchers.file",
    "vouchers.print_sheets",
    "vouchers.reveal",
}


@pytest.fixture
def ada(make):
    known = {"password_hash": passwords.hashed(WORDS), "totp_since": NOW}
    return make.actor(*Role, name="Ada Berg", email="ada@example.org", **known)


@pytest.fixture
def browser(new_console, session, ada, moment):
    """Ada's browser eleven minutes after she signed in."""
    browser = new_console()
    sign_in(browser.client, session, ada)
    moment.forward(minutes=11)
    return browser


def events(session):
    return session.scalars(select(AuditEntry.event).order_by(AuditEntry.id)).all()


def invited(session):
    return session.scalars(select(StaffMember.email).where(StaffMember.email.like("new%"))).all()


def test_the_acts_are_those_that_were_agreed(app):
    assert {name for name, view in app.view_functions.items() if getattr(view, "confirmed", False)} >= ACTS


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_a_form_goes_on_with_the_password(browser, session, headers):
    typed = browser.get("/staff/new").fields() | {"email": "new@example.org", "grants": ["viewer:all", "till:all"]}
    page = browser.post("/staff/new", typed, status=401, headers=headers)
    assert page.texts("h1") == ["Confirm it is you"]
    assert "new@example.org" in page.text
    assert page.response.headers.get("HX-Retarget") == ("#main" if headers else None)
    assert invited(session) == []
    done = browser.submit(page, "#confirm form", password_again=WORDS)
    assert done.response.headers["Location"].endswith("/link")
    assert invited(session) == ["new@example.org"]
    assert len(session.scalars(select(StaffGrant).where(StaffGrant.role.in_(("viewer", "till")))).all()) == 4
    assert "staff.confirmed" in events(session)
    # The same form from another tab is the same act: the password is no part of the digest, from which it could be guessed.
    again = browser.post("/staff/new", typed)
    assert again.response.headers["Location"] == done.response.headers["Location"]


def test_a_wrong_password_asks_once_more_and_keeps_everything(browser, session):
    typed = browser.get("/staff/new").fields() | {"email": "new@example.org", "grants": ["viewer:all"]}
    page = browser.post("/staff/new", typed, status=401)
    page = browser.submit(page, "#confirm form", status=401, password_again="not the words")
    assert page.texts("#password_again-error") == ["This is not your password. The case of letters counts."]
    assert not page.one("#password_again").get("value")
    browser.submit(page, "#confirm form", password_again=WORDS)
    assert invited(session) == ["new@example.org"]
    assert session.scalars(select(SignInAttempt)).all() != []  # the wrong one counts, the right one does not


def test_guessing_has_to_wait_like_signing_in(browser, session, moment):
    typed = browser.get("/staff/new").fields() | {"email": "new@example.org", "grants": ["viewer:all"]}
    for _ in range(10):
        browser.post("/staff/new", typed | {"password_again": "wrong guess"}, status=401)
    page = browser.post("/staff/new", typed | {"password_again": WORDS}, status=429)
    assert page.response.headers["Retry-After"] == "300"
    assert "There were too many tries" in page.text
    assert invited(session) == []
    moment.forward(minutes=5)
    browser.submit(page, "#confirm form", password_again=WORDS)


def test_a_password_counts_for_ten_minutes(browser, moment, session):
    page = browser.post("/staff/new", {"email": "new@example.org", "grants": ["viewer:all"]}, status=401)
    browser.submit(page, "#confirm form", password_again=WORDS)
    moment.forward(minutes=10)
    browser.post("/staff/new", {"email": "new2@example.org", "grants": ["viewer:all"]})
    moment.forward(seconds=1)
    browser.post("/staff/new", {"email": "new3@example.org", "grants": ["viewer:all"]}, status=401)


def test_confirming_changes_the_token_and_not_the_forms_of_other_tabs(app, browser, session, monkeypatch):
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", value=True)
    tab = browser.get("/sites/new")
    had = session.scalars(select(StaffSession.token_hash)).one()
    old = browser.client.get_cookie("session").value
    page = browser.submit(browser.get("/staff/new"), status=401, email="new@example.org", grants=["viewer:all"])
    browser.submit(page, "#confirm form", password_again=WORDS)
    assert session.scalars(select(StaffSession.token_hash)).one() != had
    browser.submit(tab, title="Club Nord", organiser="Club Ltd")
    browser.client.set_cookie("session", old)
    browser.get("/today", status=302)


def test_looking_at_the_form_of_such_an_act_asks_for_nothing(browser):
    for address in ("/staff/new", "/settings"):
        browser.get(address)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_a_download_of_codes_asks_first_and_leads_back(browser, headers):
    page = browser.get("/vouchers/print/7/file", status=401 if headers else 302, headers=headers)
    target = page.response.headers["HX-Redirect" if headers else "Location"]
    assert target == "/confirm?next=/vouchers/print/7/file"
    form = browser.get(target)
    wrong = browser.submit(form, status=422, password_again="nope")
    done = browser.submit(wrong, password_again=WORDS)
    assert done.response.headers["Location"] == "/vouchers/print/7/file"
    browser.get("/vouchers/print/7/file", status=404)


def test_nobody_is_led_to_an_address_of_somebody_else(browser):
    page = browser.get("/confirm?next=//evil.example")
    assert browser.submit(page, password_again=WORDS).response.headers["Location"] == "/"


def test_somebody_without_the_right_is_not_asked(new_console, session, make, moment):
    browser = new_console()
    sign_in(browser.client, session, make.actor(Role.VIEWER))
    moment.forward(minutes=11)
    browser.post("/staff/new", {"email": "new@example.org"}, status=403)


def test_new_roles_bring_a_new_token(signed_in, work, session):
    browser = signed_in("editor", email="ed@example.org")
    member = session.scalars(select(StaffMember).where(StaffMember.email == "ed@example.org")).one()
    had = browser.client.get_cookie("session").value
    staff.change_grants(work, staff.ChangeGrants(member.id, (staff.Grant(Role.VIEWER),)))
    session.commit()
    browser.get("/today")
    assert browser.client.get_cookie("session").value != had
    browser.get("/today")
    browser.client.set_cookie("session", had)
    browser.get("/today", status=302)


def test_polling_does_not_take_the_new_token(signed_in, work, session):
    """A page and its poll run side by side: only the page's answer brings the token."""
    browser = signed_in("editor", email="ed@example.org")
    member = session.scalars(select(StaffMember).where(StaffMember.email == "ed@example.org")).one()
    had = browser.client.get_cookie("session").value
    staff.change_grants(work, staff.ChangeGrants(member.id, (staff.Grant(Role.VIEWER),)))
    session.commit()
    browser.get("/today", headers={"HX-PTag": "job-3-7"})
    assert browser.client.get_cookie("session").value == had
