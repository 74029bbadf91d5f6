"""People, the accounts they are known by elsewhere, what may be noted of them, and who turned out to be whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.domain.people import AttributeKind, Gender
from webapp.models.base import NEVER_REUSED, Base, Id, key

_MERGED = text("merged_into_id is not null")
_ERASED = text("erased_at is not null")
_TIERED = text("tier_id is not null")

# An index that tells whose a key is: whoever walks along it for a few people of an organisation reads no row of others.
# On SQLite every index does.
_WITH_ID: dict[str, Any] = {"postgresql_include": ["id"]}
_WITH_OWNER: dict[str, Any] = {"postgresql_include": ["profile_id"]}


class Profile(Base):
    """A person, known by ``external_id`` (member id), else by ``email_key``, the address they answer to.

    ``email`` is shown and written to; ``email_key`` is its trimmed, case-folded form and belongs to one
    person at most. A second member with the same address keeps ``email`` and has no ``email_key``.
    ``merged_into_id`` is set on a row that turned out to be another person's: it is kept for whatever
    refers to it and as a further address of that person.
    """

    __tablename__ = "profiles"

    id: Mapped[Id]
    external_id: Mapped[str | None] = mapped_column(key(64))
    first_name: Mapped[str] = mapped_column(String(120), default="")
    last_name: Mapped[str] = mapped_column(String(120), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    email_key: Mapped[str | None] = mapped_column(key(254))
    phone: Mapped[str] = mapped_column(String(40), default="")
    zone: Mapped[str] = mapped_column(String(64), default="")
    tags: Mapped[list[Any]] = mapped_column(default=list)
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    search_text: Mapped[str] = mapped_column(key(600), default="")  # folded: last name, first name, id, address, phone
    name_key: Mapped[str] = mapped_column(key(250), default="")  # folded: first name, last name
    phone_key: Mapped[str] = mapped_column(key(40), default="")  # digits only
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("profiles.id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    title: Mapped[str] = mapped_column(String(40), default="", server_default="")
    home_phone: Mapped[str] = mapped_column(String(40), default="", server_default="")
    gender: Mapped[Gender] = mapped_column(default=Gender.UNKNOWN, server_default="")
    birth_day: Mapped[int | None]
    birth_month: Mapped[int | None]
    birth_year: Mapped[int | None]
    joined_at: Mapped[datetime | None]
    joined_location_id: Mapped[int | None] = mapped_column(ForeignKey("locations.id"))
    preferred_location_id: Mapped[int | None] = mapped_column(ForeignKey("locations.id"))
    tier_id: Mapped[int | None] = mapped_column(ForeignKey("tiers.id"))
    statuses: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    consents: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # «email_promo»: true
    erased_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    import_run_id: Mapped[int | None] = mapped_column(ForeignKey("import_runs.id"))  # the import that made the row

    __table_args__ = (
        UniqueConstraint("external_id", **_WITH_ID),
        UniqueConstraint("email_key", **_WITH_ID),
        Index("ix_profiles_import_run_id", "import_run_id"),
        Index("ix_profiles_search_text", "search_text", **_WITH_ID),
        Index("ix_profiles_name_key", "name_key", **_WITH_ID),
        Index(
            "ix_profiles_merged_into_id", "merged_into_id", sqlite_where=_MERGED, postgresql_where=_MERGED, **_WITH_ID
        ),
        Index("ix_profiles_phone_key", "phone_key", **_WITH_ID),
        Index("ix_profiles_tier_id", "tier_id", sqlite_where=_TIERED, postgresql_where=_TIERED),
        Index("ix_profiles_erased_at", "erased_at", sqlite_where=_ERASED, postgresql_where=_ERASED),
        CheckConstraint(
            "external_id is not null or email_key is not null or first_name <> '' or merged_into_id is not null",
            name="known",
        ),
        CheckConstraint("birth_day between 1 and 31", name="birth_day"),
        CheckConstraint("birth_month between 1 and 12", name="birth_month"),
        CheckConstraint("birth_year between 1900 and 2200", name="birth_year"),
        NEVER_REUSED,
    )

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class ProfileTerm(Base):
    """A further beginning a person is found by: a word of the name that is not the first, another number, or an address
    that somebody else answers to.
    """

    __tablename__ = "profile_terms"

    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id"), primary_key=True)
    term: Mapped[str] = mapped_column(key(250), primary_key=True)

    __table_args__ = (Index("ix_profile_terms_term", "term", **_WITH_OWNER), {"sqlite_with_rowid": False})


class SitePerson(Base):
    """Somebody who entered a reward of a site, with what they are found by there: a copy of their row of people.

    Its keys stand behind the site, so that the people of one site are walked as those of all are, however few of all
    they may be. It names site and person without a foreign key, which costs an import of entries as much again: the
    entry it stands for has both.
    """

    __tablename__ = "site_people"

    profile_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    site_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    external_id: Mapped[str | None] = mapped_column(key(64))
    email_key: Mapped[str | None] = mapped_column(key(254))
    phone_key: Mapped[str] = mapped_column(key(40))
    search_text: Mapped[str] = mapped_column(key(600))
    name_key: Mapped[str] = mapped_column(key(250))

    __table_args__ = (
        Index("ix_site_people_site_id_external_id", "site_id", "external_id"),
        Index("ix_site_people_site_id_email_key", "site_id", "email_key"),
        Index("ix_site_people_site_id_phone_key", "site_id", "phone_key"),
        Index("ix_site_people_site_id_search_text", "site_id", "search_text"),
        Index("ix_site_people_site_id_name_key", "site_id", "name_key"),
        {"sqlite_with_rowid": False},
    )


class SiteTerm(Base):
    """As ``SitePerson``, what people have any number of: their further beginnings, and what other systems call them."""

    __tablename__ = "site_terms"

    profile_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    site_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    is_identity: Mapped[bool] = mapped_column(primary_key=True)
    term: Mapped[str] = mapped_column(key(250), primary_key=True)

    __table_args__ = (
        Index("ix_site_terms_site_id_is_identity_term", "site_id", "is_identity", "term"),
        {"sqlite_with_rowid": False},
    )


class NameSlip(Base):
    """A word of people's names under itself and under itself without one letter, so that a slip still finds it.

    The words are those of all names together: most people bring none that is not there yet.
    """

    __tablename__ = "name_slips"

    slip: Mapped[str] = mapped_column(key(40), primary_key=True)
    word: Mapped[str] = mapped_column(key(40), primary_key=True)

    __table_args__ = ({"sqlite_with_rowid": False},)


class Tier(Base):
    """A rank of the loyalty programme; ``rank`` orders them, the highest number last."""

    __tablename__ = "tiers"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(60), unique=True)  # derived once from the title; files name it
    title: Mapped[str] = mapped_column(String(120))
    rank: Mapped[int] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        CheckConstraint("length(title) between 1 and 120", name="title_within"),
        CheckConstraint("length(name) between 1 and 60", name="name_within"),
        CheckConstraint("rank between 1 and 1000", name="rank_within"),
        NEVER_REUSED,
    )


class ProfileIdentity(Base):
    """What another system calls a person: ``identifier`` within ``system``, one person each."""

    __tablename__ = "profile_identities"

    id: Mapped[Id]
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id"), index=True)
    system: Mapped[str] = mapped_column(String(60))
    identifier: Mapped[str] = mapped_column(key(120))
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]

    __table_args__ = (
        Index("uq_profile_identities_system_identifier", "system", "identifier", unique=True),
        Index("ix_profile_identities_identifier", "identifier", **_WITH_OWNER),
        CheckConstraint("length(identifier) between 1 and 120", name="identifier_within"),
        CheckConstraint("length(system) between 1 and 60", name="system_within"),
        NEVER_REUSED,
    )


class AttributeDefinition(Base):
    """A further fact people may have, with its kind; its values stand in ``Profile.attributes`` under ``name``."""

    __tablename__ = "attribute_definitions"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(80), unique=True)  # «namespace.handle»; «postcode» is ours
    title: Mapped[str] = mapped_column(String(120))
    kind: Mapped[AttributeKind]
    choices: Mapped[list[Any]] = mapped_column(default=list)  # of a choice
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        CheckConstraint("length(title) between 1 and 120", name="title_within"),
        CheckConstraint("length(name) between 1 and 80", name="name_within"),
        NEVER_REUSED,
    )


class ProfileMerge(Base):
    """Two rows that were one person: ``loser_id`` points at ``winner_id`` since ``at``; ``moved`` counts what followed."""

    __tablename__ = "profile_merges"

    id: Mapped[Id]
    winner_id: Mapped[int] = mapped_column(ForeignKey("profiles.id"), index=True)
    loser_id: Mapped[int] = mapped_column(ForeignKey("profiles.id"), unique=True)
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    by: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(String(300), default="")
    moved: Mapped[dict[str, Any]] = mapped_column(default=dict)

    __table_args__ = (CheckConstraint("winner_id <> loser_id", name="two_people"), NEVER_REUSED)
