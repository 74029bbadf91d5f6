"""Groups: what they are for and how people come into them."""

from __future__ import annotations

import re
from enum import StrEnum

from webapp.domain.errors import Conflict, Refused
from webapp.domain.identity import handle
from webapp.domain.verdicts import Reason, Verdict, all_of


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


KINDS: dict[GroupKind, str] = {
    GroupKind.PRIMARY: "Primary: says who somebody is",
    GroupKind.MAILING_LIST: "Mailing list: who gets messages",
    GroupKind.SUBSCRIPTION: "Subscription: who asked for something",
}
REGISTRATIONS: dict[Registration, str] = {
    Registration.CLOSED: "Closed: only staff put people in",
    Registration.REVIEWED: "Reviewed: people ask, staff decide",
    Registration.OPEN: "Open: anybody may come in",
}
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")
_SHOWN = 60


def checked_name(name: str, title: str) -> str:
    """The name that files know a group by: as given, or made from the title; ``Refused`` when it cannot be one."""
    plain = name.strip() or handle(title, "group")
    if not _NAME.fullmatch(plain):
        raise Refused(
            "group.name",
            f"«{name[:_SHOWN]}» cannot be the name of a group; use small letters, digits and dashes, such as club-nord.",
            "name",
        )
    return plain


def may_join(title: str, *, is_archived: bool) -> Verdict:
    """Nobody new comes into an archived group."""
    return all_of(
        Reason(
            "group.archived",
            f"The group «{title[:_SHOWN]}» is archived, so nobody is added to it. Restore it first.",
            "person",
        )
        if is_archived
        else None
    )


def already_in(person: str, title: str, organisation: str) -> Conflict:
    """One may be in a group several times, each within another organisation, and once within none (rewards.md 1.2)."""
    place = f"within «{organisation[:_SHOWN]}»" if organisation else "within no organisation"
    return Conflict(
        "group.member",
        f"{person[:_SHOWN]} is in the group «{title[:_SHOWN]}» {place} already. The same person can be in it again within "
        "another organisation.",
        "person",
    )


def unknown_person(text: str) -> Refused:
    """Neither a member id nor an e-mail of anybody."""
    return Refused(
        "person.unknown",
        f"Nobody has the member id or e-mail «{text[:_SHOWN]}». Copy it from the page of the person.",
        "person",
    )


def unknown(name: str) -> Refused:
    """No group has this name."""
    return Refused("group.unknown", f"There is no group called «{name[:_SHOWN]}».", "group")
