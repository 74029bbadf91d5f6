"""Everything about one person: facts, what they hold, messages, and one history of it all."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, String, cast, func, literal, null, or_, select, true, tuple_, union_all
from sqlalchemy.orm import Session, aliased

from webapp.domain.audit import Event
from webapp.domain.audit import sentence as told
from webapp.domain.fulfilment import WORDS as STAGES
from webapp.domain.fulfilment import Stage
from webapp.domain.outbox import OutboxStatus
from webapp.domain.redemptions import BenefitMove
from webapp.domain.vouchers import VoucherStatus
from webapp.models import (
    AttributeDefinition,
    AuditEntry,
    Benefit,
    BenefitChange,
    BenefitDefinition,
    Completion,
    Draw,
    Entry,
    Group,
    Location,
    Membership,
    Module,
    Organisation,
    OutboxMessage,
    Profile,
    ProfileIdentity,
    Redemption,
    Reward,
    Site,
    Tier,
    Voucher,
    VoucherChange,
    VoucherType,
    Winner,
    WinnerEvent,
)

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
class Moment:
    """One thing in a person's history. ``source``, ``first`` and ``second`` keep things of the same instant apart."""

    at: datetime
    source: int
    first: int
    second: int
    who: str
    sentence: str
    group: str
    detail: str = ""

    @property
    def place(self) -> str:
        """Where the history goes on from, as an address carries it."""
        return f"{int(self.at.timestamp() * 1_000_000)}.{self.source}.{self.first}.{self.second}"


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


def memberships(session: Session, profile_id: int) -> list[Belonging]:
    """The person's groups, the newest first."""
    statement = (
        select(Group.title, Group.name, Organisation.title, Organisation.id, Membership.joined_at)
        .join(Group, Group.id == Membership.group_id)
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.profile_id == profile_id)
        .order_by(Membership.id.desc())
        .limit(MOST)
    )
    return [Belonging(*row) for row in session.execute(statement)]


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
    "aliases": "Further addresses",
}


def holdings(session: Session, ids: Collection[int]) -> dict[int, dict[str, int]]:
    """How many of each of ``HOLDINGS`` the rows have; one statement."""
    sealed = select(Draw.reward_id).where(Draw.sealed_at.is_not(None))
    owners: dict[str, tuple[Any, ColumnElement[bool]]] = {
        "entries": (Entry.profile_id, true()),
        "sealed": (Entry.profile_id, Entry.reward_id.in_(sealed)),
        "winners": (Winner.profile_id, true()),
        "vouchers": (Voucher.profile_id, true()),
        "benefits": (Benefit.profile_id, true()),
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


def history(
    session: Session, ids: Collection[int], scope: Scope, *, before: str = "", size: int = PAGE
) -> list[Moment]:
    """The log, entries, prizes, vouchers and completions of the person as one list, the newest first.

    One more than ``size`` when there is more; ``before`` is the ``place`` of the last one seen. One statement.
    """
    place = _place(before)
    parts = []
    for source, part in enumerate(_parts(ids, scope)):
        at, first, second = (part.selected_columns[name] for name in ("at", "first", "second"))
        earlier: ColumnElement[bool] = true()
        if place is not None:
            earlier = (at < place[0]) | (
                (at == place[0]) & (tuple_(literal(source), first, second) < tuple_(*map(literal, place[1:])))
            )
        newest = part.where(earlier).order_by(at.desc(), first.desc(), second.desc()).limit(size + 1)
        parts.append(select(newest.add_columns(literal(source).label("source")).subquery()))
    every = union_all(*parts).subquery()
    order = [every.c[name].desc() for name in ("at", "source", "first", "second")]
    return [_moment(row) for row in session.execute(select(every).order_by(*order).limit(size + 1))]


def _place(text: str) -> tuple[datetime, int, int, int] | None:
    parts = text.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) <= 17 for part in parts):
        return None
    at, source, first, second = map(int, parts)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=min(at, 7 * 10**15)), source, first, second


def _line(at: Any, first: Any, second: Any, who: Any, *told: Any) -> Select[Any]:
    """One kind of thing with the columns all kinds share: ``a`` to ``d`` are texts."""
    texts = [cast(one, String).label(name) for name, one in zip("abcd", (*told, *[null()] * 4), strict=False)]
    return select(at.label("at"), first.label("first"), second.label("second"), cast(who, String).label("who"), *texts)


