"""Which part of the tree of organisations somebody may see, as conditions."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import Session

from webapp.models import Organisation
from webapp.queries.matching import begins

# The paths of the roots of the subtrees somebody works in; None is every organisation.
Within = tuple[str, ...] | None


def of(session: Session, roots: frozenset[int] | None) -> Within:
    """The paths of the organisations ``roots``, which a person's roles name; None stays None."""
    if roots is None:
        return None
    found = session.scalars(select(Organisation.path).where(Organisation.id.in_(roots)).order_by(Organisation.path))
    return tuple(found)


def inside(within: Within) -> ColumnElement[bool]:
    """Whether the organisation of a row lies within; nothing lies within no subtree at all."""
    if within is None:
        return true()
    return or_(false(), *(begins(Organisation.path, path) for path in within))
