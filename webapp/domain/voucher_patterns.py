"""Code patterns of one's own, such as ``MM-{year}-{rand:4}``: parsed strictly, counted, and filled from randomness."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from math import log2, prod

from webapp.domain.errors import Refused
from webapp.domain.verdicts import Reason, Verdict, all_of
from webapp.domain.voucher_codes import ALPHABET, RandomBytes, normalise

LONGEST = 64
MOST_RANDOM = 32
SAFE_BITS = 50
SPARE = 1_000  # a guess must miss at least this many times for each code that exists
FIELD = "code_pattern"

_PIECE = re.compile(r"\{([^{}]*)\}|([A-Za-z0-9-]+)|(.)", re.DOTALL)
_RANDOM = re.compile(r"(rand|digits):([0-9]{1,2})", re.ASCII)
_SETS = {"rand": ALPHABET, "digits": "0123456789"}
_DATES = {"year": "%Y", "month": "%m"}


@dataclass(frozen=True, slots=True)
class Piece:
    """One stretch of a pattern: words as they stand, a date format, or ``count`` random symbols of ``symbols``."""

    text: str = ""
    date_format: str = ""
    symbols: str = ""
    count: int = 0

    @property
    def length(self) -> int:
        """How many characters the piece prints."""
        return len(self.text) + self.count + {"": 0, "%Y": 4, "%m": 2}[self.date_format]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that was read without fault."""

    text: str
    pieces: tuple[Piece, ...]

    @property
    def possibilities(self) -> int:
        """How many different codes it can give within one month."""
        return prod(len(piece.symbols) ** piece.count for piece in self.pieces if piece.count)

    @property
    def bits(self) -> float:
        """The strength against guessing; 50 and more is safe for a code that anyone may try."""
        return log2(self.possibilities)


def parse(text: str) -> Pattern:
    """Read a pattern of letters, digits, dashes, ``{year}``, ``{month}``, ``{rand:N}`` and ``{digits:N}``.

    Raises ``Refused`` with the piece that cannot be read (K129).
    """
    pattern = Pattern(text, tuple(_pieces(text)))
    if not any(piece.count for piece in pattern.pieces):
        raise Refused("voucher.pattern_fixed", _FIXED, FIELD)
    length = sum(piece.length for piece in pattern.pieces)
    if length > LONGEST:
        raise Refused(
            "voucher.pattern_long", f"The codes would have {length} characters; {LONGEST} is the most.", FIELD
        )
    return pattern


def may_generate(pattern: Pattern, count: int, existing: int = 0) -> Verdict:
    """Whether ``count`` more codes leave the pattern sparse: at least 1,000 possibilities for each code there will be.

    ``existing`` counts the codes the pattern gave already.
    """
    needed = (count + existing) * SPARE
    return all_of(
        None
        if pattern.possibilities >= needed
        else Reason(
            "voucher.pattern_small",
            f"The pattern gives {pattern.possibilities:,} different codes, and {count + existing:,} codes need at least "
            f"{needed:,}, so that guessing one stays hopeless. Add random characters.",
            FIELD,
        )
    )


def warning(pattern: Pattern) -> str | None:
    """A sentence for a pattern below 50 bits, None for a stronger one."""
    if pattern.bits >= SAFE_BITS:
        return None
    return (
        f"These codes have {int(pattern.bits)} bits of chance; {SAFE_BITS} are advised. "
        "They suit a till with staff, where wrong tries are counted, but not an open web page."
    )


def fill(pattern: Pattern, random_bytes: RandomBytes, count: int, on: date) -> list[str]:
    """``count`` distinct codes, sorted, dated ``on``, a local day. ``may_generate`` must have said yes."""
    found: dict[str, str] = {}  # by the form they are compared in
    while len(found) < count:
        code = "".join(_printed(piece, random_bytes, on) for piece in pattern.pieces)
        found.setdefault(normalise(code), code)
    return sorted(found.values())


_FIXED = "The pattern has no random part, so every code would be the same; add {rand:10}, for example."


def _pieces(text: str) -> Iterator[Piece]:
    for match in _PIECE.finditer(text):
        field, words, stray = match.groups()
        if stray is not None:
            raise Refused(
                "voucher.pattern_character",
                f"Character {match.start() + 1} of the pattern, «{stray}», cannot be used; "
                "use letters, digits, dashes and fields in braces.",
                FIELD,
            )
        yield Piece(text=words) if words is not None else _field(field)


def _field(name: str) -> Piece:
    if name in _DATES:
        return Piece(date_format=_DATES[name])
    match = _RANDOM.fullmatch(name)
    if match is None or not 1 <= int(match[2]) <= MOST_RANDOM:
        raise Refused(
            "voucher.pattern_field",
            f"The pattern has «{{{name}}}», which is not a field; use {{year}}, {{month}}, {{rand:N}} or {{digits:N}} "
            f"with N from 1 to {MOST_RANDOM}.",
            FIELD,
        )
    return Piece(symbols=_SETS[match[1]], count=int(match[2]))


def _printed(piece: Piece, random_bytes: RandomBytes, on: date) -> str:
    if piece.count:
        return _random(piece.symbols, piece.count, random_bytes)
    return on.strftime(piece.date_format) if piece.date_format else piece.text


def _random(symbols: str, count: int, random_bytes: RandomBytes) -> str:
    """``count`` symbols without bias: a byte past the last whole multiple of the alphabet is drawn again."""
    limit = 256 - 256 % len(symbols)
    found = ""
    while len(found) < count:
        found += "".join(symbols[byte % len(symbols)] for byte in random_bytes(count - len(found)) if byte < limit)
    return found
