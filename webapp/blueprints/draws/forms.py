"""What staff type on the draw screens."""

from __future__ import annotations

from wtforms import BooleanField, SelectChoice, SelectField
from wtforms.validators import InputRequired, Length

from webapp.domain.entries import WORDS, EntryStatus
from webapp.services.draws import RunDraw
from webapp.services.review import ExcludeEntry, ReadmitEntry
from webapp.web.fields import ExactField, TextField, WholeField
from webapp.web.forms import CommandForm

LONGEST_VALUE = 1_024
_BY_HAND = (
    EntryStatus.STAFF,
    EntryStatus.PREVIOUS_WINNER,
    EntryStatus.DUPLICATE,
    EntryStatus.HOUSEHOLD,
    EntryStatus.OVER_LIMIT,
    EntryStatus.INELIGIBLE,
    EntryStatus.WITHDRAWN,
    EntryStatus.LATE,
    EntryStatus.TEST,
)


class ExcludeForm(CommandForm[ExcludeEntry]):
    command = ExcludeEntry

    number = WholeField("Entry number", least=1, most=999_999_999)
    entry_status = SelectField(
        "Because it is",
        choices=[SelectChoice(status.value, WORDS[status]) for status in _BY_HAND],
        coerce=EntryStatus,
    )
    reason = TextField("Reason in words", length=300, required=True)


class ReadmitForm(CommandForm[ReadmitEntry]):
    command = ReadmitEntry

    number = WholeField("Entry number", least=1, most=999_999_999)
    reason = TextField("Reason in words", length=300, required=True)


class RunForm(CommandForm[RunDraw]):
    """The value is taken to the character: nothing is trimmed or tidied on the way."""

    command = RunDraw

    value = ExactField("Value", [InputRequired("Enter the value the witness supplied."), Length(max=LONGEST_VALUE)])
    value_again = ExactField(
        "Value again", [InputRequired("Enter the value a second time."), Length(max=LONGEST_VALUE)]
    )
    witness_name = TextField(
        "Who supplied it", length=120, required="Enter who supplied the value: the record names them."
    )
    witness_capacity = TextField("In what capacity", length=200)
    held_fingerprint = BooleanField("They held the fingerprint of the seal before the value was known")
