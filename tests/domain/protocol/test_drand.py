"""The beacon: rounds and times, and signatures checked with no network."""

import json
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from tests.domain.protocol import vectors
from webapp.domain.protocol import bls, drand, isogeny
from webapp.domain.protocol.errors import ProtocolError

TOLD = vectors.load("07")
POINTS = vectors.load("11")
BEACON = TOLD["beacons"][0]
DST = TOLD["chain"]["dst"].encode()


def test_the_chain_of_the_vectors():
    chain = drand.QUICKNET
    told = TOLD["chain"]
    assert (chain.name, chain.period, chain.genesis) == (told["name"], told["period"], told["genesis_time"])
    assert (chain.public_key, chain.group_hash) == (told["public_key"], told["group_hash"])
    assert chain.hash == told["chain_hash"]


@pytest.mark.parametrize("told", TOLD["time"], ids=lambda told: told["utc"])
def test_the_round_of_an_instant(told):
    moment = datetime.fromtimestamp(told["unix"], UTC)
    assert moment.strftime("%Y-%m-%dT%H:%M:%SZ") == told["utc"]
    assert drand.round_at(moment) == told["first_round_at_or_after"]
    assert drand.time_of(told["first_round_at_or_after"]).timestamp() == told["its_time"]


def test_a_fraction_of_a_second_waits_for_the_next_round():
    assert drand.round_at(datetime(2026, 12, 1, 12, 0, 0, 1, tzinfo=UTC)) == 34441013


def test_there_is_no_round_before_the_first():
    with pytest.raises(ProtocolError, match="before the first round"):
        drand.round_at(datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(ProtocolError, match="count from 1; 0 is none"):
        drand.time_of(0)
    assert drand.round_at(drand.time_of(1)) == 1


@pytest.mark.parametrize("told", TOLD["beacons"], ids=lambda told: f"round {told['round']}")
def test_a_beacon_of_the_vectors(told):
    assert drand.verify(told["round"], told["signature"]) is told["valid"]


def test_the_values_that_follow_from_a_round():
    assert sha256(BEACON["round"].to_bytes(8)).hexdigest() == BEACON["message_sha256"] == POINTS["message"]
    assert drand.randomness(BEACON["signature"]) == BEACON["randomness"]
    assert drand.time_of(BEACON["round"]).timestamp() == BEACON["time"]


def test_a_beacon_of_another_chain_of_the_same_scheme():
    told = TOLD["other_chain_beacon"]
    message = sha256(told["round"].to_bytes(8)).digest()
    signature, key = bytes.fromhex(told["signature"]), bytes.fromhex(told["public_key"])
    assert bls.verify(message, signature, key, DST)
    assert not bls.verify(message, signature, bytes.fromhex(drand.QUICKNET.public_key), DST)
    assert drand.randomness(told["signature"]) == told["randomness"]


@pytest.mark.parametrize("name", ["A", "B", "Z"])
def test_a_constant_of_the_isogenous_curve(name):
    told = POINTS["iso11"][name]
    assert getattr(isogeny, name) == (told if isinstance(told, int) else int(told, 16))


@pytest.mark.parametrize("name", ["x_num", "x_den", "y_num", "y_den"])
def test_the_coefficients_of_the_isogeny(name):
    assert list(getattr(isogeny, name.upper())) == [int(told, 16) for told in POINTS["iso11"][name]]


def test_the_message_hashes_to_the_published_point():
    point = bls.hash_to_g1(bytes.fromhex(POINTS["message"]), DST)
    assert point == (int(POINTS["hash_to_g1"]["x"], 16), int(POINTS["hash_to_g1"]["y"], 16))


def test_the_signature_decodes_to_the_published_point():
    point = bls.decode_g1(bytes.fromhex(BEACON["signature"]))
    assert point == (int(POINTS["signature_point"]["x"], 16), int(POINTS["signature_point"]["y"], 16))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (bytes(48), "not a compressed point"),
        (b"\xc0" + bytes(47), "not a compressed point"),
        (b"\x80" * 47, "not a compressed point"),
        (b"\x9a" + b"\xff" * 47, "not reduced"),
        (b"\x80" + bytes(46) + b"\x01", "not on the curve"),
        (b"\x80" + bytes(46) + b"\x04", "not in the subgroup"),
    ],
)
def test_bytes_that_are_no_signature(data, why):
    with pytest.raises(ValueError, match=why):
        bls.decode_g1(data)
    assert not bls.verify(b"", data, bytes.fromhex(drand.QUICKNET.public_key), DST)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xc0" + bytes(95), "not a compressed point"),
        (b"\x80" + bytes(94) + b"\x01", "not on the curve"),
        (b"\x80" + bytes(94) + b"\x02", "not in the subgroup"),
    ],
)
def test_bytes_that_are_no_public_key(data, why):
    with pytest.raises(ValueError, match=why):
        bls.decode_g2(data)


@pytest.mark.parametrize("signature", ["", "zz" * 48, BEACON["signature"].upper(), BEACON["signature"] + "00"])
def test_text_that_is_no_signature(signature):
    assert not drand.verify(BEACON["round"], signature)


def test_a_pasted_round_is_read_and_checked():
    pasted = json.dumps({key: BEACON[key] for key in ("round", "signature", "randomness")})
    found = drand.read_beacon(pasted, BEACON["round"])
    assert found == drand.Beacon(BEACON["round"], BEACON["signature"], BEACON["randomness"])


@pytest.mark.parametrize(
    ("pasted", "why"),
    [
        ("nonsense", "this text is none"),
        ("[]", "this text is none"),
        ('{"round": 657413}', "this text is none"),
        ('{"round": 657414, "signature": "00"}', "waits for round 657413 of quicknet; this is round 657414"),
        ('{"round": 657413, "signature": "00"}', "signature is not the one of round 657413"),
        (json.dumps(BEACON | {"randomness": "00"}), "randomness does not follow"),
    ],
)
def test_a_pasted_text_that_is_not_the_round(pasted, why):
    with pytest.raises(ProtocolError, match=why):
        drand.read_beacon(pasted, 657413)
