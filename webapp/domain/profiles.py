"""People: what an address is, how somebody is searched for, and which rows are one person."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Protocol

LONGEST_ADDRESS = 254
_LONGEST_DOMAIN, _LONGEST_LABEL = 253, 63
_ATOM = r"[a-z0-9_!#$%&'*+\-/=?^`{|}~]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ASCII_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}", re.IGNORECASE)
_ASCII_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*", re.IGNORECASE)
_ASCII_LOCALS = re.compile(rf"(?:{_ATOM}(?:\.{_ATOM})*+@[^@\n]++(?:\n|\Z))*+", re.IGNORECASE)
_ASCII_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}", re.IGNORECASE)
_FALSE_PUNYCODE = re.compile(r"(?:^|\.)(?!xn)..--", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Whether ``text`` (trimmed, NFC) is written as an e-mail address can be.

    The syntax rules of email-validator, which the forms use, without its list of reserved domains. An
    international local part or domain is allowed.
    """
    if len(text) > LONGEST_ADDRESS:
        return False
    if not text.isascii():
        return _is_international(text)
    return _ASCII_ADDRESS.fullmatch(text) is not None and _is_domain(text.rpartition("@")[2])


def is_local(local: str) -> bool:
    """Whether ASCII ``local`` can stand before the @-sign."""
    return _ASCII_LOCAL.fullmatch(local) is not None


def are_locals(lines: str) -> bool:
    """Whether each of the ASCII ``lines`` has what ``is_local`` takes before one @-sign."""
    return _ASCII_LOCALS.fullmatch(lines) is not None


def _is_domain(domain: str) -> bool:
    return (
        len(domain) <= _LONGEST_DOMAIN
        and domain[-1:].isalpha()
        and ("--" not in domain or not _FALSE_PUNYCODE.search(domain))
    )


