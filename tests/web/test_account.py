"""One's own account: the name, the password, where one is signed in."""

import pytest
from sqlalchemy import select, update

from tests.support.clock import NOW
from tests.support.signing_in import sign_in
from webapp.domain.permissions import Role
from webapp.models import AuditEntry, StaffInvitation, StaffMember, StaffSession
from webapp.services import passwords, staff_sessions

WORDS = "four plain words here"
OTHER = "five other words in a row"


@pytest.fixture
def ada(make):
    """An actor with a password."""
    return make.actor(Role.EDITOR, name="Ada Berg", email="ada@example.org", password_hash=passwords.hashed(WORDS))


@pytest.fixture
def at_home(new_console, session, ada):
    """Ada's browser, signed in."""
    browser = new_console()
    sign_in(browser.client, session, ada)
    return browser


@pytest.fixture
def elsewhere(new_console, session, ada):
    """Another browser of Ada's."""
    browser = new_console()
    sign_in(browser.client, session, ada)
    return browser


def events(session):
    return session.scalars(select(AuditEntry.event).order_by(AuditEntry.id)).all()


def test_the_page_is_in_the_menu_and_tells_who_one_is(at_home):
    page = at_home.get("/today")
    assert [link["href"] for link in page.soup.select(".menu a[href='/account']")] == ["/account"]
    page = at_home.get("/account")
    assert "ada@example.org" in page.text
    assert "Editor everywhere" in page.text
    assert page.texts("#sessions tbody .actions") == ["This browser"]


def test_the_name_is_changed_and_told(at_home, session):
    at_home.submit(at_home.get("/account/name"), name="Ada Berg-Lind")
    assert at_home.get("/account").texts(".menu__who b") == ["Ada Berg-Lind"]
    row = session.scalars(select(AuditEntry)).one()
    assert (row.event, row.facts) == ("staff.renamed", {"before": "Ada Berg", "after": "Ada Berg-Lind"})


def test_a_field_that_says_whose_it_is_is_asked_for_without_an_article(at_home):
    page = at_home.submit(at_home.get("/account/name"), status=422, name=" ")
    assert page.texts("#name-error") == ["Enter your name."]


def test_a_name_that_stays_is_not_told(at_home, session):
    at_home.submit(at_home.get("/account/name"))
    assert events(session) == []


def test_a_new_password_ends_the_other_sessions_and_every_link(at_home, elsewhere, session, ada):
    session.add(StaffInvitation(staff_id=ada.staff_id, token_hash="0" * 64, created_at=NOW, expires_at=NOW))
    session.commit()
    had = session.scalars(select(StaffSession.token_hash)).all()
    at_home.submit(at_home.get("/account/password"), present_password=WORDS, password=OTHER)
    at_home.get("/account")
    elsewhere.get("/account", status=302)
    assert session.scalars(select(StaffInvitation.used_at)).all() == [NOW]
    assert not set(had) & set(session.scalars(select(StaffSession.token_hash).where(StaffSession.ended_at.is_(None))))
    assert "staff.password-changed" in events(session)
    session.commit()
    assert staff_sessions.recognise(session, "ada@example.org", OTHER)
    assert not staff_sessions.recognise(session, "ada@example.org", WORDS)


@pytest.mark.parametrize(
    ("present", "wanted", "answer"),
    [
        ("not my password at all", OTHER, ("present_password", "This is not your password.")),
        (WORDS, WORDS, ("password", "This is the password you have now")),
        (WORDS, "x" * 11, ("password", "The password has 11 characters; use 12 to 128.")),
        (WORDS, "yz" * 65, ("password", "The password has 130 characters; use 12 to 128.")),
        (WORDS, "Password1234", ("password", "Many people use this password")),
        (WORDS, "ada@example.org", ("password", "contains your own name or e-mail address")),
        ("", "", ("password", "Choose a new password.")),
    ],
)
def test_a_password_that_will_not_do_changes_nothing(at_home, elsewhere, session, present, wanted, answer):
    page = at_home.submit(at_home.get("/account/password"), status=422, present_password=present, password=wanted)
    field, words = answer
    assert words in page.texts(f"#{field}-error")[0]
    elsewhere.get("/account")
    assert staff_sessions.recognise(session, "ada@example.org", WORDS)


def test_guessing_the_present_password_has_to_wait(at_home, moment):
    data = at_home.get("/account/password").fields() | {"present_password": "a wrong guess", "password": OTHER}
    for number in range(10):
        at_home.post("/account/password", data | {"request_key": f"k{number}"}, status=422)
    page = at_home.post("/account/password", data | {"request_key": "k"}, status=429)
    assert page.response.headers["Retry-After"] == "300"


def test_one_session_is_ended_from_afar(at_home, elsewhere, session):
    page = at_home.get("/account")
    at_home.submit(page, "#sessions tbody form")
    elsewhere.get("/account", status=302)
    at_home.get("/account")
    assert events(session) == ["staff.sessions-ended"]


def test_all_other_sessions_are_ended(at_home, elsewhere, session):
    at_home.submit(at_home.get("/account"), "#sessions .panel__foot form")
    elsewhere.post("/account/name", {"name": "Eve"}, status=401)
    assert at_home.get("/account").texts("#sessions tbody .actions") == ["This browser"]
    assert session.scalars(select(StaffMember.name).where(StaffMember.email == "ada@example.org")).all() == ["Ada Berg"]


def test_p16_a_session_of_somebody_else_is_not_there(at_home, signed_in, session, ada):
    other = signed_in("viewer")
    number = session.scalars(select(StaffSession.id).where(StaffSession.staff_id != ada.staff_id)).one()
    missing = at_home.post("/account/sessions/999999/end", status=404)
    theirs = at_home.post(f"/account/sessions/{number}/end", status=404)
    assert theirs.texts("main p") == missing.texts("main p")
    other.get("/account")


def test_sessions_that_ran_out_are_not_listed(at_home, elsewhere, session, moment):
    session.execute(update(StaffSession).values(seen_at=NOW))
    moment.forward(minutes=20)
    at_home.get("/account")
    moment.forward(minutes=20)
    assert len(at_home.get("/account").texts("#sessions tbody tr")) == 1


def test_a_browser_may_call_itself_anything(new_console, session, ada, at_home):
    session.execute(update(StaffSession).values(browser="<script>alert(1)</script>", address="10.0.0.1"))
    session.commit()
    page = at_home.get("/account")
    assert not page.soup.select("#sessions script")
    assert "<script>alert(1)</script>" in page.text
