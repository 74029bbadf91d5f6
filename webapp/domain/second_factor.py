"""The second factor: codes of an authenticator (RFC 6238), recovery codes, and who must have one."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32decode, b32encode
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote, urlencode

from webapp.domain.permissions import Role

# RFC 6238 with the values every authenticator knows: SHA-1, six digits, steps of thirty seconds.
STEP = 30  # seconds
DIGITS = 6
DRIFT = 1  # steps that a clock may be early or late
SECRET = 20  # bytes, RFC 4226 section 4
RECOVERY_CODES = 10
RECOVERY = 10  # bytes of each: 80 bits, so that an unsalted SHA-256 is not worth guessing at
# reliability.md 6.2: needed by these, unless the account says openly that it is optional.
NEEDED_BY = frozenset({Role.DRAW_SUPERVISOR, Role.ADMINISTRATOR})
_LONGEST_LABEL = 60  # characters; a longer one would make the picture too fine for a phone


def is_needed(roles: Iterable[Role], *, is_optional: bool) -> bool:
    """Whether somebody with these roles must set up a second factor before anything else."""
    return not is_optional and not NEEDED_BY.isdisjoint(roles)


def written(secret: bytes) -> str:
    """The secret as authenticators take it: base32 without padding."""
    return b32encode(secret).decode().rstrip("=")


def step_at(now: datetime) -> int:
    """The number of the time step; the first began with 1970."""
    return int(now.timestamp()) // STEP


def code(secret: str, step: int) -> str:
    """The six digits of one step (RFC 4226 section 5.3); ``secret`` is written in base32."""
    digest = hmac.digest(b32decode(secret + "=" * (-len(secret) % 8)), step.to_bytes(8, "big"), hashlib.sha1)
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_of(secret: str, typed: str, now: datetime, last: int | None) -> int | None:
    """The step whose code was typed, one step early or late at most and later than ``last``; None when it is none."""
    plain = re.sub(r"[\s-]", "", typed)
    here = step_at(now)
    fitting = [
        step for step in range(here - DRIFT, here + DRIFT + 1) if hmac.compare_digest(*_bytes(secret, step, plain))
    ]
    return next((step for step in fitting if last is None or step > last), None)


def _bytes(secret: str, step: int, typed: str) -> tuple[bytes, bytes]:
    return code(secret, step).encode(), typed.encode("utf-8", "replace")


def address(secret: str, email: str) -> str:
    """What the picture says to an authenticator; a very long e-mail address is cut."""
    label = quote(f"Largesse:{email[:_LONGEST_LABEL]}", safe=":@")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': 'Largesse'})}"


def recovery_codes(entropy: bytes) -> tuple[str, ...]:
    """Ten codes of sixteen signs in groups of four, from ``RECOVERY_CODES * RECOVERY`` random bytes."""
    if len(entropy) != RECOVERY_CODES * RECOVERY:
        raise ValueError(f"Ten recovery codes need {RECOVERY_CODES * RECOVERY} bytes, not {len(entropy)}.")
    parts = (entropy[at : at + RECOVERY] for at in range(0, len(entropy), RECOVERY))
    return tuple("-".join(re.findall("....", b32encode(part).decode())) for part in parts)


def recovery_hash(typed: str) -> str:
    """What the database keeps of a recovery code: SHA-256 of its signs, however they are spaced or cased."""
    plain = re.sub(r"[\s-]", "", typed).upper().replace("0", "O").replace("1", "I")
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()


def is_recovery(typed: str) -> bool:
    """Whether this is meant as a recovery code: codes of an authenticator are six digits."""
    return len(re.sub(r"[\s-]", "", typed)) > DIGITS
