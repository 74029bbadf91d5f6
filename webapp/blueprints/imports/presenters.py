"""An upload as its page shows it: the steps, the card of its job, the tabs of its problems."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import current_app, url_for

from webapp.domain import import_options
from webapp.domain.import_columns import Column, ImportKind
from webapp.domain.import_options import ARCHIVING, CHANGING, OPTION_WORDS
from webapp.domain.imports import ImportStatus, Outcome
from webapp.domain.plurals import plural
from webapp.queries.imports import RunRow, RunSheet
from webapp.web import job_cards
from webapp.web.filters import moment

if TYPE_CHECKING:
    from webapp.models import ImportRun, Job

_S = ImportStatus
_FACT = re.compile(r"[a-z0-9_-]+\.[a-z0-9_-]+")  # how the names of further facts are written
# Which step is the current one, and whether it stands still.
_PLACES = {
    _S.UPLOADED: (1, "current"),
    _S.CHECKING: (2, "current"),
    _S.REFUSED: (2, "blocked"),
    _S.CHECKED: (3, "current"),
    _S.APPLYING: (3, "current"),
    _S.CANCELLED: (3, "blocked"),
    _S.DONE: (5, "done"),
    _S.DISCARDED: (3, "blocked"),
}
_COUNTED = (_S.CHECKED, _S.APPLYING, _S.CANCELLED, _S.DONE)
_TITLES = ("Upload", "Columns", "Check", "Import", "Done")
TAGS = {
    _S.UPLOADED: ("waiting", "Columns to choose"),
    _S.CHECKING: ("running", "Being checked"),
    _S.CHECKED: ("waiting", "Checked, not imported"),
    _S.APPLYING: ("running", "Being imported"),
    _S.DONE: ("done", "Imported"),
    _S.REFUSED: ("failed", "Refused"),
    _S.CANCELLED: ("stopped", "Stopped halfway"),
    _S.DISCARDED: ("deleted", "Thrown away"),
}


def tag_of(run: ImportRun | RunRow) -> tuple[str, str]:
    """Its state, which is another one once it was taken back."""
    return ("reversed", "Taken back") if run.undone_at else TAGS[run.status]


def steps(sheet: RunSheet) -> list[dict[str, Any]]:
    """Upload, Columns, Check, Import, Done, and where this upload stands."""
    run = sheet.run
    place, state = _PLACES[run.status]
    if run.status is _S.DISCARDED and not was_checked(sheet):
        place = 1
    texts = [
        plural(run.record_count, "record"),
        f"{len(run.mapping)} of {len(run.headings)} columns" if place > 1 else "",
        f"{run.good_count:,} good" if place > 2 else "",
        plural(run.entry_count, "entry", "entries") if run.entry_count else "",
        "",
    ]
    states = ["done" if number < place else state if number == place else "todo" for number in range(len(_TITLES))]
    return [
        {"title": title, "state": found, "text": text}
        for title, found, text in zip(_TITLES, states, texts, strict=True)
    ]


def was_checked(sheet: RunSheet) -> bool:
    """Whether there are counts of its rows to show, of a check that came to its end."""
    run = sheet.run
    return bool(run.findings) if run.status is _S.DISCARDED else run.status in _COUNTED


def card(job: Job, sheet: RunSheet) -> dict[str, Any]:
    """The card of its job; an undoing is not cancelled."""
    run_id = sheet.run.id
    cancel_url = None if sheet.facts.undoing else url_for(".cancel", run_id=run_id)
    return job_cards.card(job, poll_url=url_for(".progress", run_id=run_id), cancel_url=cancel_url)


# Where the rows of a kind can be seen, when they belong to no reward.
_LISTS = {
    ImportKind.PROFILES: "profiles.index",
    ImportKind.FACTS: "profiles.attributes",
    ImportKind.ORGANISATIONS: "organisations.index",
    ImportKind.GROUPS: "groups.index",
    ImportKind.MEMBERSHIPS: "groups.index",
    ImportKind.MODULES: "modules.index",
    ImportKind.COMPLETIONS: "modules.index",
    ImportKind.TIERS: "tiers.index",
    ImportKind.LOCATIONS: "locations.index",
    ImportKind.ORGANISATION_TYPES: "organisation_types.index",
    ImportKind.SITES: "sites.index",
    ImportKind.DEFINITIONS: "benefit_definitions.index",
    ImportKind.REWARDS: "rewards.index",
}


def lists() -> dict[str, str]:
    """Kind → the address of its list, as far as there is one."""
    return {str(kind): url_for(endpoint) for kind, endpoint in _LISTS.items() if endpoint in current_app.view_functions}


def tabs(sheet: RunSheet, chosen: Outcome) -> list[dict[str, Any]]:
    """Bad rows and duplicates, with how many there are."""
    run = sheet.run
    counts = {Outcome.BAD: ("Bad rows", run.bad_count), Outcome.DUPLICATE: ("Duplicates", run.duplicate_count)}
    return [
        {
            "label": label,
            "url": url_for(".show", run_id=run.id, show=outcome),
            "current": outcome is chosen,
            "count": f"{count:,}",
        }
        for outcome, (label, count) in counts.items()
    ]


def unread(sheet: RunSheet) -> list[str]:
    """Headings nothing is read from, each with the reason in a sentence, where a fact of people seems meant."""
    if sheet.run.kind != ImportKind.PROFILES:
        return []
    used = set(sheet.run.mapping.values())
    return [
        f"There is no further fact «{heading}», so the column is not read; create or import the fact first, or choose what it is."
        for heading in sheet.run.headings
        if heading not in used and _FACT.fullmatch(heading)
    ]


def chosen(sheet: RunSheet) -> list[tuple[str, str]]:
    """What was chosen beside the columns, in words."""
    kind = ImportKind(sheet.run.kind)
    names = [
        ("known_rows", "Known", CHANGING),
        ("empty_cells", "Empty cells", CHANGING),
        ("archived_rows", "Archived", ARCHIVING),
    ]
    stored = import_options.options(kind, sheet.run.options).stored()
    return [(label, OPTION_WORDS[name][stored[name]][0]) for name, label, kinds in names if kind in kinds]


def sample_columns(sheet: RunSheet, columns: Sequence[Column]) -> list[tuple[str, str]]:
    """Our names of the columns that were chosen, with their headings, for the sample of good rows."""
    return [(column.name, column.heading) for column in columns if column.name in sheet.run.mapping]


def sample_rows(sheet: RunSheet, columns: Sequence[Column]) -> list[dict[str, Any]]:
    """The first good rows as they would be imported, moments in the zone of the site; days are told as they are."""
    zone = sheet.site.timezone if sheet.site else None
    rows = sheet.run.findings.get("sample", [])
    moments = [column.name for column in columns if column.name.endswith("_at")]
    return [
        row | {name: moment(datetime.fromisoformat(row[name]), zone) for name in moments if "T" in row.get(name, "")}
        for row in rows
    ]
