"""Conditions over everybody: how many and who, in the database's own words, and the facts of some for the evaluator.

``matching`` says of every row what ``domain.condition_rules.compiled`` says of the same person; a test holds the two
against each other on random conditions and people. No expression is ever null, so that «not» is its exact opposite.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Float,
    Select,
    String,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from webapp.domain import condition_rules
from webapp.domain.conditions import (
    COMMS,
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
    catalogue,
)
from webapp.domain.timing import day_starts
from webapp.models import (
    AttributeDefinition,
    Completion,
    Group,
    Location,
    Membership,
    Module,
    Organisation,
    Profile,
    Site,
    Tier,
)

Expression = ColumnElement[Any]
Bool = ColumnElement[bool]
_SIGNS: dict[Sign, Callable[[Any, Any], Bool]] = {
    Sign.EQUAL: lambda a, b: a == b,
    Sign.UNEQUAL: lambda a, b: a != b,
    Sign.BELOW: lambda a, b: a < b,
    Sign.AT_MOST: lambda a, b: a <= b,
    Sign.ABOVE: lambda a, b: a > b,
    Sign.AT_LEAST: lambda a, b: a >= b,
}
_COLUMNS: dict[str, Any] = {
    "first_name": Profile.first_name,
    "last_name": Profile.last_name,
    "email": Profile.email,
    "external_id": Profile.external_id,
    "gender": type_coerce(Profile.gender, String),
    "zone": Profile.zone,
    "birth_year": Profile.birth_year,
    "birth_month": Profile.birth_month,
    "birth_day": Profile.birth_day,
    "joined_at": Profile.joined_at,
    "created_at": Profile.created_at,
}
# What a column of a person's row points at: that column, the id it holds, and what is asked of the other row.
_NAMED: dict[str, tuple[Any, Any, Any]] = {
    "tier_handle": (Profile.tier_id, Tier.id, Tier.name),
    "tier.handle": (Profile.tier_id, Tier.id, Tier.name),
    "tier.name": (Profile.tier_id, Tier.id, Tier.title),
    "tier.rank": (Profile.tier_id, Tier.id, Tier.rank),
    "joined_location.external_id": (Profile.joined_location_id, Location.id, Location.external_id),
    "preferred_location.external_id": (Profile.preferred_location_id, Location.id, Location.external_id),
}
_LABELS = {"flattened_tags": Profile.tags, "flattened_statuses": Profile.statuses}


def variables(session: Session) -> dict[str, Variable]:
    """Everything a condition may ask for here, by name; archived facts are still asked for by conditions that do."""
    rows = session.execute(select(AttributeDefinition.name, AttributeDefinition.kind, AttributeDefinition.title))
    return catalogue((row[0], row[1], row[2]) for row in rows)


def count(session: Session, node: Node, now: datetime, zone: str, within: Iterable[Bool] = ()) -> tuple[int, int]:
    """How many people match and how many there are, merged and erased ones apart; ``within`` narrows both."""
    wanted = matching(session, node, now, zone)
    counted = select(func.count().filter(wanted), func.count()).select_from(Profile).where(*_people(), *within)
    matched, total = session.execute(counted).one()
    return int(matched), int(total)


def people(session: Session, node: Node, now: datetime, zone: str) -> Select[Any]:
    """The ids of those who match, in order."""
    return select(Profile.id).where(*_people(), matching(session, node, now, zone)).order_by(Profile.id)


def _people() -> tuple[Bool, Bool]:
    return Profile.merged_into_id.is_(None), Profile.erased_at.is_(None)


def matching(session: Session, node: Node, now: datetime, zone: str) -> Bool:
    """Whether a row of ``profiles`` matches at ``now``; days are those of ``zone``."""
    return _Writer(session.get_bind().dialect.name == "sqlite", now, zone).where(node)


@dataclass(frozen=True, slots=True)
class _Writer:
    is_sqlite: bool
    now: datetime
    zone: str

    @property
    def today(self) -> date:
        return self.now.astimezone(ZoneInfo(self.zone)).date()

    def where(self, node: Node) -> Bool:
        match node:
            case Several(wants_all, nodes):
                parts = [self.where(one) for one in nodes]
                found: Bool = and_(true(), *parts) if wants_all else or_(false(), *parts)
            case Not(inner):
                found = not_(self.where(inner))
            case _ if not _asks(node):
                found = true() if condition_rules.compiled(node, self.zone)({}, self.today) else false()
            case Given(operand):
                found = self.given(operand)
            case Within(needle, haystack):
                found = self.within(needle, haystack)
            case Compare(sign, left, right):
                found = self.compared(sign, left, right)
        return found

    def given(self, operand: Operand) -> Bool:
        if operand.kind is Kind.LIST and isinstance(operand, Variable):
            return self.has_any(operand)
        value = self.value(operand)
        if operand.kind is Kind.NUMBER:
            return _known(value != 0)
        return _known(value) if operand.kind is Kind.FLAG else value.is_not(None)

    def compared(self, sign: Sign, left: Operand, right: Operand) -> Bool:
        if not condition_rules.may_match(sign, left.kind, right.kind):
            return false()
        if left.kind is Kind.MOMENT and right.kind is Kind.DAY:
            return self.on_day(sign, self.value(left), self.day(right))
        b = self.value(right)
        if not isinstance(right, Variable):
            return self.asked(left, lambda a: _SIGNS[sign](a, b))
        return _known(_SIGNS[sign](self.value(left), b))

    def asked(self, operand: Operand, test: Callable[[Any], Bool]) -> Bool:
        """``test`` of a value; of what a row points at it is asked once for each tier or place, not for each person."""
        if isinstance(operand, Variable) and operand.name in _NAMED:
            key, held, value = _NAMED[operand.name]
            return _known(key.in_(select(held).where(test(value))))
        return _known(test(self.value(operand)))

    def on_day(self, sign: Sign, moment: Expression, day: date) -> Bool:
        """A local day is a stretch of instants, so that an index or a plain look through the column serves."""
        starts, ends = day_starts(day, self.zone), day_starts(day + timedelta(days=1), self.zone)
        ways = {
            Sign.EQUAL: lambda: and_(moment >= starts, moment < ends),
            Sign.UNEQUAL: lambda: or_(moment < starts, moment >= ends),
            Sign.BELOW: lambda: moment < starts,
            Sign.AT_MOST: lambda: moment < ends,
            Sign.ABOVE: lambda: moment >= ends,
            Sign.AT_LEAST: lambda: moment >= starts,
        }
        return _known(ways[sign]())

    def day(self, operand: Operand) -> date:
        if isinstance(operand, Today):
            return operand.on(self.today)
        if isinstance(operand, Constant) and isinstance(operand.value, date):
            return operand.value
        raise AssertionError("a day beside a moment is written in the condition")

    def value(self, operand: Operand) -> Expression:
        """The operand as a value of its kind, null when it is not known."""
        if isinstance(operand, Variable):
            return self.known(operand)
        value: Any = operand.on(self.today) if isinstance(operand, Today) else operand.value
        if operand.kind is Kind.NUMBER:
            return literal(float(value), Float)
        if operand.kind is Kind.DAY:
            return literal(value.isoformat(), String)
        if operand.kind is Kind.MOMENT:
            return literal(value, Profile.joined_at.type)
        return literal(value)

    def known(self, variable: Variable) -> Expression:
        name = variable.name
        if name in _COLUMNS:
            found = _COLUMNS[name]
        elif name in _NAMED:
            key, held, value = _NAMED[name]
            found = select(value).where(held == key).correlate(Profile).scalar_subquery()
        elif name.startswith(COMMS):
            return self.json(Profile.consents, name.removeprefix(COMMS), Kind.FLAG)
        else:
            return self.json(Profile.attributes, name, variable.kind)
        return func.nullif(found, "") if variable.kind is Kind.TEXT else found

    def json(self, column: Any, name: str, kind: Kind) -> Expression:
        """A value in a column of JSON when it is of ``kind``; SQL evaluates the type before the value."""
        sort: Expression
        number: Expression
        if self.is_sqlite:
            path = f'$."{name}"'
            sort, text = func.json_type(column, path), func.json_extract(column, path)
            number, flag = text, sort == "true"
        else:
            sort, text = func.json_typeof(column.op("->")(name)), column.op("->>")(name)
            number, flag = cast(text, Float), text == "true"
        sorts: Mapping[Kind, tuple[tuple[str, ...], Any]] = {
            Kind.NUMBER: (("integer", "real", "number"), number),
            Kind.FLAG: (("true", "false", "boolean"), flag),
            Kind.TEXT: (("text", "string"), text),
            Kind.DAY: (("text", "string"), text),
        }
        wanted, found = sorts[kind]
        chosen = case((sort.in_(wanted), found))
        return func.nullif(chosen, "") if kind in (Kind.TEXT, Kind.DAY) else chosen

    def within(self, needle: Operand, haystack: Operand | tuple[Constant, ...]) -> Bool:
        if isinstance(haystack, tuple):
            values = [one.value for one in haystack if one.kind is needle.kind]
            return self.one_of(needle, values) if values else false()
        if needle.kind is not Kind.TEXT or haystack.kind is Kind.NOTHING:
            return false()
        value = self.value(needle)
        if haystack.kind is Kind.LIST and isinstance(haystack, Variable):
            return _known(and_(value.is_not(None), self.has(haystack, value, needle)))
        look = func.instr if self.is_sqlite else func.strpos
        return _known(look(self.value(haystack), value) > 0)

    def one_of(self, needle: Operand, values: list[Any]) -> Bool:
        if needle.kind is Kind.FLAG:
            return self.asked(needle, lambda value: or_(*(value == literal(one) for one in set(values))))
        if needle.kind is Kind.NUMBER:
            values = [float(one) for one in values]
        return self.asked(needle, lambda value: value.in_(values))

    def has(self, variable: Variable, value: Expression, needle: Operand) -> Bool:
        column = _LABELS.get(variable.name)
        if column is None:
            person, name, rows = self.belongings(variable.name)
            return rows.where(person == Profile.id, name == value).correlate(Profile).exists()
        if not self.is_sqlite:
            found: Bool = cast(column, JSONB).has_key(value)
            return found
        if isinstance(needle, Constant):
            # A list as we write it has the text behind a bracket or a comma; inside a text every quotation mark has
            # a backslash before it, so that nothing else looks so. Reading the JSON of a million rows costs four times as much.
            text, written = type_coerce(column, String), json.dumps(needle.value)
            return or_(*(func.instr(text, f"{start}{written}") > 0 for start in ("[", ", ", ",")))
        listed = func.json_each(column).table_valued("value", "type")
        held = select(literal(1)).select_from(listed).where(listed.c.type == "text", listed.c.value == value)
        return held.correlate(Profile).exists()

    def has_any(self, variable: Variable) -> Bool:
        column = _LABELS.get(variable.name)
        if column is None:
            person, _, rows = self.belongings(variable.name)
            return rows.where(person == Profile.id).correlate(Profile).exists()
        return func.json_array_length(column) > 0

    def belongings(self, name: str) -> tuple[Any, Any, Select[Any]]:
        """What connects people with others: the column of the person, that of the other's name, and the rows."""
        if name == "groups":
            rows = select(literal(1)).select_from(Membership).join(Group, Group.id == Membership.group_id)
            return Membership.profile_id, Group.name, rows
        if name == "organisations":
            rows = select(literal(1)).select_from(Membership)
            rows = rows.join(Organisation, Organisation.id == Membership.organisation_id)
            return Membership.profile_id, Organisation.external_id, rows
        rows = select(literal(1)).select_from(Completion).join(Module, Module.id == Completion.module_id)
        holds = or_(Completion.lapses_at.is_(None), Completion.lapses_at > self.now)
        named = Site.name + ":" + Module.path
        return Completion.profile_id, named, rows.join(Site, Site.id == Module.site_id).where(holds)


