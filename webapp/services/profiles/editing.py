"""Type a person in, and change what is known of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from webapp.domain import people as rules
from webapp.domain import timing
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, DomainError, Refused
from webapp.domain.identity import Where
from webapp.domain.people import CONSENTS, Gender
from webapp.domain.profiles import email_key, is_address, search_keys
from webapp.domain.sites import checked_zone
from webapp.models import AuditEntry, Location, Profile, Tier
from webapp.queries import profiles as read
from webapp.services.profiles import at_sites, identities, indexing
from webapp.services.profiles.identities import IdentityLine
from webapp.services.profiles.indexing import Findable
from webapp.services.work import Work, name_of

_FRESH = {"populate_existing": True}
# What the audit log may tell from what to what; of the rest it tells only that it changed (reliability.md section 8).
_TOLD = ("tier", "statuses", "consents", "joined_location", "preferred_location")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileTerms:
    """What staff type of a person.

    ``tags`` and ``statuses`` are comma-separated; ``joined_location`` and ``preferred_location`` are the locations'
    ids in files, ``tier`` the tier's name; ``joined_at`` is a local day of ``timezone``; ``consents`` are the
    switches that are on, of ``domain.people.CONSENTS``; ``attributes`` are further facts as text by their names,
    and those not in it stay as they are.
    """

    external_id: str = ""
    title: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    home_phone: str = ""
    postcode: str = ""
    birth_day: int | None = None
    birth_month: int | None = None
    birth_year: int | None = None
    gender: str = ""
    joined_at: date | None = None
    joined_location: str = ""
    preferred_location: str = ""
    tier: str = ""
    tags: str = ""
    statuses: str = ""
    zone: str = ""
    consents: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    identities: tuple[IdentityLine, ...] = ()
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateProfile(ProfileTerms):
    """A new person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeProfile(ProfileTerms):
    """Other facts of a person; ``version`` is the one the form was drawn from.

    ``where`` is how far whoever changes them may go.
    """

    profile_id: int
    version: int
    where: Where = None


def create(work: Work, command: CreateProfile) -> Profile:
    """Add a person, known by member id, e-mail or first name.

    Raises ``Conflict`` (code ``profile.taken``, field ``external_id`` or ``email``) when somebody has either already.
    """
    profile = Profile(created_at=work.now, updated_at=work.now, **_columns(work, command, None))
    try:
        with work.session.begin_nested():
            work.session.add(profile)
            work.session.flush()
    except IntegrityError as error:
        raise _taken(command, error) from error
    identities.put(work, profile.id, command.identities)
    indexing.add(work, [_findable(profile)])
    work.record(Event.PROFILE_CREATED, profile, person=str(profile.id))
    return profile


def change(work: Work, command: ChangeProfile) -> Profile:
    """Change a person unless somebody else did since the form was opened; ``Conflict`` tells who and what.

    An address that led to this person as a further one and becomes the first changes places with it.
    """
    profile = read.get(work.session, command.profile_id, command.where)
    if profile.merged_into_id is not None or profile.erased_at is not None:
        raise Refused("profile.gone", "This person was merged or erased meanwhile; there is nothing left to change.")
    before, old_key, called = _told(work, profile), profile.email_key, _findable(profile)
    values = _columns(work, command, profile)
    changed = [name for name, value in values.items() if getattr(profile, name) != value]
    alias = _free_own_address(work, profile, values["email_key"])
    try:
        with work.session.begin_nested():
            won = work.session.execute(
                update(Profile)
                .where(
                    Profile.id == profile.id,
                    Profile.version == command.version,
                    Profile.merged_into_id.is_(None),
                    Profile.erased_at.is_(None),
                )
                .values(**values, version=Profile.version + 1, updated_at=work.now)
                .returning(Profile.id)
                .execution_options(synchronize_session=False)
            ).scalar_one_or_none()
    except IntegrityError as error:
        raise _taken(command, error) from error
    if won is None:
        raise Conflict("profile.changed", _who_was_faster(work, profile))
    if alias is not None and old_key:
        work.session.execute(update(Profile).where(Profile.id == alias).values(email_key=old_key))
    moved = identities.put(work, profile.id, command.identities)
    work.session.refresh(profile)
    if called != _findable(profile):
        indexing.renew(work, [_findable(profile)])
        indexing.forget(work, [called.first_name, called.last_name])
    at_sites.follow(work.session, [profile.id] if alias is None else [profile.id, alias])
    told = _changes(changed, before, _told(work, profile), moved=moved)
    if told:
        work.record(Event.PROFILE_CHANGED, profile, person=str(profile.id), changes=told)
    return profile


