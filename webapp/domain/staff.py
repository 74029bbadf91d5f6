"""Who may sign in and with what: passwords, the roles one person may hold together, how long a session lasts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from webapp.domain.errors import Refused
from webapp.domain.identity import Grant
from webapp.domain.permissions import Role, conflicts, of_organisation
from webapp.domain.verdicts import Reason, Verdict, all_of

# reliability.md 6.2
IDLE = timedelta(minutes=30)
TILL_IDLE = timedelta(hours=8)  # of a till, which asks for the PIN long before
LONGEST = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
WAIT_FOR_DRAWS = timedelta(hours=24)  # between a draw supervisor's role being given and its holding (T9)
CONFIRMED_FOR = timedelta(minutes=10)  # how long a password given counts for the acts that ask for one
INVITATION = timedelta(hours=24)
WINDOW = timedelta(minutes=5)
TRIES_PER_ACCOUNT = 10
TRIES_PER_ADDRESS = 10
TRIES_OVERALL = 1_000
SHORTEST, LONGEST_PASSWORD = 12, 128
LONGEST_EMAIL = 254

DUTIES: dict[Role, str] = {
    Role.VIEWER: "Sees programmes and totals, no names.",
    Role.TILL: "Looks up one code and redeems it.",
    Role.EDITOR: "Sets up sites, rewards and voucher types, imports entries, seals draws.",
    Role.DRAW_SUPERVISOR: "Enters the witnessed value, draws, signs off replacements.",
    Role.FULFILMENT: "Contacts winners, hands over prizes, prints vouchers.",
    Role.ADMINISTRATOR: "Invites staff, gives roles, changes settings. Cannot edit programmes or draw.",
}

# What a role reaches that is given within an organisation; the others carry nothing there.
WITHIN: dict[Role, str] = {
    Role.TILL: "Finds the people who belong to the organisation or to one below it, and redeems, claims and takes back "
    "what they hold of the site.",
    Role.EDITOR: "Sees and changes the organisation with all below it and the people who belong there, claims benefits of "
    "the site for them, and takes redemptions back.",
}

_DISGUISES = str.maketrans("@4013$57!", "aaoiessti")
_FEWEST_SIGNS = 3  # one or two signs over and over are no password, however many
_SHORTEST_NAME = 4  # a name of three letters may be part of any word


def normalise(email: str) -> str:
    """The spelling an address is known by: NFC, trimmed, case folded."""
    return unicodedata.normalize("NFC", email).strip().casefold()


def checked_email(email: str) -> str:
    """The normalised address, or ``Refused`` when it cannot be one."""
    plain = normalise(email)
    if len(plain) > LONGEST_EMAIL or not re.fullmatch(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s<>,;\".]+", plain):
        raise Refused("staff.email", f"«{email[:60]}» is not an e-mail address such as ada@example.org.", "email")
    return plain


MOST_ANCHORS = 5


def anchor_addresses(text: str) -> list[str]:
    """The addresses in ``text``, each once; ``Refused`` names the one that is none, or how many there are too many."""
    found = dict.fromkeys(part.strip() for part in text.replace(";", ",").split(",") if part.strip())
    if len(found) > MOST_ANCHORS:
        raise Refused(
            "settings.anchors",
            f"The end of the log goes to {MOST_ANCHORS} addresses at most, not {len(found)}; a list of your own can "
            "hand it on.",
            "anchor_emails",
        )
    try:
        return list(dict.fromkeys(checked_email(email) for email in found))
    except Refused as refusal:
        raise Refused(refusal.code, refusal.message, "anchor_emails") from None


def may_use_password(password: str, *, name: str, email: str) -> Verdict:
    """Long enough, not common, and not made of the person's own name or address (reliability.md 6.2)."""
    return all_of(
        None
        if SHORTEST <= len(password) <= LONGEST_PASSWORD
        else Reason(
            "password.length",
            f"The password has {len(password):,} characters; use {SHORTEST} to {LONGEST_PASSWORD}. "
            "Four or five words in a row are good.",
            "password",
        ),
        Reason(
            "password.common",
            "Many people use this password, so it is guessed first. Choose another, such as four unrelated words.",
            "password",
        )
        if is_common(password)
        else None,
        Reason(
            "password.own_name",
            "The password contains your own name or e-mail address; choose one that does not.",
            "password",
        )
        if _contains_own(password, name, email)
        else None,
    )


def is_common(password: str) -> bool:
    """Whether the password is on the shipped list, also in disguise (p4ssw0rd) or with digits and signs around it."""
    plain = unicodedata.normalize("NFKC", password).casefold()
    bare = re.sub(r"[\W\d_]+$", "", re.sub(r"^[\W\d_]+", "", plain))
    spellings = {plain, plain.translate(_DISGUISES), bare, re.sub(r"[\W_]+", "", plain)}
    return len(set(plain)) < _FEWEST_SIGNS or not spellings.isdisjoint(common_passwords())


@cache
def common_passwords() -> frozenset[str]:
    """The shipped list, case folded, one password a line."""
    text = files("webapp.domain").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(text.split())


def may_hold(roles: Iterable[Role], *, is_small_team: bool) -> Verdict:
    """Whether one person may hold these roles together (reliability.md 6.1)."""
    found = () if is_small_team else conflicts(frozenset(roles))
    return Verdict(
        tuple(
            Reason(
                "staff.conflict",
                f"One person cannot be both {' and '.join(sorted(pair))}: nobody may check their own work. "
                "Give one of the roles to somebody else, or switch on small-team mode in the settings.",
                "grants",
            )
            for pair in found
        )
    )


