"""Reads the first sheet of an Excel workbook as rows of text, within limits."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

from python_calamine import CalamineError, CalamineWorkbook

from webapp.domain.errors import Refused

MOST_ROWS = 200_000
MOST_BYTES = 256 * 1024 * 1024  # unpacked: a small archive can hide a very large sheet
EXACT = 2**53  # whole numbers below it are the same in a cell


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
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value) if isinstance(value, int | float | timedelta) else ""
