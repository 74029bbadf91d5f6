"""What every form that prints cards asks: on which paper, and from which label on."""

from __future__ import annotations

from wtforms import RadioField, SelectChoice
from wtforms.validators import InputRequired

from webapp.adapters.typesetting import LAYOUTS
from webapp.web.fields import WholeField
from webapp.web.forms import C, CommandForm

LABELS_ON_A_SHEET = 8


class SheetForm(CommandForm[C]):
    """The paper; a form of cards adds what is on it."""

    layout = RadioField(
        "Layout",
        [InputRequired("Choose a layout.")],
        choices=[SelectChoice(layout.name, layout.title) for layout in LAYOUTS.values()],
        default=next(iter(LAYOUTS)),
    )
    start = WholeField("First free label", least=1, most=LABELS_ON_A_SHEET, default=1)

    def to_command(self, **route: object) -> C:
        """One card a page has no labels to start at."""
        start = self.start.data if LAYOUTS[self.layout.data].sheet else 1
        return super().to_command(**route | {"start": start})
