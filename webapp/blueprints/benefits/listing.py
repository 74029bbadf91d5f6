"""The list of benefits as its address asks for it: the filters, the order, the size and the place."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import request, url_for

from webapp.domain import benefit_lists as rules
from webapp.domain.benefit_lists import DATES, MOST, ORDER_WORDS, USUAL, Dates, Order
from webapp.domain.benefits import BenefitState
from webapp.domain.redemptions import BenefitSource
from webapp.queries.benefit_filters import Filter
from webapp.queries.benefit_lists import Place, Turn
from webapp.web import benefit_words
from webapp.web.filters import day as shown_day
from webapp.web.paging import MOST as NUMBER
from webapp.web.paging import choice, day, heard, number, text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = re.compile(r"([0-9]{1,10})(?:\.([0-9]{1,16}))?", re.ASCII)
_LAST = 7_258_118_400_000_000  # microseconds until 2200
STATES = benefit_words.STATES
ORDERS = tuple((order.value, words) for order, words in ORDER_WORDS.items())
SIZES = (25, USUAL, 100, MOST)
SOURCES = (("", "Issued or claimed"), ("staff", "Issued"), ("claim", "Claimed"))
NULLABLE = {
    "claimed": ("Claimed", "Claimed or not", "Was claimed", "Never claimed"),
    "ends": ("Ends", "Ends or never ends", "Has an end", "Never ends"),
    "extended": ("Extended", "Extended or not", "Was extended", "Never extended"),
}
RANGES = {"issued": "Issued", "claimed": "Claimed", "extended": "Extended"}
_LABELS = {**RANGES, "ends": "Good until"}


def narrowed() -> Filter:
    """What the address narrows the list to; ``Refused`` for a name that is no filter."""
    rules.check_names(request.args)
    asked = {name: Dates(day(f"{name}_from"), day(f"{name}_to"), _is_there(name)) for name in DATES}
    return Filter(
        definition_id=number("definition"),
        state=choice("state", BenefitState),
        source=choice("source", BenefitSource),
        batch_id=number("batch"),
        search=text("q"),
        dates={name: dates for name, dates in asked.items() if dates != Dates()},
    )


def chosen() -> Filter | None:
    """The benefits ticked, or with «all» everything the list is narrowed to; None when nothing is chosen."""
    everything = narrowed()
    if request.args.get("all") == "yes":
        return everything if everything != Filter() else None
    ids = tuple(sorted(set(ticked())))
    return Filter(ids=ids) if ids else None


def ticked() -> list[int]:
    """The ids of the address, as many as a page may show."""
    texts = request.args.getlist("ids")[: rules.MOST]
    return [int(text) for text in texts if text.isascii() and text.isdecimal() and int(text) <= NUMBER]


def _is_there(name: str) -> bool | None:
    return {"yes": True, "never": False}.get(choice(name, ("yes", "never")) or "") if name in NULLABLE else None


def turn() -> Turn:
    """Which page of the list; ``Refused`` for an order there is not."""
    return Turn(rules.order(text("sort", 20)), _place(), rules.size(number("size")))


def too_long() -> int | None:
    """The size that was asked for, where a page shows fewer."""
    asked = number("size")
    return asked if asked is not None and asked > MOST else None


def written(place: Place) -> str:
    """A place as the address of the next page has it: the id, and the microseconds of its date."""
    if place.at is None:
        return str(place.id)
    return f"{place.id}.{(place.at - _EPOCH) // timedelta(microseconds=1)}"


def _place() -> Place | None:
    return heard("before", _read_place(), "is no place in this list")


def _read_place() -> Place | None:
    found = _PLACE.fullmatch(request.args.get("before", ""))
    if found is None or int(found[1]) > 2**31 - 1 or int(found[2] or 0) > _LAST:
        return None
    at = None if found[2] is None else _EPOCH + timedelta(microseconds=int(found[2]))
    return Place(int(found[1]), at)


def address(narrow: Filter, turn: Turn, **changes: Any) -> str:
    """The list with these filters in this order, with ``changes``; what is usual is left out."""
    return url_for("benefits.index", **{**arguments(narrow), **steering(turn), **changes})


def arguments(narrow: Filter) -> dict[str, Any]:
    """The filters as an address has them."""
    found: dict[str, Any] = {
        "definition": narrow.definition_id,
        "state": narrow.state,
        "source": narrow.source,
        "batch": narrow.batch_id,
        "q": narrow.search or None,
    }
    for name, dates in narrow.dates.items():
        there = {True: "yes", False: "never"}.get(dates.is_there) if dates.is_there is not None else None
        found |= {f"{name}_from": dates.first, f"{name}_to": dates.last, name: there}
    return {name: str(value) for name, value in found.items() if value is not None}


def steering(turn: Turn) -> dict[str, Any]:
    """The order and the size as an address has them."""
    order = None if turn.order is Order.NEWEST else turn.order.value
    return {"sort": order, "size": None if turn.size == USUAL else turn.size}


def heading_url(narrow: Filter, turn: Turn, column: str) -> str:
    """The list by this column: upwards, or downwards when it goes upwards by it now."""
    return address(narrow, turn, sort=f"-{column}" if turn.order == column else column)


def direction(turn: Turn, column: str) -> str | None:
    """What ``aria-sort`` says of a column."""
    if turn.order.column != column:
        return None
    return "descending" if turn.order.is_down else "ascending"


def chips(narrow: Filter, turn: Turn, definitions: list[tuple[int, str]]) -> list[dict[str, str]]:
    """What the list is narrowed to, each with the way to take it off."""
    names = dict(definitions)
    told = [
        ("definition", "Benefit", names.get(narrow.definition_id or 0)),
        ("state", "State", narrow.state),
        ("source", "Origin", dict(SOURCES).get(narrow.source or "") if narrow.source else None),
        ("batch", "Batch", narrow.batch_id),
        ("q", "Person", narrow.search),
    ]
    for name, dates in narrow.dates.items():
        if dates.is_there is not None:
            told.append((name, NULLABLE[name][0], NULLABLE[name][2 if dates.is_there else 3]))
        told.append((f"{name}_from", f"{_LABELS[name]}, from", shown_day(dates.first) if dates.first else None))
        told.append((f"{name}_to", f"{_LABELS[name]}, to", shown_day(dates.last) if dates.last else None))
    return [
        {"label": label, "value": str(value), "remove_url": address(narrow, turn, **{name: None})}
        for name, label, value in told
        if value
    ]


def has_more(narrow: Filter, turn: Turn) -> bool:
    """Whether something of the folded filters is chosen."""
    return turn.size != USUAL or any(
        name != "ends" or dates.is_there is not None for name, dates in narrow.dates.items()
    )


def sizes(turn: Turn) -> list[tuple[int, str]]:
    """The sizes to choose from, with the one of the address among them."""
    return [(size, f"{size} on a page") for size in sorted({*SIZES, turn.size})]


def words(turn: Turn) -> str:
    """The order and the size as the foot of the list says them."""
    return f"{ORDER_WORDS[turn.order]}, {turn.size} on a page, {MOST} at most"
