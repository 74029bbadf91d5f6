"""Whoever a request belongs to: asked with every page of the console, so the statement is put together once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Select, and_, bindparam, case, false, func, select
from sqlalchemy.orm import Session, aliased

from webapp.domain import staff as rules
from webapp.domain.identity import Grant
from webapp.models import AccountSettings, Site, StaffGrant, StaffMember, StaffSession
from webapp.queries.prepared import Prepared
from webapp.queries.staff import holds, is_open


@dataclass(frozen=True, slots=True)
class SeenAs:
    """The person as whom somebody sees the console."""

    staff_id: int
    name: str
    email: str
    grants: frozenset[Grant]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whoever a session belongs to, and what they may do at this moment."""

    session_id: int
    seen_at: datetime
    confirmed_at: datetime | None
    needs_new_token: bool
    staff_id: int
    name: str
    email: str
    has_second_factor: bool
    is_small_team: bool
    is_second_factor_optional: bool
    grants: frozenset[Grant]
    seen_as: SeenAs | None
    site_id: int | None  # the site the lists of whoever is shown keep to
    site_title: str
    till_seen_at: datetime | None
    is_idle: bool  # for so long that only the lock of the till is open to them


def by_session(session: Session, token_hash: str, now: datetime) -> SignedIn | None:
    """The person behind a session that is neither ended, idle, too old nor disabled; one statement.

    Whoever only works a till may be idle for longer (``is_idle``).
    """
    facts = {
        "token_hash": token_hash,
        "now": now,
        "active_since": now - rules.IDLE,
        "till_since": now - rules.TILL_IDLE,
    }
    rows = _prepared().alone(session.connection(), **facts)
    if not rows:
        return None
    row = rows[0]
    held: dict[int, set[Grant]] = {}
    for *_, staff_id, role, site_id, organisation_id in rows:
        if staff_id is not None:
            held.setdefault(staff_id, set()).add(Grant(role, site_id, organisation_id))
    is_idle = row.seen_at <= now - rules.IDLE
    if is_idle and not rules.is_of_till(held.get(row.staff_id, ())):
        return None
    seen = row.seen_id
    return SignedIn(
        row.id,
        row.seen_at,
        row.confirmed_at,
        row.needs_new_token,
        row.staff_id,
        row.name,
        row.email,
        row.has_second_factor,
        row.is_small_team,
        row.is_optional,
        frozenset(held.get(row.staff_id, ())),
        SeenAs(seen, row.seen_name, row.seen_email, frozenset(held.get(seen, ()))) if seen is not None else None,
        row.kept_site_id,
        row.kept_site_title or "",
        row.till_seen_at,
        is_idle,
    )


@cache
def _prepared() -> Prepared:
    return Prepared(_signed_in())


def _signed_in() -> Select[*tuple[Any, ...]]:
    """A row for each grant of the person and of whom they see as."""
    other = aliased(StaffMember)
    now: BindParameter[datetime] = bindparam("now")
    return (
        select(
            StaffSession.id,
            StaffSession.seen_at,
            StaffSession.confirmed_at,
            StaffSession.needs_new_token,
            StaffSession.till_seen_at,
            StaffMember.id.label("staff_id"),
            StaffMember.name,
            StaffMember.email,
            StaffMember.totp_since.is_not(None).label("has_second_factor"),
            func.coalesce(AccountSettings.is_small_team, false()).label("is_small_team"),
            func.coalesce(AccountSettings.is_second_factor_optional, false()).label("is_optional"),
            other.id.label("seen_id"),
            other.name.label("seen_name"),
            other.email.label("seen_email"),
            Site.id.label("kept_site_id"),
            Site.title.label("kept_site_title"),
            StaffGrant.staff_id.label("held_by"),
            StaffGrant.role,
            StaffGrant.site_id,
            StaffGrant.organisation_id,
        )
        .join(StaffMember, StaffMember.id == StaffSession.staff_id)
        .outerjoin(other, and_(other.id == StaffSession.seeing_as_id, other.is_active))
        .outerjoin(AccountSettings, AccountSettings.id == 1)
        .outerjoin(StaffGrant, and_(StaffGrant.staff_id.in_((StaffMember.id, other.id)), holds(now)))
        .outerjoin(Site, Site.id == case((other.id.is_not(None), other.site_id), else_=StaffMember.site_id))
        .where(
            StaffSession.token_hash == bindparam("token_hash"),
            is_open(now, bindparam("active_since"), bindparam("till_since")),
            StaffMember.is_active,
        )
    )