def _known(test: Any) -> Bool:
    """``test``, and false where it asks of something that is not known; the value is read once."""
    found: Bool = func.coalesce(test, false())
    return found


def _asks(node: Compare | Within | Given) -> bool:
    """Whether the node asks for anything of a person; else it is the same for all."""
    match node:
        case Compare(_, left, right):
            return isinstance(left, Variable) or isinstance(right, Variable)
        case Within(needle, haystack):
            return isinstance(needle, Variable) or isinstance(haystack, Variable)
        case Given(operand):
            return isinstance(operand, Variable)


def facts(
    session: Session, ids: Collection[int], wanted: Collection[Variable], now: datetime
) -> dict[int, dict[str, Any]]:
    """What ``wanted`` variables are for these people, as ``condition_rules`` takes them; two statements and one a list."""
    writer = _Writer(session.get_bind().dialect.name == "sqlite", now, "UTC")
    single = [one for one in wanted if one.name in _COLUMNS or one.name in _NAMED]
    columns = [writer.known(one).label(f"v{place}") for place, one in enumerate(single)]
    statement = select(Profile.id, Profile.tags, Profile.statuses, Profile.consents, Profile.attributes, *columns)
    found: dict[int, dict[str, Any]] = {}
    for number, tags, statuses, consents, attributes, *values in session.execute(statement.where(Profile.id.in_(ids))):
        known = {"flattened_tags": tags, "flattened_statuses": statuses}
        known |= {f"{COMMS}{name}": value for name, value in consents.items()}
        found[number] = attributes | known | {one.name: value for one, value in zip(single, values, strict=True)}
    days = [one.name for one in wanted if one.kind is Kind.DAY]
    for person in found.values():
        person |= {name: _as_day(person.get(name)) for name in days}
    for one in wanted:
        if one.kind is Kind.LIST and one.name not in _LABELS:
            _add_belongings(session, found, one.name, writer)
    return found


def _as_day(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) and value else None


def _add_belongings(session: Session, found: dict[int, dict[str, Any]], name: str, writer: _Writer) -> None:
    person, label, rows = writer.belongings(name)
    for facts_of in found.values():
        facts_of[name] = []
    for number, value in session.execute(rows.with_only_columns(person, label).where(person.in_(found))):
        found[number][name].append(value)
