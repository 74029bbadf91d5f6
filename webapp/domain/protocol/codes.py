"""The operator's half of the seed: a chain of 16 hashes, its head published when entries open, read backwards.

c_n = H^(16-n)(secret) (draws.md 3.2). Code 0 is the commitment; round r reveals code r; anyone checks that
H(code r) = code r-1. The secret itself is never a code, so there are fifteen rounds. Codes travel as 64 lower-case hex
digits, the secret as its 32 raw bytes.
"""

import re
from hashlib import sha256

from webapp.domain.protocol.errors import ProtocolError

LENGTH = 16
"""Links in the chain, printed in the seal as `code.chain`."""

ROUNDS = LENGTH - 1
"""Rounds one secret can serve: the first draw and fourteen redraws."""

SECRET_BYTES = 32

_HEX = re.compile(r"[0-9a-f]{64}")


def chain(secret: bytes) -> list[str]:
    """Codes 0 to 15 in the order in which they become public."""
    if len(secret) != SECRET_BYTES:
        raise ProtocolError(f"The draw secret must be {SECRET_BYTES} bytes long; this one has {len(secret)}.")
    links = [secret]
    for _ in range(LENGTH):
        links.append(sha256(links[-1]).digest())
    return [link.hex() for link in reversed(links[1:])]


def commit(secret: bytes) -> str:
    """The commitment: code 0, published when entries open and repeated in the seal."""
    return chain(secret)[0]


def reveal(secret: bytes, round_number: int) -> str:
    """The code that round 1 to 15 makes public."""
    if not 1 <= round_number <= ROUNDS:
        raise ProtocolError(f"One secret serves rounds 1 to {ROUNDS}; round {round_number} needs a new draw.")
    return chain(secret)[round_number]


def check(code: str, round_number: int, commitment: str) -> bool:
    """Whether `code` is the one that was committed for this round: hashed `round_number` times it is the commitment."""
    if not (_HEX.fullmatch(code) and 1 <= round_number <= ROUNDS):
        return False
    link = bytes.fromhex(code)
    for _ in range(round_number):
        link = sha256(link).digest()
    return link.hex() == commitment
