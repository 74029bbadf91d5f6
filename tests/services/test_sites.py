"""Names derived once, and two people changing one site (rewards.md K02–K06)."""

import pytest
from sqlalchemy import select

from tests.support.clock import NOW
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, NotFound, Refused
from webapp.models import Site
from webapp.queries import sites as read
from webapp.services import sites
from webapp.services.work import perform

TERMS = {"organiser": "Club Ltd", "timezone": "Europe/London", "staff_domains": ""}


def create(work, title, **changes):
    return sites.create(work, sites.CreateSite(title=title, **TERMS | changes))


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Win a Ford Focus – May", "win-a-ford-focus-may"),
        ("Été à Nouméa", "ete-a-noumea"),
        ("プレゼント", "site"),
        ("Points", "points-2"),
        ("!!!", "site"),
    ],
    ids=["K02", "K03", "K03-other-script", "K06", "only-signs"],
)
def test_the_name_is_made_from_the_title(work, title, name):
    assert create(work, title).name == name


def test_a_taken_name_gets_a_number_k04(work):
    assert [create(work, "Club Nord").name for _ in range(3)] == ["club-nord", "club-nord-2", "club-nord-3"]


def test_the_name_stays_when_the_title_changes(work):
    site = create(work, "Club Nord")
    command = sites.ChangeSite(title="Club Süd", **TERMS, site_id=site.id, version=1)
    changed = sites.change(work, command)
    assert (changed.title, changed.name, changed.version) == ("Club Süd", "club-nord", 2)
    assert work.events[-1]["facts"] == {"title": "Club Nord", "changes": "title from «Club Nord» to «Club Süd»"}


def test_creating_is_told(work):
    create(work, "Club Nord")
    assert work.events[0]["event"] == Event.SITE_CREATED


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"timezone": "Nowhere/Else"}, "timezone"), ({"staff_domains": "not a domain!"}, "staff_domains")],
)
def test_what_cannot_be_is_refused_on_its_field(work, changes, field):
    with pytest.raises(Refused) as refusal:
        create(work, "Club Nord", **changes)
    assert refusal.value.field == field


def test_the_second_of_two_changes_is_told_about_the_first(session, make, actor):
    site = make.site(organiser="Club Ltd")
    first = sites.ChangeSite(title=site.title, **TERMS | {"organiser": "First Ltd"}, site_id=site.id, version=1)
    second = sites.ChangeSite(title=site.title, **TERMS | {"organiser": "Second Ltd"}, site_id=site.id, version=1)
    perform(session, actor, NOW, lambda work: sites.change(work, first))
    with pytest.raises(Conflict, match=r"Ann Able changed this site .*organiser from «Club Ltd» to «First Ltd»"):
        perform(session, actor, NOW, lambda work: sites.change(work, second))
    session.expire_all()
    assert session.scalar(select(Site.organiser)) == "First Ltd"


def test_the_same_values_again_change_nothing(work, make):
    site = make.site()
    command = sites.ChangeSite(title=site.title, **TERMS, site_id=site.id, version=1)
    assert sites.change(work, command).version == 1
    assert work.events == []


def test_sites_outside_ones_reach_are_not_there(session, make):
    here, there = make.site(), make.site()
    assert read.get(session, here.name, frozenset({here.id})) is here
    with pytest.raises(NotFound):
        read.get(session, there.name, frozenset({here.id}))
    assert [row.id for row in read.page(session, frozenset({here.id}))] == [here.id]


def test_the_list_is_searched_by_title_and_organiser(session, make):
    make.site(title="Nord", organiser="A_B Ltd")
    make.site(title="Süd", organiser="Other")
    assert [row.title for row in read.page(session, None, "a_b")] == ["Nord"]
    assert [row.title for row in read.page(session, None, "Süd")] == ["Süd"]


def test_the_list_counts_what_a_site_holds(session, make):
    site = make.site()
    make.reward(site_id=site.id)
    make.voucher_type(site_id=site.id)
    row = read.page(session, None)[0]
    assert (row.reward_count, row.voucher_type_count) == (1, 1)


def test_a_site_that_is_not_there_cannot_be_changed(work):
    with pytest.raises(NotFound):
        sites.change(work, sites.ChangeSite(title="X", **TERMS, site_id=999, version=1))
