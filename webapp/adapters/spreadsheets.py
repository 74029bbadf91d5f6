"""Tables in files: a strict, streaming reader for CSV and XLSX, and a CSV writer no spreadsheet can be tricked by."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, islice
from typing import BinaryIO

from webapp.adapters import file_types, workbooks
from webapp.domain.errors import Refused
from webapp.domain.exports import cell, column, unguard
from webapp.domain.import_rows import clean, shown
from webapp.domain.imports import Survey

PIECE = 256 * 1024
ROWS = 2_000  # written at a time
LONGEST_VALUE = 100_000
LONGEST_LINE = 1_000_000
MOST_COLUMNS = 200
DELIMITERS = ",;\t"
AUTOMATIC = ""
# Codec -> what people call it. Encodings that fit any bytes are never guessed: they must be chosen.
ENCODINGS = {"cp1252": "Windows-1252 (Western Europe)", "latin-1": "Latin-1 (ISO 8859-1)"}
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def _refused(code: str, sentence: str, at: str = "file") -> Refused:
    return Refused(f"file.{code}", sentence, at)


@dataclass
class Table:
    """An open table: its headings, and then its rows as (physical line of their start, values), once.

    Rows that hold nothing at all are passed over. Whatever spoils the file as a whole raises ``Refused``
    with the line; rows given before that must not have been kept.
    """

    encoding: str
    headings: tuple[str, ...]
    delimiter: str
    rows: Iterator[tuple[int, list[str]]] = field(repr=False)


class Pieces:
    """The bytes of a stream from its beginning, as often as they are asked for."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        self._stream.seek(0)
        while piece := self._stream.read(PIECE):
            yield piece


def open_table(stream: BinaryIO, name: str, encoding: str = AUTOMATIC) -> Table:
    """Recognise the file called ``name`` by its content and read its heading. Raises ``Refused`` in a sentence."""
    kind = file_types.recognise(stream)
    wants_workbook = name.lower().endswith(".xlsx")
    if kind and (kind != file_types.XLSX or not wants_workbook):
        raise _wrong_type(name, kind)
    if not kind and wants_workbook and stream.read(1):
        raise _refused(
            "wrong_type", f"«{shown(name)}» is not an Excel workbook. If it is a table in text, name it .csv."
        )
    stream.seek(0)
    if kind:
        rows, delimiter, encoding = workbooks.rows(stream), "", file_types.XLSX
    else:
        encoding = _encoding(stream, encoding)
        rows, delimiter = _text_rows(stream, encoding)
    first = next(rows, None)
    if first is None:
        raise _refused("empty", "The file is empty.")
    return Table(encoding, _headings(first[1]), delimiter, rows)


def survey(stream: BinaryIO, name: str, encoding: str = AUTOMATIC) -> Survey:
    """Read the whole file once and count; raises ``Refused`` when any of it is not a sound table."""
    table = open_table(stream, name, encoding)
    count = line = 0
    for line, _values in table.rows:  # noqa: B007 - the last line is wanted
        count += 1
    stream.seek(0)
    if not count:
        raise _refused("no_rows", "The file has a heading and no rows.")
    return Survey(table.encoding, table.headings, count, line)


def _wrong_type(name: str, kind: str) -> Refused:
    if kind == file_types.XLSX:
        return _refused("wrong_type", f"«{shown(name)}» is an Excel workbook; name it .xlsx, or save it as CSV.")
    return _refused("wrong_type", f"«{shown(name)}» is {kind}; a CSV file or an Excel workbook (.xlsx) is needed.")


def _encoding(stream: BinaryIO, chosen: str) -> str:
    start = stream.read(4)
    stream.seek(0)
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), "")
    if marked and chosen:
        raise _refused(
            "encoding", "The file begins with a mark that says it is Unicode; leave the encoding automatic.", "encoding"
        )
    return marked or chosen or "utf-8"


