"""The screens of organisations."""

import pytest
from sqlalchemy import select

from tests.support.clock import NOW
from tests.support.signing_in import sign_in
from webapp.domain.identity import Actor
from webapp.models import Organisation, StaffGrant
from webapp.services import organisations
from webapp.services.work import perform


def test_an_organisation_is_created_below_another_and_shown_with_the_way_down(console, make):
    make.organisation_type(title="Club")
    make.organisation(external_id="TOP", title="Top")
    form = console.get("/organisations/new?parent=TOP")
    assert form.one("#parent")["value"] == "TOP"
    kind = next(str(one["value"]) for one in form.soup.select("#type_id option") if one.get_text() == "Club")
    page = console.follow(
        console.submit(form, title="Nord", external_id="N-1", type_id=kind, timezone="europe/oslo", address="Kai 1")
    )
    assert page.texts("h1") == ["Nord"]
    assert page.texts(".crumbs a") == ["Organisations", "Top"]
    assert "Europe/Oslo" in page.text
    assert page.texts(".timeline__text p") == ["Created the organisation «Nord» (N-1) below «Top»"]


def test_the_id_of_the_one_above_is_looked_up_while_it_is_typed(console, make):
    make.organisation(external_id="TOP", title="Top")
    make.organisation(external_id="OLD", title="Old", archived_at=NOW)
    assert console.part("/organisations/parent?parent=TOP").text == "Below « Top »."
    assert "There is no organisation with the id «XX»." in console.part("/organisations/parent?parent=XX").text
    assert "«Old» is archived" in console.part("/organisations/parent?parent=OLD").text
    assert console.get("/organisations/parent").texts("h1") == ["Where it stands"]


def test_refusals_land_on_their_fields_and_keep_what_was_typed(console, make):
    make.organisation(external_id="A")
    form = console.get("/organisations/new")
    page = console.submit(form, status=422, title="Nord", external_id="N", parent="NONE")
    assert page.texts("#parent-error") == [
        "There is no organisation with the id «NONE». Copy the id from the page of the organisation."
    ]
    assert page.one("#title")["value"] == "Nord"
    page = console.submit(page, status=409, parent="", external_id="A")
    assert page.texts("#external_id-error")[0].startswith("The id «A» is already that of another organisation")
    page = console.submit(page, status=422, external_id="B", timezone="Mars")
    assert page.texts("#timezone-error")[0].startswith("«Mars» is not a time zone")


def test_what_is_missing_is_asked_for(console):
    page = console.post("/organisations/new", {"title": " "}, status=422)
    assert page.texts("#title-error") == ["Enter the title."]
    assert page.texts("#external_id-error") == ["Enter the id."]


def test_a_branch_is_moved_by_the_form(console, make, session):
    make.organisation(external_id="TOP", title="Top")
    one = make.organisation(title="Nord")
    below = make.organisation(one)
    console.submit(console.get(f"/organisations/{one.id}/edit"), parent="TOP")
    session.expire_all()
    assert session.get(Organisation, below.id).path == f"{session.get(Organisation, one.id).path}{below.id}/"
    page = console.submit(console.get(f"/organisations/{one.id}/edit"), status=422, parent=below.external_id)
    assert "itself or stands below it" in page.texts("#parent-error")[0]


def test_a_change_made_meanwhile_is_shown_and_ones_own_is_kept(console, make, session, actor):
    one = make.organisation(title="Club")
    form = console.get(f"/organisations/{one.id}/edit")
    command = organisations.ChangeOrganisation(
        organisation_id=one.id, external_id=one.external_id, title="First", version=1
    )
    perform(session, actor, NOW, lambda work: organisations.change(work, command))
    page = console.submit(form, status=409, title="Second")
    assert "Ann Able changed this organisation while the form was open: title from «Club» to «First»" in page.text
    console.submit(page)  # saved again, knowingly
    session.expire_all()
    assert session.get(Organisation, one.id).title == "Second"


def test_archiving_says_what_it_does_and_can_be_taken_back(console, make, session):
    one = make.organisation(title="Nord")
    child = make.organisation(one)
    make.member(make.group(), organisation=one)
    page = console.get(f"/organisations/{one.id}/archive")
    assert page.texts(".consequences b") == ["1", "1"]
    assert "1 organisation below it is in use: archive or move it first" in page.text
    assert "1 member stays in it" in page.text
    refused = console.submit(page, status=422)
    assert "has 1 organisation below it that is not archived" in refused.text
    console.submit(console.get(f"/organisations/{child.id}/archive"))
    shown = console.follow(console.submit(console.get(f"/organisations/{one.id}/archive")))
    assert "archived" in shown.texts(".tag")
    assert console.get("/organisations").texts("tbody th") == []
    assert len(console.get("/organisations?show=archived").texts("tbody th")) == 2
    page = console.follow(console.submit(console.get(f"/organisations/{child.id}"), "main form"))
    assert "«Nord», which it stands below, is archived." in page.text
    console.submit(shown, "main form")
    assert session.scalars(select(Organisation.archived_at).where(Organisation.id == one.id)).one() is None


