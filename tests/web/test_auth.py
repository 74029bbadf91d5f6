"""Signing in and out, sessions that end, forms that die with them, and what was typed (reliability.md 6.2, P17, P30)."""

import re
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from tests.support.clock import NOW
from webapp.domain.permissions import Role
from webapp.models import AuditEntry, SignInAttempt, Site, StaffMember, StaffSession
from webapp.services import passwords, staff, staff_sessions
from webapp.web import authentication

WORDS = "four plain words here"


@pytest.fixture
def ada(make):
    return make.staff(Role.EDITOR, name="Ada Berg", email="ada@example.org", password_hash=passwords.hashed(WORDS))


@pytest.fixture
def guarded(app, monkeypatch):
    """Forms are protected in this test, as they are outside tests."""
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", value=True)


def sign_in(browser, email="ada@example.org", password=WORDS, status=303, **more):
    return browser.post("/sign-in", {"email": email, "password": password, **more}, status=status)


def cookie(page, name="session"):
    found = [line for line in page.response.headers.getlist("Set-Cookie") if line.startswith(f"{name}=")]
    return found[0] if found else ""


def test_signing_in_leads_to_where_one_was_going(anonymous, ada):
    page = anonymous.get("/sites?q=nord", status=302)
    assert page.response.headers["Location"] == "/sign-in?next=/sites?q%3Dnord"
    form = anonymous.get(page.response.headers["Location"])
    done = anonymous.submit(form, email="ADA@example.org ", password=WORDS)
    assert done.response.headers["Location"] == "/sites?q=nord"
    assert anonymous.get("/sites").texts(".menu__who b") == ["Ada Berg"]


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/a\nb",
        "",
    ],
)
def test_nobody_is_sent_to_an_address_of_somebody_else(anonymous, ada, address):
    assert sign_in(anonymous, next=address).response.headers["Location"] == "/"


def test_a_wrong_password_says_no_more_than_an_unknown_address(anonymous, ada):
    wrong = sign_in(anonymous, password="not the words at all", status=422)
    unknown = sign_in(anonymous, email="nobody@example.org", status=422)
    assert wrong.texts("[role=alert] p") == unknown.texts("[role=alert] p")
    assert wrong.one("#email")["value"] == "ada@example.org"
    assert not wrong.one("#password").get("value")


def test_the_cookie_is_a_secret_of_which_only_the_hash_is_stored(anonymous, ada, session):
    line = cookie(sign_in(anonymous))
    token = line.partition("=")[2].partition(";")[0]
    assert len(token) >= 43  # 256 bits
    assert session.scalars(select(StaffSession.token_hash)).all() == [staff_sessions.token_hash(token)]
    assert "HttpOnly" in line
    assert "SameSite=Lax" in line
    assert "Path=/" in line
    assert "Domain" not in line
    assert "Expires" not in line


def test_over_https_the_cookie_is_tied_to_the_host(app, anonymous, ada, monkeypatch):
    monkeypatch.setitem(app.extensions, "largesse", replace(app.extensions["largesse"], insecure_local=False))
    line = cookie(sign_in(anonymous), authentication.HOST_COOKIE)
    assert line.startswith("__Host-session=")
    assert "Secure" in line
    assert "Domain" not in line


def test_every_sign_in_has_a_new_id(anonymous, ada):
    first = cookie(sign_in(anonymous))
    anonymous.post("/sign-out")
    assert first.partition(";")[0] != cookie(sign_in(anonymous)).partition(";")[0]


def test_a_session_id_chosen_by_somebody_else_is_not_taken(anonymous, ada):
    anonymous.client.set_cookie("session", "chosen-by-somebody-else")
    anonymous.get("/today", status=302)
    assert "chosen-by-somebody-else" not in cookie(sign_in(anonymous))


def test_signing_out_ends_the_session_and_clears_the_browser(anonymous, ada, session):
    token = cookie(sign_in(anonymous)).partition("=")[2].partition(";")[0]
    page = anonymous.post("/sign-out")
    assert page.response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert session.scalars(select(StaffSession.ended_at)).all() == [NOW]
    anonymous.client.set_cookie("session", token)  # whoever kept it gains nothing
    anonymous.get("/today", status=302)


def test_signing_out_is_posted_and_needs_no_session(anonymous):
    assert anonymous.client.get("/sign-out").status_code == 405
    assert anonymous.post("/sign-out").response.headers["Location"] == "/sign-in"


