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
