"""Files as people have them: every fault is one sentence that names the place, and nothing is given half."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.adapters import spreadsheets, workbooks
from webapp.domain.errors import Refused

HEAD = "Member ID,E-mail,Entered at\n"
ROW = "M1,ann@example.com,2026-01-05T10:00:00Z\n"
GOOD = (HEAD + ROW).encode()


def zipped(**members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


def workbook(*rows: list[object]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return buffer.getvalue()


def rows_of(content: bytes, name: str = "x.csv", encoding: str = "") -> list[tuple[int, list[str]]]:
    return list(spreadsheets.open_table(io.BytesIO(content), name, encoding).rows)


PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
FAULTS: dict[str, tuple[bytes, str, str]] = {
    # file-level fault: content, name, what the sentence must say
    "empty": (b"", "x.csv", "empty"),
    "only a byte order mark": (b"\xef\xbb\xbf", "x.csv", "empty"),
    "only blank lines": (b"\n\r\n\n", "x.csv", "empty"),
    "a heading and no rows": (HEAD.encode(), "x.csv", "no rows"),
    "a heading and blank lines": (HEAD.encode() + b"\n\n", "x.csv", "no rows"),
    "a PNG": (PNG, "x.csv", "PNG picture"),
    "a JPEG": (b"\xff\xd8\xff\xe0" + bytes(99), "x.csv", "JPEG picture"),
    "a GIF": (b"GIF89a\0\0", "x.csv", "GIF picture"),
    "a WebP": (b"RIFF\0\0\0\0WEBP", "x.csv", "picture or a sound"),
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3", "x.csv", "PDF document"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "x.xls", "old Excel"),
    "a ZIP": (zipped(a="1"), "x.csv", "ZIP archive"),
    "a Word document": (zipped(word__document="<x/>"), "x.csv", "Word document"),
    "a damaged archive": (zipped(a="1")[:20], "x.csv", "damaged ZIP"),
    "a workbook named .csv": (workbook(["a"], ["1"]), "x.csv", "Excel workbook; name it .xlsx"),
    "a CSV named .xlsx": (GOOD, "x.xlsx", "not an Excel workbook"),
    "a damaged workbook": (zipped(**{"xl__workbook.xml": "<nothing/>"}), "x.xlsx", "damaged or protected"),
    "a gzip": (gzip.compress(GOOD), "x.csv", "gzip archive"),
    "an SQLite database": (b"SQLite format 3\x00" + bytes(99), "x.csv", "SQLite database"),
    "a program": (b"\x7fELF" + bytes(99), "x.csv", "a program"),
    "a Windows program": (b"MZ\x90\0\3\0\0\0", "x.csv", "Windows program"),
    "a web page": (b"<!DOCTYPE html><html></html>", "x.csv", "web page"),
    "an XML file": (b'<?xml version="1.0"?><a/>', "x.csv", "XML file"),
    "a JSON object": (b'{"records": 1}', "x.csv", "JSON file"),
    "a JSON list": (b'[{"a": 1}]', "x.csv", "JSON file"),
    "an RTF document": (b"{\\rtf1 x}", "x.csv", "RTF document"),
    "UTF-32": ("a,b\n1,2\n".encode("utf-32"), "x.csv", "UTF-32"),
    "UTF-16 without its mark": (GOOD.decode().encode("utf-16-le"), "x.csv", "Line 1 holds a zero character"),
    "a zero byte in line 3": (GOOD + b"M2,a\0b,x\n", "x.csv", "Line 3 holds a zero character"),
    "Latin-1 in line 3": (GOOD + "M2,jos\xe9@example.com,x\n".encode("latin-1"), "x.csv", "Line 3 holds the byte 0xE9 (byte 75"),
    "UTF-8 cut off": (GOOD + "M2,jos\xe9".encode()[:-1], "x.csv", "Line 3 holds the byte 0xC3"),
    "a surrogate in UTF-16": ("a,b\n".encode("utf-16") + b"\x00\xd8a\0", "x.csv", "which is not UTF-16"),
    "a mark never closed": (GOOD + b'M2,"ann,x\nM3,b,c\n', "x.csv", "line 3 opens a quotation mark that is never closed"),
    "text after a closing mark": (GOOD + b'M2,"ann"x,y\n', "x.csv", "line 3 has a stray quotation mark"),
    "a mark inside a value": (GOOD + b'M2,an"n,y\n', "x.csv", "line 3 has a stray quotation mark"),
    "a mark that swallows rows": (
        GOOD + b'M2,"ann,x\n' + b"M3,b,c\n" * 50_000, "x.csv", "line 3 has a value of more than 100,000"
    ),
    "a mark closed by a later row": (GOOD + b'M2,"ann,x\nM3,"b,c",d\n', "x.csv", "line 3 has a stray quotation mark"),
    "a value of 100,001 characters": (GOOD + b"M2," + b"x" * 100_001 + b",y\n", "x.csv", "more than 100,000 characters"),
    "one endless line": (b"x" * 2_000_000, "x.csv", "longer than 1,000,000 characters"),
    "a heading twice": (b"Member ID,E-mail,member id\nM1,a,b\n", "x.csv", "«member id» stands twice, in columns 1 and 3"),
    "no heading over a column": (b"Member ID,,E-mail\nM1,a,b\n", "x.csv", "Column 2 has no heading"),
    "too many columns": (b",".join(b"c%d" % n for n in range(300)) + b"\n1\n", "x.csv", "300 columns; at most 200"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_level_fault_is_one_sentence(fault):
    content, name, words = FAULTS[fault]
    with pytest.raises(Refused) as refusal:
        spreadsheets.survey(io.BytesIO(content), name)
    assert words in refusal.value.message
    assert refusal.value.message.endswith(".")
    assert refusal.value.field in {"file", "encoding"}
    assert "\0" not in refusal.value.message


def test_there_are_forty_faults():
    assert len(FAULTS) >= 40


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_encoding_line_end_and_delimiter_gives_the_same_rows(encoding, end, delimiter):
    lines = [["Name", "E-mail"], ["Åsa 桃子", "a@example.com"], ["b", ""]]
    text = "".join(delimiter.join(line) + end for line in lines)
    table = spreadsheets.open_table(io.BytesIO(text.encode(encoding)), "x.csv")
    assert table.headings == ("Name", "E-mail")
    assert list(table.rows) == [(2, ["Åsa 桃子", "a@example.com"]), (3, ["b", ""])]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_an_encoding_that_fits_anything_must_be_chosen(encoding):
    content = "Name\nJosé\n".encode(encoding)
    with pytest.raises(Refused, match="choose its encoding"):
        rows_of(content)
    assert rows_of(content, encoding=encoding) == [(2, ["José"])]


def test_windows_1252_has_bytes_of_its_own_that_are_refused():
    with pytest.raises(Refused, match=r"Line 2 holds the byte 0x81 \(byte 6 of the file\), which is not Windows-1252"):
        rows_of(b"Name\n\x81\n", encoding="cp1252")


def test_a_chosen_encoding_that_the_file_contradicts_is_refused():
    with pytest.raises(Refused, match="leave the encoding automatic"):
        rows_of("Name\nJosé\n".encode("utf-8-sig"), encoding="latin-1")


def test_line_numbers_are_physical_also_after_a_quoted_newline():
    content = b'A,B\n1,"two\nlines"\n\n2,"three\r\nmore\r\nlines"\n3,x\n'
    assert [line for line, _ in rows_of(content)] == [2, 5, 8]


def test_a_line_end_cut_by_a_piece_is_one_line_end(monkeypatch):
    monkeypatch.setattr(spreadsheets, "PIECE", 4)
    assert rows_of(b"A,B\r\n1,2\r\n3,4\r\n") == [(2, ["1", "2"]), (3, ["3", "4"])]


def test_a_bad_byte_is_named_wherever_the_pieces_end(monkeypatch):
    content = "A,B\r\n1,é\r\n".encode() * 3 + b"2,\xff\r\n"
    for size in range(1, 20):
        monkeypatch.setattr(spreadsheets, "PIECE", size)
        with pytest.raises(Refused, match=rf"Line 7 holds the byte 0xFF \(byte {len(content) - 2} "):
            rows_of(content)


def test_the_delimiter_is_that_of_the_heading_not_of_the_rows():
    table = spreadsheets.open_table(io.BytesIO(b'"a,b";c\n1,2,3;4\n'), "x.csv")
    assert (table.delimiter, table.headings, list(table.rows)) == (";", ("a,b", "c"), [(2, ["1,2,3", "4"])])


def test_one_column_needs_no_delimiter():
    assert rows_of(b"E-mail\na@example.com\n") == [(2, ["a@example.com"])]


def test_a_word_that_begins_like_a_program_is_a_heading():
    assert rows_of(b"MZone,E-mail\n1,2\n") == [(2, ["1", "2"])]


def test_headings_our_export_guarded_come_back_as_they_were():
    written = spreadsheets.csv_bytes([["+Points", "'=x", "Name"], ["1", "2", "3"]])
    assert spreadsheets.open_table(io.BytesIO(written), "x.csv").headings == ("+Points", "'=x", "Name")


def test_headings_are_trimmed_and_composed():
    assert spreadsheets.open_table(io.BytesIO(" Pre\u0301nom ,B\n1,2\n".encode()), "x.csv").headings == ("Prénom", "B")


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=2, max_size=2),
        max_size=20,
    )
)
def test_whatever_the_standard_writer_writes_is_read_back(rows):
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([["A", "B"], *rows])
    assert [values for _, values in rows_of(buffer.getvalue().encode())] == rows


SOUND = (HEAD + ROW * 20 + 'M2,"x, y",z\n' * 5).encode()
SLIP = st.tuples(st.integers(0, len(SOUND) - 1), st.sampled_from(b'",;\n\r\t\0\xffa'))


@settings(max_examples=500, deadline=None)
@given(st.lists(SLIP, min_size=1, max_size=3))
def test_a_broken_file_is_read_or_refused_never_half_understood(slips):
    """P12: bytes of a sound file changed at random places."""
    content = bytearray(SOUND)
    for place, byte in slips:
        content[place] = byte
    try:
        found = rows_of(bytes(content))
    except Refused as refusal:
        assert refusal.message.endswith(".")  # noqa: PT017 - either way is right
    else:
        assert all(values for _, values in found)
        assert [line for line, _ in found] == sorted({line for line, _ in found})


def test_a_workbook_is_read_like_a_table(tmp_path):
    content = workbook(["Member ID", "Entries", "Share"], ["M1", 3, 0.5], [], ["=1+1", 12345678901, True])
    found = spreadsheets.survey(io.BytesIO(content), "x.xlsx")
    assert (found.encoding, found.headings, found.record_count) == ("xlsx", ("Member ID", "Entries", "Share"), 2)
    assert rows_of(content, "x.xlsx") == [(2, ["M1", "3", "0.5"]), (4, ["=1+1", "12345678901", "true"])]


def test_moments_in_a_workbook_become_iso_text():
    from datetime import datetime  # noqa: PLC0415

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"default_date_format": "yyyy-mm-dd hh:mm:ss"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Entered at"])
        sheet.write_datetime(1, 0, datetime(2026, 3, 31, 18, 5))  # noqa: DTZ001 - Excel knows no zones
    assert rows_of(buffer.getvalue(), "x.xlsx") == [(2, ["2026-03-31T18:05:00"])]


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_parsed(monkeypatch):
    content = workbook(["A"], ["x" * 30_000])
    monkeypatch.setattr(workbooks, "MOST_BYTES", 10_000)
    with pytest.raises(Refused, match="unpacks to"):
        rows_of(content, "x.xlsx")


def test_a_workbook_with_too_many_rows_is_refused(monkeypatch):
    monkeypatch.setattr(workbooks, "MOST_ROWS", 5)
    with pytest.raises(Refused, match="has 10 rows; a workbook may have 5"):
        rows_of(workbook(*[["x"]] * 10), "x.xlsx")


LEADS = ["=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", "\0=1", "＝1", "＋1", "－1", "＠x", "'=1", "''+x"]


@pytest.mark.parametrize("value", LEADS)
def test_a_formula_is_guarded_when_written(value):
    """P20: the cell begins with an apostrophe and the rest is as it was."""
    written = spreadsheets.csv_bytes([[value, 1]]).decode()
    assert next(csv.reader(io.StringIO(written, newline="")))[0] == f"'{value}"


@pytest.mark.parametrize("value", [-5, 0, 2.5, "-5", "12", "-0.25"])
def test_a_number_stays_a_number(value):
    assert spreadsheets.csv_bytes([[value]]).decode() == f"{value}\r\n"


def test_the_writer_streams_with_a_mark_when_asked():
    pieces = list(spreadsheets.csv_stream(["A"], ([n] for n in range(2_500)), mark=True))
    assert len(pieces) == 3
    assert pieces[0] == b"\xef\xbb\xbfA\r\n"
    assert zlib.crc32(b"".join(pieces[1:])) == zlib.crc32(b"".join(b"%d\r\n" % n for n in range(2_500)))
