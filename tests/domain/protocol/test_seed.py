"""The seed, the public value and its entropy floor."""

import pytest

from tests.domain.protocol import vectors
from webapp.domain.protocol import seed
from webapp.domain.protocol.errors import ProtocolError

TOLD = vectors.load("01")["seed"]
REFUSED = vectors.load("05")["public_values_to_refuse"]


def test_the_seed_of_the_vectors():
    found = seed.seed_of_digest(TOLD["code"], TOLD["declaration_sha256"], TOLD["public"])
    assert found.hex() == TOLD["seed"]


def test_the_audit_seed_is_another_one():
    assert seed.audit_seed(TOLD["code"], b"seal", "12") != seed.seed(TOLD["code"], b"seal", "12")


@pytest.mark.parametrize("told", REFUSED, ids=lambda told: told["why"])
def test_a_value_to_refuse(told):
    value = "9" * 1025 if told["why"] == "too long" else told["value"]
    with pytest.raises(ProtocolError, match=r"1 to 1,024 printable ASCII characters .* reads '.*'\.$"):
        seed.check_value(value)


@pytest.mark.parametrize("value", vectors.load("05")["public_values_to_accept"], ids=lambda value: value[:25])
def test_a_value_to_accept(value):
    assert seed.check_value(value) == value


@pytest.mark.parametrize(
    ("value", "bits"),
    [
        ("63454660390103169462", 66.4),
        ("123456780", 29.9),
        ("6345466039", 33.2),
        ("6345 4660 3901 0316 9462", 65.0),
        ("6 3 4 5 4 6 6 0 3 9", 33.2),
        ("4-8-15-16-23-42", 22.3),
        ("4-8-15-16-23-42 / bonus 7", 27.7),
        ("4-8-15-16-23-42 / 3-11-19-28-33-49", 47.5),
        ("90193202 / 55598744", 53.2),
        ("0000000000", 1.0),
        ("121212121212121212121", 6.6),
        ("0110100110010110", 16.0),
        ("ten ten-sided dice", 0.0),
        ("dead beef cafe", 0.0),
        ("d3adbeef", 32.0),
        ("k7q2x9m4", 41.4),
        ("k7Q2x9m4", 47.6),
        ("B7", 8.0),
        ("K7", 3.3),
        ("6345466036", 33.2),
    ],
)
def test_the_estimate_of_a_value(value, bits):
    assert seed.entropy_bits(value) == pytest.approx(bits, abs=0.05)


@pytest.mark.parametrize("value", ["63454660390103169462", "6345466039", "4-8-15-16-23-42 / 3-11-19-28-33-49"])
def test_a_value_with_33_bits_passes(value):
    assert seed.weakness(value) is None


@pytest.mark.parametrize(
    "value", ["634546603", "4-8-15-16-23-42 / bonus 7", "77777777777777777777", "a lucky sentence"]
)
def test_a_value_under_33_bits_is_refused_with_the_estimate(value):
    reason = seed.weakness(value)
    assert reason is not None
    assert "at least 33 bits" in reason
    assert f"{seed.entropy_bits(value):.1f}" in reason