def may_grant(grants: Iterable[Grant], *, is_small_team: bool) -> Verdict:
    """Everybody holds at least one role, and no two that conflict."""
    roles = frozenset(grant.role for grant in grants)
    if not roles:
        return Verdict((Reason("staff.no_role", "Choose at least one role: without one nothing is shown.", "grants"),))
    return may_hold(roles, is_small_team=is_small_team)


def may_bind(gained: Iterable[Grant]) -> Verdict:
    """A role within an organisation must carry something there."""
    empty = {grant.role for grant in gained if grant.organisation_id is not None and not of_organisation(grant.role)}
    return Verdict(
        tuple(
            Reason(
                "staff.bound_to_nothing",
                f"The role «{role}» carries nothing within an organisation. Give it in all organisations, or give "
                f"{' or '.join(WITHIN)} within this one.",
                "grants",
            )
            for role in sorted(empty)
        )
    )


def is_of_till(grants: Iterable[Grant]) -> bool:
    """Whether somebody does nothing but work a till: their session waits out a quiet morning behind its lock."""
    return {grant.role for grant in grants} == {Role.TILL}


def may_give(changed: Iterable[Grant], within: frozenset[int] | None) -> Verdict:
    """Roles are given and taken on the giver's own sites only; ``within`` None is every site."""
    if within is None or all(grant.site_id in within for grant in changed):
        return Verdict()
    return Verdict(
        (
            Reason(
                "staff.foreign_site",
                "You manage staff on some sites only, so you can give and take roles on those; "
                "ask an administrator of every site for the rest.",
                "grants",
            ),
        )
    )


def holds_from(grant: Grant, now: datetime, *, by_staff: bool) -> datetime | None:
    """When a grant begins to hold, None for at once: a colleague who gives the right to draw cannot have it used today.

    Everybody concerned is told, and has a day to object (reliability.md T9). Who sets the installation up waits for nobody.
    """
    return now + WAIT_FOR_DRAWS if by_staff and grant.role is Role.DRAW_SUPERVISOR else None


def may_promote_self(gained: Iterable[Grant], *, is_self: bool, is_small_team: bool) -> Verdict:
    """Nobody gives themselves a role, unless the account says openly that the team is too small (6.1, note 1)."""
    if not is_self or not set(gained) or is_small_team:
        return Verdict()
    return Verdict(
        (
            Reason(
                "staff.own_role",
                "You cannot give a role to yourself. Another administrator can, or you switch on small-team mode in the "
                "settings, which every draw certificate then tells.",
                "grants",
            ),
        )
    )


def in_words(
    grants: Iterable[Grant], titles: Mapping[int, str], organisations: Mapping[int, str] = MappingProxyType({})
) -> str:
    """«editor on Club Nord within North, viewer everywhere»; the titles of sites and organisations are by id."""
    return ", ".join(sorted(_phrase(grant, titles, organisations) for grant in grants)) or "nothing"


def _phrase(grant: Grant, titles: Mapping[int, str], organisations: Mapping[int, str]) -> str:
    places = [str(grant.role)]
    if grant.site_id is not None:
        places.append(f"on {titles.get(grant.site_id, 'a site')}")
    if grant.organisation_id is not None:
        places.append(f"within {organisations.get(grant.organisation_id, 'an organisation')}")
    return " ".join(places if places[1:] else [*places, "everywhere"])


def exists_already(email: str, *, is_active: bool) -> str:
    """Why an address cannot be invited again, and what to do instead."""
    if is_active:
        return f"{email} already has an account; change its roles instead."
    return f"{email} has an account that is disabled; enable it instead."


def may_renew(*, is_active: bool) -> Verdict:
    """A link is of no use to a disabled account."""
    return all_of(
        None if is_active else Reason("staff.disabled", "This account is disabled; enable it first, then send a link.")
    )


def may_disable(*, is_self: bool, is_last_administrator: bool) -> Verdict:
    """Nobody locks themselves out, and somebody must be left who can let people in."""
    return all_of(
        Reason("staff.self", "You cannot disable your own account; ask another administrator to do it.")
        if is_self
        else None,
        _last_administrator() if is_last_administrator else None,
    )


def may_demote(*, is_last_administrator: bool) -> Verdict:
    """Taking the administrator's role away needs another active administrator of all sites."""
    return all_of(_last_administrator() if is_last_administrator else None)


def _last_administrator() -> Reason:
    return Reason(
        "staff.last_administrator",
        "This is the last active administrator of all sites; make somebody else administrator first.",
        "grants",
    )


def _contains_own(password: str, name: str, email: str) -> bool:
    plain = unicodedata.normalize("NFKC", password).casefold()
    mailbox, _, domain = normalise(email).partition("@")
    words = {*re.split(r"[\W_]+", name.casefold()), *re.split(r"[\W_\d]+", mailbox), mailbox, domain.partition(".")[0]}
    long_words = {word for word in words if len(word) >= _SHORTEST_NAME}
    return normalise(email) in plain or any(_is_mostly(plain, word) for word in long_words)


def _is_mostly(password: str, word: str) -> bool:
    """A name counts when it is at least a third of the password: «margaret» in a sentence of fifty signs is fine."""
    return word in password and password.count(word) * len(word) * 3 >= len(password)


def may_end_small_team(conflicted: Sequence[str]) -> Verdict:
    """Small-team mode ends when nobody holds roles that conflict any more; ``conflicted`` are their names."""
    return all_of(
        Reason(
            "settings.conflicts",
            f"{', '.join(conflicted[:5])} {'holds' if len(conflicted) == 1 else 'hold'} roles that conflict. "
            "Change their roles on the Staff page first, then switch small-team mode off.",
            "is_small_team",
        )
        if conflicted
        else None
    )
