"""What an editor types of a target."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from wtforms import RadioField, SelectChoice, SelectField
from wtforms.validators import InputRequired

from webapp.domain.notices import TargetKind
from webapp.domain.webhook_addresses import LONGEST as LONGEST_ADDRESS
from webapp.services.targets import ChangeTarget, CreateTarget
from webapp.web.fields import ParagraphField, TextField
from webapp.web.forms import CommandForm
from webapp.web.versions import VersionField

C = TypeVar("C")
LONGEST = 8_000
_KINDS = (
    SelectChoice(TargetKind.EMAIL, "E-mail to the person"),
    SelectChoice(TargetKind.WEBHOOK, "Webhook: signed JSON to an address of yours"),
)
_SAMPLE = """{
  "member": "((profile.external_id))",
  "benefit": "((definition.name))",
  "code": "((benefit.code))",
  "good_until": "((benefit.expires_on))"
}"""


class TargetForm(CommandForm[C]):
    """The fields a new target and a changed one share; those of the other kind are not looked at."""

    kind = RadioField("Kind", choices=_KINDS, default=TargetKind.EMAIL, coerce=TargetKind)
    title = TextField("Title", length=120, required=True)
    subject = TextField("Subject", length=200)
    body = ParagraphField("Text", length=LONGEST)
    url = TextField("Address", length=LONGEST_ADDRESS)
    payload = ParagraphField("JSON", length=LONGEST, default=_SAMPLE)
    condition = ParagraphField("Who gets it", length=8_192)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in (self.kind, self.subject, self.body, self.url, self.payload):  # the ones that show are needed
            field.flags.required = True


class NewTargetForm(TargetForm[CreateTarget]):
    command = CreateTarget

    site_id = SelectField("Site", [InputRequired("Choose the site this target belongs to.")], coerce=int)


class ChangeTargetForm(TargetForm[ChangeTarget]):
    command = ChangeTarget
    steering = frozenset({"kind"})  # a target stays of its kind; the preview asks for it

    version = VersionField()


def saved(target: Any) -> dict[str, Any]:
    """What is saved of a target, as the form shows it."""
    rule = target.condition
    text = "payload" if target.kind is TargetKind.WEBHOOK else "body"
    return {
        "kind": target.kind,
        "title": target.title,
        "subject": target.subject,
        "url": target.url,
        "body": "",
        "payload": "",
        "condition": json.dumps(rule, ensure_ascii=False) if rule else "",
        "version": target.version,
        text: target.body,
    }
