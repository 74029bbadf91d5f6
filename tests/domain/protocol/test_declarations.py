"""Seals, redraws and results, byte for byte, and what they refuse to fix."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.domain.protocol import vectors
from webapp.domain.protocol import codes, declarations, drand, entries, results
from webapp.domain.protocol.declarations import DrandRound, Prize, Redraw, Seal, Witnessed
from webapp.domain.protocol.entries import EntriesSeal
from webapp.domain.protocol.errors import ProtocolError
from webapp.domain.protocol.ranking import Per
from webapp.domain.protocol.texts import instant, read_json

DRAWS = vectors.draws()
SECRET = vectors.secret()
NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
DICE = Witnessed("20 ten-sided dice", NOW + timedelta(hours=3))
EMPTY = EntriesSeal(0, 0, 0, "0" * 64, "0" * 64)
PLAIN = Seal("D-1", NOW, Per.HOLDER, [Prize("car", "Car", 1)], 0, EMPTY, "c" * 64, DICE)
REDRAW = DRAWS["06 redraw"]


def rows_of(files):
    return list(entries.read_entries(io.BytesIO(files["entries.csv"])))


def source_of(told):
    return Witnessed(told["seed_source"]["what"], instant(told["seed_source"]["not_before"]))


@pytest.mark.parametrize("name", DRAWS)
def test_the_seal_of_the_vectors(name):
    told = json.loads(DRAWS[name]["seal.json"])
    seal = Seal(
        draw=told["draw"],
        sealed_at=instant(told["sealed_at"]),
        per=Per(told["rules"]["per"]),
        prizes=[Prize(**prize) for prize in told["prizes"]],
        reserves=told["reserves"],
        entries=entries.seal_file(io.BytesIO(DRAWS[name]["entries.csv"])),
        commit=codes.commit(SECRET),
        source=source_of(told),
    )
    assert declarations.seal_json(seal) == DRAWS[name]["seal.json"]


@pytest.mark.parametrize("name", DRAWS)
def test_the_first_result_of_the_vectors(name):
    files = DRAWS[name]
    value = results.PublicValue.witnessed(json.loads(files["result-1.json"])["public"]["value"])
    drawn = results.Round(1, files["seal.json"], codes.reveal(SECRET, 1), value)
    assert results.draw(drawn, rows_of(files)) == files["result-1.json"]


def test_the_redraw_of_vector_06_is_declared():
    told = json.loads(REDRAW["redraw-2.json"])
    redraw = Redraw(
        seal=REDRAW["seal.json"],
        results=[REDRAW["result-1.json"]],
        declared_at=instant(told["declared_at"]),
        reason=told["reason"],
        slots=["weekend#1"],
        reserves=2,
        source=source_of(told),
    )
    assert declarations.redraw_json(redraw) == REDRAW["redraw-2.json"]
    with pytest.raises(ProtocolError, match="names slots of the seal, each once; it names boat#1"):
        declarations.redraw_json(replace(redraw, slots=["boat#1"]))


def test_the_redraw_of_vector_06_is_drawn():
    value = results.PublicValue.witnessed(vectors.load("06")["public"][1])
    drawn = results.Round(2, REDRAW["seal.json"], codes.reveal(SECRET, 2), value, REDRAW["redraw-2.json"])
    assert results.draw(drawn, rows_of(REDRAW)) == REDRAW["result-2.json"]


def test_the_files_of_the_vectors_have_their_published_hashes():
    for name in ("02", "06"):
        for told in vectors.load(name)["files"].values():
            assert declarations.fingerprint(told["text"].encode()) == told["sha256"]


def test_every_field_has_its_place_in_the_seal():
    full = replace(
        PLAIN,
        title="Größe & «more»",
        organiser="Largesse",
        terms_sha256="a" * 64,
        software="largesse 1.0",
        replaces="b" * 64,
        prizes=[Prize("car", "Car", 1, "EUR 20,000")],
        source=DrandRound(34441012),
    )
    text = declarations.seal_json(full).decode()
    keys = (
        "format draw title organiser terms sealed_at software rules prizes reserves entries code seed_source replaces"
    )
    assert list(json.loads(text)) == keys.split()
    assert json.loads(text)["seed_source"] == {"kind": "drand", "chain": drand.QUICKNET.hash, "round": 34441012}
    assert "Größe & «more»" in text


def test_slots_are_the_prizes_expanded_in_order():
    assert declarations.slots([("car", 1), ("weekend", 2)]) == ("car#1", "weekend#1", "weekend#2")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"prizes": []}, "at least one prize"),
        ({"prizes": [Prize("car", "A", 1), Prize("car", "B", 1)]}, "an id of its own"),
        ({"prizes": [Prize("car#1", "A", 1)]}, "lower-case letters, digits and dashes"),
        ({"prizes": [Prize("car", "A", 0)]}, "quantity of at least 1"),
        ({"prizes": [Prize("car", "A", 100_001)]}, "together they are at most 100,000"),
        ({"reserves": -1}, "reserves are at least 0"),
        ({"source": replace(DICE, not_before=NOW + timedelta(minutes=-9))}, "must not be due before"),
        ({"source": DrandRound(drand.round_at(NOW - timedelta(minutes=1)))}, "must not be due before"),
        ({"sealed_at": NOW.replace(tzinfo=None), "source": DrandRound(1)}, "time zone|compare"),
    ],
)
def test_a_seal_that_cannot_be_kept_is_refused(change, rule):
    with pytest.raises((ProtocolError, TypeError), match=rule):
        declarations.seal_json(replace(PLAIN, **change))


def test_a_declaration_names_when_its_value_is_due():
    told = read_json(declarations.seal_json(replace(PLAIN, source=DrandRound(34441012))), "seal.json")
    assert declarations.due(told) == datetime(2026, 12, 1, 12, tzinfo=UTC)
    told["seed_source"]["chain"] = "0" * 64
    with pytest.raises(ProtocolError, match="neither a witness nor quicknet"):
        declarations.due(told)


@pytest.mark.parametrize("per", Per)
def test_a_redraw_skips_everybody_placed_before(per):
    files = DRAWS[f"03 weighted per {per}"]
    result = json.loads(files["result-1.json"])
    skip = declarations.placed([result], per)
    places = result["winners"] + result["reserves"]
    key = {
        Per.HOLDER: lambda place: place["holder"],
        Per.ENTRY: lambda place: str(place["entry"]),
        Per.TICKET: lambda place: f"{place['entry']}.{place['ticket']}",
    }[per]
    assert skip == sorted(map(key, places))


def test_the_audit_sample_holds_eligible_entries_and_no_ones_choice():
    files = DRAWS["03 weighted per holder"]
    value = results.PublicValue.witnessed("63454660390103169462")
    drawn = results.Round(1, files["seal.json"], codes.reveal(SECRET, 1), value)
    sample = results.audit_sample(drawn, rows_of(files), 5)
    assert len(set(sample)) == 5
    assert set(sample) <= {1, 2, 4, 5, 7, 9, 10}
    assert results.audit_sample(drawn, rows_of(files), 3) == sample[:3]


@pytest.mark.parametrize("text", ["[]", "{", '{"a":1,"a":2}', "\ufeff{}", "nonsense", "[" * 100_000])
def test_json_that_two_readers_could_take_differently_is_refused(text):
    with pytest.raises(ProtocolError, match=r"^seal\.json"):
        read_json(text.encode(), "seal.json")
