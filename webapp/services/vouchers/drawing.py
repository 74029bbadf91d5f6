"""Draws codes in the order of their hashes, however many, in little memory: an index that grows in order loads fast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from webapp.domain import voucher_codes as codes
from webapp.domain import voucher_patterns as patterns
from webapp.domain.voucher_codes import BATCH, RandomBytes

Row = tuple[str, str, str]  # code, hash, last four
DIGEST = 32  # bytes
BUCKETS = 256  # by the first byte of the hash


@dataclass(frozen=True, slots=True)
class Mint:
    """What codes are made from: the key of their hashes and a source of randomness."""

    key: bytes
    random_bytes: RandomBytes


def rows(mint: Mint, count: int, pattern: str, on: date) -> Iterator[list[Row]]:
    """About ``count`` new rows in lists of about 10,000, each list after the last in the order of the hashes.

    ``pattern`` is the type's own, dated ``on``; empty for the house code. A code drawn twice is left out, so a few may
    be missing. Up to 10,000 come as one list; of more, 43 bytes each are kept until their list is due, so that a million
    take 43 MB and every page of the index is written once instead of a hundred times.
    """
    if count <= BATCH:
        yield [(code, digest, code[-4:]) for digest, code in sorted(_drawn(mint, count, pattern, on))]
        return
    buckets, size = _filled(mint, count, pattern, on)
    due = bytearray()
    for number, bucket in enumerate(buckets):
        due += bucket
        bucket.clear()
        if len(due) >= BATCH * size or number == BUCKETS - 1:
            yield _unpacked(due, size)
            due.clear()


def _filled(mint: Mint, count: int, pattern: str, on: date) -> tuple[list[bytearray], int]:
    """Every code behind its hash, in the bucket of its hash, and how many bytes the two take."""
    buckets = [bytearray() for _ in range(BUCKETS)]
    size = DIGEST
    for done in range(0, count, BATCH):
        for digest, code in _drawn(mint, min(BATCH, count - done), pattern, on):
            packed = bytes.fromhex(digest) + code.encode()
            buckets[packed[0]] += packed
        size = len(packed)
    return buckets, size


def _unpacked(packed: bytearray, size: int) -> list[Row]:
    records = sorted({bytes(packed[at : at + size]) for at in range(0, len(packed), size)})
    found = [(record[DIGEST:].decode(), record[:DIGEST].hex()) for record in records]
    return [(code, digest, code[-4:]) for code, digest in found]


def _drawn(mint: Mint, count: int, pattern: str, on: date) -> Iterator[tuple[str, str]]:
    """Hashes and codes, in the order of the codes; those of one pattern on one day are equally long."""
    if pattern:
        made = patterns.fill(patterns.parse(pattern), mint.random_bytes, count, on)
        hashes = codes.code_hashes(mint.key, map(codes.normalise, made))
    else:
        made = codes.codes(mint.random_bytes, count)
        hashes = codes.code_hashes(mint.key, made)
    return zip(hashes, made, strict=True)
