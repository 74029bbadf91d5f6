"""Every event tells its facts in a sentence, and one of something is not several."""

import pytest

from webapp.domain.audit import FACTS, Event, sentence


@pytest.mark.parametrize("event", list(Event))
def test_every_event_has_a_sentence_of_exactly_its_facts(event):
    told = sentence(event, dict.fromkeys(FACTS[event], "X"))
    assert told.count("X") >= len(FACTS[event])


def test_numbers_are_grouped_and_one_is_one():
    facts = {"reward": "R", "entries": 50_000, "tickets": 1, "sha256": "ab"}
    assert sentence(Event.DRAW_SEALED, facts) == "sealed the draw of «R»: 50,000 entries, 1 ticket, fingerprint ab"
    assert sentence(Event.REWARD_CLOSED, {"title": "R", "entries": 1}) == "closed «R» with 1 entry"


def test_what_older_entries_say_of_one_is_put_right():
    moved = "1 entries, 1 reserved codes, 1 memberships twice, 11 memberships, 1 sealed entries"
    told = sentence(Event.PROFILE_MERGED, {"loser": "2", "winner": "1", "moved": moved})
    assert told.endswith("1 entry, 1 reserved code, 1 membership twice, 11 memberships, 1 sealed entry")
    told = sentence(Event.PROFILE_ERASED, {"person": "1", "cleared": "1 identities, 1 messages, 1 import problems"})
    assert told.endswith("1 identity, 1 message, 1 import problem")
