"""Codes a person can read out and a till can check: Crockford base32 with a check symbol, from injected randomness."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
STANDARD = 10  # random symbols of a code that staff redeem: 4-4-3 with the check symbol
OPEN_WEB = 15  # random symbols of a code that works without staff: 4-4-4-4 with the check symbol
MODULUS = 37  # prime and larger than the alphabet, so no single slip and no swap keeps the remainder
BATCH = 10_000

RandomBytes = Callable[[int], bytes]

# 256 is a multiple of 32, so a byte modulo 32 favours no symbol.
_SYMBOLS = bytes(ALPHABET[byte % 32].encode()[0] for byte in range(256))
_DIGITS = bytes.maketrans(ALPHABET.encode(), b"0123456789abcdefghijklmnopqrstuv")  # what int(…, 32) reads
_DIGIT_TEXT = str.maketrans(ALPHABET, "0123456789abcdefghijklmnopqrstuv")
_DASHES = "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212_"
_UNSEEN = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"  # come along when a code is copied from a page or a message
_READ_BACK = str.maketrans({"O": "0", "I": "1", "L": "1"} | dict.fromkeys(_DASHES + _UNSEEN))


def codes(random_bytes: RandomBytes, count: int, *, length: int = STANDARD) -> list[str]:
    """``count`` distinct codes, sorted, of ``length`` random symbols and a check symbol, without dashes.

    A draw whose check value is one of Crockford's five extra symbols is thrown away and drawn again, which costs
    0.2 bits: 49.8 for the standard code, 74.8 for ``OPEN_WEB``. Sorted, because rows that arrive in index order load
    twice as fast (reliability.md section 7, performance.md «1,000,000 codes»).
    """
    found: set[str] = set()
    while (missing := count - len(found)) > 0:
        # Five in 37 draws are thrown away; a few more than needed on average save a second round.
        found.update(_drawn(random_bytes, missing * MODULUS // 32 + 8, length, missing))
    return sorted(found)


def code_batches(
    random_bytes: RandomBytes, count: int, *, length: int = STANDARD, size: int = BATCH
) -> Iterator[list[str]]:
    """``count`` codes in sorted lists of at most ``size``, so that a million never stand in memory together.

    Codes are distinct within a list; the unique index of the table settles the rare twin between two lists.
    """
    for done in range(0, count, size):
        yield codes(random_bytes, min(size, count - done), length=length)


def check_symbol(body: str) -> str | None:
    """The check symbol of normalised random symbols; None when it would be one of the five extra symbols."""
    value = int(body.translate(_DIGIT_TEXT), 32) % MODULUS
    return ALPHABET[value] if value < len(ALPHABET) else None


def normalise(text: str) -> str:
    """The form codes are compared in: upper case, no spaces or dashes, O read as 0, I and L as 1.

    The same reading serves own patterns and uploaded codes, so two codes that differ only in these are one code.
    """
    return "".join(text.upper().translate(_READ_BACK).split())


def check_ok(text: str) -> bool:
    """Whether ``text``, as a person typed it, is a whole code of ours with the right check symbol."""
    code = normalise(text)
    if len(code) not in {STANDARD + 1, OPEN_WEB + 1} or not set(code) <= set(ALPHABET):
        return False
    return check_symbol(code[:-1]) == code[-1]


def grouped(code: str) -> str:
    """A code of ours in groups of four (``K7QM-29XD-4TV``); any other code as it stands."""
    plain = normalise(code)
    return "-".join(plain[at : at + 4] for at in range(0, len(plain), 4)) if check_ok(plain) else code


def masked(code: str) -> str:
    """The last four characters behind dots, never more than half of the code (product.md ruling 6)."""
    plain = code.replace("-", "").replace(" ", "")
    shown = min(4, len(plain) // 2)
    return "••••" + plain[len(plain) - shown :]


def code_hash(key: bytes, code: str) -> str:
    """HMAC-SHA-256 of the normalised code as 64 hexadecimal digits: what a look-up compares (reliability.md 7)."""
    return hmac.digest(key, normalise(code).encode(), "sha256").hex()


def code_hashes(key: bytes, normalised: Iterable[str]) -> list[str]:
    """``code_hash`` of many codes that are normalised already, such as those of ``codes``; ``key`` up to 64 bytes.

    It is HMAC written out (RFC 2104): both halves of the key are hashed in once instead of once a code, which takes
    half the time.
    """
    inner, outer = (sha256(bytes(byte ^ pad for byte in key.ljust(64, b"\0"))).copy for pad in (0x36, 0x5C))
    hashes = []
    for code in normalised:
        first, second = inner(), outer()
        first.update(code.encode())
        second.update(first.digest())
        hashes.append(second.hexdigest())
    return hashes


def _drawn(random_bytes: RandomBytes, draws: int, length: int, wanted: int) -> list[str]:
    """At most ``wanted`` codes out of ``draws`` draws, in the order drawn."""
    raw = random_bytes(draws * length).translate(_SYMBOLS)
    text, digits = raw.decode("ascii"), raw.translate(_DIGITS)
    good: list[str] = []
    for at in range(0, len(text), length):
        value = int(digits[at : at + length], 32) % MODULUS
        if value < len(ALPHABET):
            good.append(text[at : at + length] + ALPHABET[value])
    return good[:wanted]
