"""A condition as lines to fill in: groups of lines, two levels deep, to JSON and back when it has that shape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from webapp.domain.conditions import Kind, Variable
from webapp.domain.errors import Refused


class BuildSign(StrEnum):
    """How a line compares what it asks for with its value."""

    IS = "is"
    IS_NOT = "is not"
    BELOW = "is below"
    AT_MOST = "is at most"
    ABOVE = "is above"
    AT_LEAST = "is at least"
    BETWEEN = "is between"
    AT_LEAST_DAYS = "is at least so many days ago"
    AT_MOST_DAYS = "is at most so many days ago"
    HAS = "has"
    HAS_NOT = "has not"
    ONE_OF = "is one of"
    NONE_OF = "is none of"
    KNOWN = "is known"
    UNKNOWN = "is not known"


_COMPARED = {
    BuildSign.IS: "===",
    BuildSign.IS_NOT: "!==",
    BuildSign.BELOW: "<",
    BuildSign.AT_MOST: "<=",
    BuildSign.ABOVE: ">",
    BuildSign.AT_LEAST: ">=",
}
_SIGNS = {operator: sign for sign, operator in _COMPARED.items()}
_AGO = {BuildSign.AT_LEAST_DAYS: ">=", BuildSign.AT_MOST_DAYS: "<="}
_AGO_SIGNS = {operator: sign for sign, operator in _AGO.items()}
_ORDERED = (Kind.NUMBER, Kind.DAY, Kind.MOMENT)
_OPPOSITE = {
    BuildSign.HAS: BuildSign.HAS_NOT,
    BuildSign.ONE_OF: BuildSign.NONE_OF,
    BuildSign.KNOWN: BuildSign.UNKNOWN,
}
_POSITIVE = {negative: positive for positive, negative in _OPPOSITE.items()}
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
_DAYS = re.compile(r"[0-9]{1,5}")
_AND = re.compile(r"\s+and\s+")
_FLAGS = {"yes": True, "no": False, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what is asked for, how it is compared, and with what, as typed."""

    variable: str
    sign: BuildSign = BuildSign.IS
    value: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """A group: all of its lines, or one of them at least."""

    lines: tuple[Line, ...]
    wants_all: bool = True


@dataclass(frozen=True, slots=True)
class Built:
    """The whole: all of its groups, or one of them at least; none is everyone."""

    groups: tuple[Lines, ...] = ()
    wants_all: bool = True


def rule_of(built: Built, variables: Mapping[str, Variable]) -> dict[str, Any]:
    """The condition as JSON. Raises ``Refused`` for a name nobody knows and a value of another kind."""
    groups = [_joined([_rule(line, variables) for line in one.lines], all_of=one.wants_all) for one in built.groups]
    return _joined([rule for rule in groups if rule], all_of=built.wants_all)


def _joined(rules: list[dict[str, Any]], *, all_of: bool) -> dict[str, Any]:
    if len(rules) <= 1:
        return rules[0] if rules else {}
    return {"and" if all_of else "or": rules}


def _rule(line: Line, variables: Mapping[str, Variable]) -> dict[str, Any]:
    variable = variables.get(line.variable)
    if variable is None:
        raise _refused(f"There is no «{line.variable[:60]}» to ask of a person; choose one of the names offered.")
    if line.sign in _POSITIVE:
        return {"!": [_rule(Line(line.variable, _POSITIVE[line.sign], line.value), variables)]}
    asked = {"var": variable.name}
    if line.sign is BuildSign.KNOWN:
        return asked
    if not line.value.strip():
        raise _refused(f"The line «{variable.words} {line.sign}» has no value; give one, or empty the line.")
    return _asking(variable, line.sign, line.value.strip())


def _asking(variable: Variable, sign: BuildSign, typed: str) -> dict[str, Any]:
    """The rule of a line that has a value."""
    asked = {"var": variable.name}
    if sign is BuildSign.HAS:
        return {"in": [_part(variable, typed), asked]}
    if variable.kind is Kind.LIST:
        raise _refused(f"«{variable.words}» is a list; ask whether it has something.")
    if sign is BuildSign.ONE_OF:
        return {"in": [asked, [_constant(variable, part) for part in typed.split(",") if part.strip()]]}
    return _comparing(variable, sign, typed)


def _comparing(variable: Variable, sign: BuildSign, typed: str) -> dict[str, Any]:
    asked = {"var": variable.name}
    if sign in _AGO:
        return {_AGO[sign]: [{"days_since": [asked]}, _days(variable, typed)]}
    if sign is BuildSign.BETWEEN:
        first, last = _bounds(variable, typed)
        return {"<=": [first, asked, last]}
    return {_COMPARED[sign]: [asked, _constant(variable, typed)]}


def _days(variable: Variable, typed: str) -> int:
    if variable.kind not in (Kind.DAY, Kind.MOMENT):
        raise _refused(f"«{variable.words}» is a {variable.kind}; only a date is so many days ago.")
    if not _DAYS.fullmatch(typed.strip()):
        raise _refused(f"«{typed.strip()[:40]}» is no number of days; write 30.")
    return int(typed)


