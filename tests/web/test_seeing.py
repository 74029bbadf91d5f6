"""The console as somebody else sees it: their rights, no change, told at start and end."""

import pytest
from sqlalchemy import select, update

from tests.support.clock import NOW
from tests.support.signing_in import sign_in
from webapp.domain.errors import Refused
from webapp.domain.identity import Actor
from webapp.domain.permissions import Role
from webapp.models import AuditEntry, Site, StaffGrant, StaffMember, StaffSession
from webapp.services.work import transaction


@pytest.fixture
def boss(make):
    return make.actor(Role.ADMINISTRATOR, name="Ada Berg", email="boss@example.org")


@pytest.fixture
def ed(make):
    return make.staff(Role.EDITOR, name="Ed Moss", email="ed@example.org", password_hash="x")


@pytest.fixture
def looking(new_console, session, boss, ed):
    """The administrator's browser, seeing as Ed."""
    browser = new_console()
    sign_in(browser.client, session, boss)
    browser.submit(browser.get(f"/staff/{ed.id}/see-as"))
    return browser


def told(session):
    rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    return [(row.event, row.actor) for row in rows]


def test_every_page_is_as_the_person_sees_it(looking):
    page = looking.get("/today")
    assert page.texts(".banner--seeing span") == ["Ada Berg, you see what Ed Moss sees. Nothing can be changed."]
    assert page.texts(".menu__who b") == ["Ed Moss"]
    looking.get("/sites/new")
    looking.get("/staff", status=403)
    looking.get("/settings", status=403)


def test_nothing_can_be_changed(looking, session):
    page = looking.post("/sites/new", {"title": "Club", "organiser": "Club Ltd"}, status=403)
    assert "You see the console as Ed Moss does, so nothing can be changed." in page.text
    headers = {"HX-Request": "true", "HX-Request-Type": "partial"}
    looking.post("/account/name", {"name": "Eve"}, status=403, headers=headers)
    looking.post("/account/sessions/end-others", status=403)
    assert session.scalars(select(Site)).all() == []
    assert session.scalars(select(StaffMember.name).where(StaffMember.email == "ed@example.org")).one() == "Ed Moss"


def test_not_even_by_a_screen_that_writes_on_the_way(session):
    """The one place every write goes through refuses, whatever a screen does."""
    ed = Actor("Ed Moss", 1, is_looking=True)
    with pytest.raises(Refused, match="You see the console as somebody else"), transaction(session, ed, NOW):
        pytest.fail("a transaction was opened")


def test_the_end_and_the_beginning_are_told_of_the_administrator(looking, session):
    looking.submit(looking.get("/today"), ".banner--seeing form")
    looking.get("/staff")
    assert not looking.get("/today").soup.select(".banner--seeing")
    assert told(session) == [("staff.seeing-started", "Ada Berg"), ("staff.seeing-stopped", "Ada Berg")]
    looking.post("/staff/stop-seeing")
    assert len(told(session)) == 2


def test_a_refusal_is_told_of_the_administrator(looking, session):
    looking.get("/settings", status=403)
    assert told(session)[-1] == ("staff.refused", "Ada Berg")


def test_codes_stay_closed(looking, session, moment):
    session.execute(update(StaffGrant).where(StaffGrant.role == Role.EDITOR).values(role=Role.FULFILMENT))
    session.commit()
    moment.forward(minutes=11)
    assert "cannot be seen as somebody else" in looking.get("/vouchers/print/7/file", status=403).text


def test_a_secret_that_was_begun_is_not_shown(looking, session):
    session.execute(update(StaffMember).where(StaffMember.email == "ed@example.org").values(totp_secret="sealed"))
    session.commit()
    assert not looking.get("/account/second-factor").soup.select("#totp-secret")


@pytest.mark.parametrize("what", ["demoted", "disabled", "person disabled", "signed out"])
def test_it_ends_with_the_right_to_it(looking, session, ed, boss, what):
    if what == "demoted":
        session.execute(update(StaffGrant).where(StaffGrant.staff_id == boss.staff_id).values(role=Role.VIEWER))
    elif what == "signed out":
        looking.post("/sign-out")
    else:
        whose = ed.id if what == "person disabled" else boss.staff_id
        session.execute(update(StaffMember).where(StaffMember.id == whose).values(is_active=False))
    session.commit()
    if what in {"disabled", "signed out"}:
        looking.get("/sites/new", status=302)
    else:
        looking.get("/sites/new", status=403)
        assert not looking.get("/today").soup.select(".banner--seeing")


def test_who_manages_one_site_sees_as_its_staff_only(signed_in, make):
    mine, other = make.site(), make.site()
    near, far, both = (
        make.staff(Role.EDITOR, site_id=mine.id),
        make.staff(Role.EDITOR, site_id=other.id),
        make.staff(Role.EDITOR),
    )
    browser = signed_in("administrator", site_id=mine.id)
    browser.submit(browser.get(f"/staff/{near.id}/see-as"))
    browser.post("/staff/stop-seeing")
    browser.get(f"/staff/{far.id}/see-as", status=404)
    browser.post(f"/staff/{both.id}/see-as", status=404)


def test_a_disabled_account_and_ones_own_are_refused(new_console, session, boss, ed):
    browser = new_console()
    sign_in(browser.client, session, boss)
    page = browser.submit(browser.get(f"/staff/{boss.staff_id}/see-as"), status=422)
    assert "You see the console as yourself already." in page.text
    session.execute(update(StaffMember).where(StaffMember.id == ed.id).values(is_active=False))
    session.commit()
    page = browser.submit(browser.get(f"/staff/{ed.id}/see-as"), status=422)
    assert "This account is disabled" in page.text


def test_it_needs_the_password(new_console, session, boss, ed, moment):
    browser = new_console()
    sign_in(browser.client, session, boss)
    moment.forward(minutes=11)
    browser.post(f"/staff/{ed.id}/see-as", status=401)
    assert session.scalars(select(StaffSession.seeing_as_id)).all() == [None]