def _findable(profile: Profile) -> Findable:
    shared = "" if profile.email_key else profile.email
    return Findable(profile.id, profile.first_name, profile.last_name, profile.home_phone, shared)


def _columns(work: Work, command: ProfileTerms, profile: Profile | None) -> dict[str, Any]:
    """The row's values for what was typed, every rule checked."""
    rules.check_birth(command.birth_day, command.birth_month, command.birth_year, work.now.date())
    if not (command.external_id or command.email or command.first_name):
        raise Refused(
            "profile.nobody",
            "Nobody is named: enter a member id, an e-mail or at least a first name.",
            "first_name",
        )
    if command.email and not is_address(command.email):
        raise Refused("profile.email", f"«{command.email[:80]}» is not written as an e-mail address can be.", "email")
    names = ("title", "first_name", "last_name", "email", "phone", "home_phone")
    found: dict[str, Any] = {name: getattr(command, name) for name in names}
    found |= {name: getattr(command, name) for name in ("birth_day", "birth_month", "birth_year")}
    found["external_id"] = command.external_id or None
    found["email_key"] = _key(command.email, profile)
    found["gender"] = Gender(command.gender) if command.gender in set(Gender) else Gender.UNKNOWN
    found["joined_at"] = timing.day_starts(command.joined_at, command.timezone)
    if profile and timing.first_day(profile.joined_at, command.timezone) == command.joined_at:
        found["joined_at"] = profile.joined_at  # a day says less than the moment a file gave
    found["joined_location_id"] = _location(work, command.joined_location, "joined_location")
    found["preferred_location_id"] = _location(work, command.preferred_location, "preferred_location")
    found["tier_id"] = _tier(work, command.tier)
    found["tags"] = rules.labels(command.tags, "tags")
    found["statuses"] = rules.labels(command.statuses, "statuses")
    found["zone"] = _zone(command.zone)
    found["consents"] = _consents(profile, command.consents)
    found["attributes"] = _attributes(work, profile, command)
    return found | search_keys(Profile(**{name: found[name] for name in (*names, "external_id")}))


def _key(email: str, profile: Profile | None) -> str | None:
    """The address as it is matched; a member who shares an address with another goes on without a key."""
    key = email_key(email) or None
    return None if profile and not profile.email_key and email_key(profile.email) == key else key


def _location(work: Work, text: str, name: str) -> int | None:
    if not text:
        return None
    found = work.session.scalar(select(Location.id).where(Location.external_id == text))
    if found is None:
        raise Refused(
            "profile.location",
            f"There is no location with the id «{text[:60]}»; choose one from the list or leave this empty.",
            name,
        )
    return found


def _tier(work: Work, name: str) -> int | None:
    if not name:
        return None
    found = work.session.scalar(select(Tier.id).where(Tier.name == name))
    if found is None:
        raise Refused("profile.tier", f"There is no tier named «{name[:60]}»; choose one from the list.", "tier")
    return found


def _zone(text: str) -> str:
    try:
        return checked_zone(text) if text else ""
    except Refused as refusal:
        raise Refused(refusal.code, refusal.message, "zone") from refusal


def _consents(profile: Profile | None, on: tuple[str, ...]) -> dict[str, bool]:
    """Switches that are on are agreed to; those that were known stay known, as refused; the rest was never told."""
    before = profile.consents if profile else {}
    return {name: name in on for name in CONSENTS if name in on or name in before}


