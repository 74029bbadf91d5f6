"""Recognises a file by what it holds, whatever its name says."""

from __future__ import annotations

import zipfile
from typing import BinaryIO

HEAD = 4096
# How a file begins, and what people call it.
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a picture or a sound"),
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Word file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a Windows program"),
    (b"{\\rtf", "an RTF document"),
    (b"PAR1", "a Parquet file"),
    (b"\xff\xfe\x00\x00", "a UTF-32 text"),
    (b"\x00\x00\xfe\xff", "a UTF-32 text"),
)
_MARKUP = ((b"<!doctype", "a web page"), (b"<html", "a web page"), (b"<?xml", "an XML file"), (b"{\"", "a JSON file"), (b"[{", "a JSON file"), (b"%!ps", "a PostScript file"))  # fmt: skip
_MEMBERS = (
    ("word/", "a Word document"),
    ("ppt/", "a PowerPoint presentation"),
    ("META-INF/manifest.xml", "an OpenDocument file"),
)
XLSX = "xlsx"


def recognise(stream: BinaryIO) -> str:
    """«xlsx», what else it is in words, or an empty text for what may be a table in text. Leaves the stream at 0."""
    stream.seek(0)
    head = stream.read(HEAD)
    stream.seek(0)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive(stream)
    found = next((name for start, name in _SIGNATURES if head.startswith(start) and not _is_word(start, head)), "")
    if found:
        return found
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:20].lower()
    return next((name for start, name in _MARKUP if text.startswith(start)), "")


def _is_word(start: bytes, head: bytes) -> bool:
    """A heading may well begin with the letters of a signature («MZone,…»); a binary file has zero bytes soon."""
    return start.isalnum() and b"\0" not in head


def _archive(stream: BinaryIO) -> str:
    try:
        with zipfile.ZipFile(stream) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return "a damaged ZIP archive"
    finally:
        stream.seek(0)
    if "xl/workbook.xml" in names:
        return XLSX
    return next((words for start, words in _MEMBERS if any(name.startswith(start) for name in names)), "a ZIP archive")