def _is_international(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    if not (local and at and _is_safe(local) and _is_safe(domain)):
        return False
    try:
        plain = domain.encode("idna").decode()
    except UnicodeError:
        return False
    stripped = "".join(sign if sign.isascii() else "x" for sign in local)
    return (
        is_local(stripped)
        and _ASCII_DOMAIN.fullmatch(plain) is not None
        and _is_domain(plain)
        and len(text.encode()) <= LONGEST_ADDRESS
    )


def _is_safe(text: str) -> bool:
    """Nothing that changes how the text around it reads: no leading mark, no separator, control or format sign."""
    kinds = [unicodedata.category(sign)[0] for sign in text]
    return bool(kinds) and kinds[0] != "M" and not {"Z", "C"} & set(kinds)


def email_key(address: str) -> str:
    """The form an address is matched by: trimmed, case-folded, NFC."""
    folded = address.strip().casefold()
    return folded if folded.isascii() else unicodedata.normalize("NFC", folded)


def email_keys(addresses: Sequence[str]) -> list[str]:
    """``email_key`` of each address, an empty text of an empty one; of ASCII ones, trimmed, all at once."""
    whole = "\n".join(addresses)
    if whole.isascii() and " " not in whole and whole.count("\n") == len(addresses) - 1:
        return whole.lower().split("\n")
    return [email_key(address) if address else "" for address in addresses]


@cache
def _marks() -> frozenset[str]:
    """Signs that only change the one before them."""
    return frozenset(sign for sign in map(chr, range(0x0300, 0x1F000)) if unicodedata.combining(sign))


def without(text: str, signs: frozenset[str]) -> str:
    """``text`` without any of ``signs``; of long texts few hold any of them, and those few different ones."""
    for sign in signs.intersection(text):
        text = text.replace(sign, "")
    return text


def plain(text: str) -> str:
    """Text without accents and case; each line of it by itself comes out the same."""
    if not text.isascii():
        bare = without(unicodedata.normalize("NFKD", text), _marks())
        text = unicodedata.normalize("NFC", bare.casefold())
    return text.lower()


@lru_cache(maxsize=4_096)
def fold(text: str) -> str:
    """Text as it is searched for: without accents, case or doubled spaces."""
    return " ".join(plain(text).split())


def folded(texts: Sequence[str]) -> list[str]:
    """``fold`` of each of ``texts``, in a third of the time when they are thousands and different."""
    lines = plain("\n".join(texts)).split("\n")
    if len(lines) != len(texts):  # one has a line end of its own
        return [fold(text) for text in texts]
    return [" ".join(line.split()) for line in lines]


def digits(phone: str) -> str:
    """The ASCII digits of a phone number, in their order."""
    return phone if phone.isascii() and phone.isdigit() else re.sub(r"[^0-9]", "", phone)


class Named(Protocol):
    """Whatever is searched for as a person is."""

    @property
    def external_id(self) -> str | None: ...
    @property
    def first_name(self) -> str: ...
    @property
    def last_name(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def phone(self) -> str: ...


def search_keys(person: Named) -> dict[str, str]:
    """The columns a person is found by: what they begin with is what can be typed."""
    return dict(zip(SEARCH_KEYS, _keys(person, fold(person.first_name), fold(person.last_name)), strict=True))


def search_columns(people: Sequence[Named]) -> dict[str, list[str]]:
    """``search_keys`` of many people, column by column."""
    first, last = folded([one.first_name for one in people]), folded([one.last_name for one in people])
    ids, emails = lowered([one.external_id or "" for one in people]), lowered([one.email for one in people])
    phones = [digits(one.phone)[:40] for one in people]
    parts = zip(last, first, ids, emails, phones, strict=True)
    texts = [" ".join(filter(None, some))[:600] for some in parts]
    names = [f"{one} {two}".strip()[:250] for one, two in zip(first, last, strict=True)]
    return dict(zip(SEARCH_KEYS, (texts, names, phones), strict=True))


def lowered(texts: Sequence[str]) -> list[str]:
    """Each of ``texts`` in small letters, all at once."""
    lines = "\n".join(texts).lower().split("\n")
    return lines if len(lines) == len(texts) else [text.lower() for text in texts]


SEARCH_KEYS = ("search_text", "name_key", "phone_key")


def _keys(person: Named, first: str, last: str) -> tuple[str, str, str]:
    phone = digits(person.phone)[:40]
    parts = (last, first, (person.external_id or "").lower(), person.email.lower(), phone)
    return " ".join(filter(None, parts))[:600], f"{first} {last}".strip()[:250], phone


@dataclass(slots=True, eq=False)
class Person:
    """Somebody an import knows of; ``id`` is None until the row is written.

    ``merged`` is the person this row turned out to be. ``came_now`` marks rows this very import made.
    """

    id: int | None
    external_id: str | None = None
    email_key: str | None = None
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    postcode: str = ""
    merged: Person | None = None
    is_changed: bool = False
    came_now: bool = False

    @property
    def true(self) -> Person:
        """The person in the end, after every merge."""
        person = self
        while person.merged is not None:
            person = person.merged
        return person


class Identified(Protocol):
    """What a row says of who it belongs to. ``email_key`` is empty without a usable address."""

    @property
    def external_id(self) -> str: ...
    @property
    def email_key(self) -> str: ...
    @property
    def first_name(self) -> str: ...
    @property
    def last_name(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def phone(self) -> str: ...
    @property
    def postcode(self) -> str: ...


@dataclass(slots=True)
class Resolution:
    """Who each row belongs to, and what that does to the people known: new ones, changed ones, merged ones."""

    people: list[Person]
    created: list[Person] = field(default_factory=list)
    merged: list[Person] = field(default_factory=list)


def resolve(rows: Sequence[Identified], known: Iterable[Person]) -> Resolution:
    """Give each row its person: the member id, else the e-mail, else a new one, in the order of the rows.

    A row with both ties them together: a person known by the e-mail alone gets the member id, or, when the
    member is known already, is merged into the member. An address that belongs to another member stays
    there; the row's member keeps it as ``email`` without a key. What is known is filled in, never replaced.
    ``known`` must hold everybody with a member id or e-mail key that occurs in ``rows``.
    """
    return _Register(known).resolve(rows)


class _Register:
    def __init__(self, known: Iterable[Person]) -> None:
        everybody = list(known)
        self.by_id = {person.external_id: person for person in everybody if person.external_id}
        self.by_email = {person.email_key: person for person in everybody if person.email_key}
        self.created: list[Person] = []
        self.merged: list[Person] = []

    def resolve(self, rows: Sequence[Identified]) -> Resolution:
        people = [self._one(row) for row in rows]
        true = [person if person.merged is None else person.true for person in people]
        return Resolution(true, self.created, self.merged)

    def _one(self, row: Identified) -> Person:
        member = self.by_id.get(row.external_id) if row.external_id else None
        owner = self.by_email.get(row.email_key) if row.email_key else None
        owner = owner.true if owner else None
        if member is not None:
            member = self._tie(member.true, owner, row.email_key)
        elif owner is not None and (not row.external_id or not owner.external_id):
            member = self._claim(owner, row.external_id)
        else:
            return self._new(row, row.email_key if owner is None else "")
        _fill(member, row)
        return member

    def _new(self, row: Identified, key: str) -> Person:
        told = (row.first_name, row.last_name, row.email, row.phone, row.postcode)
        person = Person(None, row.external_id or None, key or None, *told, came_now=True)
        self.created.append(person)
        self._index(person)
        return person

    def _index(self, person: Person) -> None:
        if person.external_id:
            self.by_id[person.external_id] = person
        if person.email_key:
            self.by_email[person.email_key] = person

    def _claim(self, person: Person, external_id: str) -> Person:
        if external_id and not person.external_id:
            person.external_id, person.is_changed = external_id, True
            self.by_id[external_id] = person
        return person

    def _tie(self, member: Person, owner: Person | None, key: str) -> Person:
        """The row names ``member`` and an address; ``owner`` is whoever answers to it now."""
        if not key or owner is member:
            return member
        if owner is None and member.email_key is None:
            member.email_key, member.is_changed = key, True
            self.by_email[key] = member
        elif owner is None:
            self._further_address(member, key)
        elif not owner.external_id:
            self._merge(owner, member)
        return member

    def _further_address(self, member: Person, key: str) -> None:
        """A second address of a member is kept as a row of its own that points at the member."""
        alias = Person(None, None, key, email=key, merged=member, came_now=True)
        self.created.append(alias)
        self.merged.append(alias)
        self.by_email[key] = alias

    def _merge(self, owner: Person, member: Person) -> None:
        owner.merged, owner.is_changed = member, True
        self.merged.append(owner)
        _fill(member, owner)
        if member.email_key is None:
            member.email_key, owner.email_key, member.is_changed = owner.email_key, None, True
            self._index(member)


def _fill(person: Person, row: Identified | Person) -> None:
    """Take from ``row`` what is empty on ``person``; what is known is never replaced."""
    if person.first_name and person.last_name and person.email and person.phone and person.postcode:
        return  # so it is with most
    for name in ("first_name", "last_name", "email", "phone", "postcode"):
        if not getattr(person, name) and (value := getattr(row, name)):
            setattr(person, name, value)
            person.is_changed = True
