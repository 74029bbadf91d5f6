"""Our own fields: bounds, dates and text are checked in one place (reliability.md section 5)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from wtforms import DateField, DateTimeLocalField, Field, IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError
from wtforms.widgets import TextInput

MOST = 2_000_000_000
_TELL_WHOSE = frozenset({"a", "an", "her", "his", "its", "the", "their", "your"})  # no article before these
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufdd0-\ufdef\ufffe\uffff]")
MARK = "\ufffd"  # stands for a sign that cannot be shown
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class TextField(StringField):  # type: ignore[misc]
    """One line of text: trimmed, NFC, at most ``length`` characters, no control or direction signs."""

    multiline = False
    data: str

    def __init__(
        self, label: str, *, length: int, required: bool | str = False, validators: Sequence[Any] = (), **more: Any
    ):
        """``required`` may be the sentence that asks for it."""
        ask = required if isinstance(required, str) else f"Enter {_article(label)}."
        checks = [InputRequired(ask)] if required else [Optional()]
        more.setdefault("default", "")  # a form sent without this field at all says nothing, not None
        super().__init__(
            label, [*checks, Length(max=length, message=f"Use at most {length:,} characters."), *validators], **more
        )
        self.length = length

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist:
            return
        text = unicodedata.normalize("NFC", valuelist[0]).replace("\r\n", "\n").replace("\r", "\n").strip()
        self.data = text
        self.raw_data = [text]  # «   » is nothing typed
        if _CONTROL.search(text) or _SURROGATE.search(text) or (not self.multiline and "\n" in text):
            self.data = _SURROGATE.sub("", _CONTROL.sub("", text)).replace("\n", "\n" if self.multiline else " ")
            raise ValidationError("Remove the invisible control characters; they were taken out here.")
        if not self.multiline and _BIDI.search(text):
            self.data = _BIDI.sub("", text)
            raise ValidationError("Remove the signs that change the writing direction; they were taken out here.")


class ParagraphField(TextField, TextAreaField):  # type: ignore[misc]
    """Several lines of text."""

    multiline = True


class ExactField(StringField):  # type: ignore[misc]
    """Text taken to the character: nothing is trimmed or tidied. A sign that no page may hold is marked, to be refused."""

    def process_formdata(self, valuelist: list[str]) -> None:
        if valuelist:
            self.data = _CONTROL.sub(MARK, valuelist[0])


FIRST_YEAR, LAST_YEAR = 2000, 2200


class WholeField(IntegerField):  # type: ignore[misc]
    """A whole number in ASCII digits within ``least`` and ``most``."""

    def __init__(self, label: str, *, least: int = 0, most: int = MOST, required: bool = True, **more: Any) -> None:
        checks = [InputRequired(f"Enter {_article(label)}.")] if required else [Optional()]
        bounds = NumberRange(least, most, f"Enter a whole number from {least:,} to {most:,}.")
        super().__init__(label, [*checks, bounds], **more)
        self.least, self.most = least, most

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist or not valuelist[0].strip():
            self.data = None
            self.raw_data: list[str] = []
            return
        text = _showable(valuelist[0])
        self.data, self.raw_data = None, [text]
        if not re.fullmatch(r"-?[0-9]{1,10}", text, re.ASCII):
            raise ValidationError(
                f"Enter a whole number from {self.least:,} to {self.most:,} in digits, not «{text[:20]}»."
            )
        self.data = int(text)


class MoneyField(Field):  # type: ignore[misc]
    """An amount with at most two decimals, kept as whole hundredths."""

    widget = TextInput()

    def __init__(self, label: str, **more: Any) -> None:
        super().__init__(label, [Optional()], **more)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else f"{self.data // 100}.{self.data % 100:02d}"

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if not valuelist or not valuelist[0].strip():
            return
        text = _showable(valuelist[0])
        self.raw_data = [text]
        found = re.fullmatch(r"([0-9]{1,9})(?:[.,]([0-9]{1,2}))?", text, re.ASCII)
        if not found:
            raise ValidationError(f"Enter an amount such as 25 or 25.00, not «{text[:20]}».")
        self.data = int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))


class DayField(DateField):  # type: ignore[misc]
    """A calendar day from 2000 to 2200, typed as 2026-03-31 or picked."""

    def __init__(self, label: str, *, required: bool = False, **more: Any) -> None:
        checks = [InputRequired(f"Enter {_article(label)}.")] if required else [Optional()]
        super().__init__(label, checks, **more)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if not valuelist or not valuelist[0].strip():
            self.raw_data: list[str] = []  # «   » is nothing typed
            return
        text = _showable(valuelist[0])
        self.raw_data = [text]
        if re.fullmatch(r"\d{1,2}\D\d{1,2}\D\d{2}", text):
            raise ValidationError(f"«{text}» has a year of two digits; write the year in full, such as 2026-03-31.")
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
            raise ValidationError(f"Enter a date such as 2026-03-31, not «{text[:20]}».")
        try:
            self.data = date.fromisoformat(text)
        except ValueError:
            raise ValidationError(f"«{text}» is not a day of the calendar.") from None
        if not FIRST_YEAR <= self.data.year <= LAST_YEAR:
            raise ValidationError(f"«{text}» is outside the years 2000 to 2200.")


class MinuteField(DateTimeLocalField):  # type: ignore[misc]
    """A local date and time to the minute, from 2000 to 2200, typed as 2026-03-31 18:00 or picked."""

    def __init__(self, label: str, **more: Any) -> None:
        super().__init__(label, [Optional()], **more)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if not valuelist or not valuelist[0].strip():
            return
        text = _showable(valuelist[0])
        self.raw_data = [text]
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?", text, re.ASCII):
            raise ValidationError(f"Enter a date and a time such as 2026-03-31 18:00, not «{text[:20]}».")
        try:
            self.data = datetime.fromisoformat(text)
        except ValueError:
            raise ValidationError(f"«{text}» is no moment of the calendar.") from None
        if not FIRST_YEAR <= self.data.year <= LAST_YEAR:
            self.data = None
            raise ValidationError(f"«{text}» is outside the years 2000 to 2200.")

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else f"{self.data:%Y-%m-%dT%H:%M}"


def _showable(typed: str) -> str:
    """What was typed, trimmed, with a mark in the place of every sign that no page may hold: it is sent back."""
    return _CONTROL.sub(MARK, typed.strip())


def _article(label: str) -> str:
    words = f"{label[:1].lower()}{label[1:]}"
    return words if words.partition(" ")[0] in _TELL_WHOSE else f"the {words}"
