"""Applies a condition to one person, and tells node by node why it holds or not (benefits.md 7.5, product.md ruling 9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from webapp.domain.conditions import (
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

Facts = Mapping[str, Any]  # variable name → value of its kind; missing, None and empty text are all «not known»
Test = Callable[[Facts, date], bool]
_Get = Callable[[Facts, date], Any]
_TYPES: dict[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.NUMBER: (int, float),
    Kind.FLAG: (bool,),
    Kind.DAY: (date,),
    Kind.MOMENT: (datetime,),
    Kind.LIST: (list, tuple, set, frozenset),
    Kind.NOTHING: (),
}
_SIGNS: dict[Sign, Callable[[Any, Any], bool]] = {
    Sign.EQUAL: lambda a, b: bool(a == b),
    Sign.UNEQUAL: lambda a, b: bool(a != b),
    Sign.BELOW: lambda a, b: bool(a < b),
    Sign.AT_MOST: lambda a, b: bool(a <= b),
    Sign.ABOVE: lambda a, b: bool(a > b),
    Sign.AT_LEAST: lambda a, b: bool(a >= b),
}
_LIKE = (Kind.TEXT, Kind.FLAG)  # these are alike or not, and have no order
_EQUALITY = (Sign.EQUAL, Sign.UNEQUAL)


def may_match(sign: Sign, left: Kind, right: Kind) -> bool:
    """Whether values of these kinds can be compared so at all; if not, the comparison is false whatever they are."""
    if {left, right} == {Kind.DAY, Kind.MOMENT}:
        return True
    return left is right and left not in (Kind.LIST, Kind.NOTHING) and (sign in _EQUALITY or left not in _LIKE)


def compiled(node: Node, zone: str = "UTC") -> Test:
    """A function of a person's facts and today's local day. ``zone`` says on which local day a moment lies."""
    return _Compiler(ZoneInfo(zone)).test(node)


class _Compiler:
    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone

    def test(self, node: Node) -> Test:
        match node:
            case Several(wants_all, nodes):
                found = _several(all if wants_all else any, [self.test(one) for one in nodes])
            case Not(inner):
                found = _opposite(self.test(inner))
            case Given(operand):
                found = _given(_getter(operand))
            case Within():
                found = _within(node)
            case Compare():
                found = self.compared(node)
        return found

    def compared(self, node: Compare) -> Test:
        sign, left, right = _SIGNS[node.sign], _getter(node.left), _getter(node.right)
        kinds = (node.left.kind, node.right.kind)
        if not may_match(node.sign, *kinds):
            return _never
        if kinds[0] is not kinds[1]:
            left, right = (self.as_day(get, kind) for get, kind in zip((left, right), kinds, strict=True))

        def test(facts: Facts, today: date) -> bool:
            a, b = left(facts, today), right(facts, today)
            return a is not None and b is not None and sign(a, b)

        return test

    def as_day(self, get: _Get, kind: Kind) -> _Get:
        if kind is Kind.DAY:
            return get

        def day(facts: Facts, today: date) -> date | None:
            moment = get(facts, today)
            return None if moment is None else moment.astimezone(self.zone).date()

        return day


def _never(_facts: Facts, _today: date) -> bool:
    return False


def _several(over: Callable[[Any], bool], tests: list[Test]) -> Test:
    return lambda facts, today: over(test(facts, today) for test in tests)


def _opposite(test: Test) -> Test:
    return lambda facts, today: not test(facts, today)


def _given(get: _Get) -> Test:
    return lambda facts, today: bool(get(facts, today))


def _getter(operand: Operand) -> _Get:
    match operand:
        case Variable(name, kind, _):
            return partial(_known, name, kind, _TYPES[kind])
        case Today():
            return lambda _facts, today: operand.on(today)
        case Constant(value, _):
            return lambda _facts, _today: value


def _known(name: str, kind: Kind, types: tuple[type, ...], facts: Facts, _today: date) -> Any:
    """The value when it is there and of the kind it should be."""
    value = facts.get(name)
    if not isinstance(value, types) or value == "":
        return None
    is_other = (kind is Kind.NUMBER and isinstance(value, bool)) or (kind is Kind.DAY and isinstance(value, datetime))
    return None if is_other else value


def _within(node: Within) -> Test:
    needle, haystack = _getter(node.needle), node.haystack
    if isinstance(haystack, tuple):
        values = [one.value for one in haystack if one.kind is node.needle.kind]
        return lambda facts, today: (value := needle(facts, today)) is not None and value in values
    if node.needle.kind is not Kind.TEXT or haystack.kind is Kind.NOTHING:
        return _never
    where = _getter(haystack)

    def test(facts: Facts, today: date) -> bool:
        value, values = needle(facts, today), where(facts, today)
        return value is not None and values is not None and value in values

    return test


@dataclass(frozen=True, slots=True)
class Told:
    """One node for one person: what it asks in words, whether it holds, the value seen, and what is inside it."""

    words: str
    passed: bool
    seen: str = ""
    inside: tuple[Told, ...] = ()


def explained(node: Node, facts: Facts, today: date, zone: str = "UTC") -> Told:
    """The tree of ``node`` for a person: every node with a tick or a cross and the value it met."""
    passed = compiled(node, zone)(facts, today)
    match node:
        case Several(wants_all, nodes):
            words = ("all of these" if nodes else "everyone") if wants_all else "one of these at least"
            return Told(words, passed, inside=tuple(explained(one, facts, today, zone) for one in nodes))
        case Not(inner):
            return Told("not", passed, inside=(explained(inner, facts, today, zone),))
    return Told(in_words(node), passed, "; ".join(_seen(one, facts, zone) for one in _variables(node)))


def _variables(node: Compare | Within | Given) -> list[Variable]:
    match node:
        case Compare(_, left, right):
            operands: tuple[Any, ...] = (left, right)
        case Within(needle, haystack):
            operands = (needle, haystack)
        case Given(operand):
            operands = (operand,)
    return [one for one in operands if isinstance(one, Variable)]


def _seen(variable: Variable, facts: Facts, zone: str) -> str:
    value = _known(variable.name, variable.kind, _TYPES[variable.kind], facts, date.min)
    return f"{variable.words}: {_value(value, zone)}"


def _value(value: Any, zone: str = "UTC") -> str:
    """A value as a sentence has it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(ZoneInfo(zone)):%-d %B %Y %H:%M}"
    if isinstance(value, date):
        return f"{value:%-d %B %Y}"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(sorted(map(str, value))) or "none"
    return "not known" if value is None else str(value)


