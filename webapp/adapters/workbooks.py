"""Reads the first sheet of an Excel workbook as rows of text within limits, and writes one row after the other."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import chain
from typing import IO, Any, BinaryIO

import xlsxwriter
from python_calamine import CalamineError, CalamineWorkbook

from webapp.domain.errors import Refused
from webapp.domain.exports import cell

MOST_ROWS = 200_000
MOST_BYTES = 256 * 1024 * 1024  # unpacked: a small archive can hide a very large sheet
MOST_WRITTEN = 50_000  # rows of a workbook of ours; writing more would keep somebody waiting for minutes
LONGEST_CELL = 32_767  # Excel's own limit
_EXACT = 2**53


def rows(stream: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """The row number as Excel shows it, and its cells as text. Raises ``Refused`` for what is too large or damaged."""
    _check_size(stream)
    try:
        book = CalamineWorkbook.from_filelike(stream)
        sheet = book.get_sheet_by_index(0)
        cells = sheet.iter_rows()
    except (CalamineError, IndexError, OSError) as error:
        raise Refused(
            "file.damaged", "The Excel workbook is damaged or protected, so it cannot be read.", "file"
        ) from error
    height = sheet.end[0] + 1 if sheet.end else 0
    if height > MOST_ROWS:
        raise Refused(
            "file.too_many_rows",
            f"The first sheet has {height:,} rows; a workbook may have {MOST_ROWS:,}. Save it as CSV.",
            "file",
        )
    for number, row in enumerate(cells, start=1):
        values = [_text(value) for value in row]
        if any(values):
            yield number, values


def _check_size(stream: BinaryIO) -> None:
    stream.seek(0)
    with zipfile.ZipFile(stream) as archive:
        size = sum(item.file_size for item in archive.infolist())
    stream.seek(0)
    if size > MOST_BYTES:
        raise Refused(
            "file.too_large_unpacked",
            f"The workbook unpacks to {size // 2**20:,} MiB; at most {MOST_BYTES // 2**20} MiB are read. Save it as CSV.",
            "file",
        )


def _text(value: Any) -> str:
    """A cell as it would stand in a CSV file: whole numbers without «.0», moments in ISO form."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value) if isinstance(value, int | float | timedelta) else ""


def write(headings: Sequence[str], rows: Iterable[Sequence[object]], properties: Mapping[str, str]) -> IO[bytes]:
    """The rows as a workbook in a temporary file, read from its start; one row is in memory at a time.

    Text is written as text, guarded like that of a CSV file, so nothing in it is ever a formula, a link or a
    number. ``Refused`` when there are more rows, or longer texts, than a workbook of ours takes.
    """
    out = tempfile.TemporaryFile()  # noqa: SIM115 - whoever reads it closes it
    book = xlsxwriter.Workbook(out, {"constant_memory": True})
    book.set_properties(dict(properties))
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    try:
        for number, row in enumerate(chain([headings], rows)):
            _write_row(sheet, number, row)
    except BaseException:
        book.close()  # its own temporary files go with it
        out.close()
        raise
    book.close()
    out.seek(0)
    return out


def _write_row(sheet: Any, number: int, row: Sequence[object]) -> None:
    if number > MOST_WRITTEN:
        raise _too_long(f"A workbook takes {MOST_WRITTEN:,} rows and this list has more.")
    for place, value in enumerate(row):
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _EXACT
        if is_number:
            sheet.write_number(number, place, value)
        elif value is not None and value != "":
            text = cell(value)
            if len(text) > LONGEST_CELL:
                raise _too_long(
                    f"Row {number + 1:,} has a text of {len(text):,} letters; a cell of Excel takes {LONGEST_CELL:,}."
                )
            sheet.write_string(number, place, text)


def _too_long(sentence: str) -> Refused:
    return Refused("export.workbook", f"{sentence} Choose CSV, or narrow the list.", "media")
