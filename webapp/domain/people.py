"""What is known of a person beside name and address: birth, gender, consents, tags, further typed facts."""

from __future__ import annotations

import re
from calendar import month_name, monthrange
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import StrEnum

from webapp.domain.errors import Refused


class Gender(StrEnum):
    """As conditions and files name it; empty when it was never told."""

    UNKNOWN = ""
    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    WITHHELD = "withheld"


class AttributeKind(StrEnum):
    """The type of a further fact."""

    TEXT = "text"
    WHOLE_NUMBER = "whole number"
    DECIMAL = "decimal number"
    YES_NO = "yes or no"
    DATE = "date"
    CHOICE = "choice"


CHANNELS = ("email", "sms", "push", "phone", "post")
PURPOSES = (
    "optout",
    "bounced",
    "promo",
    "discover",
    "benefits",
    "reminders",
    "account",
    "bookings",
    "feedback",
    "location",
    "service",
)
CONSENTS = tuple(f"{channel}_{purpose}" for channel in CHANNELS for purpose in PURPOSES)


CHANNEL_WORDS = {"email": "E-mail", "sms": "SMS", "push": "Push", "phone": "Phone", "post": "Post"}
PURPOSE_WORDS = {
    "optout": "opted out",
    "bounced": "bounces",
    "promo": "offers",
    "discover": "news",
    "benefits": "benefits",
    "reminders": "reminders",
    "account": "account",
    "bookings": "bookings",
    "feedback": "feedback",
    "location": "near a shop",
    "service": "service",
}
_BARS = ("optout", "bounced")  # these say that nothing is sent at all, whatever else is switched on
FIRST_BIRTH_YEAR = 1900
_LEAP = 2000
MOST_LABELS, LONGEST_LABEL = 50, 60
LONGEST_TEXT = 200
_MOST = 2_000_000_000
_SHOWN = 40
_WHOLE = re.compile(r"-?[0-9]{1,10}")
_DECIMAL = re.compile(r"-?[0-9]{1,9}(?:[.,][0-9]{1,4})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TRUE, _FALSE = ("yes", "true", "1"), ("no", "false", "0")
Value = str | int | float | bool


def check_birth(day: int | None, month: int | None, year: int | None, today: date) -> None:
    """Whether the parts that are given can be those of one birthday; ``Refused`` says which cannot.

    Each part may be given alone: a shop often knows day and month without the year.
    """
    if year is not None and not FIRST_BIRTH_YEAR <= year <= today.year:
        raise Refused(
            "profile.birth", f"The birth year lies from {FIRST_BIRTH_YEAR} to {today.year}, not {year}.", "birth_year"
        )
    if month is not None and not 1 <= month <= 12:
        raise Refused("profile.birth", f"There are the months 1 to 12, not {month}.", "birth_month")
    if day is None:
        return
    most = 31 if month is None else monthrange(_LEAP if year is None else year, month)[1]
    if not 1 <= day <= most:
        where = "A month" if month is None else month_name[month] + (f" {year}" if year and month == 2 else "")
        raise Refused(
            "profile.birth",
            f"{where} has {most} days at most; there is no {day}. Correct the day or the month.",
            "birth_day",
        )
    if year is not None and month is not None and date(year, month, day) > today:
        raise Refused("profile.birth", f"{day} {month_name[month]} {year} is still to come.", "birth_year")


def birth_in_words(day: int | None, month: int | None, year: int | None) -> str:
    """«31 March 1980», «March 1980», «day 31»: whatever is known; empty when nothing is."""
    if day is not None and month is None:
        return f"day {day}" + (f", {year}" if year else "")
    return " ".join(part for part in (str(day or ""), month_name[month or 0], str(year or "")) if part)


def labels(text: str, field: str) -> list[str]:
    """Tags or statuses of a comma-separated list: folded, each once, in order; ``Refused`` names the first too long."""
    found = sorted({" ".join(part.split()).casefold() for part in re.split(r"[,;\n]", text)} - {""})
    for label in found:
        if len(label) > LONGEST_LABEL:
            shown = f"«{label[:_SHOWN]}…»"
            raise Refused(
                "profile.label", f"{shown} has {len(label)} characters; {LONGEST_LABEL} are the most for one.", field
            )
    if len(found) > MOST_LABELS:
        raise Refused("profile.labels", f"These are {len(found)}; a person has {MOST_LABELS} at most.", field)
    return found


def consents_in_words(consents: Mapping[str, object]) -> list[tuple[str, str]]:
    """(«E-mail», «offers, reminders») for each channel something is known of; what bars a channel comes first."""
    found = []
    for channel in CHANNELS:
        on = [purpose for purpose in PURPOSES if consents.get(f"{channel}_{purpose}") is True]
        bars = [PURPOSE_WORDS[purpose] for purpose in on if purpose in _BARS]
        others = [PURPOSE_WORDS[purpose] for purpose in on if purpose not in _BARS]
        words = ", ".join(others)
        if bars:
            words = " and ".join(bars) + (
                f"; nothing is sent, though agreed to: {words}" if words else "; nothing is sent"
            )
        elif not words and any(name.partition("_")[0] == channel for name in consents):
            words = "no"
        if words:
            found.append((CHANNEL_WORDS[channel], words))
    return found


def attribute_value(kind: AttributeKind, choices: Sequence[object], text: str) -> Value | None:
    """The typed value of a further fact as a form or file writes it; None when nothing is written.

    Raises ``Refused`` with what the kind wants and the value seen. Choices are told apart by their exact text.
    """
    text = text.strip()
    return _READERS[kind](text, choices) if text else None


def attribute_text(value: object) -> str:
    """A stored value as forms and files write it, so that ``attribute_value`` reads it back as it was."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".")
    return str(value)


def _text(text: str, _choices: Sequence[object]) -> Value:
    if len(text) > LONGEST_TEXT:
        raise Refused("attribute.value", f"This has {len(text):,} characters; {LONGEST_TEXT} are the most.")
    return text


def _whole(text: str, _choices: Sequence[object]) -> Value:
    if not _WHOLE.fullmatch(text) or abs(int(text)) > _MOST:
        raise Refused("attribute.value", f"Write a whole number such as 12 or -3, not «{text[:_SHOWN]}».")
    return int(text)


def _decimal(text: str, _choices: Sequence[object]) -> Value:
    if not _DECIMAL.fullmatch(text):
        raise Refused(
            "attribute.value", f"Write a number with at most four decimals such as 12.5, not «{text[:_SHOWN]}»."
        )
    return float(text.replace(",", "."))


def _yes_no(text: str, _choices: Sequence[object]) -> Value:
    if text.casefold() not in (*_TRUE, *_FALSE):
        raise Refused("attribute.value", f"Write yes or no, not «{text[:_SHOWN]}».")
    return text.casefold() in _TRUE


def _date(text: str, _choices: Sequence[object]) -> Value:
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or not FIRST_BIRTH_YEAR <= day.year <= 2200:
        raise Refused("attribute.value", f"Write a day such as 2026-03-31 from 1900 to 2200, not «{text[:_SHOWN]}».")
    return day.isoformat()


def _choice(text: str, choices: Sequence[object]) -> Value:
    if text not in choices:
        offered = ", ".join(f"«{choice}»" for choice in choices[:6])
        raise Refused("attribute.value", f"Choose one of {offered}; «{text[:_SHOWN]}» is none of them.")
    return text


_READERS: dict[AttributeKind, Callable[[str, Sequence[object]], Value]] = {
    AttributeKind.TEXT: _text,
    AttributeKind.WHOLE_NUMBER: _whole,
    AttributeKind.DECIMAL: _decimal,
    AttributeKind.YES_NO: _yes_no,
    AttributeKind.DATE: _date,
    AttributeKind.CHOICE: _choice,
}
