"""What is typed of a site."""

from __future__ import annotations

from typing import TypeVar

from webapp.services.sites import ChangeSite, CreateSite
from webapp.web.fields import TextField
from webapp.web.forms import CommandForm
from webapp.web.versions import VersionField

C = TypeVar("C")


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
