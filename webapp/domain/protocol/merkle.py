"""Merkle trees as in RFC 6962: a root over any number of rows, and short proofs that one row is under it.

A leaf is SHA-256(00 ‖ row), a node SHA-256(01 ‖ left ‖ right), the root of nothing SHA-256 of nothing (draws.md 3.2).
A tree over n leaves pairs neighbours level by level and carries an odd last one up unchanged, which is the same tree as
the recursive definition of the RFC. Blocks of 1,024 leaves are therefore whole subtrees: the root over the roots of the
blocks is the root over the leaves, and a proof is a path inside one block followed by a path among the blocks.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

BLOCK = 1024
"""Leaves per cached node: 32 bytes kept for each 1,024 rows, 31 KB per million (draws.md 3.4)."""

EMPTY = sha256(b"").digest()


def leaf(row: bytes) -> bytes:
    """The 32-byte leaf hash of one row, given without its line feed."""
    return sha256(b"\0" + row).digest()


def _parents(level: Sequence[bytes]) -> list[bytes]:
    """The level above: neighbours paired, an odd last one carried up unchanged."""
    ahead = iter(level)
    paired = [sha256(b"\1" + left + right).digest() for left, right in zip(ahead, ahead, strict=False)]
    return [*paired, level[-1]] if len(level) % 2 else paired


def _fold(level: Sequence[bytes]) -> bytes:
    """The root over these nodes (leaf hashes or block roots)."""
    while len(level) > 1:
        level = _parents(level)
    return level[0] if level else EMPTY


def root(rows: Iterable[bytes]) -> bytes:
    """The 32-byte root over the rows, each without its line feed."""
    tree = Tree()
    tree.add(rows)
    return tree.root()


class Tree:
    """A root that grows as rows arrive and keeps 32 bytes per 1,024 of them."""

    __slots__ = ("_leaves", "block_roots", "size")

    def __init__(self) -> None:
        self.size = 0
        self.block_roots: list[bytes] = []
        self._leaves: list[bytes] = []

    def add(self, rows: Iterable[bytes]) -> None:
        """Append rows in order, each without its line feed."""
        self._leaves += [sha256(b"\0" + row).digest() for row in rows]
        while len(self._leaves) >= BLOCK:
            self.size += BLOCK
            self.block_roots.append(_fold(self._leaves[:BLOCK]))
            del self._leaves[:BLOCK]

    def root(self) -> bytes:
        """The root over everything added so far; more may be added afterwards."""
        return _fold(self.nodes())

    def nodes(self) -> list[bytes]:
        """One node per started block of 1,024 rows: what an application stores in order to serve proofs."""
        return [*self.block_roots, _fold(self._leaves)] if self._leaves else list(self.block_roots)

    def __len__(self) -> int:
        """How many rows were added."""
        return self.size + len(self._leaves)


def _path(level: Sequence[bytes], index: int) -> list[bytes]:
    """The sibling hashes from node `index` of this level up to the root over it."""
    path = []
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        level, index = _parents(level), index // 2
    return path


def proof(rows: Sequence[bytes], index: int) -> list[bytes]:
    """The inclusion path of row `index` (0-based) among these rows, leaf level first (RFC 6962, 2.1.1)."""
    _require_inside(index, len(rows))
    return _path([leaf(row) for row in rows], index)


def proof_from_nodes(block_rows: Sequence[bytes], index: int, nodes: Sequence[bytes]) -> list[bytes]:
    """The same path from the stored nodes (`Tree.nodes()`) and only the rows of the block that holds row `index`.

    `block_rows` are the rows from `index // 1024 * 1024` on, at most 1,024 of them; the cost is one block, not the list.
    """
    block, inside = divmod(index, BLOCK)
    _require_inside(inside, len(block_rows))
    return _path([leaf(row) for row in block_rows], inside) + _path(nodes, block)


def verify(row: bytes, index: int, size: int, path: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether `row` stands at `index` (0-based) in the tree of `size` rows with this root.

    `size` must come from the seal, never from the proof: a path for ten leaves can also fit eleven (draws.md 3.4).
    """
    if not 0 <= index < size:
        return False
    node, last, ahead = leaf(row), size - 1, list(path)
    while last:
        if index ^ 1 <= last:
            if not ahead:
                return False
            sibling = ahead.pop(0)
            node = sha256(b"\1" + (sibling + node if index % 2 else node + sibling)).digest()
        index, last = index // 2, last // 2
    return not ahead and node == expected_root


def _require_inside(index: int, size: int) -> None:
    if not 0 <= index < size:
        raise IndexError(f"Row {index} is not one of {size} rows.")
