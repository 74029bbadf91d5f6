"""`--filter NAME=VALUE`: what an export is narrowed to, named as the addresses of the console's lists name it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar

from webapp.domain.errors import Refused
from webapp.domain.import_rows import clean, shown
from webapp.domain.timing import listed_day

E = TypeVar("E", bound=StrEnum)
_LONGEST = 120  # of a value, as lists read it
_MOST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters of one command; whatever is not given is None or empty."""

    values: Mapping[str, str]

    def text(self, name: str) -> str:
        return self.values.get(name, "")

    def one_of(self, name: str, words: Collection[str]) -> str | None:
        """One of ``words``; ``Refused`` lists them."""
        value = self.values.get(name)
        if value is not None and value not in words:
            raise _bad(name, value, f"one of {', '.join(words)}" if words else "nothing yet")
        return value

    def choice(self, name: str, kind: type[E]) -> E | None:
        """One of ``kind``; ``Refused`` lists them."""
        found = self.one_of(name, list(kind))
        return None if found is None else kind(found)

    def number(self, name: str) -> int | None:
        value = self.values.get(name)
        if value is None:
            return None
        if not (value.isascii() and value.isdecimal() and len(value) <= len(str(_MOST)) and int(value) <= _MOST):
            raise _bad(name, value, "a whole number")
        return int(value)

    def day(self, name: str) -> date | None:
        value = self.values.get(name)
        found = None if value is None else listed_day(value)
        if value is not None and found is None:
            raise _bad(name, value, "a day such as 2026-03-31")
        return found


def asked(given: Sequence[str], known: Collection[str]) -> Asked:
    """What was given as NAME=VALUE; ``Refused`` for a name that is no filter here, or one given twice."""
    values: dict[str, str] = {}
    for one in given:
        name, _, value = map(clean, one.partition("="))
        if not name or not value:
            raise Refused("filter.form", f"«{shown(one)}» is no filter; write it as NAME=VALUE, such as q=coffee.")
        if name not in known:
            takes = f"It takes {', '.join(sorted(known))}." if known else "It takes none."
            raise Refused("filter.unknown", f"«{shown(name)}» is no filter of this export. {takes}")
        if name in values:
            raise Refused("filter.twice", f"The filter «{name}» is given twice; it takes one value.")
        values[name] = value[:_LONGEST]
    return Asked(values)


def _bad(name: str, value: str, wanted: str) -> Refused:
    return Refused("filter.value", f"The filter «{name}» takes {wanted}, not «{shown(value)}».")
