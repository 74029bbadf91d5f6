"""Everything about one person: facts, what they hold, messages. What happened to them is in `histories`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select, true, union_all
from sqlalchemy.orm import Session, aliased

from webapp.domain.draws import DrawState
from webapp.domain.entries import EntryStatus
from webapp.domain.fulfilment import Stage
from webapp.domain.identity import Where
from webapp.domain.outbox import OutboxStatus
from webapp.domain.vouchers import VoucherStatus
from webapp.models import (
    AttributeDefinition,
    Benefit,
    Completion,
    Draw,
    Entry,
    Group,
    Location,
    Membership,
    Module,
    Notice,
    Organisation,
    OutboxMessage,
    Prize,
    Profile,
    ProfileIdentity,
    Reward,
    Site,
    Tier,
    Voucher,
    VoucherType,
    Winner,
)
from webapp.queries import reaches

PAGE = 50
MOST = 200  # groups of one person shown
Scope = frozenset[int] | None


@dataclass(frozen=True, slots=True)
class Around:
    """The words for what a person's row only names by id."""

    tier: str | None
    joined_location: str | None
    preferred_location: str | None


@dataclass(frozen=True, slots=True)
class Belonging:
    """One group of a person, within which organisation."""

    group: str
    group_name: str
    organisation: str | None
    organisation_id: int | None
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """One voucher of a person; the code is known by its last four signs."""

    id: int
    last_four: str
    kind: str
    status: VoucherStatus
    allocated_at: datetime | None
    expires_at: datetime | None
    zone: str


@dataclass(frozen=True, slots=True)
class Learnt:
    """One completion of a module."""

    module: str
    path: str
    site: str
    completed_at: datetime
    score: int | None
    lapses_at: datetime | None


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to an address of the person, without its words."""

    subject: str
    recipient: str
    status: OutboxStatus
    due_at: datetime
    sent_at: datetime | None
    error: str


@dataclass(frozen=True, slots=True)
class ProfileEntry:
    """One entry of a person, in which reward."""

    reward: str
    reward_name: str
    number: int
    tickets: int
    status: EntryStatus
    reason: str
    receipt: str | None
    entered_at: datetime
    store: str


@dataclass(frozen=True, slots=True)
class ProfilePrize:
    """One prize a person stands for, or stood for."""

    reward: str
    reward_name: str
    prize: str | None
    rank: int
    stage: Stage
    stage_at: datetime


def aliases(session: Session, profile_id: int) -> list[tuple[int, str | None]]:
    """Id and address of the rows that turned out to be this person."""
    wanted = select(Profile.id, Profile.email_key).where(Profile.merged_into_id == profile_id)
    return [(row[0], row[1]) for row in session.execute(wanted.order_by(Profile.id).limit(MOST))]


def around(session: Session, profile: Profile) -> Around:
    """Tier and locations in words."""
    joined, preferred = aliased(Location), aliased(Location)
    row = session.execute(
        select(Tier.title, joined.title, preferred.title)
        .select_from(Profile)
        .outerjoin(Tier, Tier.id == Profile.tier_id)
        .outerjoin(joined, joined.id == Profile.joined_location_id)
        .outerjoin(preferred, preferred.id == Profile.preferred_location_id)
        .where(Profile.id == profile.id)
    ).one()
    return Around(*row)


def facts(session: Session, profile: Profile) -> list[tuple[str, object]]:
    """Title and value of the person's further facts; what no definition names any more keeps its own name."""
    names = [name for name in profile.attributes if name != "postcode"]
    if not names:
        return []
    wanted = select(AttributeDefinition.name, AttributeDefinition.title).where(AttributeDefinition.name.in_(names))
    titles = dict(session.execute(wanted).all())
    return sorted((titles.get(name, name), profile.attributes[name]) for name in names)


def identities(session: Session, profile_id: int) -> list[ProfileIdentity]:
    """What other systems call the person."""
    wanted = select(ProfileIdentity).where(ProfileIdentity.profile_id == profile_id)
    return list(session.scalars(wanted.order_by(ProfileIdentity.system, ProfileIdentity.identifier).limit(MOST)))


def memberships(session: Session, profile_id: int, where: Where = None) -> list[Belonging]:
    """The person's groups, the newest first; within organisations those of theirs, and of none."""
    statement = (
        select(Group.title, Group.name, Organisation.title, Organisation.id, Membership.joined_at)
        .join(Group, Group.id == Membership.group_id)
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.profile_id == profile_id)
        .order_by(Membership.id.desc())
        .limit(MOST)
    )
    if bound := reaches.only_parts(where):
        statement = statement.where(reaches.places(bound, Membership.organisation_id))
    return [Belonging(*row) for row in session.execute(statement)]


def entries(session: Session, ids: Collection[int], scope: Scope, *, size: int = PAGE) -> list[ProfileEntry]:
    """The newest entries of the person and of the rows merged into it, one more than ``size`` when there are further ones."""
    statement = (
        select(
            Reward.title,
            Reward.name,
            Entry.number,
            Entry.tickets,
            Entry.status,
            Entry.reason,
            Entry.receipt,
            Entry.entered_at,
            Entry.store,
        )
        .join(Reward, Reward.id == Entry.reward_id)
        .where(Entry.profile_id.in_(ids))
        .order_by(Entry.reward_id.desc(), Entry.number.desc())
        .limit(size + 1)
    )
    if scope is not None:
        statement = statement.where(Reward.site_id.in_(scope))
    return [ProfileEntry(*row) for row in session.execute(statement)]


