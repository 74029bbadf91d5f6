"""The tree of organisations: what may stand where, moves of whole branches, and rows of files in bulk."""

import time

import pytest
from sqlalchemy import func, select

from tests.support.clock import NOW
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, NotFound, Refused
from webapp.domain.imports import ImportStatus
from webapp.models import ImportChange, ImportRun, Organisation, StaffGrant
from webapp.queries import organisations as read
from webapp.queries import subtrees
from webapp.services import organisation_types, organisations
from webapp.services.organisations import OrganisationRow
from webapp.services.work import perform


def create(work, external_id, parent="", **changes):
    values = {"external_id": external_id, "title": f"Club {external_id}", "parent": parent}
    return organisations.create(work, organisations.CreateOrganisation(**values | changes))


def change(work, organisation, **changes):
    values = {
        "organisation_id": organisation.id,
        "external_id": organisation.external_id,
        "title": organisation.title,
        "type_id": organisation.type_id,
        "parent": changes.pop("parent", ""),
        "version": organisation.version,
    }
    return organisations.change(work, organisations.ChangeOrganisation(**values | changes))


def paths(session):
    session.expire_all()
    rows = session.execute(select(Organisation.external_id, Organisation.path, Organisation.id))
    by_id = {row.id: row.external_id for row in rows.all()}
    found = session.execute(select(Organisation.external_id, Organisation.path))
    return {name: "/".join(by_id[int(part)] for part in path.split("/") if part) for name, path in found}


def test_the_path_holds_the_ids_from_the_root_down(work):
    top = create(work, "A")
    below = create(work, "B", "A")
    assert (top.path, below.path) == (f"/{top.id}/", f"/{top.id}/{below.id}/")
    assert [event["facts"]["place"] for event in work.events] == ["at the top", "below «Club A»"]


@pytest.mark.parametrize(
    ("changes", "kind", "field"),
    [
        ({"parent": "NONE"}, Refused, "parent"),
        ({"type_id": 999}, Refused, "type_id"),
        ({"timezone": "Nowhere/Else"}, Refused, "timezone"),
        ({"external_id": " "}, Refused, "external_id"),
        ({"external_id": "x" * 65}, Refused, "external_id"),
        ({"external_id": "A"}, Conflict, "external_id"),
    ],
)
def test_what_cannot_be_is_refused_on_its_field(work, changes, kind, field):
    create(work, "A")
    with pytest.raises(kind) as refusal:
        create(work, changes.pop("external_id", "B"), **changes)
    assert refusal.value.field == field


def test_a_branch_moves_with_everything_below_it(work, session):
    for name, parent in (("A", ""), ("B", "A"), ("C", "B"), ("D", "B"), ("E", "")):
        create(work, name, parent)
    work.events.clear()
    change(work, read.find(session, "B"), parent="E")
    assert paths(session) == {"A": "A", "E": "E", "B": "E/B", "C": "E/B/C", "D": "E/B/D"}
    assert [event["event"] for event in work.events] == [Event.ORGANISATION_MOVED]
    assert work.events[0]["facts"] == {"title": "Club B", "before": "«Club A»", "after": "«Club E»", "below": 2}
    change(work, read.find(session, "B"), parent="")
    assert paths(session)["C"] == "B/C"


@pytest.mark.parametrize("below", ["A", "C"])
def test_nothing_stands_below_itself(work, session, below):
    for name, parent in (("A", ""), ("B", "A"), ("C", "B")):
        create(work, name, parent)
    with pytest.raises(Refused, match="itself or stands below it"):
        change(work, read.find(session, "A"), parent=below)


def test_the_tree_is_twenty_levels_deep_at_most(work, session):
    for number in range(20):
        create(work, f"L{number}", f"L{number - 1}" if number else "")
    with pytest.raises(Refused, match="would be 21 levels deep here; 20 are the most"):
        create(work, "L20", "L19")
    create(work, "X")
    create(work, "Y", "X")
    with pytest.raises(Refused, match="would be 21 levels deep"):
        change(work, read.find(session, "X"), parent="L18")


def test_a_move_with_an_underscore_or_a_longer_number_takes_no_stranger_along(work, session, make):
    one = make.organisation(external_id="ONE")
    twin = make.organisation(external_id="TWIN")
    twin.path = f"{one.path[:-1]}0/"  # as if its id went on where the other's ends
    session.commit()
    create(work, "TOP")
    change(work, one, parent="TOP")
    session.refresh(twin)
    assert twin.path == f"/{one.id}0/"


