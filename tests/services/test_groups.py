"""Groups and who is in them: counters that move with the rows, and rows of files in bulk."""

import time

import pytest
from sqlalchemy import func, insert, select

from tests.support.clock import NOW
from webapp.domain.errors import Conflict, NotFound, Refused
from webapp.domain.groups import GroupKind, Registration
from webapp.models import Group, ImportRun, Membership, Organisation, Profile
from webapp.queries import groups as read
from webapp.queries import memberships as read_members
from webapp.queries import subtrees
from webapp.queries.invariants import INVARIANTS, broken
from webapp.services import groups
from webapp.services.groups import GroupRow, MembershipRow
from webapp.services.work import perform

TERMS = {"kind": GroupKind.PRIMARY, "registration": Registration.CLOSED}


def add(work, group, person, organisation="", within=None):
    command = groups.AddMember(group_id=group.id, person=person, organisation=organisation, within=within)
    return groups.add(work, command)


def counts(session):
    session.expire_all()
    return (
        dict(session.execute(select(Group.id, Group.member_count)).all()),
        dict(session.execute(select(Organisation.external_id, Organisation.member_count)).all()),
    )


def sound(session):
    return [item.name for item in INVARIANTS if "counted" in item.name and broken(session, item)] == []


def test_a_group_is_named_once_and_changed_by_one_at_a_time(work, session, actor):
    group = groups.create(work, groups.CreateGroup(title="Été Nord", **TERMS))
    assert group.name == "ete-nord"
    session.commit()
    new = groups.ChangeGroup(group_id=group.id, version=1, title="Süd", **TERMS | {"kind": GroupKind.MAILING_LIST})
    changed = perform(session, actor, NOW, lambda work: groups.change(work, new))
    assert (changed.name, changed.version) == ("ete-nord", 2)
    with pytest.raises(Conflict, match="title from «Été Nord» to «Süd»; kind from «primary» to «mailing list»"):
        groups.change(work, groups.ChangeGroup(group_id=group.id, version=1, title="Third", **TERMS))


def test_a_member_is_found_by_id_or_address_and_counted(work, session, make):
    group = make.group()
    make.organisation(external_id="N")
    person = make.profile(external_id="M-7", email="Ann@Example.com")
    add(work, group, "M-7")
    add(work, group, " ann@EXAMPLE.com ", "N")
    assert counts(session) == ({group.id: 2}, {"N": 1})
    with pytest.raises(Conflict, match=r"M-7 is in the group .* within no organisation already"):
        add(work, group, "M-7")
    session.rollback()
    assert work.events[0]["facts"]["person"] == str(person.id)


