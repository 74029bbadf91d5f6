"""What is chosen about a batch."""

from __future__ import annotations

from typing import Any

from flask_wtf.file import FileField
from wtforms import BooleanField, RadioField, SelectChoice
from wtforms.validators import InputRequired

from webapp.domain.benefit_batches import AUDIENCE_WORDS, MOST, MOST_LISTED, Audience
from webapp.services.benefits.batches import PlanBatch
from webapp.web.choosing import ListedField, number_or_nothing
from webapp.web.fields import DayField, ParagraphField, TextField
from webapp.web.uploads import FileForm


class PlanForm(FileForm[PlanBatch]):
    """The benefit, whom it is for, and when; of the ways to name people the chosen one counts."""

    command = PlanBatch
    steering = frozenset({"encoding"})

    definition_id = ListedField("Benefit", [InputRequired("Choose a benefit.")], coerce=int)
    audience = RadioField(
        "Who gets one",
        coerce=Audience,
        choices=[SelectChoice(item, words) for item, words in AUDIENCE_WORDS.items()],
        default=Audience.LIST,
        description=f"One batch takes up to {MOST:,} people.",
    )
    listed = ParagraphField(
        "People",
        length=60_000,
        description=f"A member id or e-mail on each line, at most {MOST_LISTED:,}.",
    )
    group_id = ListedField("Group", coerce=number_or_nothing)
    condition = ParagraphField("Condition", length=8_192, description="JsonLogic, one object, as on a definition.")
    file = FileField(
        "File",
        description="CSV or Excel workbook with a column of member ids or e-mails; 1 or yes under has_notified_issue or "
        "has_notified_expiry keeps those notices from being sent a second time.",
    )
    issued_on = DayField("First day", description="Empty is now. A later day is kept back until it begins.")
    expires_on = DayField("Last day", description="Empty goes by the terms.")
    on_the_day = BooleanField("Look up who is meant when the first day begins")
    excludes_holders = BooleanField("Leave out who holds this benefit already")
    note = TextField("Note", length=250, description="Stands in the history of every benefit of the batch.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("audience", "listed", "group_id", "condition", "file"):
            self[name].flags.required = True  # the one that shows is needed
