"""Reads a condition from JSON into its tree, and refuses in a sentence what cannot be read (benefits.md 7.5)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from webapp.domain.conditions import (
    EVERYONE,
    FIRST,
    LAST,
    TURNED,
    Compare,
    Constant,
    Given,
    Kind,
    Node,
    Not,
    Operand,
    Several,
    Sign,
    Today,
    Variable,
    Within,
)
from webapp.domain.errors import Refused

MOST_BYTES, MOST_NODES, DEEPEST = 8 * 1024, 100, 8
LARGEST = 1e15  # beyond it a number is not exact any more
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_SHOWN = 60
_SIGNS = {str(sign): sign for sign in Sign} | {"==": Sign.EQUAL, "!=": Sign.UNEQUAL}
OPERATORS = (*_SIGNS, "in", "and", "or", "!", "!!", "var", "days_since", "today")


def parse(text: str) -> dict[str, Any]:
    """A condition as it is typed; empty text is everyone. Raises ``Refused`` for anything that is not one JSON object."""
    if not text.strip():
        return {}
    if len(text.encode()) > MOST_BYTES:
        raise _refused(f"The condition has {len(text.encode()):,} bytes; at most {MOST_BYTES:,} can be kept.")
    try:
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise _refused(f"This is not JSON: {error.msg.lower()} in line {error.lineno}, sign {error.colno}.") from None
    except (RecursionError, ValueError):
        raise _refused("This is not JSON that can be read: it is nested too deep, or has a number too long.") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise _refused(f"A condition is an object with one operator, {{…}}, not {_shown(found)}.")
    return found


def read(rule: Mapping[str, Any] | None, variables: Mapping[str, Variable], zone: str = "UTC") -> Node:
    """The tree of ``rule``. ``variables`` are by name; a time without an offset is read in ``zone``.

    Raises ``Refused`` for an unknown operator or variable, a wrong number of values, and beyond the limits.
    """
    if not rule:
        return EVERYONE
    if len(json.dumps(rule, ensure_ascii=False).encode()) > MOST_BYTES:
        raise _refused(f"The condition is longer than {MOST_BYTES:,} bytes.")
    _measure(rule)
    return _Reader(variables, zone).node(rule)


def names(rule: Any) -> set[str]:
    """The names of all variables a rule asks for."""
    if isinstance(rule, list):
        return {name for item in rule for name in names(item)}
    if not isinstance(rule, dict):
        return set()
    inner = rule.get("var")
    found = _only(inner) if isinstance(inner, list) else inner
    return {found} if isinstance(found, str) else names(list(rule.values()))


def _only(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _refused(f"An object names «{_shown(pairs[0][0])}» twice.")
    return found


def _no_number(text: str) -> Any:
    raise _refused(f"{text} is not a number a condition can compare with.")


def _refused(sentence: str) -> Refused:
    return Refused("condition.unreadable", sentence, "condition")


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _measure(rule: Any) -> None:
    level, depth, nodes = [rule], 0, 0
    while level:
        operations = [item for item in level if isinstance(item, dict)]
        depth, nodes = depth + bool(operations), nodes + len(operations)
        level = [inner for item in level if isinstance(item, dict | list) for inner in _inside(item)]
        if depth > DEEPEST or nodes > MOST_NODES:
            raise _refused(
                f"The condition is nested more than {DEEPEST} deep."
                if depth > DEEPEST
                else f"More than {MOST_NODES} parts."
            )


def _inside(item: dict[str, Any] | list[Any]) -> list[Any]:
    """What is one level down; a list between an operator and its values is no level of its own."""
    values = list(item.values()) if isinstance(item, dict) else item
    return [inner for value in values for inner in (value if isinstance(value, list) else [value])]


class _Reader:
    def __init__(self, variables: Mapping[str, Variable], zone: str) -> None:
        self.variables, self.zone = variables, ZoneInfo(zone)
        self.others: dict[str, Callable[[list[Any]], Node]] = {
            "and": self.all_of,
            "or": self.one_of,
            "in": self.within,
            "!": self.opposite,
            "!!": self.same,
            "var": self.given,
        }

    def node(self, rule: Any) -> Node:
        if not isinstance(rule, dict):
            return Given(_constant(rule))
        operator, values = _operation(rule)
        if operator in _SIGNS:
            return self.compared(_SIGNS[operator], operator, values)
        found = self.others.get(operator)
        if found is None:
            raise _refused(f"«{operator}» gives no yes or no; compare what it gives with something.")
        return found(values)

    def opposite(self, values: list[Any]) -> Node:
        return Not(self.node(_exactly("!", values, 1)[0]))

    def same(self, values: list[Any]) -> Node:
        return self.node(_exactly("!!", values, 1)[0])

    def all_of(self, values: list[Any]) -> Node:
        return Several(wants_all=True, nodes=tuple(map(self.node, values)))

    def one_of(self, values: list[Any]) -> Node:
        return Several(wants_all=False, nodes=tuple(map(self.node, values)))

    def given(self, values: list[Any]) -> Node:
        return Given(self.variable(values))

    def variable(self, values: list[Any]) -> Variable:
        name = _only(values)
        if not isinstance(name, str):
            raise _refused('«var» takes one name, {"var": "tier_handle"}.')
        if name not in self.variables:
            raise _refused(f"There is no «{_shown(name)}» to ask of a person. The names are listed beside the field.")
        return self.variables[name]

    def operand(self, value: Any) -> Operand:
        if not isinstance(value, dict):
            return _constant(value)
        operator, values = _operation(value)
        if operator == "var":
            return self.variable(values)
        if operator == "today":
            _exactly(operator, [value for value in values if value != ""], 0)
            return Today()
        raise _refused(f"«{operator}» cannot stand inside a comparison; a name, a value or «today» can.")

    def compared(self, sign: Sign, operator: str, values: list[Any]) -> Node:
        if len(values) == 3 and operator in "<=>=":
            first, middle, last = values
            pairs = ([first, middle], [middle, last])
            return Several(wants_all=True, nodes=tuple(self.compared(sign, operator, pair) for pair in pairs))
        left, right = _exactly(operator, values, 2)
        for value, other, turned in ((left, right, sign), (right, left, TURNED[sign])):
            if isinstance(value, dict) and "days_since" in value:
                return self.days_since(turned, value, other)
        return self.typed(sign, self.operand(left), self.operand(right))

    def typed(self, sign: Sign, left: Operand, right: Operand) -> Compare:
        """Constants to the right, and read as what they are compared with."""
        if not isinstance(left, Variable) and isinstance(right, Variable):
            return self.typed(TURNED[sign], right, left)
        if (
            {left.kind, right.kind} == {Kind.DAY, Kind.MOMENT}
            and isinstance(left, Variable)
            and isinstance(right, Variable)
        ):
            raise _refused(
                f"«{left.name}» and «{right.name}» are a day and a moment; compare each with a date or with today."
            )
        right = self.as_time(left, right)
        if sign not in (Sign.EQUAL, Sign.UNEQUAL) and left.kind is right.kind is Kind.TEXT:
            raise _refused(f"«{sign}» between two texts: only numbers and dates have an order.")
        return Compare(sign, left, right)

    def as_time(self, left: Operand, right: Operand) -> Operand:
        """A text compared with a day or a moment is a date, or a date and time."""
        if left.kind not in (Kind.DAY, Kind.MOMENT) or not isinstance(right, Constant) or right.kind is not Kind.TEXT:
            return right
        try:
            found = self.written_time(right.value, left.kind)
        except (ValueError, OverflowError):
            found = None
        if found is not None:
            return found
        raise _refused(
            f"«{_shown(right.value)}» is no date from {FIRST.year} on such as 2026-03-31 or 2026-03-31 18:00."
        )

    def written_time(self, text: str, kind: Kind) -> Constant | None:
        """A date, or a date and time, as a constant that a value of ``kind`` can be compared with."""
        if not _DAY.fullmatch(text) and not _MOMENT.fullmatch(text):
            return None
        moment = datetime.fromisoformat(text)
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=self.zone)
        if not FIRST.year <= zoned.year <= LAST.year - 1:
            return None
        if _DAY.fullmatch(text):
            return Constant(moment.date(), Kind.DAY)
        if kind is Kind.DAY:
            return Constant(zoned.astimezone(self.zone).date(), Kind.DAY)
        return Constant(zoned.astimezone(UTC), Kind.MOMENT)

    def days_since(self, sign: Sign, value: dict[str, Any], other: Any) -> Compare:
        """«days since x» below 30 is x after the day 30 days ago; whole days, local."""
        operator, values = _operation(value)
        field = self.operand(_exactly(operator, values, 1)[0])
        number = _constant(other) if not isinstance(other, dict) else None
        if not isinstance(field, Variable) or field.kind not in (Kind.DAY, Kind.MOMENT):
            raise _refused('«days_since» takes the name of a date, {"days_since": [{"var": "joined_at"}]}.')
        if number is None or number.kind is not Kind.NUMBER:
            raise _refused("«days_since» is compared with a number of days.")
        days = number.value
        if sign in (Sign.EQUAL, Sign.UNEQUAL) and days != int(days):
            return Compare(sign, field, Constant(None, Kind.NOTHING), days)  # no day is half a day ago
        whole = math.ceil(days) if sign in (Sign.BELOW, Sign.AT_LEAST) else math.floor(days)
        return Compare(TURNED[sign], field, Today(-whole), days)

    def within(self, values: list[Any]) -> Within:
        needle, haystack = _exactly("in", values, 2)
        found = self.operand(needle)
        if found.kind in (Kind.DAY, Kind.MOMENT, Kind.LIST):
            raise _refused("«in» looks for a text or a number; compare dates with < and >.")
        if isinstance(haystack, list):
            return Within(found, tuple(map(_constant, haystack)))
        where = self.operand(haystack)
        if where.kind not in (Kind.TEXT, Kind.LIST, Kind.NOTHING):
            raise _refused("«in» looks into a list or a text.")
        return Within(found, where)


def _operation(rule: dict[str, Any]) -> tuple[str, list[Any]]:
    if len(rule) != 1:
        raise _refused(f"Each {{…}} has one operator; {_shown(rule)} has {len(rule)}.")
    operator, inner = next(iter(rule.items()))
    if operator not in OPERATORS:
        raise _refused(f"There is no operator «{_shown(operator)}». These can be used: {' '.join(OPERATORS)}.")
    return operator, inner if isinstance(inner, list) else [inner]


def _exactly(operator: str, values: list[Any], count: int) -> list[Any]:
    if len(values) != count:
        raise _refused(f"«{operator}» takes {count} {'value' if count == 1 else 'values'}, not {len(values)}.")
    return values


def _constant(value: Any) -> Constant:
    kind = _kind(value)
    if kind is Kind.NUMBER and not abs(value) <= LARGEST:
        raise _refused(f"{_shown(value)} is too large to be compared exactly; {LARGEST:,.0f} is the most.")
    return Constant(value, kind)


def _kind(value: Any) -> Kind:
    if value is None:
        return Kind.NOTHING
    if isinstance(value, bool):
        return Kind.FLAG
    if isinstance(value, int | float):
        return Kind.NUMBER
    if isinstance(value, str):
        return Kind.TEXT
    raise _refused(f"{_shown(value)} cannot stand here; a text, a number, true or false can.")
