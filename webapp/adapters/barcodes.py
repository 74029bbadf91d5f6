"""QR codes: drawn as SVG or as modules, and read back from a picture."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import zxingcpp

QUIET_ZONE = 4  # light modules around the symbol, as ISO/IEC 18004 wants them
LONGEST = 200  # characters; a longer text gives modules too small for a phone at card size
_SHORT = 16  # up to here the better correction Q costs no larger symbol than M


class Unencodable(ValueError):
    """The text is empty or too long for a code that can be read from paper."""


@lru_cache(maxsize=64)
def qr_svg(text: str, quiet_zone: int = QUIET_ZONE) -> str:
    """A QR code as an SVG document in black on white, one unit per module, without inline style.

    Decoration only: the reader of a page needs the text beside it. Raises ``Unencodable``.
    """
    symbol = zxingcpp.write_barcode_to_svg(_symbol(text), add_quiet_zones=False)
    found = re.search(r' width="(\d+)".* d="([^"]+)"', symbol, re.DOTALL)
    if found is None:
        raise Unencodable("The barcode library drew no path.")
    width, path = int(found[1]), found[2]
    edge, whole = -quiet_zone, width + 2 * quiet_zone
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{edge} {edge} {whole} {whole}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M{edge} {edge}h{whole}v{whole}h-{whole}z"/><path d="{path}"/></svg>'
    )


def qr_modules(text: str) -> list[list[bool]]:
    """The rows of the symbol without its quiet zone; True is dark."""
    picture: Any = zxingcpp.write_barcode_to_image(_symbol(text), scale=1, add_quiet_zones=False)
    rows: Any = memoryview(picture).tolist()
    return [[shade == 0 for shade in row] for row in rows]


def read(picture: Any) -> list[str]:
    """The texts of all QR codes in a picture, in no promised order.

    ``picture`` is anything with the buffer protocol and the shape (height, width) in greys or (height, width, 3) in
    colours of one byte, or an image of Pillow.
    """
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode]))
    return [symbol.text for symbol in found if symbol.valid]


def _symbol(text: str) -> zxingcpp.Barcode:
    if not 1 <= len(text) <= LONGEST:
        raise Unencodable(f"A QR code needs 1 to {LONGEST} characters; this text has {len(text)}.")
    level = "Q" if len(text) <= _SHORT else "M"
    return zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=level)