def test_members_locations_and_what_is_below_are_shown(console, make):
    top = make.organisation(title="Top")
    make.organisation(top, title="Below")
    group = make.group(title="Staff of clubs")
    for _ in range(51):
        make.member(group, organisation=top)
    make.location(title="Counter", organisation_id=top.id)
    page = console.get(f"/organisations/{top.id}")
    assert len(page.texts("#members tbody th")) == 50
    assert "The newest 50 of 51" in page.one("#members").get_text()
    assert page.texts("#children tbody th a") == ["Below"]
    assert page.texts("#locations tbody th") == ["Counter"]


def test_the_list_has_its_empty_states_tabs_and_pages(console, make, signed_in):
    assert "No organisation yet" in console.get("/organisations").text
    kind = make.organisation_type(title="Club")
    top = make.organisation(title="Clubs", type_id=kind.id)
    for number in range(51):
        make.organisation(top, title=f"Shop {number:02}")
    assert "No organisations match" in console.get("/organisations?q=zzz").text
    assert "No archived organisations match" in console.get("/organisations?show=archived").text
    assert len(console.part(f"/organisations?type={kind.id}").texts("tbody th")) == 1
    first = console.get("/organisations")
    assert first.texts("tbody td[data-label=In]")[:2] == ["at the top", "in Clubs"]
    rest = console.get(str(first.one(".pager [rel=next]")["href"]))
    assert rest.texts("tbody th a") == ["Shop 49", "Shop 50"]
    assert "Organisations" in first.texts("nav.tabs [aria-current]")
    signed_in("viewer").get("/organisations", status=403)


def test_somebody_of_one_site_does_not_reach_what_belongs_to_the_account(signed_in, make):
    site, one = make.site(), make.organisation()
    browser = signed_in("editor", site_id=site.id)
    for path in ("", "/new", f"/{one.id}", f"/{one.id}/edit", f"/{one.id}/archive"):
        assert "your roles hold on some sites only" in browser.get(f"/organisations{path}", status=404).text
    browser.post(f"/organisations/{one.id}/restore", status=404)
    assert browser.get("/profiles").texts("nav.tabs a") == ["People", "Modules"]


def test_somebody_of_one_organisation_sees_it_and_what_is_below(new_console, session, make):
    top = make.organisation(title="Top")
    mine, other = make.organisation(top, title="Mine"), make.organisation(top, title="Other", external_id="OTHER")
    below = make.organisation(mine, title="Below")
    group = make.group(title="Club")
    here, there = make.member(group, organisation=below), make.member(group, organisation=other)
    member = make.staff()
    make.add(StaffGrant(staff_id=member.id, role="editor", organisation_id=mine.id))
    browser = new_console()
    sign_in(browser.client, session, Actor(member.name, member.id))
    assert browser.get("/organisations").texts("tbody th a") == ["Below", "Mine"]
    assert browser.get(f"/organisations/{below.id}").texts(".crumbs a") == ["Organisations", "Mine"]
    for outside in (top, other):
        for path in ("", "/edit", "/archive"):
            browser.get(f"/organisations/{outside.id}{path}", status=404)
        browser.post(f"/organisations/{outside.id}/restore", status=404)
    form = browser.get("/organisations/new")
    assert (
        "no organisation with the id «OTHER»"
        in browser.submit(form, status=422, title="New", external_id="NEW", parent="OTHER").text
    )
    assert "There is no organisation" in browser.part("/organisations/parent?parent=OTHER").text
    shown = browser.get(f"/groups/{group.id}")
    assert len(shown.texts("#members tbody th")) == 1
    browser.post(f"/groups/{group.id}/members/{there.id}/remove", status=404)
    for path in ("/groups/new", f"/groups/{group.id}/edit", "/organisation-types/new"):
        browser.get(path, status=404)
    assert len(browser.get("/profiles").texts("tbody th a")) == 1
    browser.post(f"/groups/{group.id}/members/{here.id}/remove")
    assert browser.get("/profiles").texts("tbody th a") == []
    assert "People" in browser.get("/organisations").texts("nav a")


@pytest.mark.parametrize("title", ["<script>alert(1)</script>{{7*7}}\"' onload=x"])
def test_a_hostile_title_is_only_text(console, title, make):
    page = console.follow(console.submit(console.get("/organisations/new"), title=title, external_id=title))
    assert page.texts("h1") == [title]
    assert console.get("/organisations").texts("tbody th a") == [title]
    one = int(page.response.request.path.rpartition("/")[2])
    console.submit(console.get(f"/organisations/new?parent={one}"), title="Below", external_id="B", parent=title)
    console.get(f"/organisations/{one}")
    console.get(f"/organisations/{one}/archive")