def _headings(values: Sequence[str]) -> tuple[str, ...]:
    headings = tuple(clean(unguard(value)) for value in values)
    if len(headings) > MOST_COLUMNS:
        raise _refused("columns", f"The heading has {len(headings):,} columns; at most {MOST_COLUMNS} are read.")
    seen: dict[str, int] = {}
    for number, heading in enumerate(headings, start=1):
        if not heading:
            raise _refused("no_heading", f"Column {number} has no heading; name it or take the column out.")
        first = seen.setdefault(heading.casefold(), number)
        if first != number:
            raise _refused(
                "heading_twice", f"The heading «{shown(heading)}» stands twice, in columns {first} and {number}."
            )
    return headings


def _text_rows(stream: BinaryIO, encoding: str) -> tuple[Iterator[tuple[int, list[str]]], str]:
    pieces = _lines(stream, encoding)
    before: list[list[str]] = []
    heading = ""
    while not heading and (lines := next(pieces, None)) is not None:
        before.append(lines)
        heading = next((line for line in lines if line.strip("\r\n")), "")
    delimiter = _delimiter(heading) if heading else ","
    return _records(chain(before, pieces), delimiter), delimiter


def _delimiter(heading: str) -> str:
    """The sign that cuts the heading line into most columns, outside quotation marks; a comma when none does."""
    bare = re.sub(r'"[^"]*"', "", heading)
    return max(DELIMITERS, key=lambda sign: (bare.count(sign), -DELIMITERS.index(sign)))


def _lines(stream: BinaryIO, encoding: str) -> Iterator[list[str]]:
    """Physical lines with their ends, many at a time, whichever of LF, CR and CRLF they are; names the line of a bad byte."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    rest, count, offset = "", 0, 0
    while True:
        piece = stream.read(PIECE)
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            good = rest + error.object[: error.start].decode(encoding, "replace")
            raise _bad_byte(
                error, encoding, count + _ends(good) + 1, offset + error.start - len(error.object) + len(piece)
            ) from None
        if "\0" in text:
            raise _zero(count + _ends(rest + text[: text.index("\0")]) + 1)
        offset += len(piece)
        found = io.StringIO(rest + text, newline="").readlines()
        # The last may go on in the next piece; «\r» may be the first half of «\r\n».
        rest = found.pop() if found and piece else ""
        count += len(found)
        if found:
            yield found
        if len(rest) > LONGEST_LINE:
            raise _refused(
                "line_long", f"Line {count + 1:,} is longer than {LONGEST_LINE:,} characters; this is not a table."
            )
        if not piece:
            return


def _ends(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _bad_byte(error: UnicodeDecodeError, encoding: str, line: int, offset: int) -> Refused:
    byte = error.object[error.start]
    name = ENCODINGS.get(encoding, encoding.upper().removesuffix("-SIG"))
    advice = "choose its encoding" if encoding.startswith("utf-8") else "choose another encoding"
    return _refused(
        "encoding",
        f"Line {line:,} holds the byte 0x{byte:02X} (byte {offset + 1:,} of the file), which is not {name}."
        f" Save the file as UTF-8, or {advice} and upload it again.",
        "encoding",
    )


def _zero(line: int) -> Refused:
    return _refused(
        "zero",
        f"Line {line:,} holds a zero character, so this is not a table in text; a file in UTF-16 must begin with its mark.",
    )


def _records(pieces: Iterator[list[str]], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the physical line it begins on."""
    start = 1
    for lines in pieces:
        if any('"' in line for line in lines) or len(max(lines, key=len)) > LONGEST_VALUE:
            read = yield from _even(lines, delimiter, start)
            start += read
            if read < len(lines):
                start = yield from _quoted(deque(lines[read:]), pieces, delimiter, start)
            continue
        # Without quotation marks a line is a record: four times as quick, and most files have none.
        for line, values in enumerate(csv.reader(lines, delimiter=delimiter, strict=True), start):
            if values:
                yield line, values
        start += len(lines)


