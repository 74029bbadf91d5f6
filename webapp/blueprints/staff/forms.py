"""What is typed of a member of staff."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wtforms import Form, SelectChoice, SelectMultipleField
from wtforms.validators import ValidationError
from wtforms.widgets import EmailInput

from webapp.domain.identity import Grant
from webapp.domain.permissions import Role
from webapp.services.staff import ChangeGrants, InviteStaff
from webapp.web.fields import TextField
from webapp.web.forms import CommandForm

EVERYWHERE = "all"


def coded(grant: Grant) -> str:
    """«editor:3», «viewer:all»: a grant as the value of a tick box."""
    return f"{grant.role}:{EVERYWHERE if grant.site_id is None else grant.site_id}"


class GrantsField(SelectMultipleField):  # type: ignore[misc]
    """Tick boxes of role × site; ``data`` is a tuple of grants. ``offer`` says which there are."""

    def offer(self, sites: Mapping[int, str], *, everywhere: bool) -> None:
        """Every role on each of ``sites`` (title by id), and on every site where that may be given."""
        self.places: dict[int | None, str] = ({None: "Every site"} if everywhere else {}) | dict(sites)
        self.choices = [
            SelectChoice(coded(Grant(role, site_id)), title) for role in Role for site_id, title in self.places.items()
        ]

    def process_data(self, value: Iterable[Any] | None) -> None:
        self.data = [coded(Grant(grant.role, grant.site_id)) for grant in value or ()]

    def pre_validate(self, form: Form) -> None:
        """What was sent is not quoted: it may be anything."""
        try:
            super().pre_validate(form)
        except ValidationError:
            raise ValidationError("Choose among the roles and sites shown here.") from None

    @property
    def grants(self) -> tuple[Grant, ...]:
        return tuple(_grant(code) for code in self.data or ())


def _grant(code: str) -> Grant:
    role, _, site = code.partition(":")
    return Grant(Role(role), None if site == EVERYWHERE else int(site))


class InviteForm(CommandForm[InviteStaff]):
    command = InviteStaff

    email = TextField(
        "E-mail address",
        length=254,
        required=True,
        widget=EmailInput(),
        description="The invitation goes there, and it is what they sign in with.",
    )
    grants = GrantsField("Roles")

    def to_command(self, **route: object) -> InviteStaff:
        return super().to_command(**route, grants=self.grants.grants)


class GrantsForm(CommandForm[ChangeGrants]):
    command = ChangeGrants

    grants = GrantsField("Roles")

    def to_command(self, **route: object) -> ChangeGrants:
        return super().to_command(**route, grants=self.grants.grants)
