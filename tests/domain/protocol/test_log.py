"""The chained record and what may happen to a place."""

import json
from hashlib import sha256

import pytest

from tests.domain.protocol import vectors
from webapp.domain.protocol import log
from webapp.domain.protocol.awarding import Awards
from webapp.domain.protocol.errors import ProtocolError
from webapp.domain.protocol.texts import fingerprint, instant

DRAWS = vectors.draws()
REDRAW = DRAWS["06 redraw"]
EVENTS = log.read(REDRAW["log.jsonl"])


@pytest.mark.parametrize("name", DRAWS)
def test_a_log_of_the_vectors_is_written_again(name):
    last, written = None, b""
    for event in log.read(DRAWS[name]["log.jsonl"]):
        facts = {key: told for key, told in event.items() if key not in {"n", "at", "event", "prev"}}
        last = log.append(last, instant(event["at"]), log.Event(event["event"]), **facts)
        written += last + b"\n"
    assert written == DRAWS[name]["log.jsonl"]
    assert log.head(written) == sha256(last).hexdigest()


def test_an_empty_log_has_the_head_of_the_first_prev():
    assert log.head(b"") == log.FIRST_PREV == "0" * 64
    assert log.read(b"") == []


@pytest.mark.parametrize("line", range(1, 12))
def test_a_line_changed_or_removed_breaks_the_chain(line):
    lines = REDRAW["log.jsonl"].splitlines(keepends=True)
    changed = [*lines[: line - 1], lines[line - 1].replace(b"2026", b"2027"), *lines[line:]]
    with pytest.raises(ProtocolError, match=f"^Line {line + 1} of log.jsonl does not follow"):
        log.read(b"".join(changed))
    with pytest.raises(ProtocolError, match=f"^Line {line} of log.jsonl does not follow"):
        log.read(b"".join([*lines[: line - 1], *lines[line:]]))


def test_a_log_without_its_last_line_feed_is_refused():
    with pytest.raises(ProtocolError, match="must end in a line feed"):
        log.read(REDRAW["log.jsonl"][:-1])


def test_the_log_writes_its_own_fields():
    with pytest.raises(ProtocolError, match="n, prev itself"):
        log.append(None, instant("2026-12-01T08:00:00Z"), log.Event.OPENED, n=2, prev="0" * 64)


def awards():
    known = {name: (fingerprint(text), json.loads(text)) for name, text in REDRAW.items() if name.endswith(".json")}
    return Awards({1: known["result-1.json"], 2: known["result-2.json"]}, {2: known["redraw-2.json"]})


def told(kind, slot, rank, number=1):
    return {"event": kind, "round": number, "slot": slot, "rank": rank}


def test_the_story_of_vector_06_ends_with_these_people():
    story = awards()
    for event in EVENTS:
        story.apply(event)
    assert story.holders == {"car#1": (1, 1), "weekend#1": (2, 1), "weekend#2": (1, 4)}


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        (told("promoted", "car#1", 4), "must be vacant"),
        (told("promoted", "boat#1", 4), "must be vacant"),
        (told("accepted", "car#1", 2), "not held by rank 2"),
        (told("declined", "boat#1", 1), "not held by rank 1"),
        ({"event": "fulfilled", "slot": "boat#1"}, "not held"),
        (EVENTS[8], "only when it is vacant"),
        (EVENTS[2], "drawn once"),
        (EVENTS[9], "drawn once"),
    ],
    ids=lambda value: value["event"] if isinstance(value, dict) else None,
)
def test_after_the_draw_this_is_out_of_order(event, rule):
    story = awards()
    for earlier in EVENTS[:3]:
        story.apply(earlier)
    with pytest.raises(ProtocolError, match=rule):
        story.apply(event)


@pytest.mark.parametrize(("rank", "number"), [(5, 1), (3, 1), (4, 2)])
def test_only_the_next_reserve_of_the_round_can_follow(rank, number):
    story = awards()
    for earlier in EVENTS[:5]:
        story.apply(earlier)
    with pytest.raises(ProtocolError, match="the next reserve"):
        story.apply(told("promoted", "weekend#2", rank, number))


def test_a_redraw_waits_until_no_reserve_is_left():
    story = awards()
    for earlier in EVENTS[:3]:
        story.apply(earlier)
    story.apply(told("unclaimed", "weekend#1", 2))
    with pytest.raises(ProtocolError, match="no reserve is left"):
        story.apply(EVENTS[8])


def test_an_unknown_event_is_refused():
    with pytest.raises(ValueError, match="celebrated"):
        awards().apply({"event": "celebrated"})
