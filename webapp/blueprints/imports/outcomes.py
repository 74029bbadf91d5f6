"""What an upload comes to, in figures and sentences: found by its check, written, taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import url_for

from webapp.domain.import_columns import ROWS, ImportKind
from webapp.domain.imports import ImportStatus
from webapp.domain.plurals import plural
from webapp.queries.imports import RunSheet

if TYPE_CHECKING:
    from webapp.models import ImportRun

_PEOPLE = (ImportKind.ENTRIES, ImportKind.PROFILES)  # what such a file brings, beside its entries, is people


def writes(run: ImportRun) -> int:
    """How many rows the import would write, by its check; all good ones where the check did not look."""
    found = run.findings
    return int(found["new"] + found["changed"]) if {"new", "changed"} <= found.keys() else run.good_count


def changes_nothing(run: ImportRun) -> bool:
    """Whether good rows were found, and every one of them tells what is known already."""
    return run.status is ImportStatus.CHECKED and run.good_count > 0 and not writes(run)


def ahead(run: ImportRun) -> str:
    """What importing a file without a bad row does."""
    wrote, good = writes(run), run.good_count
    begin = "Every row is good or a duplicate"
    if wrote < good:
        known = f"{good - wrote:,} {_verb(good - wrote, 'tells', 'tell')} what is known already"
        return f"{begin}: {wrote:,} of {plural(good, 'good row')} would be written, {known}."
    return f"{begin}: {plural(good, 'good row is', 'good rows are')} imported."


def written(sheet: RunSheet) -> str:
    """What came of an import that is done."""
    run, words = sheet.run, ROWS[ImportKind(sheet.run.kind)]
    if sheet.reward:
        return f"{plural(run.entry_count, 'entry is', 'entries are')} in «{sheet.reward.title}»."
    wrote = run.created_count + run.changed_count
    same = max(run.good_count - wrote, 0)
    if not wrote:
        return f"Nothing changed: what the file tells of {plural(same, *words)} was known already."
    told = f"; of {same:,} more the file tells what was known already" if same else ""
    return f"{plural(wrote, *words)} imported{told}."


def taken_back(run: ImportRun) -> str:
    """What went when an import was taken back, as the end of a sentence."""
    told, kind = run.undone or {}, ImportKind(run.kind)
    gone, withdrawn, restored, people = (told.get(name, 0) for name in ("gone", "withdrawn", "restored", "people"))
    whom = " whom it brought" if kind is ImportKind.ENTRIES else ""
    parts = [
        f"{plural(gone, *ROWS[kind])} went" if gone else "",
        f"{withdrawn:,} {_verb(withdrawn, 'stays', 'stay')} in the list as withdrawn" if withdrawn else "",
        f"{plural(people, 'person', 'people')}{whom} went" if people else "",
        f"{restored:,} {_verb(restored, 'is', 'are')} as before" if restored else "",
    ]
    return ", ".join(filter(None, parts)) or "nothing of it went"


def _verb(count: int, one: str, many: str) -> str:
    return one if count == 1 else many


def figures(sheet: RunSheet) -> list[dict[str, Any]]:
    """Good, duplicate and bad rows, and what they bring."""
    run, words = sheet.run, ROWS[ImportKind(sheet.run.kind)]
    seen = "receipt seen before" if run.reward_id else f"same {words[0]} as on an earlier row"
    return [
        {"label": "Good", "value": f"{run.good_count:,}", "sub": f"of {plural(run.record_count, 'record')}", "tone": "good"},
        {"label": "Duplicate", "value": f"{run.duplicate_count:,}", "sub": seen, "url": _rows(run, "duplicate", run.duplicate_count)},
        {"label": "Bad", "value": f"{run.bad_count:,}", "sub": "left out, with a reason", "tone": "bad" if run.bad_count else None, "url": _rows(run, "bad", run.bad_count)},
        _brought(run),
    ]  # fmt: skip


def _rows(run: ImportRun, outcome: str, count: int) -> str | None:
    return url_for(".show", run_id=run.id, show=outcome) if count else None


def _brought(run: ImportRun) -> dict[str, Any]:
    """The figure of what is new: found by the check, written, and what of it is left once the import is taken back."""
    kind, found = ImportKind(run.kind), run.findings
    label = f"New {ROWS[ImportKind.PROFILES if kind in _PEOPLE else kind][1]}"
    if run.undone_at:
        gone = (run.undone or {}).get("people" if kind in _PEOPLE else "gone", 0)
        sub = f"{run.created_count:,} came in, {gone:,} went"
        return {"label": label, "value": f"{run.created_count - gone:,}", "sub": sub}
    is_done = run.status is ImportStatus.DONE
    if "new_people" in found:
        sub = f"{found['known_people']:,} known already"
        return {"label": label, "value": f"{run.created_count if is_done else found['new_people']:,}", "sub": sub}
    if is_done:
        sub = f"{run.changed_count:,} changed"
    elif "changed" in found:
        sub = f"{found['changed']:,} would change"
    else:
        sub = f"{run.good_count - found['new']:,} known already"
    return {"label": label, "value": f"{run.created_count if is_done else found['new']:,}", "sub": sub}
