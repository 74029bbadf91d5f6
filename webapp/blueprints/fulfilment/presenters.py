"""The columns of the board: what they are called, how many stand in each, and where the rest of one is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for

from webapp.domain.fulfilment import WORDS, Stage
from webapp.queries.fulfilment import COLUMNS, WinnerCard

TITLES = {name: WORDS[stages[0]] for name, stages in COLUMNS.items()} | {"left": "Left", "reserve": "Reserves"}


def counts(by_stage: Mapping[Stage, int]) -> dict[str, int]:
    """How many winners or reserves stand in each column."""
    return {name: sum(by_stage[stage] for stage in stages) for name, stages in COLUMNS.items()}


def columns(reward: str, counted: Mapping[str, int], cards: Mapping[str, Sequence[WinnerCard]]) -> list[dict[str, Any]]:
    """The board as it is drawn; a column that shows only its first cards leads to the others."""
    found = []
    for name, title in TITLES.items():
        count, shown = counted[name], cards[name]
        is_whole = len(shown) >= count
        found.append(
            {
                "title": title,
                "count": count,
                "cards": shown,
                "note": "In order; the next one follows" if name == "reserve" else None,
                "url": None if is_whole else url_for(".board", name=reward, column=name),
                "url_text": f"Show all {count:,}",
            }
        )
    return found


def tabs(reward: str, counted: Mapping[str, int], chosen: str) -> list[dict[str, Any]]:
    """The columns as tabs above the cards of one of them."""
    return [
        {
            "label": title,
            "url": url_for(".board", name=reward, column=name),
            "current": name == chosen,
            "count": f"{counted[name]:,}",
        }
        for name, title in TITLES.items()
    ]
