"""QR codes are drawn and read back."""

import re

import pytest

from webapp.adapters import barcodes, png

CODE = "K7QM-29XD-4TV"


def picture_of(modules, scale=4, quiet=4):
    """The symbol as a grey picture with its quiet zone."""
    edge = [False] * quiet
    rows = [[False] * (len(modules) + 2 * quiet)] * quiet
    rows = rows + [edge + row + edge for row in modules] + rows
    line = [bytes(0 if dark else 255 for dark in row for _ in range(scale)) for row in rows]
    return memoryview(b"".join(row for row in line for _ in range(scale))).cast("B", (len(rows) * scale,) * 2)


@pytest.mark.parametrize("text", [CODE, "https://vouchers.example.org/v/aB3-xyz_09", "ñ 漢字 🎁", "x" * 200, " "])
def test_what_is_drawn_is_read_back(text):
    assert barcodes.read(picture_of(barcodes.qr_modules(text))) == [text]


def test_a_short_code_gets_the_smallest_symbol_with_better_correction():
    assert len(barcodes.qr_modules(CODE)) == 21


def test_the_drawing_is_plain_svg_with_a_quiet_zone_and_no_style():
    drawing = barcodes.qr_svg(CODE)

    assert 'viewBox="-4 -4 29 29"' in drawing
    assert re.findall(r"<(\w+)", drawing) == ["svg", "path", "path"]
    assert "style" not in drawing


def test_hostile_text_leaves_no_trace_in_the_drawing():
    assert "script" not in barcodes.qr_svg('"/><script>alert(1)</script>')


@pytest.mark.parametrize("text", ["", "x" * 201])
def test_a_text_no_phone_could_read_from_paper_is_refused(text):
    with pytest.raises(barcodes.Unencodable, match="1 to 200 characters"):
        barcodes.qr_svg(text)


def test_a_picture_without_a_code_gives_nothing():
    assert barcodes.read(memoryview(bytes([255]) * 10_000).cast("B", (100, 100))) == []


@pytest.mark.parametrize("file", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n"])
def test_another_kind_of_file_is_no_picture(file):
    with pytest.raises(ValueError, match="not a PNG"):
        png.greys(file)
