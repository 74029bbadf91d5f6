"""Keeps files in the database: whole uploads at once, results that grow over several transactions."""

from __future__ import annotations

import csv
import hashlib
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import delete, insert, update

from webapp.models import StoredChunk, StoredFile
from webapp.queries import files as read
from webapp.queries.files import PIECE
from webapp.services.work import Work

_LEVEL = 1  # the write lock is held meanwhile: four times faster than the default for a few per cent of size


def store(work: Work, name: str, media_type: str, pieces: Iterable[bytes]) -> StoredFile:
    """Keep ``pieces`` as one file, holding one piece of 256 KiB in memory; size and SHA-256 are computed on the way."""
    file = begin(work, name, media_type)
    digest, size = hashlib.sha256(), 0
    for number, data in enumerate(_cut(pieces)):
        digest.update(data)
        size += len(data)
        _insert(work, file.id, number, data)
    file.size, file.sha256 = size, digest.hexdigest()
    work.session.flush()
    return file


def begin(work: Work, name: str, media_type: str) -> StoredFile:
    """An empty file to ``append`` to in later transactions; keep its id in the job's cursor."""
    file = StoredFile(
        name=name[:200],
        media_type=media_type,
        size=0,
        sha256=hashlib.sha256().hexdigest(),
        created_at=work.now,
        created_by_id=work.actor.staff_id,
    )
    work.session.add(file)
    work.session.flush()
    return file


def append(work: Work, file_id: int, data: bytes) -> int:
    """Add ``data`` at the end and give the new size; a rolled back transaction leaves the file as it was.

    Until ``finish`` the file's hash is not that of its content.
    """
    size = work.session.execute(
        update(StoredFile)
        .where(StoredFile.id == file_id)
        .values(size=StoredFile.size + len(data))
        .returning(StoredFile.size)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    number, filled = divmod(size - len(data), PIECE)
    if filled and data:
        head, data = data[: PIECE - filled], data[PIECE - filled :]
        longer = read.piece(work.session, file_id, number) + head
        work.session.execute(
            update(StoredChunk)
            .where(StoredChunk.file_id == file_id, StoredChunk.number == number)
            .values(data=zlib.compress(longer, _LEVEL))
            .execution_options(synchronize_session=False)
        )
        number += 1
    for offset, part in enumerate(_cut([data])):
        _insert(work, file_id, number + offset, part)
    return int(size)


def append_rows(
    work: Work, file_id: int | None, name: str, headings: Sequence[str], rows: Sequence[Sequence[object]]
) -> int | None:
    """Add lines to a table that is begun with its first ones; gives its id, None while there was nothing to add."""
    if not rows:
        return file_id
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows if file_id else [headings, *rows])
    mark = "" if file_id else "\ufeff"
    file_id = file_id or begin(work, name, "text/csv").id
    append(work, file_id, f"{mark}{text.getvalue()}".encode())
    return file_id


def finish(work: Work, file_id: int) -> StoredFile:
    """Compute the hash of a file that has grown; reads it once, piece by piece."""
    digest = hashlib.sha256()
    for part in read.read(work.session, file_id):
        digest.update(part)
    file = read.get(work.session, file_id)
    work.session.refresh(file)
    file.sha256 = digest.hexdigest()
    return file


def empty(work: Work, file_ids: Sequence[int]) -> None:
    """Let the content of files go; their names and hashes stay."""
    if not file_ids:
        return
    for statement in (
        delete(StoredChunk).where(StoredChunk.file_id.in_(file_ids)),
        update(StoredFile).where(StoredFile.id.in_(file_ids)).values(size=0),
    ):
        work.session.execute(statement.execution_options(synchronize_session=False))


def _insert(work: Work, file_id: int, number: int, data: bytes) -> None:
    row = {"file_id": file_id, "number": number, "data": zlib.compress(data, _LEVEL)}
    work.session.execute(insert(StoredChunk).values(row))


def _cut(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of exactly ``PIECE``, but for the last."""
    rest = bytearray()
    for data in pieces:
        rest += data
        while len(rest) >= PIECE:
            yield bytes(rest[:PIECE])
            del rest[:PIECE]
    if rest:
        yield bytes(rest)
