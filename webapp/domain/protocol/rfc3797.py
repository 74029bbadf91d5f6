"""The selection of RFC 3797, to recompute famous public draws; our own draws use `ranking`, never this.

digest_i = MD5(be16(i) ‖ key ‖ be16(i)); the pick is remaining[digest_i mod remaining]. The key writes each public source
as its numbers, sorted, without leading zeros, each followed by a full stop, and ends the source with a slash.
"""

from collections.abc import Iterable
from hashlib import md5


def key(sources: Iterable[Iterable[int]]) -> str:
    """The key string of these sources: [[9319], [2, 5, 12, 8, 10]] is «9319./2.5.8.10.12./»."""
    return "".join("".join(f"{number}." for number in sorted(source)) + "/" for source in sources)


def digest(key: str, i: int) -> bytes:
    """The 16 bytes that decide pick `i` (from 0)."""
    around = i.to_bytes(2)
    return md5(around + key.encode("ascii") + around, usedforsecurity=False).digest()


def select(key: str, pool: int, picks: int) -> list[int]:
    """The first `picks` numbers chosen out of 1 to `pool`."""
    remaining = list(range(1, pool + 1))
    return [remaining.pop(int.from_bytes(digest(key, i)) % len(remaining)) for i in range(picks)]
