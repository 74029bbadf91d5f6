"""Every invariant holds on sound data and names the row that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from tests.factories import Factories
from tests.support.clock import NOW
from webapp.domain.jobs import JobStatus
from webapp.domain.outbox import OutboxStatus
from webapp.models import Organisation
from webapp.queries.invariants import INVARIANTS, broken

AT = {"created_at": NOW, "updated_at": NOW}
Plant = Callable[[Factories], Any]


def _entries_gap(make: Factories) -> None:
    reward = make.reward()
    make.entry(reward, number=1)
    make.entry(reward, number=3)


def _day_miscounted(make: Factories) -> None:
    make.entry(make.reward())
    make.session.execute(text("update entry_days set entry_count = 2"))


def _files_hole(make: Factories) -> None:
    make.file(b"x" * 300_000)
    make.session.execute(text("delete from stored_chunks where number = 0"))


def _open_session(make: Factories) -> None:
    member = make.staff("editor", is_active=False)
    make.session.execute(
        text(
            "insert into staff_sessions (token_hash, staff_id, created_at, seen_at, expires_at, address, browser) "
            "values ('x', :id, :now, :now, :now, '', '')"
        ),
        {"id": member.id, "now": NOW.isoformat(" ")},
    )


def _not_found(make: Factories) -> None:
    make.entry(make.reward())
    make.session.execute(text("delete from site_people"))


def _found_elsewhere(make: Factories) -> None:
    entry, other = make.entry(make.reward()), make.site()
    copy = "select :other, profile_id, phone_key, search_text, name_key from site_people where profile_id = :person"
    into = f"insert into site_people (site_id, profile_id, phone_key, search_text, name_key) {copy}"
    make.session.execute(text(into), {"other": other.id, "person": entry.profile_id})


def _found_by_an_old_word(make: Factories) -> None:
    person = make.profile(first_name="Mary Jane", last_name="Whitcombe")
    make.entry(make.reward(), profile_id=person.id)
    make.session.execute(text("update site_terms set term = 'june'"))


def _not_found_by_an_address(make: Factories) -> None:
    make.profile(email="home@example.com", email_key=None)
    make.session.execute(text("delete from profile_terms"))


PLANTS: dict[str, Plant] = {
    "entries dense": _entries_gap,
    "entries counted by day": _day_miscounted,
    "entries counted": lambda make: make.reward(entry_count=7),
    "group members counted": lambda make: make.group(member_count=1),
    "organisation members counted": lambda make: make.organisation(member_count=1),
    "organisation paths": lambda make: make.add(Organisation(external_id="A", title="A", path="/9/", **AT)),
    "module completions counted": lambda make: make.module(completion_count=1),
    "redemptions of a benefit counted": lambda make: make.benefit(redeemed_count=1),
    "redemptions of a definition counted": lambda make: make.benefit_definition(total_global_redemptions=1),
    "benefits of a batch counted": lambda make: make.benefit_batch(people_count=1),
    "benefits of a definition counted": lambda make: make.benefit_definition(total_global_voided=1),
    "erased people are nobody": lambda make: make.profile(erased_at=NOW),
    "vouchers idle counted": lambda make: make.voucher_type(idle_count=1),
    "vouchers redeemed counted": lambda make: make.voucher_type(redeemed_count=1),
    "sent has a time": lambda make: make.message(status=OutboxStatus.SENT, attempts=1),
    "finished jobs have an end": lambda make: make.job(status=JobStatus.DONE),
    "files whole": _files_hole,
    "entrants are found on their sites": _not_found,
    "only entrants are found on a site": _found_elsewhere,
    "shared addresses find everybody": _not_found_by_an_address,
    "words on sites are those of people": _found_by_an_old_word,
    "no session of a disabled account": _open_session,
}


def test_names_are_different_and_promises_are_sentences():
    assert len({item.name for item in INVARIANTS}) == len(INVARIANTS)
    assert all(item.promise[0].isupper() and item.promise.endswith(".") for item in INVARIANTS)


def test_all_hold_on_sound_data(session, make):
    reward = make.reward()
    make.entry(reward, number=1)
    make.entry(reward, number=2)
    make.file(b"x" * 600_000)
    make.file(b"")
    make.job()
    make.message()
    make.staff("editor")
    make.member(make.group(), organisation=make.organisation(make.organisation()))
    make.completed(make.module())
    make.benefit()
    assert {item.name: broken(session, item) for item in INVARIANTS if broken(session, item)} == {}


@pytest.mark.parametrize("name", sorted(PLANTS))
def test_a_planted_fault_is_found_and_nothing_else(session, make, name):
    PLANTS[name](make)
    found = {item.name for item in INVARIANTS if broken(session, item)}
    assert name in found
    assert found <= {name, "entries counted", "entries counted by day"}
