"""Where the rows of a file put organisations, beside what is there: nothing below itself, nothing too deep."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from webapp.domain import organisations as rules
from webapp.domain.import_rows import shown
from webapp.domain.table_rows import TableDraft
from webapp.queries import organisations as read
from webapp.queries.table_rows import Standing
from webapp.services.table_kinds import Faults, Found

Ways = Mapping[str, str]  # external id -> that of the parent, empty at the top


def look(session: Session, _now: datetime, rows: Sequence[tuple[TableDraft, Standing | None]]) -> Faults:
    """Which rows would make a ring, or stand too deep, once all of them are written into the tree.

    A row that is bad leaves what is there as it is, so the others are looked at anew without it.
    """
    drafts = [draft for draft, _ in rows]
    stored = read.ways_up(
        session, sorted({name for draft in drafts for name in (draft.key[0], _parent(draft)) if name})
    )
    found = Found()
    is_settled = False
    while not is_settled:
        good: dict[str, TableDraft] = {}
        for draft in drafts:
            if draft.line not in found.faults:
                good.setdefault(draft.key[0], draft)
        ways = {**stored, **{name: _parent(draft) for name, draft in good.items() if _tells(draft, stored)}}
        moving = [draft for name, draft in good.items() if stored.get(name) != ways[name]]
        # Below a ring everything looks endless, so the rings come first.
        fresh = _faulty(moving, ways, _ring) or _orphans(moving, ways, drafts) or _faulty(moving, ways, _depth)
        for draft, words in fresh:
            found.add(draft, "parent", words)
        is_settled = not fresh
    return found.faults


def _parent(draft: TableDraft) -> str:
    return str(draft.values["parent"] or "")


def _tells(draft: TableDraft, stored: Ways) -> bool:
    """A known one whose row says nothing of a parent stays where it is."""
    return draft.values["parent"] is not None or draft.key[0] not in stored


def _faulty(
    moving: Sequence[TableDraft], ways: Ways, look_at: Callable[[str, list[str]], str]
) -> list[tuple[TableDraft, str]]:
    told = ((draft, look_at(draft.key[0], _above(draft.key[0], ways))) for draft in moving)
    return [(draft, words) for draft, words in told if words]


def _above(name: str, ways: Ways) -> list[str]:
    """What stands above, the nearest first, once around where it is a ring."""
    found: list[str] = []
    at = ways[name]
    while at and at not in found:
        found.append(at)
        at = ways.get(at, "")
    return found


def _ring(name: str, above: list[str]) -> str:
    if name not in above:
        return ""
    return (
        f"With what is here already it would stand below itself: «{shown(above[0])}», the parent of this row, comes to "
        "stand below it. Choose a parent outside this branch."
    )


def _orphans(moving: Sequence[TableDraft], ways: Ways, drafts: Sequence[TableDraft]) -> list[tuple[TableDraft, str]]:
    lines = {draft.key[0]: draft.line for draft in reversed(drafts)}
    return [
        (draft, f"Its parent is on line {lines[parent]:,} of this file, which is bad.")
        for draft in moving
        if (parent := _parent(draft)) and parent not in ways and parent in lines
    ]


def _depth(_name: str, above: list[str]) -> str:
    return f"It would stand more than {rules.DEEPEST} levels deep." if len(above) >= rules.DEEPEST else ""
