"""Appends to the chained log of a draw, ``log.jsonl``, in the transaction of what it tells."""

from __future__ import annotations

from sqlalchemy import select

from webapp.domain.protocol import log
from webapp.models import Draw, DrawLogLine
from webapp.services.work import Work


def append(work: Work, draw_id: int, event: log.Event, **facts: str | int) -> None:
    """Add one line after the last; the draw's row is held meanwhile, so two writers cannot fork the chain."""
    draw = work.session.scalars(
        select(Draw).where(Draw.id == draw_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    last = work.session.get(DrawLogLine, (draw_id, draw.log_count)) if draw.log_count else None
    line = log.append(last.line if last else None, work.now, event, **facts)
    draw.log_count += 1
    draw.log_head = log.link(line)
    work.session.add(DrawLogLine(draw_id=draw_id, number=draw.log_count, line=line, digest=draw.log_head))
    work.session.flush()
