"""Password hashes: argon2id in the OWASP profile, at most two at once, and the same work for unknown people."""

from __future__ import annotations

from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# 19 MiB, two passes, one lane: about 40 ms. Two at once keep a flood of sign-ins from taking the machine.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_TURNS = BoundedSemaphore(2)
# The hash of random bytes nobody kept: an unknown address costs the same work as a known one.
DUMMY = "$argon2id$v=19$m=19456,t=2,p=1$sHswm1Sn95YgTFQmJ7yPcw$O4sCB2MwJAEycZaNBSJMWuVIdjYuvM7lmAPqGxtAqBI"


def hashed(password: str) -> str:
    """The text to store for ``password``."""
    with _TURNS:
        return _HASHER.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether ``password`` is the one stored; without one the same work is done on a dummy, and the answer is no."""
    with _TURNS:
        try:
            _HASHER.verify(stored or DUMMY, password)
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None
