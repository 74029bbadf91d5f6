"""Reads and judges the rows of a file: here when there are few, else in a process of its own beside the database's work.

Parsing and judging take as long as writing does. In one process the two would wait for each other at Python's lock, so
a long file has a process that reads ahead by one part while this one stores the part before.
"""

from __future__ import annotations

import marshal
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterable, Sequence
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
from webapp.domain.person_lists import Identity
from webapp.domain.person_rows import PersonDraft, PersonRules, There
from webapp.domain.table_rows import TableDraft, TableRules

Rules = RowRules | TableRules | PersonRules
FEW = 10_000  # records that are judged sooner than a process has started
_AHEAD = 1 << 20  # bytes between the two, about a part, where the system lets us say


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
    can turn out to be bad by what it names (``rows`` gives them, packed or not): for every kind but entries, whose people are made when they are unknown. In
    ``cleaned`` values of the file so far signs were taken out that nobody sees.
    """

    record: int
    line: int
    count: int
    cleaned: int
    records: list[int]
    cells: list[list[str]] | bytes
    drafts: list[Draft] | list[TableDraft] | list[PersonDraft] | bytes  # packed, between two processes
    bad: list[BadRow]

    @property
    def rows(self) -> list[list[str]]:
        """The ``cells``; few parts of a file of people are asked for them, so they stay packed until then."""
        if isinstance(self.cells, bytes):
            found: list[list[str]] = marshal.loads(self.cells)  # noqa: S302 - our own process wrote it
            return found
        return self.cells


def parts(reading: Reading, stream: Callable[[], BinaryIO], records: int) -> Generator[Part, None, None]:
    """The rows of a file, which holds about ``records`` of them, part by part; each ``stream()`` reads it from its start.

    Raises ``Refused`` when the file as a whole cannot be read after all. Close the iterator when it is not used up.
    """
    return here(reading, stream()) if records < FEW else beside(reading, stream)


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


def beside(reading: Reading, stream: Callable[[], BinaryIO]) -> Generator[Part, None, None]:
    """``parts`` in a process of its own; it ends with the iterator, and by itself when this process is gone.

    The first part is judged here: by the time it is used up the process has started and has the next one.
    """
    # A file without a name: nothing of it is left on the disk, however this ends.
    with tempfile.TemporaryFile() as copy:
        worker = subprocess.Popen(
            [sys.executable, "-m", "webapp.adapters.judge_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pipesize=_AHEAD,
            pass_fds=(copy.fileno(),),
            cwd=Path(__file__).resolve().parents[2],
            env={name: value for name, value in os.environ.items() if not name.startswith("LARGESSE_")},
            start_new_session=True,  # an interrupt at the terminal is ours to handle
        )
        with worker:
            try:
                shutil.copyfileobj(stream(), copy, spreadsheets.PIECE)  # while the process starts
                copy.seek(0)
                _ask(worker, replace(reading, after=reading.after + reading.size), copy.fileno())
                with closing(here(reading, stream())) as judged:
                    for first in islice(judged, 1):
                        yield first
                        for part in _answers(worker, reading.kind):
                            yield replace(part, cleaned=first.cleaned + part.cleaned)
            finally:
                worker.kill()


def _ask(worker: subprocess.Popen[bytes], reading: Reading, file: int) -> None:
    if worker.stdin is None:
        raise AssertionError("both ends were asked for")
    worker.stdin.write(pickle.dumps((reading, file)))
    worker.stdin.close()


def _answers(worker: subprocess.Popen[bytes], kind: ImportKind) -> Generator[Part, None, None]:
    if worker.stdout is None:
        raise AssertionError("both ends were asked for")
    while True:
        try:
            answer = pickle.load(worker.stdout)  # noqa: S301 - our own process wrote it
        except EOFError:
            raise RuntimeError(f"the process that reads the file ended with {worker.wait()}") from None
        if answer is None:
            return
        if isinstance(answer, dict):
            raise Refused(**answer)
        yield _unpacked(answer, PersonDraft if kind is ImportKind.PROFILES else Draft)


def packed(part: Part) -> Part:
    """``part`` as it crosses between processes: named tuples column by column, which takes a fifth of the time."""
    if not part.drafts or not isinstance(part.drafts[0], tuple):
        return part
    shape = type(part.drafts[0])
    columns: list[Sequence[Any]] = list(zip(*part.drafts, strict=True))
    for name, (pack, _) in _CROSSINGS[shape].items():
        columns[shape._fields.index(name)] = _crossed(pack, columns[shape._fields.index(name)])
    return replace(part, drafts=marshal.dumps(columns), cells=part.cells and marshal.dumps(part.cells))


def _crossed(cross: Callable[[Any], Any], values: Sequence[Any]) -> list[Any]:
    """Each different object crosses once, so that rows which share one share one on the other side."""
    ids = list(map(id, values))
    known = {number: value and cross(value) for number, value in dict(zip(ids, values, strict=True)).items()}
    return list(map(known.__getitem__, ids))


def _unpacked(part: Part, shape: type[Draft | PersonDraft]) -> Part:
    if not isinstance(part.drafts, bytes):
        return part
    columns = marshal.loads(part.drafts)  # noqa: S302 - our own process wrote it
    for name, (_, unpack) in _CROSSINGS[shape].items():
        columns[shape._fields.index(name)] = _crossed(unpack, columns[shape._fields.index(name)])
    # A named tuple's own way runs Python for each.
    rows: list[Any] = list(map(partial(tuple.__new__, shape), zip(*columns, strict=True)))
    return replace(part, drafts=rows)


def _bare(identities: tuple[Identity, ...]) -> tuple[tuple[Any, ...], ...]:
    return tuple(map(tuple, identities))


def _named(identities: tuple[tuple[Any, ...], ...]) -> tuple[Identity, ...]:
    return tuple(map(Identity._make, identities))


_TIME: tuple[Callable[[Any], Any], Callable[[Any], Any]] = (datetime.isoformat, datetime.fromisoformat)
# What of a row is no text, number, list or dictionary: how it crosses and how it comes back; nothing stays nothing.
_CROSSINGS: dict[type, dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]]] = {
    Draft: {"entered_at": _TIME},
    PersonDraft: {"joined_at": _TIME, "created_at": _TIME, "updated_at": _TIME, "identities": (_bare, _named)},
}
