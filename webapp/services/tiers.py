"""Create, change and remove tiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, exists

from webapp.domain import tiers as rules
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict
from webapp.models import Profile, Tier
from webapp.queries import tiers as read
from webapp.services import rows
from webapp.services.work import Work, changed_rows

_LABELS = {"title": "title", "rank": "rank"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTier:
    """A new tier; its name, which files use, comes from its title once. The highest ``rank`` is the best tier."""

    title: str
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTier:
    """Another title or rank; ``version`` is the one the form was drawn from."""

    tier_id: int
    title: str
    rank: int
    version: int


@dataclass(frozen=True, slots=True)
class RemoveTier:
    """Take a tier away that nobody has."""

    tier_id: int


def create(work: Work, command: CreateTier) -> Tier:
    """Add a tier; ``Conflict`` on ``rank`` when another tier stands there (benefits.md 2.7)."""
    _check_rank(work, command.rank, None)
    tier = rows.add_named(
        work,
        command.title,
        "tier",
        lambda name: Tier(name=name, title=command.title, rank=command.rank, created_at=work.now),
    )
    work.record(Event.TIER_CREATED, tier, title=tier.title, name=tier.name, rank=tier.rank)
    return tier


def change(work: Work, command: ChangeTier) -> Tier:
    """Change a tier; ``Conflict`` when somebody did since the form was opened, or when the rank is taken."""
    tier = read.get(work.session, command.tier_id)
    values: dict[str, Any] = {name: getattr(command, name) for name in _LABELS}
    before = {name: getattr(tier, name) for name in _LABELS}
    changes = rows.told(_LABELS, before, values)
    if changes:
        _check_rank(work, command.rank, tier.id)
        rows.save(work, tier, command.version, values, Event.TIER_CHANGED, "tier")
        work.record(Event.TIER_CHANGED, tier, title=before["title"], changes=changes)
    return tier


def remove(work: Work, command: RemoveTier) -> Tier:
    """Take it away; ``Refused`` while anybody has it."""
    tier = read.get(work.session, command.tier_id)
    work.session.expunge(tier)
    unheld = ~exists().where(Profile.tier_id == command.tier_id)
    if changed_rows(work.session, delete(Tier).where(Tier.id == command.tier_id, unheld)) != 1:
        rules.may_remove(tier.title, is_held=True).require()
    work.record(Event.TIER_REMOVED, tier, title=tier.title)
    return tier


def _check_rank(work: Work, rank: int, own_id: int | None) -> None:
    other = read.at_rank(work.session, rank)
    if other is not None and other.id != own_id:
        raise rules.rank_taken(rank, other.title)
    if not 1 <= rank <= rules.HIGHEST:
        raise Conflict("tier.rank", f"Choose a rank from 1 to {rules.HIGHEST:,}.", "rank")
