"""Who is found within organisations: the same people whether few are looked at or many walked (product 3.1, K150)."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from tests.queries.test_search import plans
from webapp.domain.identity import Reach
from webapp.queries import organisation_search, profiles, reaches, search, till
from webapp.services.profiles import at_sites

WAYS = ("W1", "T77", "zoe@", "0412", "van der", "zoe van", "der berg zoe", "zeo van der berg", "zeo")


@pytest.fixture
def tree(make):
    top = make.organisation()
    return [top, make.organisation(top), make.organisation(top)]


@pytest.fixture
def zoe(make):
    """`zoe(organisation)`: somebody with much to be found by, who belongs there."""
    group = make.group()

    def known(organisation, mark=""):
        person = make.profile(
            external_id=f"W1{mark}",
            first_name="Zoë",
            last_name="van der Berg",
            email=f"zoe@{mark or 'x'}.example",
            phone="0412 345",
        )
        make.identity(person.id, "till", f"T77{mark}")
        make.member(group, person, organisation)
        return person

    return known


WAYS_OF_LOOKING = {
    "few": (500, 20_000, 50),
    "some": (0, 20_000, 50),
    "some in many places": (0, 20_000, 0),
    "many": (0, 0, 50),
    "many places": (0, 0, 0),
}


@pytest.fixture(autouse=True, params=WAYS_OF_LOOKING.values(), ids=WAYS_OF_LOOKING)
def few(request, monkeypatch):
    """Every way: the people of an organisation as few, as some and as many; of these also with many organisations."""
    for name, most in zip(("FEW", "SOME", "FEW_PLACES"), request.param, strict=True):
        monkeypatch.setattr(reaches, name, most)
    return request.param


def within(*organisations):
    return Reach(frozenset(), tuple((None, one.id) for one in organisations))


def test_k150_people_are_found_in_every_way_within_ones_own_organisation(session, make, zoe, tree):
    top, mine, beside = tree
    ours, theirs = zoe(mine), zoe(beside, "B")
    for number in range(30):
        zoe(beside, f"B{number}")
    for typed in WAYS:
        assert [one.id for one in search.people(session, within(mine), typed)] == [ours.id], typed
        assert len(search.people(session, within(top), typed, size=3)) == 4, typed
        assert search.people(session, within(make.organisation()), typed) == [], typed
    assert [row.id for row in profiles.page(session, within(mine))] == [ours.id]
    assert len(profiles.page(session, within(mine, beside), size=5)) == 6
    assert theirs.id in {row.id for row in profiles.page(session, within(beside), size=50)}
    assert [row.id for row in profiles.page(session, within(mine), search="W1")] == [ours.id]


def test_k150_the_names_of_merged_rows_lead_to_whom_they_mean(session, make, zoe, tree):
    _, mine, _ = tree
    winner = zoe(mine)
    make.profile(first_name="Sue", last_name="Short", email="sue@example.com", merged_into_id=winner.id)
    for typed in ("Short", "sue@", "Sue Sh"):
        assert [one.id for one in search.people(session, within(mine), typed)] == [winner.id], typed


def test_k150_a_whole_site_stands_beside_an_organisation(session, make, zoe, tree):
    _, mine, beside = tree
    ours, entered = zoe(mine), zoe(beside, "B")
    reward = make.reward()
    make.entry(reward, profile_id=entered.id)
    at_sites.enter(session, reward.id, [entered.id])
    where = Reach(frozenset({reward.site_id}), ((None, mine.id),))
    for typed in ("W1", "van der", "zeo"):
        assert {one.id for one in search.people(session, where, typed)} == {ours.id, entered.id}, typed
    assert {row.id for row in profiles.page(session, where)} == {ours.id, entered.id}


def test_k150_the_till_finds_who_holds_something_of_the_pair(session, make, zoe, tree):
    _, mine, beside = tree
    here, there = make.benefit_definition(), make.benefit_definition()
    ours, theirs, without = zoe(mine), zoe(beside, "B"), zoe(mine, "C")
    for person in (ours, theirs):
        make.benefit(here, person)
    make.benefit(there, without)
    where = Reach(frozenset(), ((here.site_id, mine.id), (there.site_id, beside.id)))
    assert [one.id for one in till.people(session, where, "zoe")] == [ours.id]


def test_how_many_are_few_and_how_many_are_some(session, zoe, tree, monkeypatch):
    top, mine, beside = tree
    people = [zoe(mine, "A").id, zoe(mine, "B").id, zoe(beside, "C").id]
    for most, is_gathered in ((2, False), (3, True)):
        monkeypatch.setattr(reaches, "SOME", most)
        assert reaches.parts(session, within(mine)).is_gathered
        assert reaches.parts(session, within(top)).is_gathered == is_gathered
    monkeypatch.setattr(reaches, "FEW", 2)
    monkeypatch.setattr(reaches, "FEW_PLACES", 2)
    found = reaches.parts(session, within(mine))
    assert (found.people, found.organisations) == (people[:2], [mine.id])
    found = reaches.parts(session, within(top))
    assert (found.people, found.organisations) == (None, None)
    monkeypatch.setattr(reaches, "FEW", 3)
    monkeypatch.setattr(reaches, "FEW_PLACES", 3)
    found = reaches.parts(session, within(top))
    assert (found.people, sorted(found.organisations)) == (people, [top.id, mine.id, beside.id])


@pytest.mark.parametrize("typed", ["zo", "der berg", "zeo"])
def test_k150_nobody_else_is_walked_through(session, zoe, tree, database, typed):
    """Among few no index of names is walked, among many no member list; nobody's row is read for being there."""
    _, mine, beside = tree
    zoe(mine)
    for number in range(300):
        zoe(beside, f"B{number}")
    session.execute(text("analyze"))
    if database == "postgresql":
        session.execute(text("set local enable_seqscan = off"))
    for plan in plans(session, lambda: search.people(session, within(mine), typed)):
        assert not re.search(r"SCAN (profiles|profile_terms|profile_identities|name_slips|memberships)\b", plan), plan
        assert "Seq Scan on" not in plan, plan


def test_k150_of_those_who_are_passed_on_the_way_no_row_is_read(session, make, tree, database):
    """Whose a key is stands in its index, and those who are gathered are looked up in memory."""
    ways = [(0, key, "a") for key in organisation_search.KEYS]
    session.execute(text("analyze"))
    if database == "postgresql":  # small tables are read whole otherwise
        session.execute(text("set local enable_seqscan = off"))
        session.execute(text("set local enable_bitmapscan = off"))
    (plan,) = plans(session, lambda: organisation_search.people(session, [tree[0].id], ways, 10, 100))
    for index in (
        "uq_profiles_external_id",
        "uq_profiles_email_key",
        "ix_profiles_phone_key",
        "ix_profiles_search_text",
        "ix_profiles_name_key",
        "ix_profile_terms_term",
        "ix_profile_identities_identifier",
    ):
        if database == "postgresql":
            assert f"Index Only Scan using {index}" in plan, plan
    if database == "postgresql":
        assert plan.count("hashed SubPlan") == len(organisation_search.KEYS), plan
    else:
        assert plan.count("USING COVERING INDEX") >= len(organisation_search.KEYS), plan
