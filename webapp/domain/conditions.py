"""Conditions on people: JsonLogic with a whitelist, read once into a typed tree that fails closed (benefits.md 7.5).

A condition is an object with one operator, ``{"===": [{"var": "tier_handle"}, "gold"]}``. What it may name is in a
catalogue of variables, each of one kind; what stands beside a variable is read as that kind. Nothing is coerced: a
number is not a text, and a comparison with something missing or of another kind is false. Unknown operators and
variables are refused when a condition is saved, so that none is met when it is applied. ``{}`` and null are everyone.

``condition_reading`` makes a tree of JSON, ``condition_rules`` applies it to one person, ``queries.conditions`` to the
whole database; the last two say the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from webapp.domain.people import CONSENTS, AttributeKind

FIRST, LAST = date(1800, 1, 1), date(9000, 1, 1)  # days that are compared: each has a beginning in every zone


class Kind(StrEnum):
    """What sort of value a variable or a constant is. A list holds texts; a day is local, a moment an instant."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "yes or no"
    DAY = "day"
    MOMENT = "moment"
    LIST = "list"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Variable:
    """Something a condition may ask of a person: its name, its kind, and what it is called in a sentence."""

    name: str
    kind: Kind
    words: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A value written in the condition; None is of the kind nothing."""

    value: Any
    kind: Kind


@dataclass(frozen=True, slots=True)
class Today:
    """The local day on which the condition is applied, ``offset`` days later."""

    offset: int = 0

    @property
    def kind(self) -> Kind:
        return Kind.DAY

    def on(self, today: date) -> date:
        """The day meant when it is ``today``; the first or last day that is compared when that is further away."""
        return date.fromordinal(min(max(today.toordinal() + self.offset, FIRST.toordinal()), LAST.toordinal()))


Operand = Variable | Constant | Today


class Sign(StrEnum):
    """How two values are compared."""

    EQUAL = "==="
    UNEQUAL = "!=="
    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="


TURNED = {
    Sign.EQUAL: Sign.EQUAL,
    Sign.UNEQUAL: Sign.UNEQUAL,
    Sign.BELOW: Sign.ABOVE,
    Sign.AT_MOST: Sign.AT_LEAST,
    Sign.ABOVE: Sign.BELOW,
    Sign.AT_LEAST: Sign.AT_MOST,
}


@dataclass(frozen=True, slots=True)
class Compare:
    """``left`` ``sign`` ``right``; a constant or today stands on the right. ``days`` keeps «days since» for words."""

    sign: Sign
    left: Operand
    right: Operand
    days: int | float | None = None


@dataclass(frozen=True, slots=True)
class Within:
    """Whether ``needle`` is one of ``haystack``, a list, or a part of it, a text."""

    needle: Operand
    haystack: Operand | tuple[Constant, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """Whether there is anything: a text, a number that is not 0, yes, a day, a list that is not empty."""

    operand: Operand


@dataclass(frozen=True, slots=True)
class Several:
    """All of these, or one of them at least; of none at all, all hold and not one does."""

    wants_all: bool
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    node: Node


Node = Compare | Within | Given | Several | Not
EVERYONE = Several(wants_all=True, nodes=())
OURS = tuple(
    Variable(name, kind, words)
    for name, kind, words in (
        ("first_name", Kind.TEXT, "first name"),
        ("last_name", Kind.TEXT, "last name"),
        ("email", Kind.TEXT, "e-mail"),
        ("external_id", Kind.TEXT, "member id"),
        ("gender", Kind.TEXT, "gender"),
        ("zone", Kind.TEXT, "time zone"),
        ("birth_year", Kind.NUMBER, "birth year"),
        ("birth_month", Kind.NUMBER, "birth month"),
        ("birth_day", Kind.NUMBER, "birth day"),
        ("joined_at", Kind.MOMENT, "joined"),
        ("created_at", Kind.MOMENT, "first known here"),
        ("tier_handle", Kind.TEXT, "tier"),
        ("tier.handle", Kind.TEXT, "tier"),
        ("tier.name", Kind.TEXT, "title of the tier"),
        ("tier.rank", Kind.NUMBER, "rank of the tier"),
        ("joined_location.external_id", Kind.TEXT, "location joined at"),
        ("preferred_location.external_id", Kind.TEXT, "preferred location"),
        ("flattened_tags", Kind.LIST, "tags"),
        ("flattened_statuses", Kind.LIST, "statuses"),
        ("groups", Kind.LIST, "groups"),
        ("organisations", Kind.LIST, "organisations"),
        ("completed_modules", Kind.LIST, "completed modules"),
    )
)


def catalogue(attributes: Iterable[tuple[str, AttributeKind, str]] = ()) -> dict[str, Variable]:
    """Everything a condition may ask for, by name: what everybody has, their consents, and further facts of theirs.

    ``attributes`` are name, kind and title of the further facts; a name of ours goes before one of theirs.
    """
    theirs = [Variable(name, _ATTRIBUTES[kind], title) for name, kind, title in attributes]
    consents = [Variable(f"{COMMS}{name}", Kind.FLAG, f"agreed to {name.replace('_', ' ')}") for name in CONSENTS]
    return {one.name: one for one in (*theirs, *consents, *OURS)}


COMMS = "attributes.comms."
_ATTRIBUTES = {
    AttributeKind.TEXT: Kind.TEXT,
    AttributeKind.CHOICE: Kind.TEXT,
    AttributeKind.WHOLE_NUMBER: Kind.NUMBER,
    AttributeKind.DECIMAL: Kind.NUMBER,
    AttributeKind.YES_NO: Kind.FLAG,
    AttributeKind.DATE: Kind.DAY,
}