_NUMBER_WORDS = {
    Sign.EQUAL: "is",
    Sign.UNEQUAL: "is not",
    Sign.BELOW: "is below",
    Sign.AT_MOST: "is at most",
    Sign.ABOVE: "is above",
    Sign.AT_LEAST: "is at least",
}
_TIME_WORDS = _NUMBER_WORDS | {
    Sign.BELOW: "is before",
    Sign.AT_MOST: "is not after",
    Sign.ABOVE: "is after",
    Sign.AT_LEAST: "is not before",
}


def in_words(node: Node) -> str:
    """What ``node`` asks, as part of a sentence: «tier is gold», «all of: joined is after 1 May 2026; tags have vip»."""
    match node:
        case Several(wants_all, nodes):
            start = "all of: " if wants_all else "one of: "
            words = f"{start}{'; '.join(map(in_words, nodes))}" if nodes else "everyone" if wants_all else "nobody"
        case Not(inner):
            words = f"not ({in_words(inner)})"
        case Given(operand):
            return (
                f"{_named(operand)} is known"
                if isinstance(operand, Variable)
                else f"always {bool(_getter(operand)({}, date.min))}"
            )
        case Within(needle, haystack):
            return _within_words(needle, haystack)
        case Compare():
            words = _compared_words(node)
    return words


def _within_words(needle: Operand, haystack: Operand | tuple[Constant, ...]) -> str:
    if isinstance(haystack, tuple):
        return f"{_named(needle)} is one of {', '.join(map(_named, haystack)) or 'none'}"
    verb = "have" if haystack.kind is Kind.LIST else "contains"
    return f"{_named(haystack)} {verb} {_named(needle)}"


def _compared_words(node: Compare) -> str:
    if node.days is not None:  # the sign was turned when days became a date
        turned = {
            Sign.BELOW: Sign.ABOVE,
            Sign.ABOVE: Sign.BELOW,
            Sign.AT_MOST: Sign.AT_LEAST,
            Sign.AT_LEAST: Sign.AT_MOST,
        }
        return f"days since {_named(node.left)}: {_NUMBER_WORDS[turned.get(node.sign, node.sign)]} {node.days}"
    words = _TIME_WORDS if node.left.kind in (Kind.DAY, Kind.MOMENT) else _NUMBER_WORDS
    return f"{_named(node.left)} {words[node.sign]} {_named(node.right)}"


def _named(operand: Operand) -> str:
    match operand:
        case Variable(_, _, words):
            return words
        case Today():
            return "today"
        case Constant(value, _):
            return _value(value) if value != "" else "empty"
