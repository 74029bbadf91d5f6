"""A list on its way out as a file: why it is wanted, the record of it, and its rows as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from flask import Flask, Response, current_app, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.http import dump_options_header
from wtforms import RadioField, SelectChoice
from wtforms.validators import InputRequired

from webapp.adapters import spreadsheets, workbook_writing
from webapp.domain import exports as rules
from webapp.domain.errors import Busy, Refused
from webapp.domain.exports import LISTINGS, MARK, Media
from webapp.extensions import db
from webapp.models import ExportRun
from webapp.services import exports
from webapp.services.exports import FinishExport, TakeList
from webapp.web.fields import TextField
from webapp.web.forms import CommandForm
from webapp.web.navigation import may_open
from webapp.web.paging import applied, unread
from webapp.web.rendering import render
from webapp.web.work import perform

Rows = Callable[[Session], Iterable[Sequence[object]]]
# Screen with a list → the screen that exports it. Both read the same address, so the file has what the list shows.
SCREENS: dict[str, str] = {
    "profiles.attributes": "profiles.export_attributes",
    "groups.show": "groups.export_members",
    "modules.show": "modules.export_completions",
    "fulfilment.board": "fulfilment.export_winners",
}
_TYPES = {
    Media.CSV: "text/csv; charset=utf-8",
    Media.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_WORDS = {
    "q": "Search",
    "show": "Shown",
    "type": "Type",
    "status": "State",
    "column": "Column",
    "what": "About",
    "source": "Origin",
    "ends_from": "Good until, from",
    "ends_to": "Good until, to",
    "sort": "Order",
}


class ExportForm(CommandForm[TakeList]):
    command = TakeList

    media = RadioField(
        "File",
        choices=[
            SelectChoice("csv", "CSV", render_kw={"data-hint": "Any number of rows; what every program reads."}),
            SelectChoice(
                "xlsx", "Excel workbook", render_kw={"data-hint": f"Up to {workbook_writing.MOST_WRITTEN:,} rows."}
            ),
        ],
        coerce=Media,
        validators=[InputRequired("Choose a kind of file.")],
        default=Media.CSV,
    )
    reason = TextField(
        "What it is for",
        length=rules.LONGEST_REASON,
        required="Write what the list is for.",
        description="Such as «address check for the June mailing». It stands in the audit log with your name.",
    )


@dataclass(frozen=True, slots=True)
class Offer:
    """A list as one export hands it out: its columns and its rows."""

    names: Sequence[str]
    rows: Rows


def register(app: Flask) -> None:
    """Let lists link to their export, and tell what of their address they could not apply."""
    app.jinja_env.globals.update(export_url=export_url, is_list=is_list, unread=unread)


def export_url() -> str | None:
    """Where the list on screen can be had as a file, narrowed as it is; None where it cannot, or not by this person."""
    endpoint = _export()
    if endpoint is None or not may_open(endpoint):
        return None
    values: dict[str, Any] = {**applied(), **(request.view_args or {})}
    return url_for(endpoint, **values)


def is_list() -> bool:
    """Whether the screen is a list that can leave as a file."""
    return _export() is not None


def _export() -> str | None:
    here = str(request.endpoint)
    endpoint = SCREENS.get(here) or (here.replace(".index", ".export") if here.endswith(".index") else "")
    return endpoint if endpoint in current_app.view_functions else None


def _list_url(filters: Mapping[str, str]) -> str:
    """The list that is exported, narrowed as it was."""
    here = str(request.endpoint)
    endpoint = next((seen for seen, export in SCREENS.items() if export == here), here.replace(".export", ".index"))
    values: dict[str, Any] = {**filters, **(request.view_args or {})}
    return url_for(endpoint, **values)


def offer(kind: str, names: Sequence[str], rows: Rows) -> ResponseReturnValue:
    """Ask for the kind of file, and why where the list tells of people; then hand the rows over as they come.

    ``Refused`` where the address asks for what was not applied: the file would have what nobody asked for.
    """
    _refuse(unread(with_places=False))
    listing, form = LISTINGS[kind], ExportForm()
    if not listing.is_personal:
        del form.reason
    filters = applied()
    if run := form.submit(exports.take, kind=kind, filters=filters):
        try:
            return _file(run, Offer(names, rows))
        except Refused as refusal:
            form.refuse(refusal)
    return render(
        "exports/new.html",
        "exports/_form.html",
        form.status,
        form=form,
        listing=listing,
        filters=[(_WORDS.get(name, name.capitalize()), value) for name, value in filters.items()],
        columns=names,
        back=_list_url(filters),
    )


def _refuse(sentences: Sequence[str]) -> None:
    if sentences:
        raise Refused("filter.unread", f"{' '.join(sentences)} Nothing was exported.")


def _file(run: ExportRun, wanted: Offer) -> Response:
    mark = rules.mark(run.id, run.created_by, run.created_at)
    counted = _Counted(wanted.rows, mark)
    names = (*wanted.names, MARK)
    if run.media == Media.XLSX:
        book = workbook_writing.write(names, counted, _properties(run, mark))
        pieces = _pieces(book)
        _finish(run.id, counted.count)
    else:
        pieces = _csv(run.id, names, counted)
    response = Response(stream_with_context(pieces), content_type=_TYPES[Media(run.media)])
    name = f"{run.kind}-export-{run.id}.{run.media}"
    response.headers["Content-Disposition"] = dump_options_header("attachment", {"filename": name})
    return response


def _properties(run: ExportRun, mark: str) -> Mapping[str, str]:
    return {"title": run.kind, "author": run.created_by, "comments": mark}


class _Counted:
    """The rows of a list, each with its mark, and how many there were."""

    def __init__(self, rows: Rows, mark: str) -> None:
        self._rows, self._mark, self.count = rows, mark, 0

    def __iter__(self) -> Iterator[Sequence[object]]:
        mark = self._mark
        for row in self._rows(db.session()):
            self.count += 1
            yield (*row, mark)


def _csv(run_id: int, names: Sequence[str], rows: _Counted) -> Iterator[bytes]:
    yield from spreadsheets.csv_stream(names, rows, mark=True)
    _finish(run_id, rows.count)


def _pieces(book: IO[bytes]) -> Iterator[bytes]:
    with book:
        while piece := book.read(spreadsheets.PIECE):
            yield piece


def _finish(run_id: int, row_count: int) -> None:
    with suppress(Busy):  # the file is whole either way
        perform(lambda work: exports.finish(work, FinishExport(run_id, row_count)))