def _even(lines: list[str], delimiter: str, start: int) -> Generator[tuple[int, list[str]], None, int]:
    """The records of ``lines`` as long as each is one line, in half the time of ``_quoted``; gives how many were read.

    Where a line has an odd number of marks, or is not what it looks like, ``_quoted`` goes on and tells why.
    """
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    for place, raw in enumerate(lines):
        if raw.count('"') % 2 or len(raw) > LONGEST_VALUE:
            return place
        try:
            values = next(reader)
        except csv.Error:
            return place
        if reader.line_num != place + 1:
            return place
        if '"' in raw and '"' in "".join(values):
            _check_quotes(raw, values, delimiter, start + place)
        if values:
            yield start + place, values
    return len(lines)


def _quoted(
    waiting: deque[str], pieces: Iterator[list[str]], delimiter: str, start: int
) -> Generator[tuple[int, list[str]], None, int]:
    """The records of the ``waiting`` lines, the last of which may go on in further pieces; gives the line after them."""
    held: list[str] = []

    def tapped() -> Iterator[str]:
        while waiting:
            held.append(waiting.popleft())
            yield held[-1]
            if not waiting:
                waiting.extend(next(pieces, ()))

    reader = csv.reader(tapped(), delimiter=delimiter, strict=True)
    first = start
    while waiting and (values := _next(reader, start)) is not None:
        raw = held[0] if len(held) == 1 else "".join(held)
        held.clear()
        if '"' in raw:
            _check_quotes(raw, values, delimiter, start)
        if len(raw) > LONGEST_VALUE and max(map(len, values)) > LONGEST_VALUE:
            raise _stray("field larger", start)
        if values:
            yield start, values
        start = first + reader.line_num
    return start


def _next(reader: Iterator[list[str]], start: int) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        raise _stray(str(error), start) from None


@lru_cache
def _well_quoted(delimiter: str) -> re.Pattern[str]:
    value = rf'(?:"(?:[^"]|"")*+"|[^"{delimiter}\r\n]*+)'
    return re.compile(rf"{value}(?:{delimiter}{value})*+[\r\n]*+")


def _check_quotes(raw: str, values: Sequence[str], delimiter: str, line: int) -> None:
    """A mark inside an unquoted value: whoever wrote the file did not mean what we would read (RFC 4180)."""
    if '"' in "".join(values) and not _well_quoted(delimiter).fullmatch(raw):
        raise _stray("expected", line)


def _stray(what: str, line: int) -> Refused:
    where = f"The row that begins on line {line:,}"
    if "unexpected end" in what:
        return _refused("quote", f"{where} opens a quotation mark that is never closed.")
    if "larger" in what:
        return _refused(
            "value_long",
            f"{where} has a value of more than {LONGEST_VALUE:,} characters; perhaps a quotation mark is not closed.",
        )
    return _refused(
        "quote", f'{where} has a stray quotation mark; inside a value in quotation marks it is written twice («""»).'
    )


def csv_bytes(rows: Iterable[Sequence[object]], *, mark: bool = False) -> bytes:
    """Rows as CSV (RFC 4180, UTF-8), text guarded against formulas; with ``mark`` it begins with the UTF-8 mark."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n").writerows([cell(value) for value in row] for row in rows)
    return buffer.getvalue().encode("utf-8-sig" if mark else "utf-8")


def csv_stream(headings: Sequence[str], rows: Iterable[Sequence[object]], *, mark: bool = False) -> Iterator[bytes]:
    """The same piece by piece, the heading at once, then some thousand rows at a time, all of one length."""
    yield csv_bytes([headings], mark=mark)
    left = iter(rows)
    while part := list(islice(left, ROWS)):
        buffer = io.StringIO(newline="")
        # What a whole column holds is looked at once, not cell by cell.
        columns = [column(values) for values in zip(*part, strict=True)]
        csv.writer(buffer, lineterminator="\r\n").writerows(zip(*columns, strict=True))
        yield buffer.getvalue().encode()
