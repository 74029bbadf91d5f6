"""Voucher sheets: every code on every page is read back, no text is ever markup, nothing runs into anything."""

import dataclasses
import hashlib
import itertools
import re
import zlib

import pypdfium2
import pytest

from tests.adapters.pages import page_texts, readable
from webapp.adapters import barcodes, png, typesetting
from webapp.adapters.cards import LAYOUTS
from webapp.adapters.typesetting import Card, Placement, TypesettingFailed
from webapp.domain import voucher_codes
from webapp.domain.errors import Refused

TERMS = "Valid once at any Harbour Kitchen till during opening hours. Not exchangeable for cash. "
LAYOUT = pytest.mark.parametrize("layout", LAYOUTS)


def cards(count, **changes):
    calls = iter(range(1_000))
    codes = voucher_codes.codes(lambda size: hashlib.shake_256(b"%d" % next(calls)).digest(size), count)
    return [
        dataclasses.replace(
            Card(
                title="Two-course lunch for two",
                code=voucher_codes.grouped(code),
                qr=voucher_codes.grouped(code),
                subtitle="Harbour Kitchen, any weekday",
                holder=f"Guest number {number}",
                value="€25.00",
                expiry="31 March 2027",
                terms=TERMS,
                programme="Spring thank-you",
                organisation="Harbour Coffee",
                reference=f"HK · {number:05}",
            ),
            **changes,
        )
        for number, code in enumerate(codes, start=1)
    ]


@LAYOUT
def test_k92_every_code_of_a_batch_is_read_back_from_the_pages(layout):
    batch = cards(20)
    pdf = typesetting.sheet(batch, layout)

    assert sorted(readable(pdf)) == sorted(card.qr for card in batch)
    assert len(page_texts(pdf)) == {"a4-2x4": 3, "a4-1": 20}[layout]


@LAYOUT
def test_every_word_of_a_card_is_text_in_the_file(layout):
    (card,) = cards(1)
    (text,) = page_texts(typesetting.sheet([card], layout))

    for words in (card.title, card.subtitle, card.holder, card.value, card.expiry, card.terms.strip(), card.reference):
        assert words in text
    assert "Harbour Coffee · Spring thank-you" in text
    assert card.code in text


HOSTILE = [
    '#set page(fill: red) #panic("x")',
    "$x^2$ *bold* _it_ `raw` <label> @ref //",
    "= Heading - list + enum / term: x",
    "\\ \\u{41} \"quotes\" 'single' #sys.inputs",
    '"}],"cards":[{"title":"x"',
    "<b>bold</b> &amp; {{ 7*7 }} ((code))",
]


@LAYOUT
def test_hostile_text_is_printed_as_text(layout):
    batch = [cards(1, title=words, holder=words, terms=words)[0] for words in HOSTILE]
    text = joined(page_texts(typesetting.sheet(batch, layout)))

    for words in HOSTILE:
        assert text.count(joined([words])) == 3


def joined(texts):
    """The texts without spaces and without the invisible leave to break inside a long word."""
    return "".join("".join(texts).replace("\u200b", "").split())


@LAYOUT
def test_line_breaks_controls_and_turned_text_do_no_harm(layout):
    batch = cards(
        2, holder="Ann\nLee\x00\x1b[31m\u202egpj.exe\u2066", terms="One.\r\n\r\nTwo.\x0cThree.\ud800", title="\n"
    )
    pdf = typesetting.sheet(batch, layout)
    text = page_texts(pdf)[0]

    assert "Ann Lee [31mgpj.exe" in text
    assert "One. Two. Three.?" in text
    assert sorted(readable(pdf)) == sorted(card.qr for card in batch)


LONG = {
    "title": 300, "subtitle": 300, "holder": 80, "value": 80, "expiry": 120, "terms": 1_000, "organisation": 200,
    "reference": 120,
}  # fmt: skip


@LAYOUT
@pytest.mark.parametrize("words", ["W", "Wide words ", "漢字 ", "ﷺ"])
def test_long_text_stays_in_its_place(layout, words):
    batch = cards(len(LONG) + 2)
    for number, (field, length) in enumerate(LONG.items()):
        batch[number] = dataclasses.replace(batch[number], **{field: (words * length)[:length]})
    batch[-2] = dataclasses.replace(batch[-2], **{field: (words * length)[:length] for field, length in LONG.items()})
    batch[-1] = dataclasses.replace(batch[-1], code="W" * 64)
    pdf = typesetting.sheet(batch, layout)

    assert overlaps(pdf) == []
    assert sorted(readable(pdf)) == sorted(card.qr for card in batch)


