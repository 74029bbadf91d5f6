"""How the tree of organisations is kept: one change of its shape at a time, and paths that follow their parents."""

from __future__ import annotations

from sqlalchemy import String, cast, func, literal, select, text, update
from sqlalchemy.orm import aliased

from webapp.domain import organisations as rules
from webapp.models import Organisation
from webapp.queries.matching import begins
from webapp.services.work import Work, changed_rows


def hold(work: Work) -> None:
    """Let nobody else change the shape of the tree until this transaction ends; SQLite has one writer anyway.

    Two moves that are sound one by one can make a ring together, and a child added during a move would keep the
    old path: both need the whole tree to stand still for a moment.
    """
    if work.session.get_bind().dialect.name == "postgresql":
        work.session.execute(text("lock table organisations in share row exclusive mode"))


def move(work: Work, organisation: Organisation, parent_id: int | None, parent_path: str) -> int:
    """Put it and everything below it under another path, in one statement; gives how many went along."""
    old, new = organisation.path, rules.path_below(parent_path, organisation.id)
    organisation.parent_id = parent_id
    work.session.flush()
    count = changed_rows(
        work.session,
        update(Organisation)
        .where(begins(Organisation.path, old))
        .values(path=literal(new).concat(func.substr(Organisation.path, len(old) + 1))),
    )
    work.session.refresh(organisation)
    return count - 1


def levels(work: Work, path: str) -> int:
    """How many levels the branch at ``path`` has, its root included."""
    slashes = func.length(Organisation.path) - func.length(func.replace(Organisation.path, "/", ""))
    deepest = work.session.scalar(select(func.max(slashes)).where(begins(Organisation.path, path)))
    return int(deepest or 0) - rules.depth(path)


def give_paths(work: Work) -> None:
    """Write the path of every new row whose parent has one already; one statement for a whole level."""
    parent = aliased(Organisation)
    above = select(parent.path).where(parent.id == Organisation.parent_id).scalar_subquery()
    work.session.execute(
        update(Organisation)
        .where(Organisation.path == "")
        .values(path=func.coalesce(above, "/").concat(cast(Organisation.id, String)).concat("/"))
        .execution_options(synchronize_session=False)
    )