def _bounds(variable: Variable, typed: str) -> list[Any]:
    parts = _AND.split(typed.strip())
    if variable.kind not in _ORDERED:
        raise _refused(f"«{variable.words}» is a {variable.kind}; only numbers and dates lie between two others.")
    if len(parts) != 2:
        raise _refused(f"«{typed.strip()[:40]}» is no pair; write the first and the last, such as 18 and 30.")
    return [_constant(variable, part) for part in parts]


def _part(variable: Variable, typed: str) -> str:
    if variable.kind not in (Kind.LIST, Kind.TEXT):
        raise _refused(f"«{variable.words}» is a {variable.kind}, which has no parts; compare it with «is».")
    return typed


def _constant(variable: Variable, typed: str) -> Any:
    text = typed.strip()
    if variable.kind is Kind.NUMBER:
        if not _NUMBER.fullmatch(text):
            raise _refused(f"«{variable.words}» is a number, and «{text[:40]}» is none; write 12 or 2.5.")
        return float(text) if "." in text else int(text)
    if variable.kind is Kind.FLAG:
        if text.lower() not in _FLAGS:
            raise _refused(f"«{variable.words}» is yes or no, and «{text[:40]}» is neither.")
        return _FLAGS[text.lower()]
    return {"today": []} if variable.kind in (Kind.DAY, Kind.MOMENT) and text.lower() == "today" else text


def _refused(sentence: str) -> Refused:
    return Refused("condition.line", sentence)


def built_of(rule: Mapping[str, Any]) -> Built | None:
    """The lines of a condition; None when it is deeper or other than lines can say, so that nothing of it is lost."""
    if not rule:
        return Built()
    try:
        return _groups(rule)
    except _DoesNotFitError:
        return None


class _DoesNotFitError(Exception):
    pass


def _groups(rule: Mapping[str, Any]) -> Built:
    operator, parts = _only(rule)
    if operator not in ("and", "or"):
        return Built((Lines((_line(rule),)),))
    if all(_is_leaf(part) for part in parts):
        return Built((Lines(tuple(map(_line, parts)), operator == "and"),))
    return Built(tuple(map(_group, parts)), operator == "and")


def _group(rule: Any) -> Lines:
    if _is_leaf(rule):
        return Lines((_line(rule),))
    operator, parts = _only(rule)
    return Lines(tuple(map(_line, parts)), operator == "and")


def _is_leaf(rule: Any) -> bool:
    return _only(rule)[0] not in ("and", "or")


def _only(rule: Any) -> tuple[str, list[Any]]:
    if not isinstance(rule, dict) or len(rule) != 1:
        raise _DoesNotFitError
    ((operator, values),) = rule.items()
    return operator, values if isinstance(values, list) else [values]


def _line(rule: Any) -> Line:
    operator, values = _only(rule)
    if operator == "!":
        line = _line(values[0]) if len(values) == 1 else None
        if line is None or line.sign not in _OPPOSITE:
            raise _DoesNotFitError
        return Line(line.variable, _OPPOSITE[line.sign], line.value)
    if operator == "var":
        return Line(_named(rule), BuildSign.KNOWN)
    if operator == "<=" and len(values) == 3:
        return Line(_named(values[1]), BuildSign.BETWEEN, _pair(values[0], values[2]))
    if len(values) != 2:
        raise _DoesNotFitError
    return _within(*values) if operator == "in" else _compared(operator, *values)


def _compared(operator: str, asked: Any, value: Any) -> Line:
    if operator in _AGO_SIGNS and isinstance(asked, dict) and "days_since" in asked:
        return _ago(_AGO_SIGNS[operator], asked, value)
    if operator not in _SIGNS:
        raise _DoesNotFitError
    return Line(_named(asked), _SIGNS[operator], _typed(value))


def _pair(first: Any, last: Any) -> str:
    typed = f"{_typed(first)} and {_typed(last)}"
    if len(_AND.split(typed)) != 2:
        raise _DoesNotFitError
    return typed


def _ago(sign: BuildSign, asked: dict[str, Any], count: Any) -> Line:
    _, names = _only(asked)
    if len(names) != 1 or type(count) is not int or not 0 <= count <= 99_999:
        raise _DoesNotFitError
    return Line(_named(names[0]), sign, str(count))


def _within(needle: Any, haystack: Any) -> Line:
    if isinstance(haystack, list):
        return Line(_named(needle), BuildSign.ONE_OF, _listed(haystack))
    if not isinstance(needle, str) or needle != needle.strip() or not needle:
        raise _DoesNotFitError
    return Line(_named(haystack), BuildSign.HAS, needle)


def _listed(values: Iterable[Any]) -> str:
    found = [_typed(value) for value in values]
    if not found or any("," in one for one in found):
        raise _DoesNotFitError
    return ", ".join(found)


def _named(value: Any) -> str:
    operator, names = _only(value)
    if operator != "var" or len(names) != 1 or not isinstance(names[0], str):
        raise _DoesNotFitError
    return names[0]


def _typed(value: Any) -> str:
    if value in ({"today": []}, {"today": ""}):
        return "today"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return format(value)
    if not isinstance(value, str) or value != value.strip() or not value:
        raise _DoesNotFitError
    return value