def overlaps(pdf):
    """Letters that cover one another, stand on a QR code or off the page, as (page, box, box or None)."""
    found = []
    with pypdfium2.PdfDocument(pdf) as document:
        for number, page in enumerate(document, start=1):
            letters, squares = boxes_of(page)
            width, height = page.get_size()
            found += [(number, box, None) for box in letters if not within(box, (0, 0, width, height))]
            found += [(number, box, square) for box in letters for square in squares if covers(box, square, slack=0.1)]
            # Sorted from left to right, a letter can only meet the few that start before it ends.
            letters.sort()
            for at, one in enumerate(letters):
                for two in itertools.takewhile(lambda box, end=one[2]: box[0] < end, letters[at + 1 :]):
                    found += [(number, one, two)] if covers(one, two, slack=0.45) else []
            page.close()
    return found


def boxes_of(page):
    """The boxes (left, bottom, right, top) of all visible letters, and of all QR codes, of a page in points."""
    words = page.get_textpage()
    signs = [chr(pypdfium2.raw.FPDFText_GetUnicode(words.raw, at)) for at in range(words.count_chars())]
    letters = [words.get_charbox(at) for at, sign in enumerate(signs) if sign.strip(" \u200b\r\n")]
    words.close()
    shapes = [
        item.get_bounds() for item in page.get_objects(max_depth=9) if item.type != pypdfium2.raw.FPDF_PAGEOBJ_TEXT
    ]
    squares = [box for box in shapes if 60 < box[2] - box[0] < 150 and abs((box[2] - box[0]) - (box[3] - box[1])) < 1]
    assert squares, "the page has no QR code"
    # One glyph of a ligature answers for all its letters with the same box.
    return list({box for box in letters if box[2] > box[0]}), squares


def within(box, outer):
    return box[0] >= outer[0] and box[1] >= outer[1] and box[2] <= outer[2] and box[3] <= outer[3]


def covers(one, two, slack):
    """Whether the boxes share more than ``slack`` of the smaller one's height and width."""
    across = min(one[2], two[2]) - max(one[0], two[0])
    down = min(one[3], two[3]) - max(one[1], two[1])
    least_across = min(one[2] - one[0], two[2] - two[0])
    least_down = min(one[3] - one[1], two[3] - two[1])
    return across > slack * least_across and down > slack * least_down


@LAYOUT
def test_a_card_with_nothing_but_a_code_is_a_whole_card(layout):
    pdf = typesetting.sheet([Card(title="Coffee", code="MM-2026-K7QM", qr="MM-2026-K7QM")], layout)

    assert readable(pdf) == ["MM-2026-K7QM"]
    assert "FOR" not in page_texts(pdf)[0]


@LAYOUT
def test_the_file_is_tagged_named_in_english_and_the_same_every_time(layout):
    batch = cards(3)
    pdf = typesetting.sheet(batch, layout)

    assert pdf == typesetting.sheet(batch, layout)
    with pypdfium2.PdfDocument(pdf) as document:
        assert pypdfium2.raw.FPDFCatalog_IsTagged(document.raw)
        assert document.get_metadata_value("Title") == "Vouchers: Two-course lunch for two"
        assert document.get_metadata_value("Author") == "Harbour Coffee"
    streams = b"".join(inflated(match[1]) for match in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL))
    assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf + streams
    assert b"/Lang(en)" in (pdf + streams).replace(b" ", b"")
    assert b"QR code of voucher" in pdf + streams


def inflated(stream):
    """The stream's bytes; nothing when it is not deflated."""
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


@LAYOUT
def test_the_product_reads_its_own_pages(layout):
    batch = cards(9)

    assert typesetting.proof(batch, layout) == sorted(card.qr for card in batch)


