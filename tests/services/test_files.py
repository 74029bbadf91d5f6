"""Files in the database: written in streams, grown over transactions, read from anywhere."""

from __future__ import annotations

import csv
import hashlib
import io
import tracemalloc
import zipfile
from collections.abc import Iterator

import pytest

from webapp.domain.errors import NotFound
from webapp.queries import files as read
from webapp.queries.files import PIECE
from webapp.services import files

SIZES = [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 17]


def content(size: int) -> bytes:
    return hashlib.shake_128(b"largesse").digest(size)


def pieces_of(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("size", SIZES)
def test_what_is_stored_is_read_back(work, size):
    data = content(size)
    file = files.store(work, "x.bin", "application/octet-stream", pieces_of(data, 100_003))
    assert (file.size, file.sha256) == (size, hashlib.sha256(data).hexdigest())
    assert b"".join(read.read(work.session, file.id)) == data


@pytest.mark.parametrize("step", [40_000, PIECE // 2, PIECE, 3 * PIECE])
def test_a_file_that_grows_is_the_same_as_one_stored_at_once(work, step):
    data = content(2 * PIECE + step + 7)
    file = files.begin(work, "grown.bin", "application/octet-stream")
    for part in pieces_of(data, step):
        last = files.append(work, file.id, part)
    assert last == len(data)
    files.finish(work, file.id)
    assert (file.size, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert b"".join(read.read(work.session, file.id)) == data


def test_an_append_that_is_rolled_back_leaves_the_file_as_it_was(work):
    file = files.begin(work, "x.csv", "text/csv")
    files.append(work, file.id, b"kept")
    work.session.commit()
    files.append(work, file.id, b" and lost")
    work.session.rollback()
    assert b"".join(read.read(work.session, file.id)) == b"kept"


@pytest.mark.parametrize("start", [0, 5, PIECE - 1, PIECE, 400_000, 700_000])
def test_reading_can_begin_anywhere(work, start):
    data = content(600_000)
    file = files.store(work, "x.bin", "application/octet-stream", [data])
    assert read.open_binary(work.session, file.id, start).read() == data[start:]
    assert b"".join(read.read(work.session, file.id, start)) == data[start:]


def test_a_stored_table_is_read_by_csv_with_its_line_ends(work):
    text = '\ufeffname,note\r\nÅse,"two\r\nlines"\r\n'
    file = files.store(work, "x.csv", "text/csv", [text.encode()])
    assert list(csv.reader(read.open_text(work.session, file.id))) == [["name", "note"], ["Åse", "two\r\nlines"]]


def test_a_stored_archive_is_opened_in_place(work):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as whole:
        whole.writestr("big.bin", content(400_000))
        whole.writestr("small.txt", "hello")
    file = files.store(work, "x.zip", "application/zip", [archive.getvalue()])
    with zipfile.ZipFile(read.open_binary(work.session, file.id)) as again:
        assert again.read("small.txt") == b"hello"
        assert again.testzip() is None


def test_memory_stays_flat_however_large_the_file(work):
    part = content(PIECE)
    tracemalloc.start()
    file = files.store(work, "big.bin", "application/octet-stream", (part for _ in range(40)))
    for _ in read.read(work.session, file.id):
        work.session.expunge_all()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert file.size == 40 * PIECE
    assert peak < 8 * PIECE


def test_a_file_that_is_not_there_is_not_found(session):
    with pytest.raises(NotFound):
        read.get(session, 404)
    assert read.piece(session, 404, 0) == b""
