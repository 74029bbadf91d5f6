"""The zip around the evidence: written as a stream, the same bytes each time, and refused after any change.

Its comment holds the SHA-256 of every byte before the end record, so that even a change which unpacks to the same files
shows. An archive that somebody unpacked and packed again is therefore no longer this archive: check its folder instead.
"""

import struct
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from webapp.domain.protocol.errors import ProtocolError

_END = struct.Struct("<4s4H2LH")
_COMMENT = "draw/1 sha256 {}"
_TAIL = _END.size + len(_COMMENT.format("0" * 64))
_EPOCH = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16
_UNIX = 3
_CHUNK = 1 << 20


class _Sink:
    """Where the zip module writes; it cannot seek, so sizes follow each member."""

    def __init__(self) -> None:
        self._pending: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pending.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        taken, self._pending = b"".join(self._pending), []
        return taken


def stream(files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """The archive piece by piece while the files (name, chunks) are produced; nothing is kept but one chunk."""
    sink, digest = _Sink(), sha256()
    with ZipFile(sink, "w", ZIP_DEFLATED) as archive:  # type: ignore[call-overload] # it only writes
        for name, chunks in files:
            with archive.open(_member(name), "w", force_zip64=True) as member:
                for chunk in chunks:
                    member.write(chunk)
                    if piece := sink.take():
                        digest.update(piece)
                        yield piece
        archive.comment = _COMMENT.format("0" * 64).encode()
    rest = sink.take()
    digest.update(rest[:-_TAIL])
    yield rest[:-_TAIL] + rest[-_TAIL:][: _END.size] + _COMMENT.format(digest.hexdigest()).encode()


def _member(name: str) -> ZipInfo:
    info = ZipInfo(name, _EPOCH)
    info.compress_type, info.create_system, info.external_attr = ZIP_DEFLATED, _UNIX, _READABLE
    return info


def require_untouched(path: Path, members: int) -> None:
    """Refuse an archive in which any byte differs from what `stream` wrote, or which hides something."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        digest = _digest(file, size - _TAIL)
        tail = file.read()
    mark, disk, first, here, count, length, start, comment = _END.unpack(tail[: _END.size])
    intact = (
        (mark, disk, first, here, count, comment) == (b"PK\5\6", 0, 0, members, members, _TAIL - _END.size)
        and start + length + _TAIL == size
        and tail[_END.size :] == _COMMENT.format(digest).encode()
    )
    if not intact:
        raise ProtocolError(
            "The zip is not as it was written; to check files that were unpacked and packed again, unpack them and "
            "check the folder."
        )


def _digest(file: IO[bytes], length: int) -> str:
    digest = sha256()
    while length > 0 and (chunk := file.read(min(_CHUNK, length))):
        digest.update(chunk)
        length -= len(chunk)
    return digest.hexdigest()


class Files:
    """The files of a folder or of a zip, read one at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.archive = None if path.is_dir() else ZipFile(path)
        self.names = self.archive.namelist() if self.archive else [found.name for found in path.iterdir()]

    def open(self, name: str) -> IO[bytes]:
        """The bytes of one file as a stream."""
        return self.archive.open(name) if self.archive else (self.path / name).open("rb")

    def read(self, name: str, at_most: int = 64 << 20) -> bytes:
        """The bytes of one small file."""
        with self.open(name) as file:
            data = file.read(at_most + 1)
        if len(data) > at_most:
            raise ProtocolError(f"{name} is larger than {at_most:,} bytes.")
        return data

    def fingerprint(self, name: str) -> str:
        """SHA-256 of one file of any size."""
        digest = sha256()
        with self.open(name) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    def __enter__(self) -> "Files":
        return self

    def __exit__(self, *_: object) -> None:
        if self.archive:
            self.archive.close()