def _parts(ids: Collection[int], scope: Scope) -> Sequence[Select[Any]]:
    """What a history is made of, in the order of ``_TELL``."""
    subjects = [f"profiles:{number}" for number in ids]
    zero = literal(0)
    return (
        _line(AuditEntry.at, AuditEntry.id, zero, AuditEntry.actor, AuditEntry.event, AuditEntry.facts).where(
            AuditEntry.subject.in_(subjects)
        ),
        _line(Entry.entered_at, Entry.reward_id, Entry.number, null(), Reward.title, Entry.number, Entry.tickets, Entry.receipt)
        .join(Reward, Reward.id == Entry.reward_id)
        .where(Entry.profile_id.in_(ids), _within(Reward.site_id, scope)),
        _line(WinnerEvent.at, WinnerEvent.id, zero, WinnerEvent.by, Reward.title, WinnerEvent.stage, WinnerEvent.note)
        .join(Winner, Winner.id == WinnerEvent.winner_id)
        .join(Reward, Reward.id == Winner.reward_id)
        .where(Winner.profile_id.in_(ids), _within(Reward.site_id, scope)),
        _line(
            VoucherChange.at, VoucherChange.id, zero, VoucherChange.by,
            VoucherType.title, VoucherChange.status, VoucherChange.note, Voucher.last_four,
        )
        .join(Voucher, Voucher.id == VoucherChange.voucher_id)
        .join(VoucherType, VoucherType.id == Voucher.voucher_type_id)
        .where(Voucher.profile_id.in_(ids), _within(VoucherType.site_id, scope)),
        _line(Completion.completed_at, Completion.id, zero, null(), Module.title, Completion.score)
        .join(Module, Module.id == Completion.module_id)
        .where(Completion.profile_id.in_(ids), _within(Module.site_id, scope)),
        _line(BenefitChange.at, BenefitChange.id, zero, BenefitChange.by, BenefitDefinition.name, BenefitChange.move, BenefitChange.note)
        .join(Benefit, Benefit.id == BenefitChange.benefit_id)
        .join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
        .where(or_(Benefit.profile_id.in_(ids), BenefitChange.profile_id.in_(ids)), _within(BenefitDefinition.site_id, scope)),
        _line(Redemption.at, Redemption.id, zero, Redemption.by, BenefitDefinition.name, Redemption.kind, Redemption.count, Redemption.receipt)
        .join(Benefit, Benefit.id == Redemption.benefit_id)
        .join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
        .where(Benefit.profile_id.in_(ids), _within(BenefitDefinition.site_id, scope)),
    )  # fmt: skip


def _audit(row: Any) -> tuple[str, str, str]:
    event = Event(row.a)
    words = told(event, json.loads(row.b))
    return words[:1].upper() + words[1:], event.partition(".")[0], ""


def _entry(row: Any) -> tuple[str, str, str]:
    tickets = "" if row.c == "1" else f" with {int(row.c):,} tickets"
    return f"Entered «{row.a}» as number {int(row.b):,}{tickets}", "entry", f"Receipt {row.d}" if row.d else ""


def _winner(row: Any) -> tuple[str, str, str]:
    return f"Prize of «{row.a}»: {STAGES[Stage(row.b)].lower()}", "winner", row.c or ""


def _voucher(row: Any) -> tuple[str, str, str]:
    return f"Voucher ending {row.d} of «{row.a}»: {VoucherStatus(row.b)}", "vouchers", row.c or ""


def _completion(row: Any) -> tuple[str, str, str]:
    score = "" if row.b is None else f" with {row.b} per cent"
    return f"Completed «{row.a}»{score}", "completion", ""


def _benefit(row: Any) -> tuple[str, str, str]:
    return f"Benefit «{row.a}»: {BenefitMove(row.b)}", "benefit", row.c or ""


def _redemption(row: Any) -> tuple[str, str, str]:
    verb = {"redeem": "Redeemed", "return": "Gave back", "reversal": "Reversed"}[row.b]
    return f"{verb} {int(row.c):,} of «{row.a}»", "benefit", f"Receipt {row.d}"


_TELL = (_audit, _entry, _winner, _voucher, _completion, _benefit, _redemption)


def _moment(row: Any) -> Moment:
    sentence, group, detail = _TELL[row.source](row)
    return Moment(row.at, row.source, row.first, row.second, row.who or "", sentence, group, detail)
