"""What is typed of an organisation."""

from __future__ import annotations

from typing import TypeVar

from webapp.domain.organisations import LONGEST_ID
from webapp.services.organisations import ChangeOrganisation, CreateOrganisation
from webapp.web.choosing import ListedField, number_or_nothing
from webapp.web.fields import TextField
from webapp.web.forms import CommandForm
from webapp.web.versions import VersionField

C = TypeVar("C")


class OrganisationForm(CommandForm[C]):
    """The fields a new organisation and a changed one share."""

    title = TextField("Title", length=200, required=True, description="What people call it.")
    external_id = TextField(
        "Id",
        length=LONGEST_ID,
        required=True,
        description="What files and other systems know it by. Only one organisation can have it.",
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    type_id = ListedField("Type", coerce=number_or_nothing)
    parent = TextField(
        "Stands below",
        length=LONGEST_ID,
        description="The id of the organisation above it; empty for the top of the tree.",
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    timezone = TextField(
        "Time zone",
        length=64,
        description="Empty: that of the account.",
        render_kw={"list": "zones", "autocomplete": "off"},
    )
    address = TextField("Address", length=400, description="In one line.")


class NewOrganisationForm(OrganisationForm[CreateOrganisation]):
    command = CreateOrganisation


class ChangeOrganisationForm(OrganisationForm[ChangeOrganisation]):
    command = ChangeOrganisation

    version = VersionField()
