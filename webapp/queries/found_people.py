"""People who were found, the closest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import CompoundSelect, Select, func, select

from webapp.models import Profile


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """A person who fits; the lower ``rank``, the closer."""

    id: int
    external_id: str | None
    first_name: str
    last_name: str
    email: str
    phone: str
    rank: int

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


def hit(rank: Any) -> Select[Any]:
    """Of each row of people found, whose it is now and how close it fits."""
    return select(func.coalesce(Profile.merged_into_id, Profile.id).label("id"), rank.label("rank"))


def ranked(found: CompoundSelect[Any], size: int) -> Select[Any]:
    """The closest of those found, each once."""
    hits = found.subquery()
    best = select(hits.c.id, func.min(hits.c.rank).label("rank")).group_by(hits.c.id).subquery()
    columns: list[Any] = [getattr(Profile, name) for name in FoundPerson.__dataclass_fields__ if name != "rank"]
    columns.append(best.c.rank)
    return (
        select(*columns)
        .join(best, best.c.id == Profile.id)
        .order_by(best.c.rank, Profile.search_text, Profile.id)
        .limit(size + 1)
    )
