"""What is known of a person beside name and address: gender, consents, further typed facts."""

from __future__ import annotations

from enum import StrEnum


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
