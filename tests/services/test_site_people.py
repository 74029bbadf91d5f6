"""Who sees one site finds whoever entered there, by what is known of them now, and nobody else."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import create_engine, delete, func, select, update
from sqlalchemy.orm import Session

from tests.factories import NOW, Factories
from tests.support.rows import Row
from webapp.adapters.engines import engine_options
from webapp.domain.identity import SYSTEM
from webapp.domain.import_rows import Draft
from webapp.models import Entry, Profile, Reward, SitePerson, SiteTerm
from webapp.queries import search
from webapp.queries.invariants import INVARIANTS, broken
from webapp.services import entries, profiles
from webapp.services.profiles import ChangeProfile, EraseProfile, IdentityLine, MergeProfiles, at_sites
from webapp.services.work import perform, transaction

DRAFT = Draft(2, "", "", "", "", "", "", "", "", NOW, "", 1)
OURS = [item for item in INVARIANTS if "site_people" in item.sql]


def found(session, reward, *texts):
    """Names found by each of ``texts`` on the site of ``reward``; what is kept of the sites is as it must be."""
    session.expire_all()
    assert {item.name: broken(session, item) for item in OURS if broken(session, item)} == {}
    scope = frozenset({reward.site_id})
    return [[one.full_name for one in search.people(session, scope, typed)] for typed in texts]


def write(work, reward_id, people):
    entries.hold(work, reward_id)
    entries.add(work, reward_id, [DRAFT] * len(people), people, bytes)


def enter(session, actor, reward, people):
    with transaction(session, actor, NOW) as work:
        write(work, reward.id, people)


@pytest.fixture
def zoe(make):
    person = make.profile(
        external_id="W1", first_name="Zoë", last_name="van der Berg", email="zoe@example.com", phone="0412 345"
    )
    make.identity(person.id, "till", "T77")
    return person


WAYS = ("w1", "T7", "zoe@", "0412", "van der", "zoe van", "der berg zoe", "zeo van der berg")


def test_who_enters_is_found_there_in_every_way_and_nowhere_else(session, actor, make, zoe):
    here, again, elsewhere = make.reward(), make.reward(), make.reward()
    again.site_id = here.site_id
    session.commit()
    assert found(session, here, *WAYS) == [[]] * len(WAYS)
    for reward in (here, again, here):
        enter(session, actor, reward, [zoe.id, zoe.id] if reward is again else [zoe.id])
    assert found(session, here, *WAYS) == [["Zoë van der Berg"]] * len(WAYS)
    assert found(session, elsewhere, *WAYS) == [[]] * len(WAYS)
    assert session.scalar(select(func.count()).select_from(SitePerson)) == 1


def test_people_without_entries_are_kept_nowhere_twice(session, actor):
    with transaction(session, actor, NOW) as work:
        profiles.enrol(work, [Row(f"M{number}", first_name="Mary Jane", last_name="Berg") for number in range(20)], NOW)
    assert session.scalars(select(SitePerson.profile_id)).all() == session.scalars(select(SiteTerm.term)).all() == []


def test_who_sees_no_site_finds_nobody(session, make, zoe):
    make.entry(make.reward(), profile_id=zoe.id)
    assert [search.people(session, frozenset(), typed) for typed in WAYS] == [[]] * len(WAYS)


def test_who_entered_on_several_sites_is_found_once(session, make, zoe):
    rewards = [make.reward() for _ in range(3)]
    for reward in rewards:
        make.entry(reward, profile_id=zoe.id)
    scope = frozenset(reward.site_id for reward in rewards)
    assert [len(search.people(session, scope, typed)) for typed in WAYS] == [1] * len(WAYS)


def test_a_copy_without_an_entry_shows_nobody(session, make, zoe):
    here = make.reward()
    entry = make.entry(here, profile_id=zoe.id)
    session.execute(delete(Entry).where(Entry.reward_id == entry.reward_id))
    assert session.scalars(select(SitePerson.profile_id)).all() == [zoe.id]
    assert [search.people(session, frozenset({here.site_id}), typed) for typed in WAYS] == [[]] * len(WAYS)


def change(session, actor, person, **facts):
    session.refresh(person)
    known = ("external_id", "first_name", "last_name", "email", "phone")
    command = ChangeProfile(
        profile_id=person.id, version=person.version, **{name: getattr(person, name) or "" for name in known}
    )
    with transaction(session, actor, NOW) as work:
        profiles.change(work, replace(command, **facts))


def test_who_is_changed_is_found_by_what_is_new_and_no_more_by_what_was(session, actor, make, zoe):
    here = make.reward()
    make.entry(here, profile_id=zoe.id)
    news = {
        "external_id": "X9", "first_name": "Mary Jane", "last_name": "Whitcombe", "email": "mj@example.com",
        "phone": "0733", "identities": (IdentityLine("till", "K5"),),
    }  # fmt: skip
    change(session, actor, zoe, **news)
    new = ("x9", "K5", "mj@", "0733", "whitcombe", "mary", "jane w", "whitcmobe mary")
    assert found(session, here, *new) == [["Mary Jane Whitcombe"]] * len(new)
    assert found(session, here, *WAYS) == [[]] * len(WAYS)


def test_a_further_address_that_becomes_the_first_leads_to_the_person_still(session, actor, make, zoe):
    here = make.reward()
    alias = make.profile(external_id=None, first_name="Zo", email="new@example.com", merged_into_id=zoe.id)
    for person in (zoe, alias):
        make.entry(here, profile_id=person.id)
    change(session, actor, zoe, email="new@example.com", identities=(IdentityLine("till", "T77"),))
    assert found(session, here, "new@", "zoe@", "zo") == [["Zoë van der Berg"]] * 3


def test_a_file_of_entries_fills_in_what_people_are_found_by(session, actor, make):
    here, person = make.reward(), make.profile(external_id="M1", first_name="Ann", last_name="", email="")
    make.entry(here, profile_id=person.id)
    with transaction(session, actor, NOW) as work:
        profiles.enrol(work, [Row("M1", "ann@example.com", last_name="de Vries", phone="0412")], NOW)
    assert found(session, here, "vries", "ann@", "0412", "vreis") == [["Ann de Vries"]] * 4


def test_two_rows_a_file_says_are_one_person_are_found_as_that_person(session, actor, make):
    here, there = make.reward(), make.reward()
    member = make.profile(external_id="M1", first_name="Ann", last_name="Lee", email="")
    guest = make.profile(external_id=None, first_name="Annie", last_name="Lee", email="ann@example.com")
    make.entry(here, profile_id=guest.id)
    make.entry(there, profile_id=member.id)
    with transaction(session, actor, NOW) as work:
        profiles.enrol(work, [Row("M1", "ann@example.com")], NOW)
    assert found(session, here, "m1", "ann@") == found(session, there, "m1", "ann@") == [["Ann Lee"]] * 2


@pytest.fixture
def merged(session, actor, make, zoe):
    """A site with a sealed draw that keeps an entry of Zita Quill, who turned out to be Zoë."""
    open_reward, sealed = make.reward(), make.reward()
    loser = make.profile(external_id="L1", first_name="Zita", last_name="Quill", email="zita@example.com")
    for reward in (open_reward, sealed):
        make.entry(reward, profile_id=loser.id)
    make.draw(sealed, sealed_at=NOW)
    with transaction(session, actor, NOW) as work:
        profiles.merge(work, MergeProfiles(zoe.id, loser.id, "the same"))
    return open_reward, sealed, loser


def test_what_moves_with_a_merge_is_found_as_the_winner_and_what_is_sealed_by_the_old_name_too(session, make, merged):
    open_reward, sealed, _loser = merged
    assert found(session, open_reward, "w1", "van der", "quill") == [["Zoë van der Berg"]] * 2 + [[]]
    assert found(session, sealed, "l1", "quill", *WAYS) == [["Zoë van der Berg"]] * (2 + len(WAYS))
    assert found(session, make.reward(), "quill", *WAYS) == [[]] * (1 + len(WAYS))


def test_whoever_somebody_was_merged_into_is_followed_where_only_the_old_row_entered(session, actor, merged, zoe):
    _open, sealed, _loser = merged
    change(session, actor, zoe, last_name="Whitcombe", identities=(IdentityLine("till", "K5"),))
    assert found(session, sealed, "whitcombe", "K5", "quill") == [["Zoë Whitcombe"]] * 3
    assert found(session, sealed, "van der", "T77") == [[]] * 2


def test_a_merge_after_a_merge_is_found_as_the_last(session, actor, make, merged, zoe):
    _open, sealed, _loser = merged
    last = make.profile(external_id="U1", first_name="Una", last_name="Dee", email="una@example.com")
    with transaction(session, actor, NOW) as work:
        profiles.merge(work, MergeProfiles(last.id, zoe.id, "the same again"))
    assert found(session, sealed, "u1", "dee", "quill") == [["Una Dee"]] * 3
    assert found(session, sealed, "w1", "van der") == [[]] * 2


def test_who_is_erased_after_a_merge_is_found_by_nothing(session, actor, merged, zoe):
    _open, sealed, _loser = merged
    with transaction(session, actor, NOW) as work:
        profiles.erase(work, EraseProfile(zoe.id, str(zoe.id), "0123456789ab"))
    assert found(session, sealed, "l1", "quill", *WAYS) == [[]] * (2 + len(WAYS))
    assert session.scalars(select(SitePerson.profile_id)).all() == []


def test_who_enters_as_a_row_that_was_merged_is_found_as_whom_it_means(session, actor, make, merged):
    here = make.reward()
    enter(session, actor, here, [merged[2].id])
    assert found(session, here, "quill", *WAYS) == [["Zoë van der Berg"]] * (1 + len(WAYS))


def test_a_copy_of_whom_a_row_means_shows_nobody_without_the_entry(session, make, zoe):
    here, other = make.reward(), make.profile(merged_into_id=zoe.id)
    entry = make.entry(here, profile_id=other.id)
    session.execute(delete(Entry).where(Entry.reward_id == entry.reward_id))
    assert set(session.scalars(select(SitePerson.profile_id))) == {zoe.id, other.id}
    assert [search.people(session, frozenset({here.site_id}), typed) for typed in WAYS] == [[]] * len(WAYS)


def test_who_is_erased_is_kept_nowhere(session, actor, make, zoe):
    here = make.reward()
    make.entry(here, profile_id=zoe.id)
    with transaction(session, actor, NOW) as work:
        profiles.erase(work, EraseProfile(zoe.id, str(zoe.id), "0123456789ab"))
    assert found(session, here, *WAYS) == [[]] * len(WAYS)
    assert session.scalars(select(SitePerson.profile_id)).all() == session.scalars(select(SiteTerm.term)).all() == []
    enter(session, actor, here, [zoe.id])
    assert found(session, here, "erased") == [[]]


@pytest.fixture
def engine(own_database):
    opened = create_engine(own_database, **engine_options(own_database, threads=4))
    yield opened
    opened.dispose()


def rename(work, person_id, _reward_id):
    """The names alone: a change of them holds the row less than one of its id or address."""
    one = work.session.get_one(Profile, person_id)
    facts = {"external_id": one.external_id, "email": one.email, "first_name": "Mary Jane", "last_name": "Whitcombe"}
    profiles.change(work, ChangeProfile(profile_id=person_id, version=one.version, **facts))


def enter_first(work, person_id, reward_id):
    write(work, reward_id, [person_id])


def leave(work, person_id, reward_id):
    """As an import taken back does."""
    at_sites.hold(work.session, [person_id])
    other = select(Reward.id).where(Reward.id != reward_id).scalar_subquery()
    work.session.execute(
        delete(Entry).where(Entry.reward_id == other), execution_options={"synchronize_session": False}
    )
    emptied = update(Reward).where(Reward.id == other).values(entry_count=0)
    work.session.execute(emptied, execution_options={"synchronize_session": False})
    at_sites.renew(work.session, [person_id])


def unite(work, person_id, _reward_id):
    """Into somebody else, whom the entries follow."""
    other = work.session.scalars(select(Profile.id).where(Profile.id != person_id)).one()
    profiles.merge(work, MergeProfiles(other, person_id, "the same"))


@pytest.fixture
def person_and_reward(engine):
    """Ids of somebody and of a reward, beside a second one of the same site and somebody else."""

    def made(*, entered):
        with Session(engine, expire_on_commit=False) as session:
            make = Factories(session)
            here, before = make.reward(), make.reward()
            before.site_id = here.site_id
            person = make.profile(first_name="Zoë", last_name="Berg")
            make.profile(first_name="Una", last_name="Quill")
            session.commit()
            if entered:
                make.entry(before, profile_id=person.id)
            return person.id, here.id

    return made


@pytest.mark.parametrize("rival", [rename, leave, unite, enter_first])
@pytest.mark.parametrize("is_first", [True, False], ids=["entering first", "entering second"])
@pytest.mark.parametrize("entered", [True, False], ids=["entered before", "new to the site"])
def test_who_enters_while_somebody_changes_them_is_found_as_they_are(
    engine, person_and_reward, rival, is_first, entered
):
    ids = person_and_reward(entered=entered)
    is_written, acts = threading.Event(), [enter_first, rival] if is_first else [rival, enter_first]

    def second():
        with Session(engine, expire_on_commit=False) as session:
            is_written.wait()
            perform(session, SYSTEM, NOW, lambda work: acts[1](work, *ids))

    other = threading.Thread(target=second)
    other.start()
    with Session(engine, expire_on_commit=False) as session:
        with transaction(session, SYSTEM, NOW) as work:
            acts[0](work, *ids)
            work.session.flush()
            is_written.set()
            other.join(timeout=0.3)  # it waits for this transaction, or is done
        other.join()
        reward = session.get_one(Reward, ids[1])
        shown = {name for some in found(session, reward, "whitcombe", "berg", "quill") for name in some}
        assert shown == {{rename: "Mary Jane Whitcombe", unite: "Una Quill"}.get(rival, "Zoë Berg")}
