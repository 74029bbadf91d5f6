"""Finding people, and everything about one of them."""

from __future__ import annotations

import pytest


@pytest.fixture
def zoe(make):
    return make.profile(
        first_name="Zoë", last_name="Berg", email="zoe@example.com", external_id="ZB9", phone="+44 487 123"
    )


@pytest.mark.parametrize("search", ["zoe", "ZOË B", "berg", "berg zo", "zoe@ex", "ZB9", "zb9", "44 487"])
def test_a_person_is_found_by_how_a_name_e_mail_id_or_phone_begins(console, make, zoe, search):
    make.profile()
    page = console.get("/profiles", query_string={"q": search})
    assert page.texts("tbody th") == ["Zoë Berg"]


@pytest.mark.parametrize("search", ["oe", "%", "_oe", "example.com", "\x1b[", "a\x00b"])
def test_what_no_field_begins_with_finds_nobody(console, zoe, search):
    assert console.get("/profiles", query_string={"q": search}).soup.select("tbody") == []


def test_people_are_paged_newest_first(console, make):
    people = [make.profile() for _ in range(52)]
    page = console.get("/profiles")
    assert page.texts("tbody th")[0] == people[-1].full_name
    older = page.soup.select_one("a[href*='before=']")["href"]
    assert page.texts("tbody th")[0] not in console.get(older).texts("tbody th")
    assert len(console.get(older).texts("tbody th")) == 2


def test_a_person_shows_facts_and_entries(console, make, zoe):
    reward = make.reward(title="Win a bike")
    make.entry(reward, profile_id=zoe.id, receipt="R-1", tickets=3)
    page = console.get(f"/profiles/{zoe.id}")
    assert "zoe@example.com" in page.text
    assert page.texts("#entries tbody th") == ["Win a bike"]
    assert "R-1" in page.text


def test_a_merged_row_leads_to_the_person(console, make, zoe):
    alias = make.profile(external_id=None, email="z@example.com", merged_into_id=zoe.id)
    page = console.follow(console.get(f"/profiles/{alias.id}", status=303))
    assert "z@example.com" in page.text
    assert console.get("/profiles").texts("tbody th") == ["Zoë Berg"]


def test_people_are_those_who_entered_on_the_sites_one_may_see(signed_in, make, zoe):
    reward = make.reward()
    make.entry(reward, profile_id=zoe.id)
    here, elsewhere = signed_in("editor", site_id=reward.site_id), signed_in("editor", site_id=make.site().id)
    assert here.get("/profiles").texts("tbody th") == ["Zoë Berg"]
    here.get(f"/profiles/{zoe.id}")
    assert elsewhere.get("/profiles").soup.select("tbody") == []
    elsewhere.get(f"/profiles/{zoe.id}", status=404)


@pytest.mark.parametrize("role", ["viewer", "till", "draw supervisor", "fulfilment", "administrator"])
def test_only_editors_see_people(signed_in, zoe, role):
    person = signed_in(role)
    person.get("/profiles", status=403)
    person.get(f"/profiles/{zoe.id}", status=403)


def test_hostile_names_are_text(console, make):
    person = make.profile(first_name="<script>alert(1)</script>", last_name="{{ 7 * 7 }}")
    page = console.get(f"/profiles/{person.id}")
    assert page.soup.select("main script") == []
    assert "{{ 7 * 7 }}" in page.text
