"""What nobody in good faith would type, and the signs by which to tell that some of it got through."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any
from urllib.parse import quote_from_bytes

MARK = "4711"
# Long enough that no identifier of a form holds the product by chance.
FACTORS = (71_917_193, 81_918_127)
SUM = "{}*{}".format(*FACTORS)
NUMBERS = (
    "0", "-1", "-0", "+1", "1_000", "1,000", "1.5", "1e3", "1e400", "NaN", "-Infinity", "Infinity", "sNaN", "0x10", "007",
    "2147483647", "2147483648", "4294967296", "9223372036854775807", "9223372036854775808", "-9223372036854775809",
    "99999999999999999999", "9" * 400, "٣", "１２", "Ⅻ", "²", "1\u00a0000", "  7  ", "1;2", "1 or 1=1",
)  # fmt: skip
DAYS = (
    "0001-01-01", "9999-12-31", "10000-01-01", "1999-12-31", "2201-01-01", "01/02/26", "26-01-02", "2026-02-30", "2026-13-01",
    "2026-3-1", "2026-03-29T01:30", "٢٠٢٦-٠٣-٠١", "２０２６-０３-０１", "today", "2026-W10-1", "20260301", "-2026-03-01",
)  # fmt: skip
TEXTS = (
    "", " ", "\t", "\u00a0", "\u200b", "\u3000", "\x00", "a\x00b", "\ud800", "a\udfffb", "\ud83d\ude00", "\ufffe", "\ufeff",
    "\x1b[31mred", "\x07", "\x7f", "\x85", "\u2028", "\u202eevil", "a\u2066b", "\u200f", "line\r\nX-Header: yes", "two\nlines",
    "\r", "é", "e\u0301", "ﬃ", "İ", "ß", "Ǆ", "👩‍👩‍👧‍👦", "مرحبا", "ไทย", "x" * 64, "x" * 121, "x" * 1_001, "ü" * 30_000, "x" * 100_000,
    "a" + "\u0301" * 2_000,
)  # fmt: skip
TRICKS = (
    f"<script>alert({MARK})</script>", f"\"><img src=x onerror=alert({MARK})>", f"'-alert({MARK})-'", f"javascript:alert({MARK})",
    f"<svg/onload=alert({MARK})>", f"</textarea><script>alert({MARK})</script>", f"<div hx-get=/x{MARK} hx-trigger=load>",
    f"{{{{{SUM}}}}}", "{% raw %}", f"${{{SUM}}}", "%s%n%x", "{0.__class__}", "%(secret)s", "' or '1'='1", "'; drop table rewards; --",
    "\\", "\\0", "%", "_", "%00", "%25%30%30", "../../../../etc/passwd", "..\\..\\x", "C:\\x", "file:///etc/passwd",
    "http://[::ffff:127.0.0.1]/", "=1+1", "@SUM(1)", "-2+3", "|calc", "null", "None", "undefined", "true", "[]", '{"a": 1}', "a,b;c",
    "a@b@c", "@", "admin@ex\u0430mple.org", "Europe/../UTC", "Europe/London\x00", "/etc/localtime", "zzz", "*", "?", "#", "&a=b",
)  # fmt: skip
VALUES = (*NUMBERS, *DAYS, *TEXTS, *TRICKS)

# What no page may contain: one of the tricks as markup, or what a template would have made of one.
ALIVE = (
    f"<script>alert({MARK})", f"<img src=x onerror=alert({MARK})", f"<svg/onload=alert({MARK})", f"<div hx-get=/x{MARK}",
    f'href="javascript:alert({MARK})', str(math.prod(FACTORS)),
)  # fmt: skip
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ESCAPED = re.compile(
    r"\\u(000[0-8bcef]|001[0-9a-f]|007f|00[89][0-9a-f]|2028|2029|d[89a-f][0-9a-f]{2}|202[a-e]|206[6-9])"
)
_PAIR = re.compile(r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})")  # one sign, as JSON writes it
_MISLEADING = re.compile("[\u202a-\u202e\u2066-\u2069]")
FIRST_YEAR, LAST_YEAR = 2000, 2201


def encode(pairs: Iterable[tuple[str, str]]) -> str:
    """A form's body or a query string, byte for byte as a program without manners would send it."""
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in pairs)


def _quoted(text: str) -> str:
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"), safe="")


def alive(text: str) -> list[str]:
    """The tricks that are markup, or were carried out, on this page."""
    return [sign for sign in ALIVE if sign in text]


def nonsense(values: Iterable[Any], *, may_turn: bool) -> Iterator[Any]:
    """The values of a write that should not be stored; text in paragraphs may turn its direction (``may_turn``)."""
    for value in values:
        if isinstance(value, str):
            found = _INVISIBLE.search(value) or (value[:1] in "{[" and _ESCAPED.search(_PAIR.sub("", value)))
            if found or (not may_turn and _MISLEADING.search(value)):
                yield value[:80]
        elif _is_out_of_bounds(value):
            yield value


def _is_out_of_bounds(value: Any) -> bool:
    if isinstance(value, (date, datetime)):
        return not FIRST_YEAR <= value.year <= LAST_YEAR
    return isinstance(value, float) and not math.isfinite(value)
