"""The kinds of files, and what a column of one is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ImportKind(StrEnum):
    """What the rows of a file are."""

    ENTRIES = "entries"
    FACTS = "facts"
    PROFILES = "profiles"
    ORGANISATIONS = "organisations"
    GROUPS = "groups"
    MEMBERSHIPS = "memberships"
    MODULES = "modules"
    COMPLETIONS = "completions"
    TIERS = "tiers"
    LOCATIONS = "locations"
    ORGANISATION_TYPES = "organisation-types"
    SITES = "sites"
    DEFINITIONS = "definitions"
    REWARDS = "rewards"


class Cell(StrEnum):
    """How the value of a column is read."""

    TEXT = "text"
    KEY = "key"  # names something of ours; what it names is looked up
    MOMENT = "moment"
    END = "end"  # a moment that may be to come; an empty cell says that there is none
    WHOLE = "whole number"
    YES_NO = "yes or no"
    PARAGRAPH = "paragraph"  # keeps its line breaks
    HANDLE = "handle"
    NUMBER = "number"  # a whole one ``within`` bounds
    HOURS = "hours"  # a number of which 0 is none
    DAY = "day"
    INSTANT = "instant"  # a moment to the second, past or to come; an empty cell says that there is none
    TAGS = "tags"
    META = "meta"
    CONDITION = "condition"
    NAME = "name"  # as an address carries it
    BOUND = "first or last day"  # of the site the row names, or a moment to the second
    PRIZES = "prizes"
    LINE = "line"  # keeps its blanks


@dataclass(frozen=True, slots=True)
class Column:
    """One thing a row can tell: our name, the heading we write ourselves, and how others call it."""

    name: str
    heading: str
    synonyms: tuple[str, ...]
    hint: str = ""
    cell: Cell = Cell.TEXT
    most: int = 200
    is_needed: bool = False  # the column must be chosen, and no row may leave it empty
    choices: tuple[str, ...] = ()  # the only values there are
    within: tuple[int, int] = (0, 0)  # the least and the most of a number
