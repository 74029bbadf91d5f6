"""What a list of benefits is narrowed to and ordered by, and how many of them a page may show."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from webapp.domain.errors import Refused
from webapp.domain.import_rows import shown
from webapp.domain.verdicts import Reason, Verdict, all_of

USUAL = 50  # benefits on a page
MOST = 200
MOST_COUNTED = 10_000  # beside a list; a page that asks for a decision counts to the end
MOST_VOIDED = 100_000  # in one go
DATES = ("issued", "claimed", "ends", "extended")
NULLABLE = DATES[1:]  # dates that a benefit may lack
FILTERS = frozenset(
    {"q", "definition", "state", "source", "batch"}
    | {f"{name}{part}" for name in DATES for part in ("", "_from", "_to")}
)
_STEERING = frozenset({"sort", "size", "before", "ids", "all"})  # what an address says beside its filters
_BRACKETED = re.compile(r"filter\[([^\]]+)\]")


class Order(StrEnum):
    """An order of the list, with the minus of an address for the way down."""

    NEWEST = "-id"
    OLDEST = "id"
    ENDS_FIRST = "expires_at"
    ENDS_LAST = "-expires_at"
    ISSUED_FIRST = "issued_at"
    ISSUED_LAST = "-issued_at"

    @property
    def column(self) -> str:
        return self.removeprefix("-")

    @property
    def is_down(self) -> bool:
        return self.startswith("-")


ORDER_WORDS = {
    Order.NEWEST: "Newest first",
    Order.OLDEST: "Oldest first",
    Order.ENDS_FIRST: "Ends soonest first",
    Order.ENDS_LAST: "Ends latest first",
    Order.ISSUED_FIRST: "Issued earliest first",
    Order.ISSUED_LAST: "Issued latest first",
}


@dataclass(frozen=True, slots=True)
class Dates:
    """What is asked of one date: local days of each benefit's own zone, both included, and whether it has any."""

    first: date | None = None
    last: date | None = None
    is_there: bool | None = None


def check_names(names: Iterable[str]) -> None:
    """``Refused`` for the first name of an address that is no filter of the list: it would show what nobody asked for."""
    for name in names:
        found = _BRACKETED.match(name)
        if found or name not in FILTERS | _STEERING:
            raise Refused(
                "filter.unknown",
                f"«{shown(found[1] if found else name)}» is no filter of this list. "
                f"It takes {', '.join(sorted(FILTERS))}.",
            )


def order(text: str) -> Order:
    """The order an address asks for; the newest first when it asks for none, ``Refused`` for one there is not."""
    found = next((one for one in Order if one == text), None)
    if text and found is None:
        raise Refused("sort.unknown", f"«{shown(text)}» is no order of this list. It takes {', '.join(sorted(Order))}.")
    return found or Order.NEWEST


def size(asked: int | None) -> int:
    """How many a page shows when so many are asked for."""
    return USUAL if asked is None else min(max(asked, 1), MOST)


def may_void(count: int, void: int) -> Verdict:
    """Whether so many benefits, of which some are void already, can be made void in one go."""
    return all_of(
        Reason("void.nothing", "None of them can be made void: there is none, or all are void already.")
        if count <= void
        else None,
        Reason(
            "void.too_many",
            f"{count:,} benefits are chosen; {MOST_VOIDED:,} are made void in one go. Narrow the list and take them in turn.",
        )
        if count > MOST_VOIDED
        else None,
    )