def test_the_second_of_two_changes_is_told_about_the_first(session, make, actor):
    one = make.organisation(title="Club")
    perform(session, actor, NOW, lambda work: change(work, one, title="First"))
    old = organisations.ChangeOrganisation(
        organisation_id=one.id, external_id=one.external_id, title="Second", version=1
    )
    with pytest.raises(Conflict, match=r"Ann Able changed this organisation .*title from «Club» to «First»"):
        perform(session, actor, NOW, lambda work: organisations.change(work, old))


def test_the_same_values_again_change_nothing(work, make):
    one = make.organisation()
    assert change(work, one).version == 1
    assert work.events == []


def test_the_type_is_told_by_its_title(work, make):
    kind, one = make.organisation_type(title="Pharmacy"), make.organisation(title="Club")
    change(work, one, type_id=kind.id)
    assert work.events[0]["facts"]["changes"] == "type from nothing to «Pharmacy»"


def test_archiving_waits_for_children_and_roles(work, make):
    top = make.organisation(title="Top")
    child = make.organisation(top)
    archive = organisations.ArchiveOrganisation(top.id)
    with pytest.raises(Refused, match="«Top» has 1 organisation below it that is not archived"):
        organisations.archive(work, archive)
    organisations.archive(work, organisations.ArchiveOrganisation(child.id))
    grant = make.add(StaffGrant(staff_id=make.staff().id, role="till", organisation_id=top.id))
    with pytest.raises(Refused, match="1 role of staff is given on «Top»"):
        organisations.archive(work, archive)
    work.session.delete(grant)
    make.member(make.group(), organisation=top)
    assert organisations.archive(work, archive).archived_at == NOW
    assert work.events[-1]["facts"] == {"title": "Top", "members": 1}
    with pytest.raises(Refused, match="«Top» is archived already"):
        organisations.archive(work, archive)


def test_restoring_begins_at_the_top(work, make):
    top = make.organisation(title="Top", archived_at=NOW)
    child = make.organisation(top, archived_at=NOW)
    with pytest.raises(Refused, match="«Top», which it stands below, is archived"):
        organisations.restore(work, organisations.RestoreOrganisation(child.id))
    organisations.restore(work, organisations.RestoreOrganisation(top.id))
    assert organisations.restore(work, organisations.RestoreOrganisation(child.id)).archived_at is None
    with pytest.raises(Refused, match="is not archived"):
        organisations.restore(work, organisations.RestoreOrganisation(child.id))


def test_nothing_new_comes_below_an_archived_one(work, make):
    make.organisation(external_id="OLD", title="Old club", archived_at=NOW)
    with pytest.raises(Refused, match="«Old club» is archived"):
        create(work, "B", "OLD")


def test_a_part_of_the_tree_is_all_there_is_for_whoever_works_in_it(work, session, make):
    top = make.organisation(external_id="TOP")
    mine, other = make.organisation(top, external_id="MINE"), make.organisation(top, external_id="OTHER")
    below = make.organisation(mine, external_id="BELOW")
    within = subtrees.of(session, frozenset({mine.id}))
    assert [row.external_id for row in read.page(session, within, read.Filters())] == ["MINE", "BELOW"]
    assert [one.external_id for one in read.sheet(session, below.id, within).above] == ["MINE"]
    for outside in (top, other):
        with pytest.raises(NotFound):
            read.get(session, outside.id, within)
    assert read.page(session, subtrees.of(session, frozenset()), read.Filters()) == []
    with pytest.raises(Refused, match="no organisation with the id «OTHER»"):
        create(work, "NEW", "OTHER", within=within)
    with pytest.raises(Refused, match="cannot stand at the top"):
        create(work, "NEW", within=within)
    assert create(work, "NEW", "BELOW", within=within).path.startswith(mine.path)
    change(work, mine, title="Still mine", within=within)  # its own root stays where it is
    assert mine.parent_id == top.id


def test_the_list_is_searched_by_words_and_turned_page_by_page(session, make):
    for title in ("Été Nord", "Club 100%", "Northern Club", "Club_x"):
        make.organisation(title=title)
    make.organisation(title="Gone", archived_at=NOW)

    def titles(**filters):
        return [row.title for row in read.page(session, None, read.Filters(**filters))]

    assert titles() == ["Club 100%", "Club_x", "Été Nord", "Northern Club"]
    assert titles(search="nor") == ["Été Nord", "Northern Club"]
    assert titles(search="ETE") == ["Été Nord"]
    assert titles(search="100%") == ["Club 100%"]
    assert titles(search="club_") == ["Club_x"]
    assert titles(is_archived=True) == ["Gone"]
    first = read.page(session, None, read.Filters(), size=2)
    assert len(first) == 3
    assert [row.title for row in read.page(session, None, read.Filters(), after=first[1].id, size=2)] == [
        "Été Nord",
        "Northern Club",
    ]


