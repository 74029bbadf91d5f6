"""The people who sign in, what they may do, and how they are recognised."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from webapp.domain.permissions import Role
from webapp.domain.profiles import fold
from webapp.models.base import BIG, NEVER_REUSED, Base, Id


class StaffMember(Base):
    """Someone who may sign in. ``email`` is trimmed and case-folded; no password until the invitation is taken up."""

    __tablename__ = "staff_members"

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    name_key: Mapped[str] = mapped_column(String(240), default="", server_default="")  # by which lists are in order
    password_hash: Mapped[str | None] = mapped_column(String(200))
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    totp_secret: Mapped[str] = mapped_column(String(400), default="", server_default="")  # enciphered
    totp_since: Mapped[datetime | None]  # when a first code proved that the secret arrived
    totp_step: Mapped[int | None] = mapped_column(BIG)  # the last time step used: a code counts once
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))  # the site their lists keep to; null is all
    pin_hash: Mapped[str | None] = mapped_column(String(200))  # opens a till that was left alone

    grants: Mapped[list[StaffGrant]] = relationship(lazy="raise_on_sql", order_by="StaffGrant.id")

    __table_args__ = (
        Index("ix_staff_members_name_key_id", "name_key", "id"),
        Index("ix_staff_members_is_active_name_key_id", "is_active", "name_key", "id"),
        CheckConstraint("length(email) between 3 and 254", name="email_within"),
        CheckConstraint("length(name) between 1 and 120", name="name_within"),
        NEVER_REUSED,
    )

    @validates("name")
    def _is_called(self, _column: str, name: str) -> str:
        self.name_key = fold(name)[:240]
        return name


class RecoveryCode(Base):
    """Signs in once in place of a code from the authenticator; only the SHA-256 is kept."""

    __tablename__ = "recovery_codes"

    id: Mapped[Id]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("staff_id", "code_hash"), NEVER_REUSED)


class StaffGrant(Base):
    """One role on one site and in one organisation with all below it; null is every site, every organisation."""

    __tablename__ = "staff_grants"

    id: Mapped[Id]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"), index=True)
    role: Mapped[Role]
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    holds_from: Mapped[datetime | None]  # later than now: given, but not good for anything yet

    __table_args__ = (UniqueConstraint("staff_id", "role", "site_id", "organisation_id"), NEVER_REUSED)


class StaffInvitation(Base):
    """A one-time link; only the SHA-256 of its token is kept."""

    __tablename__ = "staff_invitations"

    id: Mapped[Id]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    __table_args__ = (NEVER_REUSED,)


class StaffSession(Base):
    """One signed-in browser; the cookie holds the token, this row only its SHA-256 (reliability.md 6.2)."""

    __tablename__ = "staff_sessions"

    id: Mapped[Id]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    address: Mapped[str] = mapped_column(String(64), default="")
    browser: Mapped[str] = mapped_column(String(200), default="")
    confirmed_at: Mapped[datetime | None]  # when the password was given last: acts that need it look here
    seeing_as_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))  # read only, as this person
    needs_new_token: Mapped[bool] = mapped_column(default=False, server_default=false())  # the roles changed
    till_seen_at: Mapped[datetime | None]  # when its till was last used: five minutes later it locks
    wrong_proof_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # in a row, at the till's lock

    __table_args__ = (NEVER_REUSED,)


class SignInAttempt(Base):
    """A failed sign-in, counted per account, per address and over all (10, 10 and 1,000 in five minutes)."""

    __tablename__ = "sign_in_attempts"

    id: Mapped[Id]
    at: Mapped[datetime]
    email: Mapped[str] = mapped_column(String(254))
    address: Mapped[str] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_sign_in_attempts_email_at", "email", "at"),
        Index("ix_sign_in_attempts_address_at", "address", "at"),
        Index("ix_sign_in_attempts_at", "at"),
        NEVER_REUSED,
    )
