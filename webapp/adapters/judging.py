"""Reads and judges the rows of a file: here when there are few, else in a process of its own beside the database's work.

Parsing and judging take as long as writing does. In one process the two would wait for each other at Python's lock, so
a long file has a process that reads ahead by one part while this one stores the part before.
"""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from webapp.adapters import spreadsheets
from webapp.domain.errors import Refused
from webapp.domain.import_columns import ImportKind
from webapp.domain.import_rows import Draft, Fault, RowRules
from webapp.domain.table_rows import TableDraft, TableRules

FEW = 10_000  # records that are judged sooner than a process has started


@dataclass(frozen=True, slots=True)
class Reading:
    """What of a file is read and how: the arguments of ``RowRules`` and ``TableRules``, and of ``open_table``.

    Rows up to the record ``after`` are passed over; parts have ``size`` records.
    """

    kind: ImportKind
    file_name: str
    encoding: str
    headings: tuple[str, ...]
    mapping: dict[str, str]
    zone: str
    now: datetime
    size: int
    after: int = 0


class BadRow(NamedTuple):
    """A row that is not taken: its cells, and everything that is wrong with it."""

    record: int
    line: int
    values: list[str]
    faults: list[Fault]


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows in their order, good ones and bad ones apart; the last of them is ``record``, on ``line``.

    ``records`` are those of ``drafts``, one each; so are ``cells``, the values as they stand in the file, where a good row
    can turn out to be bad by what it names: for every kind but entries and people, who are made when they are unknown. In ``cleaned`` values of the file so far signs were taken out that
    nobody sees.
    """

    record: int
    line: int
    count: int
    cleaned: int
    records: list[int]
    cells: list[list[str]]
    drafts: list[Draft] | list[TableDraft]
    bad: list[BadRow]


def parts(reading: Reading, stream: BinaryIO, records: int) -> Generator[Part, None, None]:
    """The rows of ``stream``, which holds about ``records`` of them, part by part.

    Raises ``Refused`` when the file as a whole cannot be read after all. Close the iterator when it is not used up.
    """
    return here(reading, stream) if records < FEW else beside(reading, stream)


def here(reading: Reading, stream: BinaryIO) -> Generator[Part, None, None]:
    """``parts`` in this process."""
    encoding = reading.encoding if reading.encoding in spreadsheets.ENCODINGS else spreadsheets.AUTOMATIC
    table = spreadsheets.open_table(stream, reading.file_name, encoding)
    rules = _rules(reading)
    rows = ((record, line, values) for record, (line, values) in enumerate(table.rows, 1) if record > reading.after)
    while some := list(islice(rows, reading.size)):
        yield _part(rules, some)


def _part(rules: RowRules | TableRules, rows: list[tuple[int, int, list[str]]]) -> Part:
    keeps_cells = isinstance(rules, TableRules)
    records: list[int] = []
    cells: list[list[str]] = []
    drafts: list[Any] = []  # of one of the two sorts
    bad: list[BadRow] = []
    for record, line, values in rows:
        found = rules.judge(line, values)
        if isinstance(found, list):
            bad.append(BadRow(record, line, values, found))
        else:
            records.append(record)
            drafts.append(found)
            if keeps_cells:
                cells.append(values)
    record, line, _ = rows[-1]
    return Part(record, line, len(rows), rules.cleaned, records, cells, drafts, bad)


def _rules(reading: Reading) -> RowRules | TableRules:
    if reading.kind in (ImportKind.ENTRIES, ImportKind.PROFILES):
        with_entry = reading.kind is ImportKind.ENTRIES
        return RowRules(reading.headings, reading.mapping, reading.zone, reading.now, with_entry)
    return TableRules(reading.kind, reading.headings, reading.mapping, reading.zone, reading.now)


def beside(reading: Reading, stream: BinaryIO) -> Generator[Part, None, None]:
    """``parts`` in a process of its own; it ends with the iterator, and by itself when this process is gone."""
    # A file without a name: nothing of it is left on the disk, however this ends.
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy, spreadsheets.PIECE)
        copy.seek(0)
        worker = subprocess.Popen(
            [sys.executable, "-m", "webapp.adapters.judge_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(copy.fileno(),),
            cwd=Path(__file__).resolve().parents[2],
            env={name: value for name, value in os.environ.items() if not name.startswith("LARGESSE_")},
            start_new_session=True,  # an interrupt at the terminal is ours to handle
        )
        with worker, closing(_answers(worker, pickle.dumps((reading, copy.fileno())))) as answers:
            try:
                yield from answers
            finally:
                worker.kill()


def packed(part: Part, form: Callable[[Any], Any]) -> Part:
    """``part`` with drafts of entries as plain tuples, or the other way round: those cross between processes in half the time."""
    is_entries = bool(part.drafts) and isinstance(part.drafts[0], tuple)
    return replace(part, drafts=list(map(form, part.drafts))) if is_entries else part


_draft = partial(tuple.__new__, Draft)  # a named tuple's own way runs Python for each


def _answers(worker: subprocess.Popen[bytes], request: bytes) -> Generator[Part, None, None]:
    if worker.stdin is None or worker.stdout is None:
        raise AssertionError("both ends were asked for")
    worker.stdin.write(request)
    worker.stdin.close()
    while True:
        try:
            answer = pickle.load(worker.stdout)  # noqa: S301 - our own process wrote it
        except EOFError:
            raise RuntimeError(f"the process that reads the file ended with {worker.wait()}") from None
        if answer is None:
            return
        if isinstance(answer, dict):
            raise Refused(**answer)
        yield packed(answer, _draft)
