"""Printing benefits: those that were ticked, those of a definition, or those of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, abort
from flask.typing import ResponseReturnValue

from webapp.adapters import benefit_cards, clock, typesetting
from webapp.blueprints.benefits import bp, listing
from webapp.blueprints.benefits.forms import PrintForm
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import benefit_batches as read_batches
from webapp.queries import benefit_cards as read
from webapp.queries import benefits as read_benefits
from webapp.services import benefits
from webapp.web.access import listed, requires, scope
from webapp.web.paging import number
from webapp.web.rendering import go, render

CHECKED = 500  # cards whose letters are checked before printing


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an address asks to print: in words, its arguments, how many were ticked, and what of it can be printed."""

    words: str
    args: dict[str, Any]
    ticked: int
    chosen: list[read.Chosen]


@bp.route("/print", methods=["GET", "POST"])
@requires(Permission.CODES_PRINT, confirmed=True)
def print_sheets() -> ResponseReturnValue:
    """Choose what and on which paper; the sheets are made by a job."""
    session = db.session()
    wanted = _wanted()
    if wanted is None:
        return render(
            "benefits/print_choice.html", definitions=read.definitions(session, listed(Permission.CODES_PRINT))
        )
    ids = tuple(one.id for one in wanted.chosen)
    form = PrintForm()
    if ids and (job := form.submit(benefits.order_sheets, benefit_ids=ids)):
        return go("vouchers.progress", job_id=job.id)
    return render(
        "benefits/print.html",
        "benefits/_print.html",
        form.status,
        form=form,
        wanted=wanted,
        most=read.MOST,
        boxes=_boxes(ids[:CHECKED]),
    )


@bp.get("/print/preview/<any('a4-2x4','a4-1'):layout>.png")
@requires(Permission.CODES_PRINT)
def print_preview(layout: str) -> ResponseReturnValue:
    """The first page as it will look, with a sample in the place of every code and name."""
    wanted = _wanted(size=1)
    rows = list(read.rows(db.session(), [one.id for one in wanted.chosen[:1]])) if wanted else []
    if not rows:
        abort(404)
    cards = [benefit_cards.sample(rows[0])] * typesetting.LAYOUTS[layout].per_page
    response = Response(typesetting.preview(cards, layout), mimetype="image/png")
    response.headers["Cache-Control"] = "private, max-age=300"
    return response


def _wanted(size: int | None = None) -> Wanted | None:
    """All of it, or the first ``size`` of a definition or batch. None when the address names nothing; ``NotFound`` when it names what this person may not print."""
    session, where, now = db.session(), scope(Permission.CODES_PRINT), clock.now()
    # Ticks come first: with them the list sends along what it is narrowed to.
    if ids := sorted(set(listing.ticked())):
        return Wanted("what was ticked", {"ids": ids}, len(ids), read.among_these(session, where, ids, now))
    if (batch_id := number("batch")) is not None:
        sheet = read_batches.sheet(session, batch_id, where)
        chosen = read.of_batch(session, where, batch_id, now, size)
        return Wanted(f"batch {batch_id} of {sheet.definition.name}", {"batch": batch_id}, 0, chosen)
    if (definition_id := number("definition")) is not None:
        definition, _ = read_benefits.definition(session, definition_id, where)
        chosen = read.of_definition(session, where, definition_id, now, size)
        return Wanted(definition.name, {"definition": definition_id}, 0, chosen)
    return None


def _boxes(benefit_ids: tuple[int, ...]) -> list[tuple[str, str]]:
    """Whose cards have signs that no font here can draw, and which signs."""
    rows = [row for row in read.rows(db.session(), benefit_ids) if not benefit_cards.is_plain(row)]
    missing = typesetting.unprintable(map(benefit_cards.card, rows))
    return [(rows[place].holder or rows[place].title, " ".join(sorted(signs))) for place, signs in missing.items()]
