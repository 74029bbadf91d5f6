"""What is typed of a module and of a completion."""

from __future__ import annotations

from typing import TypeVar

from wtforms import SelectChoice, SelectField
from wtforms.validators import InputRequired

from webapp.domain.modules import LONGEST_PATH, MOST_UNITS, LapseUnit
from webapp.services.modules import ChangeModule, CreateModule, RecordCompletion
from webapp.web.fields import DayField, TextField, WholeField
from webapp.web.forms import CommandForm
from webapp.web.versions import VersionField

C = TypeVar("C")
_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class ModuleForm(CommandForm[C]):
    """The fields a new module and a changed one share."""

    title = TextField("Title", length=200, required=True)
    lapses_after = WholeField(
        "A completion lapses after", least=1, most=MOST_UNITS, required=False, description="Empty: it never lapses."
    )
    lapses_unit = SelectField(
        "Counted in",
        coerce=LapseUnit,
        default=LapseUnit.MONTHS,
        choices=[SelectChoice(unit, unit.capitalize()) for unit in LapseUnit],
    )


class NewModuleForm(ModuleForm[CreateModule]):
    command = CreateModule

    site_id = SelectField("Site", [InputRequired("Choose the site this module belongs to.")], coerce=int)
    path = TextField(
        "Path",
        length=LONGEST_PATH,
        required=True,
        description="Programme, course, module, such as /p1/c1/m1. It never changes.",
        render_kw=_PLAIN,
    )


class ChangeModuleForm(ModuleForm[ChangeModule]):
    command = ChangeModule

    version = VersionField()


class RecordCompletionForm(CommandForm[RecordCompletion]):
    command = RecordCompletion

    person = TextField("Person", length=254, required=True, description="Member id or e-mail.", render_kw=_PLAIN)
    completed_on = DayField("Day", required=True)
    score = WholeField("Score", least=0, most=100, required=False, description="Per cent; may be empty.")
