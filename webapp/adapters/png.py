"""The greys of a PNG picture, so that a page can be read back with nothing but the standard library."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from itertools import accumulate

_CHANNELS = {(8, 0, 0): 1, (8, 2, 0): 3, (8, 6, 0): 4}  # by depth, colour type and interlace: grey, RGB, RGBA
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def greys(picture: bytes) -> memoryview:
    """The picture as (height, width) bytes, 0 black to 255 white, of an 8-bit grey, RGB or RGBA PNG without interlace.

    Green stands for grey: the filters work on each channel by itself, so the other channels need no work at all.
    Raises ``ValueError`` for another kind of file.
    """
    chunks = list(_chunks(picture))
    if not chunks or chunks[0][0] != b"IHDR":
        raise ValueError("This is not a PNG picture.")
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", chunks[0][1])
    channels = _CHANNELS.get((depth, colour, interlace))
    if channels is None:
        raise ValueError("Only 8-bit pictures in grey or colour without interlace can be read.")
    data = zlib.decompress(b"".join(body for name, body in chunks if name == b"IDAT"))
    rows, above = bytearray(), bytes(width)
    for at in range(0, len(data), 1 + width * channels):
        line = data[at + 1 + channels // 3 : at + 1 + width * channels : channels]
        above = _FILTERS[data[at]](line, above)
        rows += above
    return memoryview(bytes(rows)).cast("B", (height, width))


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE) if picture.startswith(_SIGNATURE) else len(picture)
    while at < len(picture):
        size, name = struct.unpack_from(">I4s", picture, at)
        yield name, picture[at + 8 : at + 8 + size]
        at += 12 + size


# How one row is undone, by the number before it (PNG specification, section 9.2).


def _none(line: bytes, _above: bytes) -> bytes:
    return line


def _sub(line: bytes, _above: bytes) -> bytes:
    return bytes(value & 255 for value in accumulate(line))


def _up(line: bytes, above: bytes) -> bytes:
    # Most rows of a page repeat the one above, which costs nothing.
    return bytes((value + up) & 255 for value, up in zip(line, above, strict=True)) if any(line) else above


def _average(line: bytes, above: bytes) -> bytes:
    row, left = bytearray(), 0
    for value, up in zip(line, above, strict=True):
        left = (value + (left + up) // 2) & 255
        row.append(left)
    return bytes(row)


def _paeth(line: bytes, above: bytes) -> bytes:
    row, left, corner = bytearray(), 0, 0
    for value, up in zip(line, above, strict=True):
        to_left, to_up, to_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
        nearest = left if to_left <= to_up and to_left <= to_corner else up if to_up <= to_corner else corner
        left, corner = (value + nearest) & 255, up
        row.append(left)
    return bytes(row)


_FILTERS = (_none, _sub, _up, _average, _paeth)