def prizes(session: Session, ids: Collection[int], scope: Scope) -> list[ProfilePrize]:
    """What the person won, reserves included, newest first."""
    statement = (
        select(Reward.title, Reward.name, Prize.title, Winner.rank, Winner.stage, Winner.stage_at)
        .join(Reward, Reward.id == Winner.reward_id)
        .join(Draw, Draw.id == Winner.draw_id)
        .outerjoin(Prize, Prize.id == Winner.prize_id)
        .where(Winner.profile_id.in_(ids), Draw.state != DrawState.SEALED)
        .order_by(Winner.id.desc())
        .limit(PAGE)
    )
    if scope is not None:
        statement = statement.where(Reward.site_id.in_(scope))
    return [ProfilePrize(*row) for row in session.execute(statement)]


def vouchers(session: Session, ids: Collection[int], scope: Scope) -> list[Held]:
    """The person's vouchers, the newest first, one more than ``PAGE`` when there are further ones."""
    statement = (
        select(
            Voucher.id,
            Voucher.last_four,
            VoucherType.title,
            Voucher.status,
            Voucher.allocated_at,
            Voucher.expires_at,
            Site.timezone,
        )
        .join(VoucherType, VoucherType.id == Voucher.voucher_type_id)
        .join(Site, Site.id == VoucherType.site_id)
        .where(Voucher.profile_id.in_(ids), _within(VoucherType.site_id, scope))
        .order_by(Voucher.id.desc())
        .limit(PAGE + 1)
    )
    return [Held(*row) for row in session.execute(statement)]


def completions(session: Session, ids: Collection[int], scope: Scope) -> list[Learnt]:
    """What the person completed, the newest first, one more than ``PAGE`` when there are further ones."""
    statement = (
        select(Module.title, Module.path, Site.title, Completion.completed_at, Completion.score, Completion.lapses_at)
        .join(Module, Module.id == Completion.module_id)
        .join(Site, Site.id == Module.site_id)
        .where(Completion.profile_id.in_(ids), _within(Module.site_id, scope))
        .order_by(Completion.completed_at.desc(), Completion.id.desc())
        .limit(PAGE + 1)
    )
    return [Learnt(*row) for row in session.execute(statement)]


def messages(session: Session, addresses: Collection[str]) -> list[Letter]:
    """E-mails to one of ``addresses``, the newest first, one more than ``PAGE`` when there are further ones."""
    if not addresses:
        return []
    columns = [getattr(OutboxMessage, name) for name in Letter.__dataclass_fields__]
    statement = select(*columns).where(OutboxMessage.recipient.in_(addresses))
    statement = statement.order_by(OutboxMessage.id.desc()).limit(PAGE + 1)
    return [Letter(*row) for row in session.execute(statement)]


HOLDINGS = {
    "entries": "Entries",
    "sealed": "of these in sealed draws",
    "winners": "Prizes and reserves",
    "vouchers": "Vouchers",
    "memberships": "Groups",
    "completions": "Completed modules",
    "identities": "Identities elsewhere",
    "benefits": "Benefits",
    "notices": "Notices of benefits",
    "aliases": "Further addresses",
}


def holdings(session: Session, ids: Collection[int]) -> dict[int, dict[str, int]]:
    """How many of each of ``HOLDINGS`` the rows have, and how many codes follow a merge; one statement.

    ``loose`` are vouchers that no prize gave, ``reserved`` codes that are kept for the person.
    """
    sealed = select(Draw.reward_id).where(Draw.sealed_at.is_not(None))
    owners: dict[str, tuple[Any, ColumnElement[bool]]] = {
        "entries": (Entry.profile_id, true()),
        "sealed": (Entry.profile_id, Entry.reward_id.in_(sealed)),
        "winners": (Winner.profile_id, true()),
        "vouchers": (Voucher.profile_id, true()),
        "loose": (Voucher.profile_id, Voucher.winner_id.is_(None)),
        "reserved": (Voucher.reserved_for_id, true()),
        "benefits": (Benefit.profile_id, true()),
        "notices": (Notice.profile_id, true()),
        "memberships": (Membership.profile_id, true()),
        "completions": (Completion.profile_id, true()),
        "identities": (ProfileIdentity.profile_id, true()),
        "aliases": (Profile.merged_into_id, true()),
    }
    parts = [
        select(literal(kind).label("kind"), owner.label("id"), func.count().label("count"))
        .where(owner.in_(ids), which)
        .group_by(owner)
        for kind, (owner, which) in owners.items()
    ]
    found: dict[int, dict[str, int]] = {}
    for kind, number, count in session.execute(union_all(*parts)):
        found.setdefault(number, {})[kind] = count
    return found


def _within(column: Any, scope: Scope) -> ColumnElement[bool]:
    return true() if scope is None else column.in_(scope)
