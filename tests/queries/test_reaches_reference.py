"""Who is found and listed within organisations, against a look at every row in Python (product 3.1, K150)."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest
from sqlalchemy import select

from tests.factories import NOW
from tests.queries.test_reaches import WAYS_OF_LOOKING
from webapp.domain.identity import Reach
from webapp.domain.profiles import fold
from webapp.models import Membership, Organisation, Profile, ProfileIdentity, ProfileTerm
from webapp.queries import organisation_search, profiles, reaches, search

FIRST = ("Ann", "Anna Zoe", "Zoë", "Zoe Ann", "Bea", "Ma")
LAST = ("van der Berg", "Berg", "Zuse", "Ann", "Bergzoe", "Ma-Zuse")
TYPED = ("a", "z", "b", "ann", "zoe be", "berg z", "van", "A0", "a00", "A001", "T", "T1", "04", "0412", "ann@", "nobody", "zuse ma")  # fmt: skip
SEEDS = range(4)


@pytest.fixture(params=WAYS_OF_LOOKING.values(), ids=WAYS_OF_LOOKING)
def few(request, monkeypatch):
    for name, most in zip(("FEW", "SOME", "FEW_PLACES"), request.param, strict=True):
        monkeypatch.setattr(reaches, name, most)
    return request.param


def crowd(session, make, chance):
    """Organisations in a tree, and people who belong to none, one or several, some of them merged or erased."""
    places = [make.organisation()]
    for _ in range(6):
        places.append(make.organisation(chance.choice([None, *places])))
    groups, people = [make.group(), make.group()], []
    for number in range(40):
        person = make.profile(
            external_id=chance.choice((f"A{number:03}", f"a{number:03}", None)),
            first_name=chance.choice(FIRST),
            last_name=chance.choice(LAST),
            email=chance.choice((f"ann@{number}.example", f"{number}@x.example")),
            phone=chance.choice(("0412", "0413", "")) and f"04{chance.choice('123')} {number:03}",
            erased_at=NOW if chance.random() < 0.1 else None,
        )
        if people and chance.random() < 0.2:
            person.merged_into_id = chance.choice(people).id
        else:
            people.append(person)
            for group in groups:
                for place in chance.sample(places, chance.choice((0, 1, 2))):
                    make.member(group, person, place)
            if chance.random() < 0.2:
                make.member(groups[0], person)
        if chance.random() < 0.3:
            make.identity(person.id, "till", f"T{chance.randrange(3)}-{number}")
    session.commit()
    return places, people


def members(session, roots):
    """The ids of those who belong below one of the roots."""
    paths = dict(session.execute(select(Organisation.id, Organisation.path)).all())
    inside = session.execute(select(Membership.profile_id, Membership.organisation_id).where(Membership.organisation_id.is_not(None)))  # fmt: skip
    return {who for who, place in inside if any(f"/{root}/" in paths[place] for root in roots)}


def told(session):
    """What every row of people is found by, column by column."""
    keys = defaultdict(list)
    for row in session.scalars(select(Profile)):
        for key in (Profile.external_id, Profile.email_key, Profile.phone_key, Profile.search_text, Profile.name_key):
            keys[row.id].append((key, getattr(row, key.key)))
    for key in (ProfileTerm.term, ProfileIdentity.identifier):
        for owner, value in session.execute(select(key.class_.profile_id, key)):
            keys[owner].append((key, value))
    return keys


def expected(session, roots, typed):
    """Id and rank of everybody who fits, the closest first."""
    ways, theirs, keys = list(search._ways(typed, fold(typed))), members(session, roots), told(session)
    rows = {row.id: row for row in session.scalars(select(Profile))}
    best: dict[int, int] = {}
    for row in rows.values():
        owner = row.merged_into_id or row.id
        if row.erased_at is None and owner in theirs:
            for rank, (key, prefix) in enumerate(ways):
                if any(one is key and (value or "").startswith(prefix) for one, value in keys[row.id]):
                    best[owner] = min(best.get(owner, rank), rank)
    return sorted(best.items(), key=lambda one: (one[1], rows[one[0]].search_text, one[0]))


@pytest.mark.parametrize("seed", SEEDS)
def test_k150_everybody_who_fits_is_found_and_nobody_else(session, make, few, seed):
    chance = random.Random(seed)  # noqa: S311
    places, _ = crowd(session, make, chance)
    is_found = False
    for typed in TYPED:
        roots = [one.id for one in chance.sample(places, chance.choice((1, 1, 2)))]
        where, exact = Reach(frozenset(), tuple((None, root) for root in roots)), expected(session, roots, typed)
        if exact or not search._near(session, reaches.parts(session, where), typed, 50):
            found = search.people(session, where, typed, size=50)
            assert [(one.id, one.rank) for one in found] == exact, (typed, roots)
        found = search._exact(session, reaches.parts(session, where), typed, 2)
        assert len(found) <= 3
        assert {one.id for one in found} <= {number for number, _ in exact}, (typed, roots)
        if few[0]:
            assert [(one.id, one.rank) for one in found] == exact[:3], (typed, roots)
        else:
            assert bool(found) == bool(exact), (typed, roots)
        is_found |= len(exact) > 3
    assert is_found


@pytest.mark.parametrize("seed", SEEDS)
def test_k150_the_list_has_ones_own_people_the_newest_first(session, make, few, seed):
    chance = random.Random(seed)  # noqa: S311
    places, people = crowd(session, make, chance)
    # What the verbs never leave: memberships of rows that are merged into another.
    merged = session.scalars(select(Profile).where(Profile.merged_into_id.is_not(None))).first()
    make.member(make.group(), merged, places[0])
    hidden = {row.id for row in session.scalars(select(Profile)) if row.erased_at or row.merged_into_id}
    for place in places:
        theirs = sorted(members(session, [place.id]) - hidden, reverse=True)
        where = Reach(frozenset(), ((None, place.id), (7, place.id)))
        for before in (None, people[-1].id + 1, people[len(people) // 2].id, 1):
            for size in (0, 2, 50):
                listed = [row.id for row in profiles.page(session, where, before=before, size=size)]
                assert listed == [one for one in theirs if before is None or one < before][: size + 1]


def test_k150_a_person_in_many_groups_of_a_place_is_one_of_the_list(session, make, few):
    place = make.organisation()
    old, new = make.profile(), make.profile()
    for _ in range(4):
        make.member(make.group(), new, place)
    make.member(make.group(), old, place)
    where = Reach(frozenset(), ((None, place.id),))
    assert [row.id for row in profiles.page(session, where, size=1)] == [new.id, old.id]
    assert [row.first_name for row in profiles.page(session, where, size=0)] == [new.first_name]


def test_whoever_was_gathered_by_mistake_is_asked_for_once_more(session, make):
    """A row merged into somebody elsewhere leads nowhere, even if it were a member itself."""
    place = make.organisation()
    elsewhere = make.profile(first_name="Zoe")
    merged = make.profile(first_name="Zuse", merged_into_id=elsewhere.id)
    make.member(make.group(), merged, place)
    ways = [(0, Profile.name_key, "z")]
    assert organisation_search.people(session, [place.id], ways, 10, 100) == []
    make.member(make.group(), elsewhere, place)
    assert [one.id for one in organisation_search.people(session, [place.id], ways, 10, 100)] == [elsewhere.id]
