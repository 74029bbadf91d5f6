"""Groups: what they are for and how people come into them."""

from __future__ import annotations

from enum import StrEnum


class GroupKind(StrEnum):
    """What a group is for; a primary group says who somebody is, the others what they wish to get."""

    PRIMARY = "primary"
    MAILING_LIST = "mailing list"
    SUBSCRIPTION = "subscription"


class Registration(StrEnum):
    """Who may come in: anybody, whoever is approved, or only whom staff put there."""

    OPEN = "open"
    REVIEWED = "reviewed"
    CLOSED = "closed"
