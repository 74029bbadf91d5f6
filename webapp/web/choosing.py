"""Lists to choose from that may get shorter while a page is open: something on it is archived, closed or taken off."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from wtforms import SelectChoice, SelectField
from wtforms.validators import ValidationError

from webapp.web.fields import MOST

NOT_LISTED = "Choose one of the list."


def number_or_nothing(text: Any) -> int | None:
    """What a list of rows sends: an id, or nothing chosen."""
    return int(text) if text and str(text) != "None" else None


class ListedField(SelectField):  # type: ignore[misc]
    """One of a list of what is open. What was sent, is there, and is not listed any more goes to the service, which says why not.

    A form checks shape: whether the thing is there and in reach, as ``find`` tells by its title. That it was archived
    since the page was drawn is for the rule to say, by its code and in its sentence (benefits.md 5.9). The page that
    comes back has it chosen still.
    """

    find: Callable[[Any], str | None] | None = None
    left = ""  # why what is there and not listed cannot be chosen, where no rule says so; takes the title

    def offer(
        self,
        rows: Iterable[tuple[Any, str]],
        find: Callable[[Any], str | None] | None = None,
        *,
        nothing: str | None = None,
        left: str = "",
    ) -> None:
        """List ``rows``, value and title; ``nothing`` is what choosing none of them is called, where that may be."""
        first = [] if nothing is None else [SelectChoice("", nothing)]
        self.choices = [*first, *(SelectChoice(str(value), title) for value, title in rows)]
        self.find, self.left = find, left

    def keep(self) -> str | None:
        """Show what is chosen although it is not listed; gives its title, or None when it is listed or not there."""
        value = self.data
        is_listed = str("" if value is None else value) in {choice.value for choice in self.choices}
        if is_listed or self.find is None or (isinstance(value, int) and not 0 < value <= MOST):
            return None
        title = self.find(value)
        if title is not None:
            self.choices = [*self.choices, SelectChoice(str(value), title)]
        return title

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValidationError(NOT_LISTED) from None

    def pre_validate(self, form: Any) -> None:
        title = self.keep() if self.raw_data else None
        if title is not None and self.left:
            raise ValidationError(self.left.format(title))
        try:
            super().pre_validate(form)
        except ValidationError:
            raise ValidationError(NOT_LISTED) from None
