"""A batch as its page shows it: its words, its steps, the card of its job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import url_for

from webapp.domain.benefit_batches import MOVING, BatchStatus
from webapp.domain.jobs import FINISHED
from webapp.queries.benefit_batches import BatchSheet
from webapp.web import job_cards
from webapp.web.filters import plural

if TYPE_CHECKING:
    from webapp.models import Job

_S = BatchStatus
TAGS = {
    _S.CHECKING: ("running", "Being checked"),
    _S.CHECKED: ("waiting", "Checked, not issued"),
    _S.WAITING: ("waiting", "Waits for its day"),
    _S.ISSUING: ("running", "Being issued"),
    _S.STOPPED: ("stopped", "Stopped"),
    _S.ISSUED: ("done", "Issued"),
    _S.UNDOING: ("running", "Being undone"),
    _S.UNDONE: ("cancelled", "Undone"),
    _S.REFUSED: ("failed", "Refused"),
    _S.WITHDRAWN: ("cancelled", "Withdrawn"),
}
_TITLES = ("Plan", "Check", "Start", "Issue", "Done")
_PLACES = {
    _S.CHECKING: (1, "current"),
    _S.REFUSED: (1, "blocked"),
    _S.CHECKED: (2, "current"),
    _S.WITHDRAWN: (2, "blocked"),
    _S.WAITING: (3, "current"),
    _S.ISSUING: (3, "current"),
    _S.STOPPED: (3, "blocked"),
    _S.ISSUED: (5, "done"),
    _S.UNDOING: (5, "done"),
    _S.UNDONE: (5, "done"),
}


def steps(sheet: BatchSheet) -> list[dict[str, Any]]:
    """Plan, Check, Start, Issue, Done, and where this batch stands."""
    batch = sheet.batch
    place, state = _PLACES[batch.status]
    texts = (
        "",
        plural(batch.people_count, "person", "people") if place > 1 else "",
        f"by {batch.started_by}" if batch.started_by else "",
        f"{batch.issued_count:,} issued" if batch.issued_count else "",
        "",
    )
    states = ["done" if number < place else state if number == place else "todo" for number in range(len(_TITLES))]
    return [
        {"title": title, "state": found, "text": words}
        for title, found, words in zip(_TITLES, states, texts, strict=True)
    ]


def is_moving(sheet: BatchSheet) -> bool:
    """Whether a job is under way."""
    return sheet.batch.status in MOVING and sheet.job is not None and sheet.job.status not in FINISHED


def card(job: Job, batch_id: int) -> dict[str, Any]:
    """The card of its job."""
    return job_cards.card(
        job, poll_url=url_for(".progress", batch_id=batch_id), cancel_url=url_for(".cancel", batch_id=batch_id)
    )
