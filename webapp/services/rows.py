"""What changing a row by a form has in common: a name made once, and a version that notices who was faster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from webapp.domain.audit import Event
from webapp.domain.errors import Conflict
from webapp.domain.identity import handles
from webapp.domain.import_rows import clean
from webapp.models import AuditEntry, Base
from webapp.services.work import Work, changed_rows, name_of

R = TypeVar("R", bound=Base)
_LONGEST_SHOWN = 80


def add_named(work: Work, title: str, fallback: str, make: Callable[[str], R]) -> R:
    """Add the row that ``make`` builds for a name; the name comes from the title: ``x``, ``x-2`` … (K02-K04).

    The unique constraint decides, not a look beforehand, so that two at once get ``x`` and ``x-2``.
    """
    for name in handles(title, fallback):
        row = make(name)
        try:
            with work.session.begin_nested():
                work.session.add(row)
                work.session.flush()
        except IntegrityError as error:
            if "name" not in str(error.orig):
                raise
            continue
        return row
    raise AssertionError("unreachable")


def save(work: Work, row: Any, version: int, values: Mapping[str, object], event: Event, noun: str) -> None:
    """Write ``values`` unless somebody saved ``row`` since ``version``; ``Conflict`` tells who and what.

    ``row`` is of a model with ``id`` and ``version``; ``event`` is what its changes are told as in the audit log.
    """
    model = type(row)
    won = changed_rows(
        work.session,
        update(model).where(model.id == row.id, model.version == version).values(**values, version=model.version + 1),
    )
    if won != 1:
        raise Conflict(f"{noun.replace(' ', '_')}.changed", _who_was_faster(work, row, event, noun))
    work.session.refresh(row)


def told(labels: Mapping[str, str], before: Mapping[str, object], after: Mapping[str, object]) -> str:
    """«title from «A» to «B»; zone …» of the columns in ``labels`` that differ; empty when none does."""
    return "; ".join(
        f"{label} from {_shown(before[name])} to {_shown(after[name])}"
        for name, label in labels.items()
        if name in after and before[name] != after[name]
    )


def _shown(value: object) -> str:
    if value is None or value == "":
        return "nothing"
    return f"«{clean(str(value))[:_LONGEST_SHOWN]}»"  # in a sentence no sign may turn what stands behind it


def _who_was_faster(work: Work, row: Base, event: Event, noun: str) -> str:
    last = work.session.execute(
        select(AuditEntry.actor, AuditEntry.facts)
        .where(AuditEntry.subject == name_of(row), AuditEntry.event == event)
        .order_by(AuditEntry.id.desc())
        .limit(1)
    ).one_or_none()
    who, what = (last.actor, last.facts["changes"]) if last else ("Somebody", "its state")
    return (
        f"{who} changed this {noun} while the form was open: {what}. Nothing of yours was written; what you typed is "
        "kept here. Save again to put it in place of the other change."
    )
