"""Writes an Excel workbook one row after the other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import IO, Any

import xlsxwriter

from webapp.adapters import workbooks
from webapp.domain.errors import Refused
from webapp.domain.exports import cell

MOST_WRITTEN = 50_000  # rows of a workbook of ours; writing more would keep somebody waiting for minutes
LONGEST_CELL = 32_767  # Excel's own limit


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
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < workbooks.EXACT
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
