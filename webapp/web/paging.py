"""Reads page positions, searches and filters from the address; nonsense is none of them, and is told, never an error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice
from typing import TypeVar

from flask import g, request

from webapp.domain.import_rows import clean, shown
from webapp.domain.timing import listed_day
from webapp.queries.matching import MOST_COUNTED

MOST = 2**31 - 1
PLACES = frozenset(
    {"before", "after", "above", "page", "size"}
)  # where in a list somebody is, which narrows it to nothing
_MOST_NAMED, _MOST_TOLD = 12, 5
T = TypeVar("T")


def number(name: str) -> int | None:
    """A row id or entry number from the query string, or None."""
    text = request.args.get(name, "")
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(MOST))
    return heard(name, min(int(text), MOST) if is_number else None, f"is not a whole number from 0 to {MOST:,}")


def counted(count: int) -> str:
    """A number on a tab, where counting stops at a thousand."""
    return f"{count:,}" if count <= MOST_COUNTED else f"{MOST_COUNTED:,}+"


def text(name: str, most: int = 120) -> str:
    """One line from the query string without invisible signs, which no text of ours has and PostgreSQL takes none of."""
    return heard(name, clean(request.args.get(name, ""))[:most], "") or ""


def matching(name: str, pattern: re.Pattern[str], most: int, example: str) -> str:
    """One line of a set form from the query string, or nothing."""
    found = clean(request.args.get(name, ""))[:most]
    return heard(name, found if pattern.fullmatch(found) else None, f"is nothing such as {example}") or ""


def day(name: str) -> date | None:
    """A day from the query string, or None."""
    found = listed_day(request.args.get(name, ""))
    return heard(name, found, "is no day of the calendar from 2000 to 2199, such as 2026-03-31")


def choice(name: str, choices: Iterable[T]) -> T | None:
    """The one of a few that the query string names, or None."""
    known = list(choices)
    found = next((one for one in known if one == request.args.get(name)), None)
    named = f"is none of {', '.join(map(str, known))}" if len(known) <= _MOST_NAMED else "is no choice of this filter"
    return heard(name, found, named)


def is_shown(tab: str, usual: str = "in-use") -> bool:
    """Whether the query string asks for the second tab of a list rather than the usual one."""
    return choice("show", (usual, tab)) == tab


def heard(name: str, found: T | None, why_not: str) -> T | None:
    """Keep what was made of one name of the address: None where nothing could be."""
    g.setdefault("heard", {})[name] = ("" if found is None else str(found), found is not None, why_not)
    return found


def applied() -> dict[str, str]:
    """What the address narrows the list to, as it was read."""
    known: dict[str, tuple[str, bool, str]] = g.get("heard", {})
    return {name: known[name][0] for name in request.args if name in known and known[name][0] and name not in PLACES}


def unread(*, with_places: bool = True) -> list[str]:
    """A sentence for each part of the address that was not applied, the first few of them."""
    return list(islice(_unread(with_places=with_places), _MOST_TOLD))


def _unread(*, with_places: bool) -> Iterator[str]:
    known: dict[str, tuple[str, bool, str]] = g.get("heard", {})
    for name, value in request.args.items():
        if not clean(value) or (name in PLACES and not with_places):
            continue
        if name not in known:
            yield f"«{shown(name)}» is no filter of this list."
        elif not known[name][1]:
            yield f"«{name}»: «{shown(value)}» {known[name][2]}."
