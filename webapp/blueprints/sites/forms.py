"""What is typed of a site."""

from __future__ import annotations

from typing import TypeVar

from wtforms import HiddenField

from webapp.services.sites import ChangeSite, CreateSite
from webapp.web.fields import TextField
from webapp.web.forms import CommandForm

C = TypeVar("C")
_DIGITS = 10


class VersionField(HiddenField):  # type: ignore[misc]
    """The version the form was drawn from; nonsense is version 0, which nothing has."""

    def process_formdata(self, valuelist: list[str]) -> None:
        text = valuelist[0] if valuelist else ""
        self.data = int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else 0


class SiteForm(CommandForm[C]):
    title = TextField(
        "Title",
        length=120,
        required=True,
        description="As entrants know it. The name in addresses is made from it once.",
    )
    organiser = TextField("Organiser", length=120, required=True, description="Who answers for its draws, in full.")
    timezone = TextField(
        "Time zone",
        length=64,
        required=True,
        description="Days begin and end by its clock. Type a part of the place to search.",
        render_kw={"list": "zones", "autocomplete": "off"},
    )
    staff_domains = TextField(
        "Staff e-mail domains",
        length=600,
        description="Comma-separated, such as club.example. People with these addresses stay on the list and cannot win.",
    )


class NewSiteForm(SiteForm[CreateSite]):
    command = CreateSite


class ChangeSiteForm(SiteForm[ChangeSite]):
    command = ChangeSite

    version = VersionField()