def put(work, *rows, run_id=None):
    return organisations.put(work, [OrganisationRow(*row[:2], *row[2:]) for row in rows], run_id)


def test_rows_of_a_file_find_their_parents_in_any_order(work, session, make):
    make.organisation(external_id="OLD")
    rows = [("C", "See", "B"), ("B", "Bee", "A"), ("A", "Ay", "OLD"), ("D", "Dee", "")]
    assert put(work, *rows) == (4, 0)
    assert paths(session) == {"OLD": "OLD", "A": "OLD/A", "B": "OLD/A/B", "C": "OLD/A/B/C", "D": "D"}
    assert put(work, *rows) == (0, 0)
    assert work.events == []


def test_rows_of_a_file_change_what_differs_and_leave_what_they_do_not_say(work, session, make):
    make.organisation_type(name="club")
    put(work, ("A", "Ay", "", "club", "Europe/Oslo", "Street 1"))
    assert put(work, ("A", "Ay", None, None, None, None)) == (0, 0)
    assert put(work, ("A", "New", None, "", None, None)) == (0, 1)
    one = read.find(session, "A")
    assert (one.title, one.type_id, one.timezone, one.address, one.version) == (
        "New",
        None,
        "Europe/Oslo",
        "Street 1",
        2,
    )
    assert one.search_text == "new a"


def test_rows_of_a_file_may_turn_a_branch_over(work, session):
    put(work, ("A", "Ay", ""), ("B", "Bee", "A"), ("C", "See", "B"))
    assert put(work, ("A", "Ay", "B"), ("B", "Bee", ""), ("C", "See", "A")) == (0, 3)
    assert paths(session) == {"A": "B/A", "B": "B", "C": "B/A/C"}


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([("A", "Ay", "B"), ("B", "Bee", "A")], "stand below one another, in a ring"),
        ([("A", "Ay", "NONE")], "no organisation with the id «NONE»"),
        ([("A", "Ay", "", "shop")], "no organisation type «shop»"),
        ([("A", "Ay", "", "", "Mars/Base")], "not a time zone"),
        ([(f"{n}", "Deep", f"{n - 1}" if n else "") for n in range(21)], "21 levels deep"),
    ],
)
def test_rows_that_make_no_tree_are_refused(work, rows, sentence):
    with pytest.raises(Refused, match=sentence):
        put(work, *rows)


def test_a_ring_by_moving_is_refused(work):
    put(work, ("A", "Ay", ""), ("B", "Bee", "A"))
    with pytest.raises(Refused, match="itself or stands below it"):
        put(work, ("A", "Ay", "B"))


def test_an_import_notes_what_was_before(work, session, make):
    make.file()
    run = make.add(
        ImportRun(
            kind="organisations", file_id=make.file().id, encoding="utf-8", status=ImportStatus.APPLYING, created_at=NOW,
            created_by="A",
        )
    )  # fmt: skip
    put(work, ("A", "Ay", ""), ("B", "Bee", ""))
    put(work, ("A", "New", "B"), ("C", "See", "A"), ("B", "Bee", ""), run_id=run.id)
    noted = {
        session.get(Organisation, row.subject_id).external_id: (row.before, row.after)
        for row in session.scalars(select(ImportChange))
    }
    assert noted.keys() == {"A", "C"}
    assert noted["C"][0] == {}
    assert noted["A"][0] == {"title": "Ay", "search_text": "ay a", "parent": ""}
    assert noted["A"][1] == {"title": "New", "search_text": "new a", "parent": "B"}


def test_ten_thousand_rows_take_no_second_and_a_half(work, session):
    rows = [OrganisationRow(f"N{n:05}", f"Shop {n}", f"N{n // 20:05}" if n else "") for n in range(10_000)]
    began = time.process_time()
    assert organisations.put(work, rows) == (10_000, 0)
    assert organisations.put(work, rows) == (0, 0)
    assert time.process_time() - began < 3  # seconds of our own work, both together
    assert session.scalar(select(func.count()).where(Organisation.path == "")) == 0


def test_types_are_named_once_and_changed_by_one_at_a_time(work, session, make, actor):
    kind = organisation_types.create(work, organisation_types.CreateOrganisationType(title="Pharmacy"))
    again = organisation_types.create(work, organisation_types.CreateOrganisationType(title="Pharmacy"))
    assert (kind.name, again.name) == ("pharmacy", "pharmacy-2")
    first = organisation_types.ChangeOrganisationType(organisation_type_id=kind.id, title="Chemist", version=1)
    assert organisation_types.change(work, first).version == 2
    with pytest.raises(Conflict):
        organisation_types.change(
            work, organisation_types.ChangeOrganisationType(organisation_type_id=kind.id, title="Shop", version=1)
        )
    assert organisation_types.change(work, first).title == "Chemist"
