"""The committed chain of codes."""

import pytest

from tests.domain.protocol import vectors
from webapp.domain.protocol import codes
from webapp.domain.protocol.errors import ProtocolError

CHAIN = vectors.load("01")["code_chain"]
SECRET = bytes.fromhex(CHAIN["secret"])


def test_the_commitment_of_the_vectors():
    assert codes.commit(SECRET) == CHAIN["codes"][0]
    assert CHAIN["length"] == codes.LENGTH


@pytest.mark.parametrize("number", range(1, 16))
def test_a_code_of_the_vectors_is_revealed_for_its_round_and_checks_out(number):
    code = codes.reveal(SECRET, number)
    assert code == CHAIN["codes"][number]
    assert codes.check(code, number, CHAIN["codes"][0])
    assert not codes.check(code, number % 15 + 1, CHAIN["codes"][0])


@pytest.mark.parametrize("number", [-1, 0, 16, 17])
def test_a_round_outside_the_chain_has_no_code(number):
    with pytest.raises(ProtocolError, match="rounds 1 to 15"):
        codes.reveal(SECRET, number)
    assert not codes.check(CHAIN["codes"][1], number, CHAIN["codes"][0])


def test_the_secret_is_never_a_code():
    assert CHAIN["secret"] == CHAIN["codes"][16]
    assert CHAIN["secret"] not in codes.chain(SECRET)


@pytest.mark.parametrize("code", ["", "0" * 63, "G" * 64, CHAIN["codes"][1].upper(), CHAIN["codes"][1] + "\n"])
def test_text_that_is_no_code_never_checks_out(code):
    assert not codes.check(code, 1, CHAIN["codes"][0])


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_secret_of_another_length_is_refused(length):
    with pytest.raises(ProtocolError, match="must be 32 bytes"):
        codes.commit(bytes(length))
