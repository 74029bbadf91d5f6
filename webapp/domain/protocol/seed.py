"""The seed of a round, and how much surprise a witnessed public value must hold.

seed = HMAC-SHA256(key = code, "draw/1 seed\\n" + hex SHA-256(declaration) + "\\n" + value + "\\n") (draws.md 3.2): neither
the operator, who knows the code, nor the witness, who supplies the value, can steer it alone.
"""

import hmac
import re
from hashlib import sha256
from itertools import pairwise
from math import comb, log2

from webapp.domain.protocol import FORMAT
from webapp.domain.protocol.errors import ProtocolError

ENTROPY_FLOOR_BITS = 33
"""A witnessed value under this many bits lets an operator profit from trying many lists (draws.md 1, last table)."""

SUGGESTED_SOURCE = "20 ten-sided dice rolled in order by the witness, written as 20 digits"

_VALUE = re.compile(r"[!-~](?:[ -~]{0,1022}[!-~])?")
_TOKEN = re.compile(r"[0-9A-Za-z]+")
_LONG_TOKEN = 8


def check_value(value: str) -> str:
    """The public value itself, if it is 1 to 1,024 printable ASCII characters without outer spaces (draws.md 3.2).

    It is an exact string, never a parsed number: leading zeros and spelling count.
    """
    if not _VALUE.fullmatch(value):
        raise ProtocolError(
            "A public value is 1 to 1,024 printable ASCII characters without a space at either end; "
            f"this one has {len(value)} characters and reads {value[:40]!r}."
        )
    return value


def seed(code: str, declaration: bytes, value: str) -> bytes:
    """The 32-byte seed from the revealed code (64 hex), the exact bytes of the declaration and the public value."""
    return seed_of_digest(code, sha256(declaration).hexdigest(), value)


def seed_of_digest(code: str, declaration_sha256: str, value: str) -> bytes:
    """The same seed when only the declaration's fingerprint (64 hex) is at hand."""
    return hmac.digest(bytes.fromhex(code), _message("seed", declaration_sha256, check_value(value)), "sha256")


def audit_seed(code: str, declaration: bytes, value: str) -> bytes:
    """The seed of the audit sample: independent of the draw's, yet fixed by the same three things (draws.md 3.8)."""
    digest = sha256(declaration).hexdigest()
    return hmac.digest(bytes.fromhex(code), _message("audit", digest, check_value(value)), "sha256")


def _message(purpose: str, digest: str, value: str) -> bytes:
    return f"{FORMAT} {purpose}\n{digest}\n{value}\n".encode("ascii")


def entropy_bits(value: str) -> float:
    """An estimate, in bits, of how many values a value of this form could have been; low rather than high.

    Counted are runs of letters and digits; spaces and punctuation are layout and count nothing.
    - A run of digits: 3.32 bits a digit (ten ten-sided dice are 33.2), or 1 bit where the value has only 0 and 1.
      Digits do not say how many sides a die had: ask for 13 rolls or more of a six-sided one.
    - A hexadecimal run in one case with at least one digit in it: 4 bits a character.
    - Another mixture of letters and digits: from 8 characters on 5.17 bits each in one case, 5.95 in two; shorter ones
      count their digits only.
    - Letters alone: nothing, because a word can be guessed or chosen.
    - Three or more separate numbers, some above 9, are read as lottery balls: each ascending run of k of them counts as one unordered
      choice of k out of the largest number seen, so «4-8-15-16-23-42» is 22.3 bits and not ten digits' worth.
    - A value that only repeats its own beginning («0000000000») counts that beginning once.
    """
    tokens = _TOKEN.findall(value[: _period(value)])
    per_digit = 1.0 if set("".join(tokens)) <= {"0", "1"} else log2(10)
    balls = [token for token in tokens if token.isdigit() and len(token) < _LONG_TOKEN]
    others = [token for token in tokens if token not in balls]
    return sum(_token_bits(token, per_digit) for token in others) + _balls_bits(balls, per_digit)


def weakness(value: str) -> str | None:
    """Why a witnessed value is refused for want of surprise, as one sentence; None when it holds at least 33 bits."""
    bits = entropy_bits(value)
    if bits >= ENTROPY_FLOOR_BITS:
        return None
    return (
        f"A witnessed value must hold at least {ENTROPY_FLOOR_BITS} bits of chance; a value written like this one holds "
        f"about {bits:.1f}. Ten ten-sided dice give 33.2 and twenty give 66.4; two lotteries also do."
    )


def _token_bits(token: str, per_digit: float) -> float:
    """The bits of one run of letters and digits."""
    digits = sum(map(str.isdigit, token))
    if digits == len(token):
        return digits * per_digit
    if digits and re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", token):
        return len(token) * 4.0
    if digits and len(token) >= _LONG_TOKEN:
        return len(token) * log2(36 if token in {token.lower(), token.upper()} else 62)
    return digits * per_digit


def _balls_bits(tokens: list[str], per_digit: float) -> float:
    """Separate numbers: three or more of them, some above 9, hold no more than lottery balls would."""
    as_digits = sum(map(len, tokens)) * per_digit
    numbers = list(map(int, tokens))
    if len(numbers) < 3 or max(numbers) <= 9:
        return as_digits
    breaks = [i for i, (before, after) in enumerate(pairwise(numbers), 1) if before >= after]
    runs = [end - start for start, end in pairwise([0, *breaks, len(numbers)])]
    return min(as_digits, sum(log2(comb(max(numbers), run)) for run in runs))


def _period(value: str) -> int:
    """The length of the shortest beginning that, written twice or more, makes the whole value."""
    return next((p for p in range(1, len(value) // 2 + 1) if value[p:] == value[:-p]), len(value))
