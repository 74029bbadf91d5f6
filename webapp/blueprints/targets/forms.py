"""What an editor types of a target."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from wtforms import SelectField
from wtforms.validators import InputRequired

from webapp.services.targets import ChangeTarget, CreateTarget
from webapp.web.fields import ParagraphField, TextField
from webapp.web.forms import CommandForm
from webapp.web.versions import VersionField

C = TypeVar("C")
LONGEST = 8_000


class TargetForm(CommandForm[C]):
    """The fields a new target and a changed one share."""

    title = TextField("Title", length=120, required=True)
    subject = TextField("Subject", length=200, required=True)
    body = ParagraphField("Text", length=LONGEST, required=True)
    condition = ParagraphField("Who gets it", length=8_192)


class NewTargetForm(TargetForm[CreateTarget]):
    command = CreateTarget

    site_id = SelectField("Site", [InputRequired("Choose the site this target belongs to.")], coerce=int)


class ChangeTargetForm(TargetForm[ChangeTarget]):
    command = ChangeTarget

    version = VersionField()


def saved(target: Any) -> dict[str, Any]:
    """What is saved of a target, as the form shows it."""
    rule = target.condition
    return {
        "title": target.title,
        "subject": target.subject,
        "body": target.body,
        "condition": json.dumps(rule, ensure_ascii=False) if rule else "",
        "version": target.version,
    }
