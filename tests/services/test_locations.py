"""Locations: known by an id, within an organisation, closed once and for good."""

import pytest

from tests.support.clock import NOW
from webapp.domain.errors import Conflict, NotFound, Refused
from webapp.queries import locations as read
from webapp.queries import subtrees
from webapp.services import locations
from webapp.services.work import perform


def create(work, external_id="L-1", **changes):
    return locations.create(work, locations.CreateLocation(external_id=external_id, title="Quay Street", **changes))


def change(work, location, **changes):
    values = {"location_id": location.id, "external_id": location.external_id, "title": location.title}
    return locations.change(work, locations.ChangeLocation(**values | {"version": location.version} | changes))


def test_a_location_belongs_to_an_organisation(work, session, make):
    make.organisation(external_id="N", title="Nord")
    location = create(work, organisation="N", timezone="europe/oslo")
    sheet = read.sheet(session, location.id)
    assert (sheet.organisation.title, location.timezone) == ("Nord", "Europe/Oslo")
    change(work, location, organisation="", is_published=False)
    assert work.events[-1]["facts"]["changes"] == (
        "time zone from «Europe/Oslo» to nothing; organisation from «Nord» to nothing; shown to people from «yes» to «no»"
    )


@pytest.mark.parametrize(
    ("changes", "kind", "field"),
    [
        ({"external_id": "TAKEN"}, Conflict, "external_id"),
        ({"external_id": " "}, Refused, "external_id"),
        ({"organisation": "NONE"}, Refused, "organisation"),
        ({"organisation": "OLD"}, Refused, "organisation"),
        ({"timezone": "Mars"}, Refused, "timezone"),
    ],
)
def test_what_cannot_be_is_refused_on_its_field(work, make, changes, kind, field):
    make.location(external_id="TAKEN")
    make.organisation(external_id="OLD", archived_at=NOW)
    with pytest.raises(kind) as refusal:
        create(work, **changes)
    assert refusal.value.field == field


def test_for_good_means_once(work, make):
    location = make.location(title="Quay")
    assert locations.close(work, locations.CloseLocation(location.id)).closed_at == NOW
    with pytest.raises(Refused, match="«Quay» is closed for good already"):
        locations.close(work, locations.CloseLocation(location.id))
    with pytest.raises(Refused, match="cannot be changed"):
        change(work, location, title="New")


def test_the_second_of_two_changes_is_told_about_the_first(session, make, actor):
    location = make.location(title="Quay")
    old = locations.ChangeLocation(location_id=location.id, external_id="X", title="X", version=1)
    perform(session, actor, NOW, lambda work: change(work, location, title="First"))
    with pytest.raises(Conflict, match="title from «Quay» to «First»"):
        perform(session, actor, NOW, lambda work: locations.change(work, old))


def test_a_part_of_the_tree_has_its_own_locations(work, session, make):
    mine, other = make.organisation(external_id="MINE"), make.organisation(external_id="OTHER")
    here = make.location(organisation_id=mine.id)
    there, nowhere = make.location(organisation_id=other.id), make.location()
    within = subtrees.of(session, frozenset({mine.id}))
    assert [row.id for row in read.page(session, within)] == [here.id]
    assert read.counts(session, within) == (1, 0)
    for outside in (there, nowhere):
        with pytest.raises(NotFound):
            read.sheet(session, outside.id, within)
    for organisation in ("OTHER", ""):
        with pytest.raises(Refused, match="no organisation with the id"):
            create(work, organisation=organisation, within=within)


def test_the_list_is_searched_by_words_and_turned_page_by_page(session, make):
    for title in ("Été Quay", "Northern Quay", "Pier_1"):
        make.location(title=title)
    make.location(title="Gone", closed_at=NOW)

    def titles(**more):
        return [row.title for row in read.page(session, None, **more)]

    assert titles() == ["Été Quay", "Northern Quay", "Pier_1"]
    assert titles(search="qu") == ["Été Quay", "Northern Quay"]
    assert titles(search="pier_") == ["Pier_1"]
    assert titles(is_closed=True) == ["Gone"]
    assert titles(after=read.page(session, None)[0].id) == ["Northern Quay", "Pier_1"]
