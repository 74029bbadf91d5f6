"""Records which list left the house as a file: for whom, narrowed how, how many rows and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import update

from webapp.domain import exports as rules
from webapp.domain.audit import Event
from webapp.domain.exports import LISTINGS, Media
from webapp.models import ExportRun
from webapp.services.work import Work


@dataclass(frozen=True, slots=True)
class TakeList:
    """``filters`` is what the list was narrowed to, as its address says it."""

    kind: str
    media: Media
    reason: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FinishExport:
    """``row_count`` rows were written to the end."""

    export_id: int
    row_count: int


def take(work: Work, command: TakeList) -> ExportRun:
    """Record an export before its first row leaves; ``Refused`` when a list that tells of people lacks a reason.

    The audit log tells the reason and not the filters: a search may be somebody's name.
    """
    listing = LISTINGS[command.kind]
    rules.may_export(listing, command.reason).require()
    run = ExportRun(
        kind=listing.kind,
        media=str(command.media),
        filters=dict(command.filters),
        reason=command.reason.strip(),
        created_at=work.now,
        created_by_id=work.actor.staff_id,
        created_by=work.actor.label,
    )
    work.session.add(run)
    work.session.flush()
    media, reason = run.media.upper(), run.reason or "no reason asked"
    work.record(Event.EXPORT_TAKEN, run, rows=listing.rows, media=media, number=run.id, reason=reason)
    return run


def finish(work: Work, command: FinishExport) -> None:
    """Note how many rows left; without it the reader went away before the end."""
    work.session.execute(update(ExportRun).where(ExportRun.id == command.export_id).values(row_count=command.row_count))