def _attributes(work: Work, profile: Profile | None, command: ProfileTerms) -> dict[str, Any]:
    found = dict(profile.attributes) if profile else {}
    known = {one.name: one for one in read.definitions(work.session)}
    typed: dict[str, Any] = {"postcode": command.postcode}
    for name, text in command.attributes.items():
        if name in known:
            try:
                typed[name] = rules.attribute_value(known[name].kind, known[name].choices, text)
            except DomainError as refusal:
                message = f"{known[name].title}: {refusal.message}"
                raise Refused(refusal.code, message, "attributes") from refusal
    found |= typed
    return {name: value for name, value in found.items() if value not in (None, "")}


def _free_own_address(work: Work, profile: Profile, key: str | None) -> int | None:
    """The row that held ``key`` as a further address of this very person, without it now; None when there is none."""
    if not key or key == profile.email_key:
        return None
    return work.session.execute(
        update(Profile)
        .where(Profile.email_key == key, Profile.merged_into_id == profile.id)
        .values(email_key=None)
        .returning(Profile.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()


def _taken(command: ProfileTerms, error: IntegrityError) -> DomainError:
    words = str(error.orig)
    if "email_key" in words:
        what, name = f"The e-mail «{command.email[:80]}» leads", "email"
    elif "external_id" in words:
        what, name = f"The member id «{command.external_id[:64]}» belongs", "external_id"
    else:
        raise error
    return Conflict("profile.taken", f"{what} to another person already. Open that person, or correct it here.", name)


def _told(work: Work, profile: Profile) -> dict[str, str]:
    """What of a person may be told in the log with its value: nothing that says who it is."""
    places = {profile.joined_location_id, profile.preferred_location_id} - {None}
    titles: dict[int, str] = {}
    if places:
        titles = dict(work.session.execute(select(Location.id, Location.title).where(Location.id.in_(places))).all())
    tier = work.session.scalar(select(Tier.title).where(Tier.id == profile.tier_id)) if profile.tier_id else None
    return {
        "tier": tier or "none",
        "statuses": ", ".join(profile.statuses) or "none",
        "consents": ", ".join(name for name, on in profile.consents.items() if on) or "none",
        "joined_location": titles.get(profile.joined_location_id or 0, "none"),
        "preferred_location": titles.get(profile.preferred_location_id or 0, "none"),
    }


_HIDDEN = {"email_key", "search_text", "name_key", "phone_key"}
_WORDS = {"external_id": "member id", "email": "e-mail", "phone": "mobile", "attributes": "further facts"}


def _changes(changed: list[str], before: Mapping[str, str], after: Mapping[str, str], *, moved: bool) -> str:
    """«e-mail, mobile; tier from «silver» to «gold»»; empty when nothing differs."""
    names = [name.removesuffix("_id") if name != "external_id" else name for name in changed if name not in _HIDDEN]
    plain = [_WORDS.get(name, name.replace("_", " ")) for name in names if name not in _TOLD]
    if moved:
        plain.append("identities")
    told = [
        f"{name.replace('_', ' ')} from «{before[name][:120]}» to «{after[name][:120]}»"
        for name in _TOLD
        if before[name] != after[name]
    ]
    return "; ".join([*([", ".join(plain)] if plain else []), *told])


def _who_was_faster(work: Work, profile: Profile) -> str:
    last = work.session.execute(
        select(AuditEntry.actor, AuditEntry.facts)
        .where(AuditEntry.subject == name_of(profile), AuditEntry.event == Event.PROFILE_CHANGED)
        .order_by(AuditEntry.id.desc())
        .limit(1)
    ).one_or_none()
    who, what = (last.actor, last.facts["changes"]) if last else ("Somebody", "details")
    return (
        f"{who} changed this person while the form was open: {what}. Nothing of yours was written; what you typed is "
        "kept here. Save again to put it in place of the other change."
    )
