"""What the till searches by is found through indexes, and kept as people come, change and go."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from itertools import chain, product

import pytest
from sqlalchemy import event, select, text, update

from tests.factories import NOW
from tests.support.rows import Row
from webapp.domain.entries import EntryStatus
from webapp.domain.identity import Reach
from webapp.models import (
    Benefit,
    BenefitDefinition,
    Entry,
    NameSlip,
    Profile,
    ProfileIdentity,
    ProfileTerm,
    Reward,
)
from webapp.queries import entries, memberships, modules, people_named, people_there, reaches, site_search, till
from webapp.queries import profiles as profiles_read
from webapp.queries import search as read
from webapp.services import profiles
from webapp.services.profiles import ChangeProfile, at_sites
from webapp.services.work import transaction


def names(session, text):
    return [row.full_name for row in read.people(session, None, text)]


def enrol(session, actor, *rows):
    with transaction(session, actor, NOW) as work:
        return profiles.enrol(work, rows, NOW)[0]


def test_who_sees_one_site_finds_its_few_people_behind_any_number_of_others(session, actor, make):
    elsewhere, here = make.reward(), make.reward()
    others = [Row(f"A{number}", first_name=f"Ana {number}", last_name="Aalto") for number in range(40)]
    him = Row("A99", "anton@mail.example", "Anton", "de Azevedo", "0412 345 678")
    *everybody, last = enrol(session, actor, *others, him)
    session.add(ProfileIdentity(profile_id=last, system="till", identifier="T77", created_at=NOW))
    session.commit()
    for number in everybody:
        make.entry(elsewhere, profile_id=number)
    for _ in range(2):
        make.entry(here, profile_id=last)
    scope = frozenset({here.site_id})
    for typed in ("a", "an", "A", "az", "azevedo an", "a99", "anton de azevedo", "T7", "anton@", "0412", "azvedo"):
        assert [row.full_name for row in read.people(session, scope, typed)] == ["Anton de Azevedo"], typed
    assert read.people(session, scope, "aalto") == []
    assert len(read.people(session, scope | {elsewhere.site_id}, "a", size=50)) == 41
    assert len(read.people(session, scope | {elsewhere.site_id}, "a")) == read.SHOWN + 1


def test_people_of_a_file_are_found_as_those_typed_in(session, actor):
    enrol(session, actor, Row("M1", first_name="Mary Jane", last_name="Whitcombe"), Row("M2", "x@example.com"))
    assert names(session, "jane wh") == names(session, "whitcomeb") == names(session, "marry whitcombe")
    assert names(session, "jane wh") == ["Mary Jane Whitcombe"]


def test_an_address_finds_everybody_who_shares_it(session, actor, make):
    """The first member answers to it; the others have it without a key, on their sites too and as it changes."""
    _, second = enrol(
        session,
        actor,
        Row("S1", "Home@Example.com", "Ann", "Ek"),
        Row("S2", "home@example.com", "Bo", "Ek"),
    )
    entry = make.entry(make.reward(), profile_id=second)
    with transaction(session, actor, NOW) as work:
        at_sites.renew(work.session, [second])
    scope = frozenset({session.get_one(Reward, entry.reward_id).site_id})
    for typed in ("home@example.com", "HOME@exa", "home@", "home"):
        assert names(session, typed) == ["Ann Ek", "Bo Ek"], typed
        assert [row.full_name for row in read.people(session, scope, typed)] == ["Bo Ek"], typed
    assert names(session, "example.com") == []
    version = session.get_one(Profile, second).version
    named = {"external_id": "S2", "first_name": "Bo", "last_name": "Ek"}
    with transaction(session, actor, NOW) as work:
        profiles.change(work, ChangeProfile(profile_id=second, version=version, email="bo@example.com", **named))
    assert (names(session, "home@"), names(session, "bo@")) == (["Ann Ek"], ["Bo Ek"])
    assert (read.people(session, scope, "home@"), len(read.people(session, scope, "bo@"))) == ([], 1)


def test_a_name_a_later_file_fills_in_is_found(session, actor):
    enrol(session, actor, Row("M1", first_name="Ann"))
    enrol(session, actor, Row("M1", last_name="de Vries"))
    assert names(session, "vries") == names(session, "vreis") == ["Ann de Vries"]


def test_a_member_id_with_dashes_finds_its_person_and_nobody_by_what_is_left_without_its_numbers(session, actor):
    enrol(session, actor, Row("N-1002", first_name="Tomas", last_name="Quill"), Row("M1", first_name="Noor O'Hara"))
    enrol(session, actor, Row("M2", first_name="Priya", last_name="O'Neill Nash"))
    assert names(session, "N-1002") == names(session, "n-1002") == names(session, "n-10") == ["Tomas Quill"]
    assert names(session, "n-9999") == names(session, "nash 7") == []


def test_words_are_kept_once_however_many_bear_them(session, actor):
    rows = [Row(f"M{number}", first_name="Zoe", last_name="Berg") for number in range(50)]
    enrol(session, actor, *rows[:25])
    enrol(session, actor, *rows[25:])
    assert sorted(session.scalars(select(NameSlip.slip).where(NameSlip.word == "zoe"))) == ["oe", "ze", "zo", "zoe"]
    assert session.scalars(select(ProfileTerm.term)).all() == []


def test_a_name_nobody_bears_any_more_is_forgotten(session, actor, make):
    person = make.profile(first_name="Mary Jane", last_name="Whitcombe", external_id="M1", email="")
    make.profile(first_name="Jane", last_name="Berg")
    command = ChangeProfile(profile_id=person.id, version=1, external_id="M1", first_name="Zoe", last_name="Zuse")
    with transaction(session, actor, NOW) as work:
        profiles.change(work, command)
    words = set(session.scalars(select(NameSlip.word)))
    assert {"jane", "zoe", "zuse"} <= words
    assert not {"mary", "whitcombe"} & words
    assert session.scalars(select(ProfileTerm.term)).all() == []
    with transaction(session, actor, NOW) as work:
        profiles.change(work, replace(command, version=2, first_name="Zoe Ann"))
    assert names(session, "ann zu") == ["Zoe Ann Zuse"]


@pytest.mark.parametrize("is_on_one_site", [False, True], ids=["everywhere", "on one site"])
@pytest.mark.parametrize("typed", ["zoe", "zoe be", "zoe@exa", "0412", "M00", "zoo bregh", "jnae"])
def test_no_search_reads_all_people(session, make, typed, is_on_one_site, database):
    for number in range(300):
        make.profile(
            external_id=f"M{number:04}",
            first_name="Mary Jane" if number % 3 else "Zoe",
            last_name=f"Berg{'abcdefghij'[number % 10]}",
        )
    reward, others = make.reward(), make.reward()
    session.execute(
        text(
            "insert into entries (reward_id, number, profile_id, tickets, status, reason, entered_at, store, nonce) "
            "select case when p.id % 9 = 0 then :here else :there end, p.id, p.id, 1, 'ok', '', r.created_at, '', :nonce "
            "from profiles p join rewards r on r.id = :here"
        ),
        {"here": reward.id, "there": others.id, "nonce": b"sixteen bytes ok"},
    )
    for one in (reward, others):
        at_sites.enter(
            session, one.id, session.scalars(select(Entry.profile_id).where(Entry.reward_id == one.id)).all()
        )
    session.execute(text("analyze"))
    if database == "postgresql":
        session.execute(text("set local enable_seqscan = off"))  # a small table is read whole otherwise
    scope = frozenset({reward.site_id}) if is_on_one_site else None
    asked = [lambda: read.people(session, scope, typed)]
    if scope is None:  # few people of one site are looked at one by one
        asked += [lambda: profiles_read.page(session, None, search=typed), lambda: till.people(session, None, typed)]
    for plan in chain.from_iterable(plans(session, act) for act in asked):
        assert not re.search(
            r"SCAN (profiles|profile_terms|profile_identities|name_slips|site_people|site_terms|entries)\b", plan
        ), plan
        assert "Seq Scan on" not in plan, plan
        assert not re.search(r"\bsite_(people|terms)( \w+)? \(site_id=\?\)", plan), plan  # all of a site is as bad


def plans(session, act):
    """How the database goes about each statement of ``act``."""
    seen = []

    def note(_connection, _cursor, statement, parameters, *_rest):
        seen.append((statement, parameters))

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", note)
    act()
    event.remove(connection, "before_cursor_execute", note)
    explain = "explain query plan " if connection.dialect.name == "sqlite" else "explain "
    for statement, parameters in seen:
        yield "\n".join(str(row) for row in connection.exec_driver_sql(explain + statement, parameters))


def test_a_site_is_asked_for_many_names_in_the_same_way_as_for_one(session, make):
    scope = frozenset({make.entry(make.reward()).reward_id})

    def way(count):
        names = [(0, Profile.search_text, f"a{number}") for number in range(count)]
        return list(plans(session, lambda: site_search.people(session, scope, names, 10)))

    assert way(1) == way(500)


def test_who_only_holds_a_benefit_of_a_site_is_found_there_as_they_are_listed_there(session, actor, make):
    """They entered nothing; old names of rows merged into them find them too, and benefits of other sites do not."""
    here, elsewhere = make.benefit_definition(), make.benefit_definition()
    rows = [Row(f"H-{number}", f"h{number}@mail.example", "Ilse", f"Holm {number}") for number in range(3)]
    one, other, old = enrol(session, actor, *rows)
    make.benefit(here, profile_id=one)
    make.benefit(elsewhere, profile_id=other)
    session.execute(update(Profile).where(Profile.id == old).values(merged_into_id=one))
    session.commit()
    for typed in ("ilse", "holm", "H-0", "h0@mail", "ilse holm 2", "h2@mail.example"):
        found = read.people(session, frozenset({here.site_id}), typed)
        assert [row.external_id for row in found] == ["H-0"], typed
        assert [row.id for row in profiles_read.page(session, frozenset({here.site_id}))] == [one]
    assert read.people(session, frozenset({here.site_id}), "h1@mail.example") == []
    both = frozenset({here.site_id, elsewhere.site_id})
    assert {row.external_id for row in read.people(session, both, "ilse")} == {"H-0", "H-1"}


def test_the_list_of_a_small_site_is_the_list_of_a_large_one(session, actor, make, monkeypatch):
    """Few are gathered, many are met on a walk through everybody; the pages are the same."""
    reward, definition = make.reward(), make.benefit_definition()
    scope = frozenset({reward.site_id, definition.site_id})
    people = enrol(session, actor, *(Row(f"L{number}", first_name="Lea") for number in range(30)))
    for number in people[::3]:
        make.entry(reward, profile_id=number)
    for number in people[::5]:
        make.benefit(definition, profile_id=number)
        make.benefit(definition, profile_id=number)
    session.execute(update(Profile).where(Profile.id == people[9]).values(merged_into_id=people[7]))
    session.execute(update(Profile).where(Profile.id == people[10]).values(merged_into_id=people[8]))
    at_sites.renew(session, people)
    session.commit()

    def pages():
        found, before = [], None
        while rows := profiles_read.page(session, scope, before=before, size=3):
            found.append([row.id for row in rows])
            before = rows[:3][-1].id
        return found

    gathered = pages()
    monkeypatch.setattr(people_there, "FEW", 0)
    assert gathered == pages()
    wanted = {people[at] for at in range(30) if (at % 3 == 0 or at % 5 == 0) and at not in {9, 10}} | {people[7]}
    assert {number for page in gathered for number in page} == wanted


SEARCHES = ("ann", "an", "a", "B", "b ann", "M", "m1", "M12", "h@", "p1@post", "04", "0412 1", "nobody", "%")


@pytest.fixture
def crowd(session, make):
    """People of whom some entered on a site, hold a benefit of another or belong to an organisation; and who sees them."""
    chance = random.Random(7)  # noqa: S311
    reward, definition, place, group = make.reward(), make.benefit_definition(), make.organisation(), make.group()
    people = [
        make.profile(
            external_id=chance.choice((f"M1{number}", f"X{number}")),
            first_name=chance.choice(("Ann", "Bo", "Anna")),
            last_name=chance.choice(("Berg", "Aalto", "Ek")),
            email=f"{chance.choice('ph')}{number}@post.example",
            phone=f"0412 {number:03}",
        )
        for number in range(40)
    ]
    acts = (
        lambda person: make.entry(reward, profile_id=person.id),
        lambda person: make.benefit(definition, profile_id=person.id),
        lambda person: make.member(group, person, place),
        lambda _person: None,
    )
    for person in people:
        for act in chance.sample(acts, 2):
            act(person)
    people[5].merged_into_id, people[6].erased_at = people[8].id, NOW
    at_sites.renew(session, [person.id for person in people])
    session.commit()
    site, parts = frozenset({reward.site_id}), ((None, place.id),)
    wheres = (None, site, site | {definition.site_id}, Reach(frozenset(), parts), Reach(site, parts))
    return [person.id for person in people], wheres


@pytest.mark.parametrize("few", [0, 500])
@pytest.mark.parametrize("sizes", [(3, 4, 5), (3, 4, 40), (300, 5_000, 20_000)])
def test_the_list_filtered_by_a_word_is_everybody_who_fits_and_is_to_be_seen(session, crowd, monkeypatch, sizes, few):
    """However many are gathered, looked at or walked by, for whoever sees all, a site, an organisation or both."""
    people, wheres = crowd
    everybody = {where: {row.id for row in profiles_read.page(session, where, size=100)} for where in wheres}
    for module, name, value in (
        *zip((profiles_read, profiles_read, people_named), ("_FIRST", "_NEXT", "MOST"), sizes, strict=True),
        *((module, name, few) for module, name in ((people_there, "FEW"), (reaches, "SOME"), (reaches, "FEW"))),
    ):
        monkeypatch.setattr(module, name, value)
    for search, (where, seen), before in product(SEARCHES, everybody.items(), (people[-1] + 1, people[25])):
        fits = set(session.scalars(select(Profile.id).where(people_named.matches(search)))) & seen
        found = profiles_read.page(session, where, search=search, before=before, size=4)
        wanted = sorted((number for number in fits if number < before), reverse=True)
        assert [row.id for row in found] == wanted[:5], (where, search, before)


LIMITS = [(people_named, "FEW"), (people_named, "MOST"), (people_there, "FEW"), (till, "_LOOKED_AT")]


def limited(monkeypatch, most):
    for module, name in LIMITS:
        monkeypatch.setattr(module, name, most)


@pytest.mark.parametrize("most", [0, 2, 500])
@pytest.mark.parametrize("search", SEARCHES)
def test_the_till_finds_whoever_holds_a_benefit_and_fits(session, crowd, monkeypatch, most, search):
    """The first by name, however many fit and however few of them hold anything."""
    _, wheres = crowd
    reaching = {
        where: set(session.scalars(select(Benefit.profile_id).join(BenefitDefinition).where(holds(where))))
        for where in wheres
    }
    assert [bool(theirs) for theirs in reaching.values()] == [True, False, True, True, True]
    limited(monkeypatch, most)
    for where, theirs in reaching.items():
        fits = select(Profile).where(people_named.matches(search), Profile.id.in_(theirs))
        shown = fits.where(Profile.merged_into_id.is_(None), Profile.erased_at.is_(None))
        wanted = list(session.scalars(shown.order_by(Profile.search_text, Profile.id)))
        assert till.people(session, where, search, size=50) == wanted, where
        found = till.people(session, where, search, size=3)
        assert len(found) == min(4, len(wanted))
        assert set(found) <= set(wanted)


def holds(where):
    return reaches.holds(where, BenefitDefinition.site_id, Benefit.profile_id)


@pytest.mark.parametrize("most", [0, 5, 500])
def test_entries_members_and_completions_are_filtered_by_who_fits(session, crowd, make, monkeypatch, most):
    people, _ = crowd
    reward, group, module = make.reward(), make.group(), make.lesson(make.site().id)
    for number, person in enumerate(people, start=1):
        make.entry(
            reward, profile_id=person, number=number, receipt=f"M{number}", status="ok" if number % 3 else "staff"
        )
        make.member(group, session.get_one(Profile, person), None)
        make.completion(person, module.id)
    limited(monkeypatch, most)
    for search in SEARCHES:
        fits = set(session.scalars(select(Profile.id).where(people_named.matches(search))))
        for before in (None, 30):
            rows = [
                (number, person) for number, person in enumerate(people, start=1) if before is None or number < before
            ]
            own = {number for number, _ in rows if f"M{number}".startswith(search.upper()) or search == f"0{number}"}
            theirs = [number for number, person in rows if person in fits or number in own]
            found = entries.page(session, reward.id, search=search, before=before, size=4)
            assert [row.number for row in found] == theirs[::-1][:5], (search, before)
            staff = entries.page(session, reward.id, search=search, before=before, size=4, status=EntryStatus.STAFF)
            assert [row.number for row in staff] == [number for number in theirs[::-1] if number % 3 == 0][:5]
        who = [person for person in reversed(people) if person in fits]
        assert [row.profile_id for row in memberships.page(session, group.id, None, search=search, size=4)] == who[:5]
        done = modules.completions(session, module.id, search=search, size=4)
        assert [row.profile_id for row in done] == who[:5]