def test_half_an_hour_without_a_click_ends_the_session(console, moment):
    moment.forward(minutes=29)
    console.get("/today")
    moment.forward(minutes=29)
    console.get("/today")
    moment.forward(minutes=30)
    console.get("/today", status=302)


def test_twelve_hours_end_every_session(console, moment):
    for _ in range(35):
        moment.forward(minutes=20)
        console.get("/today")
    moment.forward(minutes=20)
    console.get("/today", status=302)


def test_polling_does_not_keep_a_session_open(console, moment):
    for _ in range(2):
        moment.forward(minutes=10)
        console.get("/today", headers={"HX-PTag": "job-3-7"})
    moment.forward(minutes=10)
    console.get("/today", status=302)


def test_reading_writes_at_most_once_a_minute(console, moment):
    console.get("/today")
    moment.forward(seconds=59)
    console.get("/today")
    assert not [line for line in console.statements if line.startswith("UPDATE")]
    moment.forward(seconds=1)
    console.get("/today")
    assert len([line for line in console.statements if line.startswith("UPDATE")]) == 1


def test_one_statement_knows_the_session_the_person_and_the_roles(console):
    console.get("/rewards/new", status=200)
    assert len([line for line in console.statements if "staff_sessions" in line]) == 1
    assert len([line for line in console.statements if "staff_grants" in line]) == 1


@pytest.mark.parametrize("change", [{"is_active": False}, {}])
def test_rights_taken_away_bite_at_the_next_request(signed_in, session, work, change):
    browser = signed_in("editor", email="ed@example.org")
    browser.get("/sites/new")
    member = session.scalar(select(StaffMember).where(StaffMember.email == "ed@example.org"))
    if change:
        session.execute(update(StaffMember).where(StaffMember.id == member.id).values(change))
    else:
        staff.change_grants(work, staff.ChangeGrants(member.id, (staff.Grant(Role.VIEWER),)))
    session.commit()
    browser.get("/sites/new", status=403 if not change else 302)
    browser.post("/sites/new", {}, status=403 if not change else 401)
    assert session.scalar(select(func.count()).select_from(Site)) == 0


def test_the_eleventh_try_is_told_when_to_come_back(anonymous, ada, moment):
    for _ in range(10):
        sign_in(anonymous, password="wrong words again", status=422)
    page = sign_in(anonymous, status=429)
    assert "Wait 5 minutes, then try again; the account is not locked." in page.text
    assert page.response.headers["Retry-After"] == "300"
    moment.forward(minutes=5)
    sign_in(anonymous)


def test_a_try_that_waits_is_not_hashed(anonymous, ada, session, monkeypatch):
    session.add_all(SignInAttempt(at=NOW, email="ada@example.org", address="10.0.0.1") for _ in range(10))
    session.commit()
    monkeypatch.setattr(passwords, "matches", lambda *_: pytest.fail("hashed"))
    sign_in(anonymous, status=429)


def test_a_form_needs_the_secret_of_its_session(guarded, console):
    assert "no longer good" in console.post("/sites/new", {"title": "X"}, status=400).text
    page = console.get("/sites/new")
    console.submit(page, title="Club Nord", organiser="Club Ltd")


def test_a_form_dies_with_its_session(guarded, anonymous, ada):
    anonymous.submit(anonymous.get("/sign-in"), email="ada@example.org", password=WORDS)
    old = anonymous.get("/sites/new").fields("main form")
    anonymous.submit(anonymous.get("/today"), ".menu form")
    anonymous.submit(anonymous.get("/sign-in"), email="ada@example.org", password=WORDS)
    anonymous.post("/sites/new", old | {"title": "Club", "organiser": "Club"}, status=400)


def test_another_persons_form_is_not_taken(guarded, signed_in):
    first, second = signed_in("editor"), signed_in("editor")
    fields = first.get("/sites/new").fields("main form")
    second.get("/sites/new")
    second.post("/sites/new", fields | {"title": "Club", "organiser": "Club"}, status=400)


def test_a_cookie_of_old_forms_does_not_carry_into_a_new_session(guarded, anonymous, ada):
    """Whoever plants the form cookie of their own visit knows its secret; it must not count after sign-in."""
    planted = anonymous.get("/sign-in").fields("main form")["csrf_token"]
    anonymous.submit(anonymous.get("/sign-in"), email="ada@example.org", password=WORDS)
    anonymous.post("/sites/new", {"csrf_token": planted, "title": "Club"}, status=400)


