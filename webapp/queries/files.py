"""Reads stored files piece by piece, so that a large one never sits in memory."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.domain.errors import NotFound
from webapp.models import StoredChunk, StoredFile

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PIECE = 256 * 1024  # every piece but the last holds exactly this many bytes, so an offset names its piece


def get(session: Session, file_id: int) -> StoredFile:
    """The file's name, type, size and hash, without its content. Who may see it is the caller's question."""
    file = session.get(StoredFile, file_id)
    if file is None:
        raise NotFound("file.unknown", "There is no such file.")
    return file


def piece(session: Session, file_id: int, number: int) -> bytes:
    """Piece ``number`` (from 0) of the file; empty past its end."""
    found = session.execute(
        select(StoredChunk.data).where(StoredChunk.file_id == file_id, StoredChunk.number == number)
    ).scalar_one_or_none()
    return b"" if found is None else zlib.decompress(found)


def read(session: Session, file_id: int, start: int = 0) -> Iterator[bytes]:
    """The content from byte ``start`` on, in pieces of at most 256 KiB."""
    number, skip = divmod(start, PIECE)
    while data := piece(session, file_id, number):
        yield data[skip:]
        number, skip = number + 1, 0


class StoredReader(io.RawIOBase):
    """A stored file as a seekable binary file; holds one piece at a time."""

    def __init__(self, fetch: Callable[[int], bytes], size: int, start: int = 0) -> None:
        super().__init__()
        self._fetch, self._size, self._at = fetch, size, start
        self._number, self._data = -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence])
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        number, skip = divmod(self._at, PIECE)
        if number != self._number:
            self._number, self._data = number, self._fetch(number)
        target = memoryview(buffer).cast("B")
        part = self._data[skip : skip + len(target)]
        target[: len(part)] = part
        self._at += len(part)
        return len(part)


def open_binary(session: Session, file_id: int, start: int = 0) -> io.BufferedReader:
    """The file as bytes from offset ``start``, seekable; ``tell()`` is an offset to go on from later."""
    size = get(session, file_id).size
    return io.BufferedReader(StoredReader(lambda number: piece(session, file_id, number), size, start), PIECE)


def open_text(session: Session, file_id: int, encoding: str = "utf-8-sig", *, start: int = 0) -> io.TextIOWrapper:
    """The file as text for ``csv`` (line ends untouched); bytes that are not ``encoding`` raise ``UnicodeDecodeError``."""
    return io.TextIOWrapper(open_binary(session, file_id, start), encoding, newline="")
