"""Reads for the draw screens, the evidence and the public record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from webapp.domain.draws import Assurance, DrawFacts, assurance
from webapp.domain.entries import EntryStatus
from webapp.domain.errors import NotFound
from webapp.domain.fulfilment import Stage
from webapp.domain.permissions import Role
from webapp.models import (
    Draw,
    DrawLogLine,
    DrawRound,
    Entry,
    Prize,
    Profile,
    Reward,
    Site,
    StaffGrant,
    StaffMember,
    Winner,
)

# number, profile id, tickets, status, nonce, identity text on the receipt
ListRow = tuple[int, int, int, EntryStatus, bytes, str]


@dataclass(frozen=True, slots=True)
class Record:
    """What a stranger may see of a draw: no names, nothing that is not in the seal or the result."""

    draw: Draw
    reward: Reward
    site: Site
    round: DrawRound | None

    @property
    def result(self) -> dict[str, Any]:
        """The parsed result, or an empty one before the draw."""
        empty: dict[str, Any] = {"winners": [], "reserves": [], "unallocated": []}
        return json.loads(self.round.result) if self.round else empty

    @property
    def assurance(self) -> Assurance:
        """How much a stranger may believe."""
        return assurance_of(self.draw, self.round)


def assurance_of(draw: Draw, drawn: DrawRound | None) -> Assurance:
    """Recorded or Witnessed, from the seal's own times and what was recorded of the witness."""
    if drawn is None or draw.not_before is None or draw.sealed_at is None:
        return Assurance.RECORDED
    minutes = int((draw.not_before - draw.sealed_at).total_seconds() // 60)
    return assurance(minutes, witness=drawn.witness_name, held_fingerprint=drawn.held_fingerprint)


def get(session: Session, draw_id: int) -> Draw:
    """The draw as it is in the database now, or ``NotFound``."""
    draw = session.get(Draw, draw_id, populate_existing=True)
    if draw is None:
        raise NotFound("draw.not_found", "There is no such draw.")
    return draw


def facts(session: Session, draw: Draw) -> DrawFacts:
    """What the rules need to know about the draw."""
    title = session.scalar(select(Reward.title).where(Reward.id == draw.reward_id)) or ""
    return facts_of(draw, title)


def facts_of(draw: Draw, title: str) -> DrawFacts:
    """The same when the title is at hand."""
    return DrawFacts(
        title=title,
        state=draw.state,
        entry_count=draw.entry_count,
        eligible_count=draw.eligible_count,
        is_reviewed=draw.reviewed_at is not None,
        sealed_at=draw.sealed_at,
        sealed_by_id=draw.sealed_by_id,
        not_before=draw.not_before,
    )


def list_rows(session: Session, reward_id: int, size: int) -> Iterator[ListRow]:
    """Every entry in order of its number, ``size`` at a time by key, so that memory stays flat on both databases."""
    last = 0
    while True:
        rows = session.execute(
            select(
                Entry.number,
                Entry.profile_id,
                Entry.tickets,
                Entry.status,
                Entry.nonce,
                Profile.first_name,
                Profile.last_name,
                Profile.external_id,
                Profile.email,
            )
            .join(Profile, Profile.id == Entry.profile_id)
            .where(Entry.reward_id == reward_id, Entry.number > last)
            .order_by(Entry.number)
            .limit(size)
        ).all()
        for row in rows:
            yield (*row[:5], identity(*row[5:]))
        if len(rows) < size:
            return
        last = rows[-1][0]


def identity(first_name: str, last_name: str, external_id: str | None, email: str) -> str:
    """The text an entrant proves their entry with: the name, else the member id, else the e-mail."""
    return f"{first_name} {last_name}".strip() or external_id or email


def rounds(session: Session, draw_id: int) -> list[DrawRound]:
    """Every round drawn, in order."""
    return list(session.scalars(select(DrawRound).where(DrawRound.draw_id == draw_id).order_by(DrawRound.round)))


def log_lines(session: Session, draw_id: int) -> list[bytes]:
    """The log of the draw, a line each, without line feeds."""
    statement = select(DrawLogLine.line).where(DrawLogLine.draw_id == draw_id).order_by(DrawLogLine.number)
    return list(session.scalars(statement))


def record(session: Session, reference: str) -> Record:
    """The public record of the draw called ``reference``."""
    statement = (
        select(Draw, Reward, Site, DrawRound)
        .join(Reward, Reward.id == Draw.reward_id)
        .join(Site, Site.id == Reward.site_id)
        .outerjoin(DrawRound, DrawRound.draw_id == Draw.id)
        .where(Draw.reference == reference)
        .order_by(DrawRound.round.desc())
        .limit(1)
    )
    found = session.execute(statement).one_or_none()
    if found is None:
        raise NotFound("draw.not_found", "There is no draw with this reference.")
    return Record(*found)


def exclusions(session: Session, reward_id: int) -> list[tuple[EntryStatus, str, int, int]]:
    """How many entries each reason keeps out: status, reason, entries, tickets declared."""
    statement = (
        select(Entry.status, Entry.reason, func.count(), func.sum(Entry.tickets))
        .where(Entry.reward_id == reward_id, Entry.status != EntryStatus.OK)
        .group_by(Entry.status, Entry.reason)
        .order_by(func.count().desc(), Entry.status, Entry.reason)
    )
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(statement)]


