"""Whom the rows of a file of people mean, and what each does to the person: a new one, other facts, nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

from webapp.domain.import_options import ImportOptions, KnownRows
from webapp.domain.import_rows import Fault, shown
from webapp.domain.people import CONSENTS
from webapp.domain.person_lists import Identity
from webapp.domain.person_rows import POSTCODE, PersonDraft

Row = Mapping[str, Any]
# What a file can fill in or replace.
KEPT = (
    "external_id",
    "email",
    "title",
    "first_name",
    "last_name",
    "phone",
    "home_phone",
    "zone",
    "birth_day",
    "birth_month",
    "birth_year",
    "gender",
    "joined_at",
    "joined_location_id",
    "preferred_location_id",
    "tier_id",
    "tags",
    "statuses",
    "consents",
    "attributes",
)
_OTHERWISE = {"joined_location": "joined_location_id", "preferred_location": "preferred_location_id", "tier": "tier_id"}
_DICTS = ("consents", "attributes")
_SETS = ("tags", "statuses")
# A row never takes these away: without them nobody could tell whose they were.
_STAYS = ("external_id", "email")


class People(Protocol):
    """Whoever the rows may mean."""

    @property
    def by_id(self) -> Mapping[str, Row]: ...
    @property
    def by_email(self) -> Mapping[str, Row]: ...
    @property
    def by_identity(self) -> Mapping[tuple[str, str], tuple[Row, bool]]: ...
    @property
    def by_name(self) -> Mapping[Any, Row]: ...


class Fresh(NamedTuple):
    """A new person; ``email_key`` is empty when the address leads to somebody else."""

    draft: PersonDraft
    email_key: str


class Changed(NamedTuple):
    """Other facts of somebody known, by column, and identities they had not."""

    person: Row
    values: dict[str, Any]
    identities: list[Identity]


@dataclass(slots=True)
class Intake:
    """What some rows come to; ``same`` counts those that tell nothing new, ``faults`` are by line."""

    fresh: list[Fresh] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    same: int = 0
    faults: dict[int, Fault] = field(default_factory=dict)


def told(columns: Set[str]) -> set[str]:
    """Which of the kept facts the columns of a file tell."""
    consents = {"consents"} if not columns.isdisjoint(CONSENTS) else set()
    facts = {"attributes"} if any(name == POSTCODE or "." in name for name in columns) else set()
    return {_OTHERWISE.get(name, name) for name in columns if "." not in name} | consents | facts


def intake(drafts: Sequence[PersonDraft], people: People, options: ImportOptions, told: Collection[str]) -> Intake:
    """Go through rows of which no two mean the same person. ``told`` are the columns the file has."""
    found = Intake()
    claimed: set[str] = set()
    names = [name for name in KEPT if name in told]
    if not (people.by_id or people.by_email or people.by_identity or people.by_name):
        return _all_new(drafts)
    said = itemgetter(*map(PersonDraft._fields.index, names or KEPT))
    kept = itemgetter(*(names or KEPT))
    for draft in drafts:
        person, fault = _whose(draft, people)
        if fault is not None:
            found.faults[draft.line] = fault
        elif person is None:
            key = draft.email_key
            key = "" if key in claimed or key in people.by_email else key
            claimed.add(key)
            found.fresh.append(Fresh(draft, key))
        elif options.known_rows is KnownRows.LEAVE or (names and not draft.identities and said(draft) == kept(person)):
            found.same += 1  # so it is with the rows of a file that came before, and told by one look
        else:
            values = _differences(draft, person, options, names)
            _give_address(draft, person, values, people, claimed)
            added = [one for one in draft.identities if one[:2] not in people.by_identity]
            if values or added:
                found.changed.append(Changed(person, values, added))
            else:
                found.same += 1
    return found


def _all_new(drafts: Sequence[PersonDraft]) -> Intake:
    """Nobody of these is known: of several with one address the first answers to it."""
    keys = [draft.email_key for draft in drafts]
    if len(set(filter(None, keys))) < len(keys) - keys.count(""):
        claimed: set[str] = set()
        for place, key in enumerate(keys):
            keys[place] = "" if key in claimed else key
            claimed.add(key)
    return Intake(fresh=list(map(Fresh, drafts, keys)))


def _whose(draft: PersonDraft, people: People) -> tuple[Row | None, Fault | None]:
    """The person a row means: by member id, else by address, else by identity, else by name and first moment."""
    member = people.by_id.get(draft.external_id) if draft.external_id else None
    owner = people.by_email.get(draft.email_key) if draft.email_key else None
    if member is not None and owner is member and not draft.identities and member["erased_at"] is None:
        return member, None
    others = [people.by_identity[one[:2]][0] for one in draft.identities if one[:2] in people.by_identity]
    if member is None and owner is None and not others:
        if draft.external_id or draft.email_key:
            return None, None
        return people.by_name.get((draft.first_name, draft.last_name, draft.created_at)), None
    found = member
    if found is None and owner is not None and (not draft.external_id or not owner["external_id"]):
        found = owner
    if found is None and others and (not draft.external_id or not others[0]["external_id"]):
        found = others[0]
    return found, _conflict(draft, found, owner, others)


def _conflict(draft: PersonDraft, found: Row | None, owner: Row | None, others: Sequence[Row]) -> Fault | None:
    """Why the row cannot be about ``found``, or about somebody new: what it tells belongs to different people."""
    number = found["id"] if found else None
    if found is not None and found["erased_at"] is not None:
        return Fault(
            "external_id", shown(draft.external_id), "This person was erased; nothing is kept of them any more."
        )
    if other := next((one for one in others if one["id"] != number), None):
        whom = f"person {number}" if number else "somebody new"
        return Fault(
            "identities", "", f"An identity of this row is that of person {other['id']}, and the row is about {whom}."
        )
    if owner is not None and owner["id"] != number and not owner["external_id"]:
        words = (
            f"The member id is that of person {number} and the e-mail leads to person {owner['id']}; merge the two, or "
            "take one of them out of the row."
        )
        return Fault("email", shown(draft.email), words)
    return None


def _differences(draft: PersonDraft, person: Row, options: ImportOptions, names: Sequence[str]) -> dict[str, Any]:
    """What the row makes different. An empty cell says nothing unless empty cells were chosen to clear."""
    fills = options.known_rows is KnownRows.FILL
    found: dict[str, Any] = {}
    for name in names:
        value, old = getattr(draft, name), person[name]
        if name == "external_id" and old:
            continue  # the row has it, or that of a row that was merged into this one, which keeps it
        if name in _DICTS:
            value = _merged(old, value, fills=fills, clears=options.clears)
        elif not value and (not options.clears or name in _STAYS):
            continue
        if value == old or (fills and old and name not in _DICTS) or (not value and not old):
            continue
        if name in _SETS and set(value) == set(old):
            continue
        found[name] = value
    return found


def _merged(old: Mapping[str, Any], told: Mapping[str, Any], *, fills: bool, clears: bool) -> dict[str, Any]:
    """``old`` with what is told put in, as far as the options let it."""
    new = dict(old)
    for name, value in told.items():
        if value is None:
            if clears:
                new.pop(name, None)
        elif not fills or new.get(name) is None:
            new[name] = value
    return new


def _give_address(draft: PersonDraft, person: Row, values: dict[str, Any], people: People, claimed: set[str]) -> None:
    """Another address becomes what the person answers to, unless it is somebody else's or one of their own already."""
    if "email" not in values:
        return
    owner = people.by_email.get(draft.email_key)
    if owner is not None and owner["id"] == person["id"]:
        if draft.email_key != person["email_key"]:  # a further address of this very person
            del values["email"]
        return
    is_free = owner is None and draft.email_key not in claimed
    claimed.add(draft.email_key)
    values["email_key"] = draft.email_key if is_free else None
