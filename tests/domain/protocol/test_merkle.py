"""Roots and inclusion proofs as in RFC 6962."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.protocol import vectors
from webapp.domain.protocol import merkle

KNOWN = vectors.load("01")["merkle_rfc6962"]
PROOFS = vectors.load("08")
ROOT = bytes.fromhex(PROOFS["root"])


def by_definition(rows):
    """The recursive definition of RFC 6962, 2.1."""
    if len(rows) < 2:
        return sha256(b"\0" + rows[0]).digest() if rows else sha256().digest()
    split = 1 << (len(rows) - 1).bit_length() - 1
    return sha256(b"\1" + by_definition(rows[:split]) + by_definition(rows[split:])).digest()


def numbered(count):
    return [b"%d" % n for n in range(count)]


def path_of(told):
    return [bytes.fromhex(node) for node in told["path"]]


@pytest.mark.parametrize("count", range(len(KNOWN["roots_for_first_n_leaves"])))
def test_a_known_root_of_rfc_6962(count):
    leaves = [bytes.fromhex(leaf) for leaf in KNOWN["leaves_hex"][:count]]
    assert merkle.root(leaves).hex() == KNOWN["roots_for_first_n_leaves"][count]


@pytest.mark.parametrize("told", PROOFS["proofs"], ids=lambda told: f"entry {told['entry']}")
def test_a_proof_of_the_vectors(told):
    rows = [proof["row"].encode() for proof in PROOFS["proofs"]]
    assert merkle.proof(rows, told["index"]) == path_of(told)
    assert merkle.verify(told["row"].encode(), told["index"], told["size"], path_of(told), ROOT)


@pytest.mark.parametrize("told", PROOFS["must_fail"], ids=lambda told: told["why"])
def test_a_proof_that_must_fail(told):
    assert not merkle.verify(told["row"].encode(), told["index"], told["size"], path_of(told), ROOT)


@given(st.lists(st.binary(max_size=3), max_size=40), st.data())
def test_every_row_is_proved_and_nothing_else(rows, data):
    root = merkle.root(rows)
    assert root == by_definition(rows)
    if rows:
        index = data.draw(st.integers(0, len(rows) - 1))
        path = merkle.proof(rows, index)
        assert merkle.verify(rows[index], index, len(rows), path, root)
        assert not merkle.verify(rows[index] + b"x", index, len(rows), path, root)


@pytest.mark.parametrize("count", [0, 1, 1023, 1024, 1025, 2048, 2049, 5000])
def test_blocks_of_1024_rows_are_whole_subtrees(count):
    rows = numbered(count)
    tree = merkle.Tree()
    for start in range(0, count, 700):
        tree.add(rows[start : start + 700])
    assert len(tree) == count
    assert tree.root() == by_definition(rows)
    assert len(tree.nodes()) == -(-count // 1024)


@pytest.mark.parametrize("index", [0, 1023, 1024, 2500, 4999])
def test_a_proof_needs_one_block_of_rows_and_the_stored_nodes(index):
    rows = numbered(5000)
    tree = merkle.Tree()
    tree.add(rows)
    start = index // 1024 * 1024
    path = merkle.proof_from_nodes(rows[start : start + 1024], index, tree.nodes())
    assert path == merkle.proof(rows, index)
    assert merkle.verify(rows[index], index, 5000, path, tree.root())


def test_a_row_outside_the_list_has_no_proof():
    with pytest.raises(IndexError, match="Row 3 is not one of 3 rows"):
        merkle.proof(numbered(3), 3)
