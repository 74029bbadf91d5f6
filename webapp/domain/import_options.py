"""What is chosen about a file beside its columns: what happens to what is known, to empty cells, to what is archived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from webapp.domain.import_columns import ImportKind


class KnownRows(StrEnum):
    """What a row does to what is there already."""

    FILL = "fill"
    REPLACE = "replace"
    LEAVE = "leave"


class EmptyCells(StrEnum):
    """What an empty cell says."""

    LEAVE = "leave"
    CLEAR = "clear"


class ArchivedRows(StrEnum):
    """What a row about something archived does."""

    REFUSE = "refuse"
    RESTORE = "restore"


# Kinds whose rows are about something that is kept once, so that a row can meet it again.
CHANGING = (
    ImportKind.PROFILES,
    ImportKind.FACTS,
    ImportKind.ORGANISATIONS,
    ImportKind.GROUPS,
    ImportKind.MODULES,
    ImportKind.TIERS,
    ImportKind.LOCATIONS,
    ImportKind.ORGANISATION_TYPES,
    ImportKind.SITES,
    ImportKind.DEFINITIONS,
    ImportKind.REWARDS,
)
# Those of them that can be archived.
ARCHIVING = (
    ImportKind.FACTS,
    ImportKind.ORGANISATIONS,
    ImportKind.GROUPS,
    ImportKind.MODULES,
    ImportKind.DEFINITIONS,
)


# What each choice is called, and what it does.
OPTION_WORDS: dict[str, dict[str, tuple[str, str]]] = {
    "known_rows": {
        KnownRows.FILL: ("Fill in", "Only what is empty is filled in; nothing that is known is replaced."),
        KnownRows.REPLACE: ("Replace", "What the file tells otherwise takes the place of what is known."),
        KnownRows.LEAVE: ("Leave", "What is known stays as it is; only what is new comes in."),
    },
    "empty_cells": {
        EmptyCells.LEAVE: ("Say nothing", "What is known stays."),
        EmptyCells.CLEAR: ("Clear", "Where rows replace what is known, an empty cell empties it."),
    },
    "archived_rows": {
        ArchivedRows.REFUSE: ("Refuse them", "The row is bad and says so."),
        ArchivedRows.RESTORE: ("Bring them back", "What is archived is in use again."),
    },
}


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """The choices for one file; ``empty_cells`` matters for what is known and replaced only."""

    known_rows: KnownRows = KnownRows.REPLACE
    empty_cells: EmptyCells = EmptyCells.CLEAR
    archived_rows: ArchivedRows = ArchivedRows.REFUSE

    @property
    def clears(self) -> bool:
        """Whether an empty cell empties what is there."""
        return self.known_rows is KnownRows.REPLACE and self.empty_cells is EmptyCells.CLEAR

    def stored(self) -> dict[str, str]:
        """As a run keeps them for ever."""
        return {name: str(getattr(self, name)) for name in self.__dataclass_fields__}


_KINDS = {"known_rows": KnownRows, "empty_cells": EmptyCells, "archived_rows": ArchivedRows}


def usual(kind: ImportKind) -> ImportOptions:
    """What is chosen until somebody chooses: people are filled in only, lists are made what the file says."""
    if kind is ImportKind.PROFILES:
        return ImportOptions(KnownRows.FILL, EmptyCells.LEAVE)
    return ImportOptions()


def options(kind: ImportKind, chosen: Mapping[str, str]) -> ImportOptions:
    """The choices a run keeps; what it does not tell is as usual."""
    found = usual(kind).stored() | {name: value for name, value in chosen.items() if name in _KINDS}
    return ImportOptions(**{name: _KINDS[name](value) for name, value in found.items()})  # type: ignore[arg-type]
