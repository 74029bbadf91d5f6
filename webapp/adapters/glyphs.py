"""Which characters the vendored fonts can print, read from the fonts themselves."""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from webapp.config import ROOT

FONTS = ROOT / "templates" / "print" / "fonts"
BOX = "□"
# Separators, joiners and direction marks need no picture of their own, nor do variation selectors.
_INVISIBLE = frozenset({"Cf", "Zs", "Zl", "Zp"})
_ALSO_INVISIBLE = frozenset("\n" + "".join(map(chr, range(0xFE00, 0xFE10))))


def missing_glyphs(text: str) -> set[str]:
    """The characters of ``text`` that no vendored font can draw and that would print as empty boxes."""
    return {sign for sign in set(text) - _drawn() if not _is_invisible(sign)}


def boxed(text: str) -> str:
    """``text`` with a box for each character that cannot be drawn; accents that cannot be drawn are left out."""
    if text.isascii() or not (missing := missing_glyphs(text)):
        return text
    return text.translate({ord(sign): "" if unicodedata.combining(sign) else BOX for sign in missing})


@lru_cache(maxsize=1)
def coverage() -> frozenset[int]:
    """The code points that at least one vendored font draws."""
    return frozenset(point for font in sorted(FONTS.glob("*.ttf")) for point in _points(font))


@lru_cache(maxsize=1)
def _drawn() -> frozenset[str]:
    return frozenset(map(chr, coverage()))


def _is_invisible(sign: str) -> bool:
    return sign in _ALSO_INVISIBLE or unicodedata.category(sign) in _INVISIBLE


def _points(font: Path) -> Iterator[int]:
    """The code points of a TrueType font's «cmap» table; formats 4 and 12 hold all of Unicode we meet."""
    data = font.read_bytes()
    (table_count,) = struct.unpack_from(">H", data, 4)
    tables = {
        data[at : at + 4]: struct.unpack_from(">I", data, at + 8)[0] for at in range(12, 12 + 16 * table_count, 16)
    }
    cmap = tables[b"cmap"]
    (map_count,) = struct.unpack_from(">H", data, cmap + 2)
    for at in range(cmap + 4, cmap + 4 + 8 * map_count, 8):
        start = cmap + struct.unpack_from(">I", data, at + 4)[0]
        (table_format,) = struct.unpack_from(">H", data, start)
        if reader := _READERS.get(table_format):
            yield from reader(data, start)


def _groups(data: bytes, start: int) -> Iterator[int]:
    (count,) = struct.unpack_from(">I", data, start + 12)
    for first, last, glyph in struct.iter_unpack(">III", data[start + 16 : start + 16 + 12 * count]):
        yield from range(first if glyph else first + 1, last + 1)


def _segments(data: bytes, start: int) -> Iterator[int]:
    count = struct.unpack_from(">H", data, start + 6)[0] // 2
    ends = struct.unpack_from(f">{count}H", data, start + 14)
    firsts, deltas, offsets = (
        struct.unpack_from(f">{count}H", data, start + 16 + part * 2 * count) for part in (1, 2, 3)
    )
    offsets_at = start + 16 + 6 * count
    for number, (first, last, delta, offset) in enumerate(zip(firsts, ends, deltas, offsets, strict=True)):
        for point in range(first, min(last, 0xFFFE) + 1):
            glyph = point + delta
            if offset:
                (glyph,) = struct.unpack_from(">H", data, offsets_at + 2 * number + offset + 2 * (point - first))
            if glyph & 0xFFFF:
                yield point


_READERS = {4: _segments, 12: _groups}
