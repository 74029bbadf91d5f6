"""The further facts people may have, as files tell of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.models import AttributeDefinition
from webapp.queries.matching import among
from webapp.queries.table_rows import Key, Standing

EXPORT = ("name", "title", "kind", "choices", "archived_at")


def stream(session: Session) -> Iterator[tuple[object, ...]]:
    """Facts as ``EXPORT`` names them, by name, archived ones too; choices one on each line."""
    for one in session.scalars(select(AttributeDefinition).order_by(AttributeDefinition.name)):
        yield (*_told(one).values(), one.archived_at)


def _told(one: AttributeDefinition) -> dict[str, Any]:
    choices = "\n".join(map(str, one.choices))
    return {"name": one.name, "title": one.title, "kind": str(one.kind), "choices": choices}


def standing(session: Session, keys: Collection[Key]) -> dict[Key, Standing]:
    """By their names."""
    wanted = select(AttributeDefinition).where(among(session, AttributeDefinition.name, [key[0] for key in keys]))
    rows = session.scalars(wanted.execution_options(populate_existing=True))
    return {(one.name,): Standing(one.id, _told(one), one.title, one.archived_at) for one in rows}
