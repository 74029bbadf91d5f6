"""What deliveries to a webhook are signed with, and the name each delivery goes by."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from webapp.domain import ciphers

_SIZE = 32  # random bytes; Standard Webhooks asks for 24 to 64


@dataclass(frozen=True, slots=True)
class SecretMaker:
    """Makes secrets and opens them again: ``key`` is what they are enciphered with, ``random_bytes`` gives n of them."""

    key: bytes
    random_bytes: Callable[[int], bytes]

    def make(self, name: str) -> str:
        """A new secret, enciphered for the target of this name: copied to another it does not open."""
        secret = f"whsec_{b64encode(self.random_bytes(_SIZE)).decode()}"
        return ciphers.seal(self.key, _context(name), self.random_bytes(ciphers.NONCE), secret)

    def open(self, name: str, sealed: str) -> str:
        """The secret as its receiver has it, ``whsec_…``; raises ``ciphers.Unopenable``."""
        return ciphers.unseal(self.key, _context(name), sealed)


def key(secret: str) -> bytes:
    """What secrets of webhooks are enciphered with, from the installation's ``secret``."""
    return ciphers.key(secret, "webhooks")


def _context(name: str) -> str:
    return f"targets:{name}"


def delivery_id(message_id: int, created_at: datetime) -> str:
    """The id a receiver knows a message by: the same with every try, another one when it is written anew (benefits.md 8.4).

    The moment it was written is part of it, so that no id comes again after a backup was put back.
    """
    return f"msg_{uuid5(NAMESPACE_URL, f'largesse:{message_id}:{created_at.isoformat()}').hex}"
