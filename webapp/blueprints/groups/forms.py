"""What is typed of a group and of who comes into it."""

from __future__ import annotations

from typing import TypeVar

from wtforms import SelectChoice, SelectField

from webapp.domain.groups import KINDS, REGISTRATIONS, GroupKind, Registration
from webapp.services.groups import AddMember, ChangeGroup, CreateGroup
from webapp.web.fields import ParagraphField, TextField
from webapp.web.forms import CommandForm
from webapp.web.versions import VersionField

C = TypeVar("C")
_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class GroupForm(CommandForm[C]):
    """The fields a new group and a changed one share."""

    title = TextField("Title", length=120, required=True, description="The name that files use is made from it once.")
    kind = SelectField(
        "What it is for", coerce=GroupKind, choices=[SelectChoice(kind, text) for kind, text in KINDS.items()]
    )
    registration = SelectField(
        "Who comes in", coerce=Registration, choices=[SelectChoice(one, text) for one, text in REGISTRATIONS.items()]
    )
    notes = ParagraphField("Notes for staff", length=2_000)


class NewGroupForm(GroupForm[CreateGroup]):
    command = CreateGroup


class ChangeGroupForm(GroupForm[ChangeGroup]):
    command = ChangeGroup

    version = VersionField()


class AddMemberForm(CommandForm[AddMember]):
    command = AddMember

    person = TextField("Person", length=254, required=True, description="Member id or e-mail.", render_kw=_PLAIN)
    organisation = TextField(
        "Within the organisation", length=64, description="Its id; empty for none.", render_kw=_PLAIN
    )
