"""The builder of a condition: groups of lines to fill in, and how many people it reaches."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import flash, request
from flask.typing import ResponseReturnValue
from wtforms import FieldList, Form, FormField, SelectChoice, SelectField

from webapp.adapters import clock
from webapp.blueprints.benefit_definitions import bp
from webapp.blueprints.benefit_definitions.presenters import CONDITIONS
from webapp.domain.condition_building import BuildSign, Built, Line, Lines, built_of, rule_of
from webapp.domain.conditions import Variable
from webapp.domain.errors import Refused
from webapp.domain.import_rows import clean
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import benefit_definitions as read
from webapp.queries import conditions
from webapp.queries.benefit_definitions import Reached, Sheet
from webapp.services import benefit_definitions as definitions
from webapp.services.benefit_definitions import ChangeCondition
from webapp.web.access import requires, scope
from webapp.web.fields import TextField
from webapp.web.forms import CommandForm
from webapp.web.rendering import go, render
from webapp.web.versions import VersionField

EDIT = Permission.DEFINITIONS_EDIT
MOST_GROUPS, MOST_LINES = 8, 12
JOINS = [SelectChoice("all", "all of these"), SelectChoice("any", "one of these at least")]
GROUPS = [SelectChoice("all", "all groups hold"), SelectChoice("any", "one group holds")]


class LineForm(Form):  # type: ignore[misc]
    """One line; a line that asks for nothing is left out."""

    variable = SelectField(
        "Asks for", filters=[lambda name: clean(name or "")]
    )  # a name not known here is shown as it is
    sign = SelectField("Compared", coerce=BuildSign, choices=[SelectChoice(str(sign), str(sign)) for sign in BuildSign])
    value = TextField("Value", length=200)


class GroupForm(Form):  # type: ignore[misc]
    """Some lines, joined."""

    wants = SelectField("Holds when", choices=JOINS)
    lines = FieldList(FormField(LineForm), label="Lines", max_entries=MOST_LINES)


class ConditionForm(CommandForm[ChangeCondition]):
    """Two levels: groups, and lines in them."""

    command = ChangeCondition
    steering = frozenset({"wants", "groups"})

    version = VersionField()
    wants = SelectField("The condition holds when", choices=GROUPS)
    groups = FieldList(FormField(GroupForm), label="Groups", max_entries=MOST_GROUPS)

    def fill(self, known: dict[str, Variable]) -> None:
        """An empty line where there is none, and the names to choose from on every line."""
        offered = [SelectChoice("", "…")]
        offered += [
            SelectChoice(one.name, f"{one.words} ({one.name})") for one in known.values() if "tier." not in one.name
        ]
        if not self.groups.entries:
            self.groups.append_entry()
        self.wants.flags.required = True
        for group in self.groups:
            group.form.wants.flags.required = True
            if not group.form.lines.entries:
                group.form.lines.append_entry()
            for line in group.form.lines:
                chosen = line.form.variable.data
                own = [SelectChoice(chosen, chosen)] if chosen and chosen not in known else []
                line.form.variable.choices = [*offered, *own]

    def wants_more(self) -> bool:
        """Whether a button that adds a line or a group was pressed; adds it."""
        asked = request.form.get("another", "")
        if asked == "group" and len(self.groups.entries) < MOST_GROUPS:
            self.groups.append_entry()
        for place, group in enumerate(self.groups):
            if asked == str(place) and len(group.form.lines.entries) < MOST_LINES:
                group.form.lines.append_entry()
        return bool(asked)

    def built(self) -> Built:
        """The lines that ask for something."""
        groups = []
        for group in self.groups:
            lines = tuple(
                Line(row.form.variable.data, row.form.sign.data, row.form.value.data)
                for row in group.form.lines
                if row.form.variable.data and row.form.sign.data
            )
            if lines:
                groups.append(Lines(lines, group.form.wants.data != "any"))
        return Built(tuple(groups), self.wants.data != "any")

    def to_command(self, **route: object) -> ChangeCondition:
        return super().to_command(built=self.built(), **route)


def _saved(built: Built) -> dict[str, Any]:
    def join(wants_all: bool) -> str:  # noqa: FBT001 - a word for each
        return "all" if wants_all else "any"

    groups = [
        {
            "wants": join(group.wants_all),
            "lines": [{"variable": line.variable, "sign": line.sign, "value": line.value} for line in group.lines],
        }
        for group in built.groups
    ]
    return {"wants": join(built.wants_all), "groups": groups}


@bp.route("/<int:definition_id>/conditions/<any(claim,view):which>", methods=["GET", "POST"])
@requires(EDIT)
def condition(definition_id: int, which: str) -> ResponseReturnValue:
    """Put a condition together from lines."""
    session, where = db.session(), scope(EDIT)
    sheet = read.sheet(session, definition_id, where)
    name = f"{which}_condition"
    built = built_of(getattr(sheet.definition, name))
    known = conditions.variables(session)
    form = ConditionForm(data=_saved(built or Built()) | {"version": sheet.definition.version})
    asked = form.wants_more()
    form.fill(known)
    changed = None if asked else form.submit(definitions.change_condition, definition_id=definition_id, which=name)
    if changed:
        flash("Condition saved as a new version of the terms.", "success")
        return go(".show", definition_id=definition_id)
    if form.status == HTTPStatus.CONFLICT:
        form.version.data = read.get(session, definition_id, where).version
    return render(
        "benefit_definitions/condition.html",
        "benefit_definitions/_lines.html",
        form.status,
        form=form,
        sheet=sheet,
        definition=sheet.definition,
        which=which,
        title=CONDITIONS[name],
        fits=built is not None,
        reached=_reached(form, sheet, which, known),
    )


@bp.post("/<int:definition_id>/conditions/<any(claim,view):which>/count")
@requires(EDIT)
def count(definition_id: int, which: str) -> ResponseReturnValue:
    """How many people the lines typed so far reach; nothing is saved."""
    session = db.session()
    sheet = read.sheet(session, definition_id, scope(EDIT))
    known = conditions.variables(session)
    form = ConditionForm()
    form.fill(known)
    return render(
        "benefit_definitions/count.html",
        "benefit_definitions/_reached.html",
        reached=_reached(form, sheet, which, known),
        definition=sheet.definition,
        which=which,
    )


def _reached(form: ConditionForm, sheet: Sheet, which: str, known: dict[str, Variable]) -> Reached:
    definition = sheet.definition
    holders_of = definition.id if which == "claim" and definition.total_global_created else None
    try:
        rule = rule_of(form.built(), known)
        return read.reach(db.session(), rule, sheet.site.timezone, clock.now(), known, holders_of=holders_of)
    except Refused as refused:
        return Reached(problem=refused.message)
