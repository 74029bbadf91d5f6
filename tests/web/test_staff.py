"""The screens of the team."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from tests.support.clock import NOW
from tests.support.signing_in import sign_in
from webapp.domain.identity import Actor
from webapp.domain.permissions import Role
from webapp.models import OutboxMessage, StaffGrant, StaffInvitation, StaffMember, StaffSession
from webapp.queries import choices
from webapp.services import passwords, staff_sessions


def ticked(page):
    return [box["value"] for box in page.soup.select("input[name=grants][checked]")]


def test_the_list_tells_who_may_do_what(console, make):
    site = make.site(title="Club Nord")
    make.staff(Role.EDITOR, site_id=site.id, name="Ed Moss", password_hash="x")
    make.staff(Role.VIEWER, name="Old Hand", is_active=False)
    page = console.get("/staff")
    rows = [" ".join(row.get_text(" ").split()) for row in page.soup.select("tbody tr")]
    assert any("Ed Moss" in row and "Editor on Club Nord" in row and "Active" in row for row in rows)
    assert any("Old Hand" in row and "Disabled" in row for row in rows)
    assert any("Invitation ran out" in row for row in rows)


def test_inviting_sends_a_link_and_shows_it_once(console, anonymous, session):
    page = console.get("/staff/new")
    done = console.submit(page, email="New@Example.org", grants=["viewer:all"])
    link_page = console.follow(done)
    link = link_page.one("#invitation-link").get_text().strip()
    message = session.scalars(select(OutboxMessage)).one()
    assert link in message.body
    assert re.fullmatch(r"http://localhost:8400/invitations/[\w-]{43}", link)
    assert console.get(done.response.headers["Location"], status=303).response.headers["Location"].startswith("/staff/")
    assert "new@example.org" in anonymous.get(link.removeprefix("http://localhost:8400")).text
    assert link.rpartition("/")[2] not in session.scalars(select(StaffInvitation.token_hash)).all()


def test_an_invitation_sent_twice_makes_one_account_and_shows_no_dead_link(console, session):
    fields = console.get("/staff/new").fields() | {"email": "new@example.org", "grants": ["viewer:all"]}
    first = console.post("/staff/new", fields)
    shown = console.follow(first).one("#invitation-link").get_text()
    again = console.post("/staff/new", fields)
    assert again.response.headers["Location"] == first.response.headers["Location"]
    console.get(again.response.headers["Location"], status=303)  # the second link was never good, so it is not shown
    assert len(session.scalars(select(OutboxMessage)).all()) == 1
    assert shown


def test_a_refusal_lands_on_its_field_and_keeps_what_was_ticked(console, make):
    make.staff(Role.VIEWER, email="ada@example.org", password_hash="x")
    page = console.submit(console.get("/staff/new"), status=409, email="ada@example.org", grants=["viewer:all"])
    assert page.texts("#email-error") == ["ada@example.org already has an account; change its roles instead."]
    assert ticked(page) == ["viewer:all"]
    page = console.submit(page, status=422, email="new@example.org", grants=["editor:all", "draw supervisor:all"])
    assert "One person cannot be both" in page.texts("#grants-error")[0]
    assert ticked(page) == ["editor:all", "draw supervisor:all"]


def test_what_is_not_offered_cannot_be_given(console, session):
    data = {"email": "new@example.org", "grants": ["viewer:99"]}
    console.post("/staff/new", data, status=422)
    console.post("/staff/new", data | {"grants": ["god:all"]}, status=422)
    console.post("/staff/new", data | {"grants": []}, status=422)
    assert session.scalars(select(StaffMember).where(StaffMember.email == "new@example.org")).all() == []


def test_roles_are_changed(console, make, session):
    site = make.site(title="Club Nord")
    ed = make.staff(Role.EDITOR, name="Ed Moss")
    page = console.get(f"/staff/{ed.id}/edit")
    assert ticked(page) == ["editor:all"]
    console.submit(page, grants=[f"editor:{site.id}", "viewer:all"])
    found = session.execute(select(StaffGrant.role, StaffGrant.site_id).where(StaffGrant.staff_id == ed.id)).all()
    assert set(found) == {(Role.EDITOR, site.id), (Role.VIEWER, None)}
    assert "Changed what" in console.get(f"/staff/{ed.id}").texts(".timeline__text p")[0]


def test_disabling_asks_first_and_says_what_happens(console, make, session):
    ed = make.staff(Role.EDITOR, name="Ed Moss", password_hash="x")
    page = console.get(f"/staff/{ed.id}/disable")
    assert "open sessions end at once" in page.text
    console.submit(page)
    assert not session.get(StaffMember, ed.id).is_active
    page = console.get(f"/staff/{ed.id}")
    assert "Disabled" in page.text
    console.submit(page, "main form")
    assert session.get(StaffMember, ed.id).is_active


def test_ones_own_account_is_not_disabled_by_mistake(console, actor):
    page = console.get(f"/staff/{actor.staff_id}")
    assert "Disable account" not in page.text
    page = console.post(f"/staff/{actor.staff_id}/disable", status=422)
    assert "You cannot disable your own account" in page.text


def test_a_refused_button_says_why_on_the_persons_page(console, make):
    ed = make.staff(Role.EDITOR, Role.DRAW_SUPERVISOR, is_active=False)
    console.post(f"/staff/{ed.id}/enable")
    assert "One person cannot be both" in console.get(f"/staff/{ed.id}").texts("#flashes")[0]


def test_a_new_link_is_made_for_somebody_who_forgot(console, make, session):
    ed = make.staff(Role.EDITOR, password_hash=passwords.hashed("four plain words here"))
    page = console.get(f"/staff/{ed.id}")
    assert "New password link" in page.text
    link = console.follow(console.submit(page, "main form")).one("#invitation-link").get_text()
    waiting = session.scalars(select(StaffInvitation)).one()
    assert waiting.token_hash == staff_sessions.token_hash(link.strip().rpartition("/")[2])


def test_a_link_for_a_new_password_asks_for_no_name_and_keeps_it(console, make, session, anonymous):
    ed = make.staff(
        Role.EDITOR, name="Ed Quiet", email="ed@example.org", password_hash=passwords.hashed("four plain words here")
    )
    told = console.follow(console.submit(console.get(f"/staff/{ed.id}"), "main form"))
    message = session.scalars(select(OutboxMessage)).one()
    assert message.subject == "Your new password for Largesse"
    assert "invites you" not in message.body
    path = told.one("#invitation-link").get_text().strip().removeprefix("http://localhost:8400")
    page = anonymous.get(path)
    assert page.texts("h1") == ["Choose a new password"]
    assert "invitation" not in page.text
    assert page.soup.select("[name=name]") == []
    data = page.fields("main form") | {"password": "quite other words now", "name": "Eve"}
    assert anonymous.post(path, data).response.headers["Location"] == "/today"
    session.expire_all()
    assert session.get(StaffMember, ed.id).name == "Ed Quiet"
    assert "chose a password with the link sent to ed@example.org" in console.get("/audit").text.replace(
        "Chose", "chose"
    )


def test_open_sessions_are_listed(console, actor):
    page = console.get(f"/staff/{actor.staff_id}")
    assert "just now" in page.text
    assert NOW.strftime("%-d %b %Y") in page.text


def test_an_administrator_of_one_site_sees_its_staff_only(signed_in, make):
    here, there = make.site(title="Here"), make.site(title="There")
    mine = make.staff(Role.VIEWER, site_id=here.id, name="Mine")
    theirs = make.staff(Role.VIEWER, site_id=there.id, name="Theirs")
    browser = signed_in("administrator", site_id=here.id)
    page = browser.get("/staff")
    assert "Mine" in page.text
    assert "Theirs" not in page.text
    assert "There" not in browser.get("/staff/new").texts("main form")[0].replace("There is", "")
    missing = browser.get("/staff/999999", status=404).text
    for verb in ("", "/edit", "/disable", "/link"):
        found = browser.get(f"/staff/{theirs.id}{verb}", status=404).text
        assert strip(found) == strip(missing)
    for verb in ("edit", "disable", "enable", "renew"):
        browser.post(f"/staff/{theirs.id}/{verb}", status=404)
    browser.get(f"/staff/{mine.id}")


def strip(text):
    return re.sub(r"[0-9a-f]{16}", "", text)


@pytest.fixture
def hull(make):
    return make.organisation(make.organisation(title="North"), title="Hull", external_id="HULL")


def grants_of(session, staff_id):
    columns = (StaffGrant.role, StaffGrant.site_id, StaffGrant.organisation_id)
    return set(session.execute(select(*columns).where(StaffGrant.staff_id == staff_id)).all())


def test_a_role_is_given_within_an_organisation_and_taken_again(console, make, session, hull):
    site, ed = make.site(title="Club Nord"), make.staff(Role.VIEWER, name="Ed Moss")
    page = console.get(f"/staff/{ed.id}/edit")
    assert "North / Hull" in page.texts("#within_listed option")
    console.submit(page, within_role="editor", within_site=str(site.id), within_listed=str(hull.id))
    assert grants_of(session, ed.id) == {(Role.VIEWER, None, None), (Role.EDITOR, site.id, hull.id)}
    shown = console.get(f"/staff/{ed.id}")
    assert "Club Nord within Hull" in shown.text
    assert "editor on Club Nord within Hull" in shown.texts(".timeline__text p")[0]
    assert "editor on Club Nord within Hull" in console.get("/staff").text.replace("Editor", "editor")
    page = console.get(f"/staff/{ed.id}/edit")
    assert ticked(page) == ["viewer:all", f"editor:{site.id}:{hull.id}"]
    console.submit(page, grants=["viewer:all"])
    assert grants_of(session, ed.id) == {(Role.VIEWER, None, None)}


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ({"within_role": "editor"}, ("#within_listed-error", "Choose the organisation")),
        ({"within_listed": "HULL"}, ("#within_role-error", "Choose the role this organisation is for.")),
        ({"within_role": "god", "within_listed": "HULL"}, ("#within_role-error", "Choose one of the list.")),
        ({"within_role": "viewer", "within_listed": "HULL"}, ("#within_role-error", "Choose one of the list.")),
        (
            {"within_role": "editor", "within_site": "99x", "within_listed": "HULL"},
            ("#within_site-error", "Choose one"),
        ),
        ({"within_role": "editor", "within_listed": "2147483648"}, ("#within_listed-error", "No organisation")),
    ],
)
def test_half_a_role_within_an_organisation_is_refused_on_its_field(console, make, session, hull, typed, answer):
    ed = make.staff(Role.VIEWER)
    fields = console.get(f"/staff/{ed.id}/edit").fields()
    sent = fields | {name: str(hull.id) if value == "HULL" else value for name, value in typed.items()}
    page = console.post(f"/staff/{ed.id}/edit", sent, status=422)
    where, words = answer
    assert words in " ".join(page.texts(where))
    assert grants_of(session, ed.id) == {(Role.VIEWER, None, None)}


def test_k150_only_roles_that_carry_something_are_offered_within_an_organisation(console, make, hull):
    ed = make.staff(Role.VIEWER)
    make.add(StaffGrant(staff_id=ed.id, role=Role.TILL, organisation_id=hull.id))
    make.add(StaffGrant(staff_id=ed.id, role=Role.FULFILMENT, organisation_id=hull.id))
    for path in (f"/staff/{ed.id}/edit", "/staff/new"):
        page = console.get(path)
        assert page.texts("#within_role option") == ["No further role", "Till", "Editor"]
        assert "It reaches the people who belong to the organisation chosen" in page.text
    shown = console.get(f"/staff/{ed.id}").texts("tbody th small")
    assert "Finds the people who belong to the organisation or to one below it" in shown[-2] + shown[-1]
    assert "Carries nothing within an organisation." in shown


def test_among_many_organisations_one_is_chosen_by_its_id(console, make, session, hull, monkeypatch):
    monkeypatch.setattr(choices.organisations, "__defaults__", (1,))
    ed = make.staff(Role.VIEWER)
    page = console.get(f"/staff/{ed.id}/edit")
    wrong = console.submit(page, status=422, within_role="editor", within_typed="NO-SUCH")
    assert "No organisation in use has this id." in wrong.texts("#within_typed-error")[0]
    console.submit(wrong, within_typed="HULL")
    assert (Role.EDITOR, None, hull.id) in grants_of(session, ed.id)


def test_somebody_bound_to_an_organisation_opens_nothing_that_does_not_keep_to_it(signed_in, hull):
    bound = signed_in("administrator", organisation_id=hull.id)
    for address in ("/staff", "/settings", "/rewards", "/audit", "/jobs", "/sites"):
        bound.get(address, status=403)
    bound.get("/account")


def test_an_administrator_within_an_organisation_is_not_one_of_all(console, make, session, actor, hull):
    """Else the last administrator of everything could be taken away."""
    make.staff(Role.ADMINISTRATOR, organisation_id=hull.id, password_hash="x")
    page = console.post(f"/staff/{actor.staff_id}/edit", {"grants": ["viewer:all"]}, status=422)
    assert "last active administrator" in page.text


def test_t9_the_right_to_draw_holds_a_day_later_and_everybody_concerned_is_told(
    console, make, session, new_console, moment
):
    sam = make.staff(Role.VIEWER, name="Sam Okafor", email="sam@example.org", totp_since=NOW)
    guard = make.staff(Role.DRAW_SUPERVISOR, email="guard@example.org")
    console.submit(console.get(f"/staff/{sam.id}/edit"), grants=["viewer:all", "draw supervisor:all"])
    told = {row.recipient for row in session.scalars(select(OutboxMessage))}
    assert {guard.email, "ann@example.org", "sam@example.org"} <= told
    assert "on" in console.get(f"/staff/{sam.id}").texts("td small")[0]
    actor = Actor(sam.name, sam.id)
    early = new_console()
    sign_in(early.client, session, actor)
    for hours, status in ((0, 403), (23, 403), (1, 200)):
        moment.forward(hours=hours)
        session.execute(update(StaffSession).values(seen_at=moment.now, expires_at=moment.now + timedelta(hours=1)))
        session.commit()
        early.get("/audit", status=status)


def test_t9_a_role_held_already_does_not_start_anew(console, make, session):
    sam = make.staff(Role.DRAW_SUPERVISOR, name="Sam Okafor")
    console.submit(console.get(f"/staff/{sam.id}/edit"), grants=["draw supervisor:all", "viewer:all"])
    assert session.scalars(select(StaffGrant.holds_from).where(StaffGrant.staff_id == sam.id)).all() == [None, None]
    assert session.scalars(select(OutboxMessage)).all() == []


def test_a_large_team_is_shown_fifty_at_a_time_and_searched(console, make):
    for number in range(60):
        make.staff(Role.VIEWER, name=f"Vera {number:02}", email=f"vera{number}@example.org")
    make.staff(Role.VIEWER, name="Aaron", email="aaron@example.org", is_active=False)
    page = console.get("/staff")
    first = page.texts("tbody th a")
    assert len(first) == 50
    page = console.get(page.soup.select_one("a[rel=next]")["href"])
    rest = page.texts("tbody th a")
    assert rest[-1] == "Aaron"
    assert not set(first) & set(rest)
    assert {f"Vera {number:02}" for number in range(60)} <= set(first + rest)
    assert console.get("/staff?q=VERA1@").texts("tbody th a") == ["Vera 01"]
    assert "No people match" in console.get("/staff?q=nobody").text
