"""What staff type of a person, and of the further facts people may have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from flask import request
from flask_wtf import FlaskForm
from wtforms import BooleanField, FieldList, Form, FormField, SelectChoice, SelectField, SelectMultipleField
from wtforms.form import BaseForm
from wtforms.validators import InputRequired, ValidationError

from webapp.domain.errors import Refused
from webapp.domain.people import CONSENTS, FIRST_BIRTH_YEAR, LONGEST_TEXT, AttributeKind, Gender, attribute_value
from webapp.extensions import db
from webapp.queries import profiles as read
from webapp.services.profiles import (
    ChangeProfile,
    CreateAttribute,
    CreateProfile,
    EraseProfile,
    IdentityLine,
    MergeProfiles,
    ProfileTerms,
)
from webapp.web.choosing import ListedField
from webapp.web.fields import DayField, ParagraphField, TextField, WholeField
from webapp.web.forms import CommandForm
from webapp.web.versions import VersionField

T = TypeVar("T", bound=ProfileTerms)
MOST_IDENTITIES = 30
_GENDERS = {
    Gender.UNKNOWN: "Not told",
    Gender.FEMALE: "Female",
    Gender.MALE: "Male",
    Gender.OTHER: "Other",
    Gender.WITHHELD: "Prefers not to say",
}
_HINTS = {
    AttributeKind.WHOLE_NUMBER: "A whole number.",
    AttributeKind.DECIMAL: "A number, with at most four decimals.",
    AttributeKind.DATE: "A day such as 2026-03-31.",
}


class _Valued:
    """Checks a further fact by its kind, with the words the service would refuse it in."""

    def __init__(self, kind: AttributeKind, choices: Sequence[object]) -> None:
        self.kind, self.choices = kind, choices

    def __call__(self, _form: object, field: Any) -> None:
        try:
            attribute_value(self.kind, self.choices, field.data or "")
        except Refused as refusal:
            raise ValidationError(refusal.message) from refusal


def facts_form(formdata: Any = None, prefix: str = "", **data: Any) -> BaseForm:
    """A field for each further fact in use, named as it is; the definitions are read as the form is made."""
    data.pop("obj", None)  # what WTForms hands over when nothing is saved yet
    fields: dict[str, Any] = {}
    for one in read.definitions(db.session()):
        check = _Valued(one.kind, one.choices)
        options = ["yes", "no"] if one.kind is AttributeKind.YES_NO else list(map(str, one.choices))
        if options:
            if (kept := data.get(one.name)) and kept not in options:
                options.append(kept)  # what a choice was called before
            listed = [SelectChoice("", "Not told"), *(SelectChoice(text, text) for text in options)]
            fields[one.name] = ListedField(one.title, choices=listed)
        else:
            hint = _HINTS.get(one.kind, "")
            fields[one.name] = TextField(one.title, length=LONGEST_TEXT, validators=[check], description=hint)
    form = BaseForm(fields, prefix)
    form.process(formdata, data=data)
    return form


class IdentityForm(Form):  # type: ignore[misc]
    """One row of the identities; an empty row is left out."""

    system = TextField("System", length=60)
    identifier = TextField("Known there as", length=120)
    is_active = BooleanField("In use", default=True)

    @property
    def is_empty(self) -> bool:
        return not (self.system.data or self.identifier.data)


class TermsForm(CommandForm[T]):
    """The fields a new person and a changed one share."""

    external_id = TextField("Member id", length=64, description="One person each. Files know a person by it.")
    title = TextField("Title", length=40, render_kw={"autocomplete": "off"})
    first_name = TextField("First name", length=120, render_kw={"autocomplete": "off"})
    last_name = TextField("Last name", length=120, render_kw={"autocomplete": "off"})
    email = TextField("E-mail", length=254, render_kw={"autocomplete": "off", "inputmode": "email"})
    phone = TextField("Mobile phone", length=40, render_kw={"autocomplete": "off", "inputmode": "tel"})
    home_phone = TextField("Home phone", length=40, render_kw={"autocomplete": "off", "inputmode": "tel"})
    postcode = TextField("Postcode", length=20, render_kw={"autocomplete": "off"})
    birth_day = WholeField("Birth day", least=1, most=31, required=False)
    birth_month = WholeField("Birth month", least=1, most=12, required=False)
    birth_year = WholeField("Birth year", least=FIRST_BIRTH_YEAR, most=2200, required=False)
    gender = SelectField("Gender", choices=[SelectChoice(str(item), words) for item, words in _GENDERS.items()])
    joined_at = DayField("Joined on")
    joined_location = TextField("Joined at", length=64, render_kw={"list": "locations", "autocomplete": "off"})
    preferred_location = TextField(
        "Prefers to go to", length=64, render_kw={"list": "locations", "autocomplete": "off"}
    )
    tier = ListedField("Tier")
    tags = TextField("Tags", length=1_000, description="Separated by commas.")
    statuses = TextField("Statuses", length=1_000, description="Separated by commas.")
    zone = TextField(
        "Time zone",
        length=64,
        description="Days of this person's benefits end by its clock; empty for that of the account.",
        render_kw={"list": "zones", "autocomplete": "off"},
    )
    consents = SelectMultipleField("Consents", choices=[SelectChoice(name, name) for name in CONSENTS])
    attributes = FormField(facts_form, label="Further facts")
    identities = FieldList(FormField(IdentityForm), label="Known elsewhere as", max_entries=MOST_IDENTITIES)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tiers = read.tiers(db.session())
        self.tier.offer(tiers, str, nothing="None")
        if not self.identities.entries:
            self.identities.append_entry()

    def wants_another_row(self) -> bool:
        """Whether the button that adds an identity was pressed; adds a row for it."""
        if "another" not in request.form:
            return False
        if len(self.identities.entries) < MOST_IDENTITIES:
            self.identities.append_entry()
        return True

    def to_command(self, **route: object) -> T:
        lines = tuple(
            IdentityLine(row.form.system.data, row.form.identifier.data, bool(row.form.is_active.data))
            for row in self.identities
            if not row.form.is_empty
        )
        on = tuple(self.consents.data or ())
        return super().to_command(identities=lines, consents=on, **route)


class NewForm(TermsForm[CreateProfile]):
    command = CreateProfile


class ChangeForm(TermsForm[ChangeProfile]):
    command = ChangeProfile

    version = VersionField()


class AttributeForm(CommandForm[CreateAttribute]):
    command = CreateAttribute

    title = TextField("Title", length=120, required=True, description="As forms ask for it.")
    namespace = TextField(
        "Group", length=30, default="custom", description="The first part of the name in files and conditions."
    )
    kind = SelectField(
        "Kind",
        [InputRequired("Choose what kind of fact it is.")],
        choices=[SelectChoice(str(kind), str(kind).capitalize()) for kind in AttributeKind],
        coerce=AttributeKind,
    )
    choices = ParagraphField("Choices", length=8_000, description="For a choice only: one on each line.")


class MergeForm(CommandForm[MergeProfiles]):
    command = MergeProfiles

    reason = TextField(
        "How you know", length=300, required="Say in a few words how you know that they are one person.",
        description="Stays with the merge. Leave names and addresses out.",
    )  # fmt: skip


class EraseForm(CommandForm[EraseProfile]):
    command = EraseProfile

    confirmation = TextField("The person's number", length=10, required=True, render_kw={"autocomplete": "off"})


class FindForm(FlaskForm):  # type: ignore[misc]
    """Whoever handles a privacy request knows an id or an address, and need not see anything else."""

    wanted = TextField("Member id, e-mail or number", length=254, required=True, render_kw={"autocomplete": "off"})