def test_a_code_that_cannot_be_read_back_stops_the_batch(monkeypatch, tmp_path):
    (tmp_path / "voucher-a4-1.typ").write_text('#set document(title: "Empty")\n#h(1pt)')
    monkeypatch.setattr(typesetting, "TEMPLATES", tmp_path)

    with pytest.raises(TypesettingFailed, match=r"2 of 2 sample vouchers could not be read back .* first is ••••"):
        typesetting.sheet(cards(2), "a4-1")


@LAYOUT
def test_no_card_makes_no_sheet(layout, tmp_path):
    with pytest.raises(Refused, match="no voucher to print"):
        typesetting.sheet([], layout)
    with pytest.raises(Refused, match="no voucher to print"):
        typesetting.voucher_sheets(iter(()), layout, tmp_path)


def test_what_cannot_be_printed_is_refused_in_a_sentence():
    with pytest.raises(Refused, match="«a5» is not a layout; use a4-2x4 or a4-1"):
        typesetting.sheet(cards(1), "a5")
    with pytest.raises(Refused, match="Label 9 is not on the sheet; use 1 to 8"):
        typesetting.sheet(cards(1), "a4-2x4", placement=Placement(start=9))
    with pytest.raises(Refused, match="QR code 1 to 200"):
        typesetting.sheet(cards(1, qr="x" * 201), "a4-1")


def test_a_part_used_label_sheet_starts_at_the_first_free_label(tmp_path):
    placement = Placement(start=7, right_mm=1.5, down_mm=-1.0)
    pdf = typesetting.sheet(cards(3), "a4-2x4", placement=placement)

    assert [text.count("VALID UNTIL") for text in page_texts(pdf)] == [2, 1]
    assert len(readable(pdf)) == 3


def test_large_batches_come_in_parts_and_go_on_where_they_stopped(tmp_path, monkeypatch):
    small = dataclasses.replace(LAYOUTS["a4-2x4"], per_part=8)
    monkeypatch.setitem(typesetting.LAYOUTS, "a4-2x4", small)
    batch, done = cards(20), []

    first = typesetting.voucher_sheets(
        batch, "a4-2x4", tmp_path, cancelled=lambda: len(done) == 1, progress=done.append
    )
    kept = first[0].stat().st_mtime_ns
    paths = typesetting.voucher_sheets(iter(batch), "a4-2x4", tmp_path, progress=done.append)

    assert done == [8, 8, 16, 20]
    assert [path.name for path in paths] == ["vouchers-001.pdf", "vouchers-002.pdf", "vouchers-003.pdf"]
    assert paths[0].stat().st_mtime_ns == kept
    assert sorted(code for path in paths for code in readable(path.read_bytes())) == sorted(card.qr for card in batch)
    assert sorted(path.name for path in tmp_path.iterdir()) == [path.name for path in paths]


def test_names_of_many_scripts_are_drawn(tmp_path):
    names = "Zoë Nguyễn Παπαδόπουλος Ковальчук 李小龙 김민준 やまだ محمد דוד สมชาย अनिता Łukasz ẞ € ₹ 🎁 👩‍👩‍👧"

    assert typesetting.missing_glyphs(names) == set()
    assert typesetting.sheet(cards(1, holder=names), "a4-1")


def test_what_no_font_can_draw_is_reported_by_card_and_printed_as_a_box():
    batch = cards(3)
    batch[1] = dataclasses.replace(batch[1], holder="Hiero \U00013000 q\u0316")

    assert typesetting.unprintable(batch) == {1: {"\U00013000", "\u0316"}}
    assert "Hiero □ q" in page_texts(typesetting.sheet(batch, "a4-2x4"))[0]


def test_a_preview_is_a_picture_of_the_first_page():
    batch = cards(9)

    assert sorted(barcodes.read(png.greys(typesetting.preview(batch, "a4-2x4")))) == sorted(
        card.qr for card in batch[:8]
    )
    assert png.greys(typesetting.preview(batch, "a4-1")).shape == (1123, 794)


def test_a_template_that_fails_says_so(monkeypatch, tmp_path):
    (tmp_path / "voucher-a4-1.typ").write_text('#panic("no such thing")')
    monkeypatch.setattr(typesetting, "TEMPLATES", tmp_path)

    with pytest.raises(TypesettingFailed, match=r"could not be typeset: .*panicked"):
        typesetting.sheet(cards(1), "a4-1")
