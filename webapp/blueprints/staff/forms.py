"""What is typed of a member of staff."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from wtforms import Field, Form, SelectChoice, SelectMultipleField
from wtforms.validators import ValidationError
from wtforms.widgets import EmailInput

from webapp.domain.identity import Grant
from webapp.domain.permissions import Role
from webapp.domain.staff import WITHIN
from webapp.services.staff import ChangeGrants, InviteStaff
from webapp.web.choosing import NOT_LISTED, ListedField
from webapp.web.fields import TextField
from webapp.web.forms import CommandForm

C = TypeVar("C")
EVERYWHERE = "all"


def coded(grant: Grant) -> str:
    """«editor:3», «viewer:all», «till:all:17»: a grant as the value of a tick box."""
    place = f"{grant.role}:{EVERYWHERE if grant.site_id is None else grant.site_id}"
    return place if grant.organisation_id is None else f"{place}:{grant.organisation_id}"


class GrantsField(SelectMultipleField):  # type: ignore[misc]
    """Tick boxes of role × site, and of what is held within an organisation; ``data`` is a tuple of grants."""

    def offer(self, sites: Mapping[int, str], *, everywhere: bool, bound: Mapping[Grant, str]) -> None:
        """Every role on each of ``sites`` (title by id), on every site where that may be given, and what is ``bound``."""
        self.places: dict[int | None, str] = ({None: "Every site"} if everywhere else {}) | dict(sites)
        self.bound = {coded(grant): text for grant, text in bound.items()}
        self.choices = [
            SelectChoice(coded(Grant(role, site_id)), title) for role in Role for site_id, title in self.places.items()
        ] + [SelectChoice(code, text) for code, text in self.bound.items()]

    def process_data(self, value: Iterable[Any] | None) -> None:
        self.data = [coded(Grant(grant.role, grant.site_id, grant.organisation_id)) for grant in value or ()]

    def pre_validate(self, form: Form) -> None:
        """What was sent is not quoted: it may be anything."""
        try:
            super().pre_validate(form)
        except ValidationError:
            raise ValidationError("Choose among the roles and sites shown here.") from None

    @property
    def grants(self) -> tuple[Grant, ...]:
        return tuple(map(_grant, self.data or ()))


def _grant(code: str) -> Grant:
    role, site, organisation = [*code.split(":"), ""][:3]
    return Grant(Role(role), None if site == EVERYWHERE else int(site), int(organisation) if organisation else None)


class _ChoiceField(ListedField):
    """One of a list; a form sent without this field at all chooses the first."""

    def pre_validate(self, form: Form) -> None:
        if not self.raw_data:
            self.data = self.choices[0].value
        super().pre_validate(form)


def _titled(text: str, find: Callable[[int], str | None]) -> str | None:
    return find(int(text)) if re.fullmatch("[0-9]{1,9}", text, re.ASCII) else None


class RolesForm(CommandForm[C]):
    """Roles as tick boxes, and one more role within an organisation: chosen from a list, or typed when that is long."""

    steering = frozenset({"within_role", "within_site", "within_listed", "within_typed"})

    grants = GrantsField("Roles")
    within_role = _ChoiceField("Role")
    within_site = _ChoiceField("Site")
    within_listed = _ChoiceField("Organisation")
    within_typed = TextField("Organisation", length=64, description="Its id, as the list of organisations shows it.")

    organisation_id: int | None = None  # what the chosen or typed organisation turned out to be

    def offer(
        self,
        sites: Mapping[int, str],
        organisations: Sequence[tuple[int, str]] | None,
        find: Callable[[int], str | None],
        *,
        everywhere: bool,
        bound: Mapping[Grant, str],
    ) -> None:
        """What can be chosen; ``organisations`` None asks for the id of one instead of listing them all.

        ``find`` gives the title of an organisation, archived or not.
        """
        self.grants.offer(sites, everywhere=everywhere, bound=bound)
        nothing = SelectChoice("", "No further role")
        self.within_role.choices = [nothing, *(SelectChoice(str(role), role.capitalize()) for role in WITHIN)]
        self.within_site.choices = [
            SelectChoice(EVERYWHERE if site_id is None else str(site_id), title)
            for site_id, title in self.grants.places.items()
        ] or [SelectChoice("", "No site")]
        if organisations is None:
            del self.within_listed
        else:
            del self.within_typed
            archived = "«{}» is archived; choose another organisation, or restore it."
            self.within_listed.offer(organisations, lambda text: _titled(text, find), nothing="None", left=archived)

    @property
    def organisation(self) -> Field:
        """The field the organisation is chosen by."""
        return self.within_listed if "within_listed" in self else self.within_typed

    def validate(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool:
        is_good = super().validate(extra_validators)
        role, place = self.within_role.data, self.organisation
        if role and not place.data:
            place.errors = ["Choose the organisation, or tick the role above, where it holds in all of them."]
        elif place.data and not role:
            self.within_role.errors = ["Choose the role this organisation is for."]
        elif role and self.organisation_id is None and list(place.errors) in ([], [NOT_LISTED]):
            place.errors = ["No organisation in use has this id. Compare it with the list of organisations."]
        return is_good and bool(role) == (self.organisation_id is not None)

    def to_command(self, **route: object) -> C:
        more: tuple[Grant, ...] = ()
        if self.within_role.data:
            more = (_grant(f"{self.within_role.data}:{self.within_site.data}:{self.organisation_id}"),)
        return super().to_command(**route, grants=tuple(dict.fromkeys((*self.grants.grants, *more))))


class InviteForm(RolesForm[InviteStaff]):
    command = InviteStaff

    email = TextField(
        "E-mail address",
        length=254,
        required=True,
        widget=EmailInput(),
        description="The invitation goes there, and it is what they sign in with.",
    )


class GrantsForm(RolesForm[ChangeGrants]):
    command = ChangeGrants