def test_htmx_is_sent_to_sign_in_as_a_whole_page(anonymous):
    headers = {
        "HX-Request": "true",
        "HX-Request-Type": "partial",
        "HX-Current-URL": "http://localhost/sites?q=a",
    }
    page = anonymous.get("/sites?q=ab", status=401, headers=headers)
    assert page.response.headers["HX-Redirect"] == "/sign-in?next=/sites?q%3Da"
    assert page.text == ""


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true", "HX-Request-Type": "partial"}])
def test_what_was_typed_survives_an_expired_session(guarded, console, moment, ada, session, headers):
    typed = console.get("/sites/new").fields() | {"title": "Club «Nord» & <b>", "organiser": "Two\nlines"}
    moment.forward(hours=1)
    page = console.post("/sites/new", typed, status=401, headers=headers)
    assert "Your form was not sent" in page.text
    assert "Club «Nord» & <b>" in page.text
    assert page.response.headers.get("HX-Retarget") == ("#main" if headers else None)
    resume = console.submit(page, "#sign-in form", status=200, email="ada@example.org", password=WORDS)
    assert resume.texts("h1") == ["Send your form again"]
    done = console.submit(resume, title="Club «Nord» & <b>", organiser="Club Ltd")
    assert re.match("/sites/club-nord-b", done.response.headers["Location"])
    assert session.scalars(select(Site.title)).all() == ["Club «Nord» & <b>"]


def test_secrets_are_not_kept_through_sign_in(anonymous):
    page = anonymous.post(
        "/staff/new", {"email": "a@b.example", "new_password": "x y z", "csrf_token": "t"}, status=401
    )
    assert "a@b.example" in page.text
    assert "x y z" not in page.text


@pytest.mark.parametrize(
    "kept",
    [
        "nonsense",
        "[]",
        "{}",
        '{"path": "https://evil.example/", "typed": []}',
        '{"path": "//evil.example/", "typed": []}',
        '{"path": "/x", "typed": 3}',
    ],
)
def test_a_kept_form_of_somebody_else_is_left_out(anonymous, ada, kept):
    assert sign_in(anonymous, kept=kept).response.headers["Location"] == "/"


def test_refusals_are_on_record(signed_in, session):
    signed_in("viewer", name="Vik Lund").get("/staff", status=403)
    row = session.scalars(select(AuditEntry)).one()
    assert (row.actor, row.facts) == ("Vik Lund", {"what": "staff.manage at GET /staff"})


@pytest.fixture
def link(work, session):
    command = staff.InviteStaff("new@example.org", (staff.Grant(Role.VIEWER),), "t" * 43, "link")
    staff.invite(work, command)
    session.commit()
    return f"/invitations/{'t' * 43}"


def test_an_invitation_is_taken_up_and_signs_in(anonymous, link):
    page = anonymous.get(link)
    assert "new@example.org" in page.text
    done = anonymous.submit(page, name="Nina New", password=WORDS)
    assert done.response.headers["Location"] == "/today"
    assert anonymous.follow(done).texts(".menu__who b") == ["Nina New"]


def test_an_invitation_is_taken_up_once(anonymous, new_console, link):
    anonymous.submit(anonymous.get(link), name="Nina New", password=WORDS)
    again = new_console()
    assert "taken up already" in again.get(link, status=404).text
    again.post(link, {"name": "Eve", "password": WORDS}, status=404)


def test_an_invitation_runs_out_after_a_day(anonymous, link, moment):
    moment.forward(hours=24)
    anonymous.get(link, status=404)


def test_a_weak_password_is_refused_on_its_field_and_the_link_stays_good(anonymous, link):
    page = anonymous.submit(anonymous.get(link), status=422, name="Nina New", password="password1234")
    assert page.texts("#password-error") == [
        "Many people use this password, so it is guessed first. Choose another, such as four unrelated words."
    ]
    assert page.one("#name")["value"] == "Nina New"
    anonymous.submit(page, password=WORDS)


def test_an_unknown_link_is_not_there(anonymous):
    anonymous.get(f"/invitations/{'x' * 43}", status=404)


def test_the_screens_of_sign_in_hold_up_without_anybody(anonymous):
    page = anonymous.get("/sign-in")
    assert page.one("#email")["autocomplete"] == "username"
    assert page.one("#password")["autocomplete"] == "current-password"
