"""The tabs of the list of entries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for

from webapp.domain.entries import WORDS, EntryStatus
from webapp.queries.entries import MOST_COUNTED


def tabs(
    name: str, total: int, counts: Mapping[EntryStatus, int], chosen: EntryStatus | None, search: str
) -> list[dict[str, Any]]:
    """«All», then one tab for each status there is. What takes part is the rest of the whole, so it is exact."""
    found = dict(counts)
    others = [count for status, count in found.items() if status is not EntryStatus.OK]
    if all(count <= MOST_COUNTED for count in others):
        found[EntryStatus.OK] = total - sum(others)
    tabs: list[tuple[EntryStatus | None, str, str]] = [(None, "All", f"{total:,}")]
    tabs += [
        (status, WORDS[status], _capped(count, is_exact=status is EntryStatus.OK))
        for status, count in found.items()
        if count or status is chosen
    ]
    return [
        {
            "label": label,
            "url": url_for(".index", name=name, status=status, q=search or None),
            "current": status is chosen,
            "count": count,
        }
        for status, label, count in tabs
    ]


def _capped(count: int, *, is_exact: bool) -> str:
    return f"{count:,}" if is_exact or count <= MOST_COUNTED else f"{MOST_COUNTED:,}+"
