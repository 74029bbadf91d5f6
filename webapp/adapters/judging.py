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
from collections.abc import Callable, Generator, Iterable
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
from webapp.domain.person_rows import PersonDraft, PersonRules, There
from webapp.domain.table_rows import TableDraft, TableRules

Rules = RowRules | TableRules | PersonRules
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
    there: There | None = None  # what the rows of a file of people may name


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
    can turn out to be bad by what it names: for every kind but entries, whose people are made when they are unknown. In
    ``cleaned`` values of the file so far signs were taken out that nobody sees.
    """

    record: int
    line: int
    count: int
    cleaned: int
    records: list[int]
    cells: list[list[str]]
    drafts: list[Draft] | list[TableDraft] | list[PersonDraft]
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


def _part(rules: Rules, rows: list[tuple[int, int, list[str]]]) -> Part:
    keeps_cells = not isinstance(rules, RowRules)
    records: list[int] = []
    cells: list[list[str]] = []
    drafts: list[Any] = []  # of one of the two sorts
    bad: list[BadRow] = []
    for (record, line, values), found in zip(rows, _judged(rules, rows), strict=True):
        if isinstance(found, list):
            bad.append(BadRow(record, line, values, found))
        else:
            records.append(record)
            drafts.append(found)
            if keeps_cells:
                cells.append(values)
    record, line, _ = rows[-1]
    return Part(record, line, len(rows), rules.cleaned, records, cells, drafts, bad)


def _judged(rules: Rules, rows: list[tuple[int, int, list[str]]]) -> Iterable[Any]:
    if isinstance(rules, PersonRules):
        return rules.judge([(line, values) for _, line, values in rows])
    return (rules.judge(line, values) for _, line, values in rows)


def _rules(reading: Reading) -> Rules:
    if reading.kind is ImportKind.ENTRIES:
        return RowRules(reading.headings, reading.mapping, reading.zone, reading.now)
    if reading.there is not None:
        return PersonRules(reading.headings, reading.mapping, reading.zone, reading.now, reading.there)
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
        with worker, closing(_answers(worker, reading, copy.fileno())) as answers:
            try:
                yield from answers
            finally:
                worker.kill()


def packed(part: Part, form: Callable[[Any], Any]) -> Part:
    """``part`` with named tuples as plain ones, or the other way round: those cross between processes in half the time."""
    is_tuples = bool(part.drafts) and isinstance(part.drafts[0], tuple)
    return replace(part, drafts=list(map(form, part.drafts))) if is_tuples else part


# A named tuple's own way runs Python for each.
_DRAFTS = {kind: partial(tuple.__new__, PersonDraft if kind is ImportKind.PROFILES else Draft) for kind in ImportKind}


def _answers(worker: subprocess.Popen[bytes], reading: Reading, file: int) -> Generator[Part, None, None]:
    if worker.stdin is None or worker.stdout is None:
        raise AssertionError("both ends were asked for")
    worker.stdin.write(pickle.dumps((reading, file)))
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
        yield packed(answer, _DRAFTS[reading.kind])
