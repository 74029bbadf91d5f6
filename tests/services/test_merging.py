"""Two rows become one person: once, with everything that can move, and every old name still leads there."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from tests.factories import NOW, Factories
from tests.support.rows import Row
from webapp.adapters.engines import engine_options
from webapp.domain import merging as rules
from webapp.domain.draws import DrawState
from webapp.domain.errors import Conflict, Refused
from webapp.domain.identity import SYSTEM
from webapp.models import (
    AuditEntry,
    Completion,
    Draw,
    Entry,
    Group,
    Membership,
    Profile,
    ProfileIdentity,
    ProfileMerge,
    Voucher,
)
from webapp.queries import search
from webapp.queries.invariants import INVARIANTS, broken
from webapp.services import profiles
from webapp.services.profiles import MergeProfiles
from webapp.services.work import perform, transaction


def merge(session, actor, winner, loser, reason="same phone"):
    with transaction(session, actor, NOW) as work:
        return profiles.merge(work, MergeProfiles(winner.id, loser.id, reason))


@pytest.fixture
def pair(make):
    winner = make.profile(external_id="W1", first_name="Zoë", last_name="Berg", email="zoe@example.com")
    loser = make.profile(external_id="L1", first_name="Zoe Ann", last_name="Bergh", email="z@old.example", phone="0412")
    return winner, loser


@pytest.fixture
def ledgers(session, make, pair):
    """The pair with something of everything; the second entry is in a sealed draw."""
    winner, loser = pair
    open_reward, sealed = make.reward(entry_count=1), make.reward(entry_count=1)
    make.entry(open_reward, profile_id=loser.id, number=1)
    make.entry(sealed, profile_id=loser.id, number=1)
    group, place = make.circle(member_count=3), make.club(member_count=2)
    for person, where in ((winner, place.id), (loser, place.id), (loser, None)):
        make.joined(person.id, group.id, where)
    module = make.lesson(open_reward.site_id, completion_count=3)
    for person, at in ((winner, NOW), (loser, NOW), (loser, NOW.replace(day=1))):
        make.completion(person.id, module.id, completed_at=at)
    make.identity(loser.id, "till", "T1")
    make.voucher(make.voucher_type(allocated_count=1), profile_id=loser.id, status="allocated", allocated_at=NOW)
    make.draw(sealed).sealed_at = NOW
    session.commit()
    return open_reward, sealed, group, place, module


def test_what_can_move_moves_and_what_is_sealed_stays(session, actor, pair, ledgers):
    winner, loser = pair
    open_reward, sealed, group, place, module = ledgers
    merge(session, actor, winner, loser)
    session.expire_all()
    owners = dict(session.execute(select(Entry.reward_id, Entry.profile_id)).all())
    assert owners == {open_reward.id: winner.id, sealed.id: loser.id}
    belongs = session.execute(select(Membership.profile_id, Membership.organisation_id).order_by(Membership.id)).all()
    assert [tuple(row) for row in belongs] == [(winner.id, place.id), (winner.id, None)]
    for model, count in ((Completion, 2), (ProfileIdentity, 1), (Voucher, 1)):
        assert session.scalars(select(model.profile_id)).all() == [winner.id] * count
    assert (session.get_one(Group, group.id).member_count, place.member_count, module.completion_count) == (2, 1, 2)
    assert [item.name for item in INVARIANTS if "counted" not in item.name and broken(session, item)] == []


def test_what_moved_is_counted_and_told(session, actor, make, pair, ledgers):
    winner, loser = pair
    alias = make.profile(external_id=None, email="older@example.com", merged_into_id=loser.id)
    merge(session, actor, winner, loser)
    session.expire_all()
    assert (loser.merged_into_id, alias.merged_into_id) == (winner.id, winner.id)
    kept = session.scalars(select(ProfileMerge)).one()
    assert (kept.winner_id, kept.loser_id, kept.reason, kept.by) == (winner.id, loser.id, "same phone", actor.label)
    assert kept.moved == {
        "entries": 1, "benefits": 0, "notices": 0, "reserved_codes": 0,
        "vouchers": 1, "memberships_twice": 1, "memberships": 1, "completions_twice": 1, "completions": 1,
        "identities": 1, "aliases": 1, "sealed_entries": 1,
    }  # fmt: skip
    told = session.scalars(select(AuditEntry).where(AuditEntry.event == "profile.merged")).one()
    assert told.facts["moved"] == (
        "1 entry, 1 voucher, 1 membership both had, 1 membership, 1 completion both had, 1 completion, 1 identity, "
        "1 row merged before, 1 entry of a sealed draw, which stays"
    )


def test_several_are_told_as_several(session, actor, make, pair):
    winner, loser = pair
    for _ in range(2):
        make.joined(loser.id, make.circle(member_count=1).id)
        make.entry(make.reward(), profile_id=loser.id)
    make.voucher(make.voucher_type(), reserved_for_id=loser.id)
    merge(session, actor, winner, loser)
    told = session.scalars(select(AuditEntry).where(AuditEntry.event == "profile.merged")).one()
    assert told.facts["moved"] == "2 entries, 1 reserved code, 2 memberships"


def test_what_the_winner_lacks_is_filled_in_and_old_names_lead_to_it(session, actor, pair):
    winner, loser = pair
    merge(session, actor, winner, loser)
    session.expire_all()
    assert (winner.external_id, winner.email_key, winner.phone) == ("W1", "zoe@example.com", "0412")
    assert (loser.external_id, loser.email_key) == ("L1", "z@old.example")
    for words in ("L1", "z@old", "zoe bergh", "0412", "W1"):
        assert [row.id for row in search.people(session, None, words)] == [winner.id]
    with transaction(session, actor, NOW) as work:
        assert profiles.enrol(work, [Row("L1"), Row("", "z@old.example")], NOW) == ([winner.id, winner.id], 0)


def test_a_winner_without_names_takes_those_of_the_other(session, actor, make):
    winner = make.profile(external_id=None, email="", first_name="Zoë", last_name="Berg")
    loser = make.profile(external_id="L1", email="z@example.com")
    merge(session, actor, winner, loser)
    session.expire_all()
    assert (winner.external_id, winner.email_key, winner.email) == ("L1", "z@example.com", "z@example.com")
    assert (loser.external_id, loser.email_key) == (None, None)


@pytest.mark.parametrize("reason", ["", " x "])
def test_a_merge_needs_a_reason(session, actor, pair, reason):
    with pytest.raises(Refused, match="how you know"):
        merge(session, actor, *pair, reason)


def test_one_row_is_not_merged_with_itself_nor_twice(session, actor, make, pair):
    winner, loser = pair
    with pytest.raises(Refused, match="one and the same"):
        merge(session, actor, winner, winner)
    merge(session, actor, winner, loser)
    with pytest.raises(Conflict, match=f"was merged into person {winner.id} before"):
        merge(session, actor, make.profile(), loser)
    with pytest.raises(Conflict, match="was merged"):
        merge(session, actor, loser, winner)


def test_a_closed_draw_whose_list_changes_hands_is_reviewed_anew(session, actor, make, pair):
    winner, loser = pair
    reward = make.reward()
    make.entry(reward, profile_id=loser.id)
    draw = make.draw(reward, state=DrawState.CLOSED, reviewed_at=NOW)
    merge(session, actor, winner, loser)
    session.expire_all()
    assert session.get_one(Draw, draw.id).reviewed_at is None


def test_two_merges_at_once_give_one(own_database):
    engine = create_engine(own_database, **engine_options(own_database, threads=4))
    with Session(engine, expire_on_commit=False) as session:
        make = Factories(session)
        people = [make.profile() for _ in range(2)]
        ids = [person.id for person in people]
    outcomes, ready = [], threading.Barrier(2)

    def press(winner, loser):
        with Session(engine, expire_on_commit=False) as session:
            ready.wait()
            try:
                command = MergeProfiles(winner, loser, "the same")
                perform(session, SYSTEM, NOW, lambda work: profiles.merge(work, command))
                outcomes.append("merged")
            except Conflict:
                outcomes.append("refused")

    rivals = [threading.Thread(target=press, args=pair) for pair in (ids, ids[::-1])]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()
    with Session(engine) as session:
        merged = session.scalars(select(Profile.merged_into_id)).all()
        assert len(session.scalars(select(ProfileMerge)).all()) == 1
    engine.dispose()
    assert sorted(outcomes) == ["merged", "refused"]
    assert len([one for one in merged if one is not None]) == 1


def test_of_two_birthdays_one_is_kept_whole_and_an_opt_out_of_either_holds():
    empty = dict.fromkeys(rules.FILLED, "") | {
        "birth_day": None,
        "birth_month": None,
        "birth_year": None,
        "joined_at": None,
    }
    empty |= {"tags": [], "statuses": [], "consents": {}, "attributes": {}}
    winner = empty | {"birth_year": 1980, "tags": ["a"], "consents": {"email_promo": False}, "attributes": {"x": 1}}
    loser = empty | {
        "birth_day": 3, "birth_month": 4, "joined_at": NOW, "tags": ["b"], "attributes": {"x": 2, "y": 3},
        "consents": {"email_promo": True, "email_optout": True, "sms_promo": True},
    }  # fmt: skip
    found = rules.merged(winner, loser)
    assert (found["birth_day"], found["birth_year"], found["joined_at"]) == (None, 1980, NOW)
    assert found["tags"] == ["a", "b"]
    assert found["consents"] == {"email_promo": False, "email_optout": True, "sms_promo": True}
    assert found["attributes"] == {"x": 1, "y": 3}
