"""Short secrets enciphered at rest, with the standard library alone.

A stream cipher of HMAC-SHA-256 in counter mode, then a MAC over everything (encrypt-then-MAC). It is here because no
locked dependency enciphers, and a compiled library for secrets of thirty bytes would not earn its place: HMAC-SHA-256 is
a pseudo-random function, so its output over a nonce and a counter is as good a keystream as AES in counter mode, as long
as no nonce serves twice under one key; sixteen random bytes see to that. The context (whose secret it is) goes into the
keystream and the MAC, so a value copied to another row does not open.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

NONCE = 16  # bytes
_MAC = 32


class Unopenable(ValueError):
    """The text was changed, belongs to another context, or was sealed under another key."""


def key(secret: str, purpose: str) -> bytes:
    """A key of 32 bytes for one ``purpose``, derived from the installation's ``secret``."""
    return hmac.digest(secret.encode(), f"largesse cipher: {purpose}".encode(), sha256)


def seal(secret_key: bytes, context: str, nonce: bytes, text: str) -> str:
    """``text`` enciphered for ``context``, in URL-safe base64; ``nonce`` is ``NONCE`` random bytes, never used before."""
    if len(nonce) != NONCE:
        raise ValueError(f"A nonce has {NONCE} bytes, this one {len(nonce)}.")
    body = _mixed(secret_key, context, nonce, text.encode())
    return urlsafe_b64encode(nonce + body + _mac(secret_key, context, nonce + body)).decode()


def unseal(secret_key: bytes, context: str, sealed: str) -> str:
    """What ``seal`` was given; raises ``Unopenable`` before anything is deciphered."""
    try:
        raw = urlsafe_b64decode(sealed.encode())
    except ValueError:
        raise Unopenable("This is no sealed text.") from None
    kept, mac = raw[:-_MAC], raw[-_MAC:]
    if len(kept) < NONCE or not hmac.compare_digest(mac, _mac(secret_key, context, kept)):
        raise Unopenable("The text was changed, is another row's, or was sealed under another key.")
    return _mixed(secret_key, context, kept[:NONCE], kept[NONCE:]).decode()


def _mixed(secret_key: bytes, context: str, nonce: bytes, data: bytes) -> bytes:
    stream = hmac.digest(secret_key, b"stream", sha256)
    blocks = (len(data) + sha256().digest_size - 1) // sha256().digest_size
    pad = b"".join(hmac.digest(stream, _framed(context, nonce, number), sha256) for number in range(blocks))
    return bytes(sign ^ noise for sign, noise in zip(data, pad, strict=False))


def _mac(secret_key: bytes, context: str, data: bytes) -> bytes:
    return hmac.digest(hmac.digest(secret_key, b"mac", sha256), _framed(context, data, 0), sha256)


def _framed(context: str, data: bytes, number: int) -> bytes:
    """Lengths first, so that no two inputs run into the same bytes."""
    name = context.encode()
    return len(name).to_bytes(4, "big") + name + number.to_bytes(8, "big") + data
