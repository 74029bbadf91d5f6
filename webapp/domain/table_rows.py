"""One row of a file of organisations, groups or the like: typed values, or everything that is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from webapp.domain import definition_cells, exports, profiles, reward_cells
from webapp.domain.definition_cells import paragraph
from webapp.domain.errors import Refused
from webapp.domain.import_columns import COLUMNS, KEYS, Cell, Column, ImportKind
from webapp.domain.import_rows import Fault, clean, end_fault, moment_fault, parsed_moment, shown, wrong_length

_YES, _NO = ("yes", "true", "1"), ("no", "false", "0")
_WHOLE = re.compile("[0-9]{1,9}")
READERS = definition_cells.READERS | reward_cells.READERS
_AS_TYPED = (Cell.PARAGRAPH, Cell.PRIZES, Cell.LINE)  # blanks and line ends stay


@dataclass(frozen=True, slots=True)
class TableDraft:
    """A good row: ``values`` by our column names, None for what the file does not tell; ``key`` says what it is about."""

    line: int
    key: tuple[str, ...]
    values: dict[str, Any]


def was_archived(archived_at: datetime | None, at: datetime | None) -> bool:
    """Whether what is archived since ``archived_at`` was so ``at`` a moment, or is now: a file may tell of before."""
    return archived_at is not None and (at is None or at >= archived_at)


@dataclass(slots=True)
class TableRules:
    """Judges rows of one file of ``kind``; ``zone`` and ``now`` as in ``import_rows.RowRules``."""

    kind: ImportKind
    headings: Sequence[str]
    mapping: Mapping[str, str]
    zone: str
    now: datetime
    cleaned: int = 0
    _columns: list[tuple[Column, int]] = field(init=False)
    _zone: ZoneInfo = field(init=False)

    def __post_init__(self) -> None:
        self._columns = [
            (column, self.headings.index(self.mapping[column.name]))
            for column in COLUMNS[self.kind]
            if column.name in self.mapping
        ]
        self._zone = ZoneInfo(self.zone)

    def judge(self, line: int, values: Sequence[str]) -> TableDraft | list[Fault]:
        """The draft of a good row, or all its faults. ``values`` are the cells as they stand in the file."""
        if len(values) != len(self.headings):
            return [wrong_length(values, len(self.headings))]
        faults: list[Fault] = []
        found: dict[str, Any] = dict.fromkeys(column.name for column in COLUMNS[self.kind])
        for column, place in self._columns:
            text = _tidy(column, exports.unguard(values[place]))
            self.cleaned += not _is_clean(column, values[place])
            fault = self._fault(column, text)
            if fault:
                faults.append(Fault(column.name, shown(text), fault))
            else:
                found[column.name] = self._read(column, text) if column.cell in READERS else self._value(column, text)
        if not faults and "email" in found and not found["external_id"] and not found["email"]:
            faults.append(
                Fault("external_id", "", "The row has neither a member id nor an e-mail, so nobody is named.")
            )
        return faults or TableDraft(line, tuple(str(found[name] or "") for name in KEYS[self.kind]), found)

    def _fault(self, column: Column, text: str) -> str:
        if not text:
            return self._missing(column)
        if column.choices:
            told = f"«{shown(text)}» is none of: {', '.join(column.choices)}."
            return "" if text.casefold() in column.choices else told
        if len(text) > column.most:
            return f"The value has {len(text):,} characters; at most {column.most:,} can be kept."
        if column.cell in READERS:
            return self._unread(column, text)
        return self._plain_fault(column, text)

    def _unread(self, column: Column, text: str) -> str:
        try:
            READERS[column.cell](text, column, self._zone)
        except Refused as refusal:
            return refusal.message
        return ""

    def _plain_fault(self, column: Column, text: str) -> str:
        if column.cell is Cell.MOMENT:
            return moment_fault(text, self._zone, self.now)
        if column.cell is Cell.END:
            return end_fault(text, self._zone)
        if column.cell is Cell.YES_NO and text.casefold() not in (*_YES, *_NO):
            return f"«{shown(text)}» is neither yes nor no."
        is_wrong = column.cell is Cell.WHOLE and not _WHOLE.fullmatch(text)
        return f"«{shown(text)}» is not a whole number from 0 on, in the digits 0 to 9." if is_wrong else ""

    def _missing(self, column: Column) -> str:
        needed = f"{column.heading[:1].lower()}{column.heading[1:]}"
        return f"The value is empty; {needed} is needed." if column.is_needed else ""

    def _read(self, column: Column, text: str) -> Any:
        return READERS[column.cell](text, column, self._zone) if text else None

    def _value(self, column: Column, text: str) -> Any:
        if column.cell is Cell.WHOLE:
            return int(text) if text else None
        if column.cell in (Cell.MOMENT, Cell.END):
            nothing = "" if column.cell is Cell.END else None
            return (parsed_moment(text, self._zone) or self.now).astimezone(UTC) if text else nothing
        if column.cell is Cell.YES_NO:
            return text.casefold() in _YES if text else None
        if column.choices:
            return text.casefold() or None
        return profiles.email_key(text) if column.name == "email" else text


def _tidy(column: Column, text: str) -> str:
    return paragraph(text) if column.cell in _AS_TYPED else clean(text)


def _is_clean(column: Column, text: str) -> bool:
    return (" ".join(text.split()) if column.cell in _AS_TYPED else text).isprintable()


def told(value: Any) -> str:
    """A value of a draft as a sentence or a table shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return value.isoformat() if isinstance(value, date) else "" if value is None else str(value)