def test_a_merged_row_leads_to_the_person_in_the_end(work, make):
    true = make.profile()
    between = make.profile(external_id=None, email_key=None, merged_into_id=true.id)
    make.profile(external_id="OLD", email_key=None, merged_into_id=between.id)
    assert add(work, make.group(), "OLD").profile_id == true.id


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        (("nobody", ""), "person", "Nobody has the member id or e-mail «nobody»"),
        (("M-7", "NONE"), "organisation", "no organisation with the id «NONE»"),
        (("M-7", "OLD"), "organisation", "«Old» is archived"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_counted(session, make, actor, typed, field, sentence):
    group = make.group()
    make.profile(external_id="M-7")
    make.organisation(external_id="OLD", title="Old", archived_at=NOW)
    with pytest.raises(Refused, match=sentence) as refusal:
        perform(session, actor, NOW, lambda work: add(work, group, *typed))
    assert refusal.value.field == field
    assert counts(session) == ({group.id: 0}, {"OLD": 0})


def test_nobody_comes_into_an_archived_group_and_its_members_stay(work, session, make):
    group = make.group(title="Old")
    make.member(group, make.profile(external_id="A"))
    make.profile(external_id="B")
    groups.archive(work, groups.ArchiveGroup(group.id))
    with pytest.raises(Refused, match="«Old» is archived already"):
        groups.archive(work, groups.ArchiveGroup(group.id))
    with pytest.raises(Refused, match="«Old» is archived, so nobody is added"):
        add(work, group, "B")
    assert counts(session)[0] == {group.id: 1}
    groups.restore(work, groups.RestoreGroup(group.id))
    add(work, group, "B")
    with pytest.raises(Refused, match="not archived"):
        groups.restore(work, groups.RestoreGroup(group.id))


def test_taking_somebody_out_counts_them_off(work, session, make):
    group, place = make.group(), make.organisation()
    membership = make.member(group, organisation=place)
    groups.remove(work, groups.RemoveMember(group.id, membership.id))
    assert counts(session) == ({group.id: 0}, {place.external_id: 0})
    with pytest.raises(NotFound):
        groups.remove(work, groups.RemoveMember(group.id, membership.id))


def test_a_part_of_the_tree_sees_and_changes_its_own_members(work, session, make):
    group, mine, other = make.group(), make.organisation(external_id="MINE"), make.organisation(external_id="OTHER")
    here, there = make.member(group, organisation=mine), make.member(group, organisation=other)
    make.member(group)
    make.profile(external_id="NEW")
    within = subtrees.of(session, frozenset({mine.id}))
    assert [row.id for row in read_members.page(session, group.id, within)] == [here.id]
    with pytest.raises(NotFound):
        groups.remove(work, groups.RemoveMember(group.id, there.id, within))
    for organisation in ("OTHER", ""):
        with pytest.raises(Refused, match="no organisation with the id"):
            add(work, group, "NEW", organisation, within)


def test_rows_of_a_file_make_and_change_groups_once(work, session):
    rows = [GroupRow("club", "Club"), GroupRow("", "Été Nord", GroupKind.SUBSCRIPTION, Registration.OPEN, "Notes")]
    assert groups.put(work, rows) == (2, 0)
    assert groups.put(work, rows) == (0, 0)
    assert groups.put(work, [GroupRow("club", "Club 2", notes="New")]) == (0, 1)
    found = read.known(session, ["club", "ete-nord"])
    assert (found["club"].title, found["club"].notes, found["club"].version) == ("Club 2", "New", 2)
    assert found["ete-nord"].registration is Registration.OPEN
    with pytest.raises(Refused, match="cannot be the name of a group"):
        groups.put(work, [GroupRow("Not A Name", "X")])


def run_of(make, kind):
    return make.add(ImportRun(kind=kind, file_id=make.file().id, encoding="utf-8", created_at=NOW, created_by="A"))


def test_rows_of_a_file_bring_people_in_once_and_can_be_taken_back(work, session, make):
    group, place = make.group(name="club"), make.organisation(external_id="N")
    for name in ("A", "B"):
        make.profile(external_id=name, email=f"{name}@example.com")
    make.member(group, make.profile(external_id="C"))
    run = run_of(make, "memberships")
    rows = [
        MembershipRow("club", "A"),
        MembershipRow("club", "", "a@example.com"),
        MembershipRow("club", "A", "", "N", NOW),
        MembershipRow("club", "B", "", "N"),
        MembershipRow("club", "C"),
    ]
    assert groups.join(work, rows, run.id) == (3, 0)
    assert counts(session) == ({group.id: 4}, {"N": 2})
    assert groups.join(work, rows, run.id) == (0, 0)
    assert sound(session)
    assert groups.take_back(work, run.id) == 3
    assert counts(session) == ({group.id: 1}, {"N": 0})
    assert sound(session)
    assert place.external_id == "N"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (MembershipRow("none", "A"), "no group called «none»"),
        (MembershipRow("old", "A"), "«Old» is archived"),
        (MembershipRow("club", "X"), "Nobody has the member id or e-mail «X»"),
        (MembershipRow("club", "A", "", "NONE"), "no organisation with the id «NONE»"),
    ],
)
def test_rows_that_name_nothing_are_refused(work, make, row, sentence):
    make.group(name="club")
    make.group(name="old", title="Old", archived_at=NOW)
    make.profile(external_id="A")
    with pytest.raises(Refused, match=sentence):
        groups.join(work, [row])


def test_ten_thousand_memberships_take_no_second_and_a_half(work, session, make):
    make.group(name="club")
    make.organisation(external_id="N")
    people = [
        {"external_id": f"P{n}", "created_at": NOW, "updated_at": NOW, "first_name": "", "tags": [], "attributes": {}}
        for n in range(10_000)
    ]
    session.execute(insert(Profile), people)
    session.commit()
    rows = [MembershipRow("club", f"P{n}", "", "N") for n in range(10_000)]
    began = time.process_time()
    assert groups.join(work, rows) == (10_000, 0)
    assert groups.join(work, rows) == (0, 0)
    assert time.process_time() - began < 3  # seconds of our own work, both together
    assert session.scalar(select(func.count()).select_from(Membership)) == 10_000
    assert sound(session)
