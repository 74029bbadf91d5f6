"""The result as cards: who won what, and who stands in reserve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from webapp.domain.fulfilment import Stage
from webapp.queries.draws import Place


def winners(places: Sequence[Place], count: int) -> list[dict[str, Any]]:
    """The first ``count`` places, drawn for a prize, whatever became of it since."""
    return [
        _card(place, place.prize or "", f"Entry {place.entry_number:,} · {place.slot}")
        for place in places
        if place.rank <= count
    ]


def reserves(places: Sequence[Place], count: int) -> list[dict[str, Any]]:
    """The places after the first ``count``, in their order; who moved up says where to."""
    return [
        _card(
            place,
            "Reserve" if place.stage is Stage.RESERVE else f"Now holds {place.slot}",
            f"Entry {place.entry_number:,}",
            reserve=True,
        )
        for place in places
        if place.rank > count
    ]


def _card(place: Place, prize: str, detail: str, *, reserve: bool = False) -> dict[str, Any]:
    return {
        "rank": place.rank,
        "name": place.name,
        "prize": prize,
        "detail": detail,
        "status": None,
        "code": None,
        "reserve": reserve,
    }