def staff_name(session: Session, staff_id: int | None) -> str:
    """The name of a member of staff, for «sealed by»."""
    return (session.scalar(select(StaffMember.name).where(StaffMember.id == staff_id)) or "") if staff_id else ""


@dataclass(frozen=True, slots=True)
class Place:
    """One winner or reserve as drawn, for those who may see names."""

    id: int
    rank: int
    slot: str | None
    prize: str | None
    name: str
    entry_number: int
    stage: Stage


def places(session: Session, draw_id: int, size: int = 1_000) -> list[Place]:
    """Winners and reserves in the order drawn, at most ``size``."""
    statement = (
        select(
            Winner.id,
            Winner.rank,
            Winner.slot,
            Prize.title,
            Profile.first_name,
            Profile.last_name,
            Profile.external_id,
            Profile.email,
            Winner.entry_number,
            Winner.stage,
        )
        .join(Profile, Profile.id == Winner.profile_id)
        .outerjoin(Prize, Prize.id == Winner.prize_id)
        .where(Winner.draw_id == draw_id)
        .order_by(Winner.round, Winner.rank)
        .limit(size)
    )
    return [
        Place(row[0], row[1], row[2], row[3], identity(row[4], row[5], row[6], row[7]), row[8], row[9])
        for row in session.execute(statement)
    ]


@dataclass(frozen=True, slots=True)
class DrawSheet:
    """The draw of a reward, with the reward and its prizes and the site."""

    reward: Reward
    site: Site
    draw: Draw

    @property
    def facts(self) -> DrawFacts:
        """What the rules need to know."""
        return facts_of(self.draw, self.reward.title)


def sheet(session: Session, name: str, scope: frozenset[int] | None) -> DrawSheet:
    """The draw of the reward called ``name``; ``NotFound`` outside ``scope`` or while the reward is a draft."""
    statement = (
        select(Reward, Site, Draw)
        .join(Site, Site.id == Reward.site_id)
        .join(Draw, Draw.reward_id == Reward.id)
        .where(Reward.name == name)
        .options(selectinload(Reward.prizes))
    )
    if scope is not None:
        statement = statement.where(Reward.site_id.in_(scope))
    found = session.execute(statement).one_or_none()
    if found is None:
        raise NotFound("draw.not_found", "There is no such draw. A draw begins when its reward opens for entries.")
    return DrawSheet(*found)


def supervisors(session: Session, site_id: int) -> list[tuple[int, str]]:
    """Ids and addresses of the active draw supervisors of a site."""
    statement = (
        select(StaffMember.id, StaffMember.email)
        .where(
            StaffMember.is_active,
            StaffMember.id.in_(
                select(StaffGrant.staff_id).where(
                    StaffGrant.role == Role.DRAW_SUPERVISOR,
                    StaffGrant.site_id.is_(None) | (StaffGrant.site_id == site_id),
                )
            ),
        )
        .order_by(StaffMember.id)
    )
    return [(row[0], row[1]) for row in session.execute(statement)]
