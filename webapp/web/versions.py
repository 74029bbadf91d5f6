"""The version a form was drawn from: a change made meanwhile is noticed, not overwritten."""

from __future__ import annotations

from wtforms import HiddenField

_DIGITS = 9


class VersionField(HiddenField):  # type: ignore[misc]
    """A hidden whole number; nonsense is version 0, which nothing has."""

    def process_formdata(self, valuelist: list[str]) -> None:
        text = valuelist[0] if valuelist else ""
        self.data = int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0
