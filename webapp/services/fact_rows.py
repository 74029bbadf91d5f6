"""Further facts of people in bulk: the rows of a file by the rules of the form. What is there is never changed, only archived."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from webapp.domain.import_rows import shown
from webapp.domain.people import AttributeKind
from webapp.domain.table_rows import TableDraft
from webapp.models import AttributeDefinition, ImportChange
from webapp.queries import facts as read
from webapp.queries.table_rows import Standing
from webapp.services import bulk
from webapp.services.profiles import ArchiveAttribute, RestoreAttribute, attributes
from webapp.services.table_kinds import Faults, Found, TableKind, before, kept, refusal
from webapp.services.work import Work

_PART = "[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?"
_NAME = re.compile(rf"{_PART}\.{_PART}")
_FIXED = {"title": "title", "kind": "kind", "choices": "choices"}


def references(_session: Session, drafts: Sequence[TableDraft]) -> Faults:
    """A name must be one, and a choice, and nothing else, has choices."""
    found = Found()
    for draft in drafts:
        name, kind, choices = (str(draft.values[column] or "") for column in ("name", "kind", "choices"))
        if not _NAME.fullmatch(name):
            words = f"«{shown(name)}» cannot be a name; write its group, a dot and the fact, such as coffee.favourite-roast."
            found.add(draft, "name", words)
        if kind == AttributeKind.CHOICE:
            if told := refusal(attributes.checked_choices, choices):
                found.add(draft, "choices", told)
        elif choices:
            found.add(draft, "choices", f"A fact of the kind «{kind}» has no choices; leave the cell empty.")
    return found.faults


def meant(draft: TableDraft, _old: Standing) -> TableDraft:
    """Choices as they are kept, whatever blanks stand between them in the file."""
    choices = draft.values["choices"] or ""
    if refusal(attributes.checked_choices, choices):
        return draft
    return replace(draft, values=draft.values | {"choices": "\n".join(attributes.checked_choices(choices))})


def holds(session: Session, _now: datetime, rows: Sequence[tuple[TableDraft, Standing | None]]) -> Faults:
    """What people have of a fact was read by its kind, so none becomes another; there are only so many in use."""
    found = Found()
    in_use = session.scalar(
        select(func.count()).select_from(AttributeDefinition).where(AttributeDefinition.archived_at.is_(None))
    )
    count = int(in_use or 0)
    for draft, old in rows:
        if old is None:
            count += draft.values["archived_at"] is None
            if draft.values["archived_at"] is None and count > attributes.MOST:
                found.add(
                    draft, "name", f"{attributes.MOST} facts are in use, the most there can be; archive one first."
                )
            continue
        for column, noun in _FIXED.items():
            if (draft.values[column] or "") != old.values[column]:
                words = f"The {noun} of «{shown(old.title)}» stays as it is; archive the fact, and make another one."
                found.add(draft, column, words)
    return found.faults


def put(work: Work, drafts: Sequence[TableDraft], run_id: int) -> tuple[int, int]:
    """Create those that are not there; gives (created, changed). The same rows again change nothing."""
    there = read.standing(work.session, [draft.key for draft in drafts])
    notes: list[tuple[int, dict[str, Any], dict[str, Any]]] = []
    for draft in drafts:
        if draft.key in there:
            continue
        told = draft.values
        kind = AttributeKind(told["kind"])
        choices = attributes.checked_choices(told["choices"] or "") if kind is AttributeKind.CHOICE else []
        made = attributes.add(work, told["name"], told["title"], kind, choices)
        notes.append((made.id, {}, {"name": made.name}))
    names = ("subject_id", "before", "after")
    bulk.insert_rows(work.session, cast(Table, ImportChange.__table__), names, notes, {"run_id": run_id})
    return len(notes), 0


def take_back(work: Work, change: ImportChange) -> str:
    """A new one is archived, for conditions may name it; one that was archived or brought back is as it was."""
    found = work.session.get(AttributeDefinition, change.subject_id, populate_existing=True)
    if found is None:
        return ""
    called = f"«{found.title}» ({found.name})"
    if not change.before:
        attributes.archive_attribute(work, ArchiveAttribute(found.id))
        return f"{called} is archived now: a fact is never deleted, and what people have of it stays."
    if kept({"archived_at": found.archived_at}) != change.after:
        return f"{called} was changed since."
    at = before(change)["archived_at"]
    if at is None:
        attributes.restore_attribute(work, RestoreAttribute(found.id))
    else:
        attributes.archive_attribute(work, ArchiveAttribute(found.id, at))
    return ""


KIND = TableKind(
    references,
    read.standing,
    put,
    take_back,
    lambda work, own_id: attributes.restore_attribute(work, RestoreAttribute(own_id)),
    lambda work, own_id, at: attributes.archive_attribute(work, ArchiveAttribute(own_id, at)),
    holds=holds,
    meant=meant,
    most=500,
    is_whole=True,
)
