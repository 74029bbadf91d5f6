"""What is chosen about an upload: its columns, and what bad rows do to the good ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wtforms import RadioField, SelectChoice, SelectField

from webapp.domain.import_columns import COLUMNS, ImportKind
from webapp.domain.imports import ImportContract
from webapp.queries.imports import RunSheet
from webapp.services.imports import ApplyImport, ChooseColumns, UploadRows, positions
from webapp.web.forms import CommandForm
from webapp.web.uploads import FileForm


def _place(text: str | int | None) -> int | None:
    return int(text) if text else None


class _ColumnField(SelectField):  # type: ignore[misc]
    """One of the file's columns, counted from 1, or none of them."""

    def __init__(self, label: str, **more: object) -> None:
        super().__init__(label, coerce=_place, choices=[], **more)

    def offer(self, headings: Sequence[str]) -> None:
        self.choices = [
            SelectChoice("", "Not in the file"),
            *(SelectChoice(str(place), heading) for place, heading in enumerate(headings, start=1)),
        ]


class ColumnsForm(CommandForm[ChooseColumns]):
    """Which column is what; filled with what was chosen, remembered or guessed."""

    command = ChooseColumns

    external_id = _ColumnField("Member id")
    email = _ColumnField("E-mail")
    first_name = _ColumnField("First name")
    last_name = _ColumnField("Surname")
    phone = _ColumnField("Phone")
    postcode = _ColumnField("Postcode")
    entered_at = _ColumnField("Entered at")
    receipt = _ColumnField("Receipt")
    tickets = _ColumnField("Entries")
    store = _ColumnField("Store")
    name = _ColumnField("Name")
    title = _ColumnField("Title")
    parent = _ColumnField("Parent")
    type = _ColumnField("Type")
    timezone = _ColumnField("Time zone")
    address = _ColumnField("Address")
    kind = _ColumnField("Kind")
    registration = _ColumnField("Registration")
    notes = _ColumnField("Notes")
    group = _ColumnField("Group")
    organisation = _ColumnField("Organisation")
    joined_at = _ColumnField("Joined at")
    module = _ColumnField("Module")
    lapses_after = _ColumnField("Lapses after")
    lapses_unit = _ColumnField("Lapses unit")
    completed_at = _ColumnField("Completed at")
    score = _ColumnField("Score")

    @classmethod
    def of(cls, sheet: RunSheet) -> ColumnsForm:
        """The form of one upload, with the columns its kind can have."""
        headings = list(sheet.run.headings)
        form = cls(data=positions(sheet.run.mapping, headings))
        kind = ImportKind(sheet.run.kind)
        ours = {column.name: column for column in COLUMNS[kind]}
        for name in [name for name in form._fields if isinstance(form[name], _ColumnField)]:
            if name in ours:
                form[name].offer(headings)
                form[name].description = ours[name].hint
                form[name].flags.required = name == "entered_at" or ours[name].is_needed
                if kind not in (ImportKind.ENTRIES, ImportKind.PROFILES):
                    form[name].label.text = ours[name].heading
            else:
                del form[name]
        return form

    def places(self) -> list[_ColumnField]:
        """The fields there are, in the order of the form."""
        return [item for item in self if isinstance(item, _ColumnField)]

    def to_command(self, **route: object) -> ChooseColumns:
        """A column that is not on the form is not in the file."""
        chosen: dict[str, Any] = {
            name: self[name].data for name in self._fields if isinstance(self[name], _ColumnField)
        }
        return ChooseColumns(**chosen | route)


class UploadRowsForm(FileForm[UploadRows]):
    """A file of people, organisations or the like."""

    command = UploadRows


class ApplyForm(CommandForm[ApplyImport]):
    """What happens to the good rows when there are bad ones."""

    command = ApplyImport

    contract = RadioField("Bad rows", coerce=ImportContract)

    @classmethod
    def of(cls, sheet: RunSheet) -> ApplyForm:
        """The form of one checked upload."""
        run = sheet.run
        form = cls(data={"contract": ImportContract.GOOD_ROWS if run.bad_count else ImportContract.ALL_OR_NOTHING})
        form.contract.flags.required = True
        good, bad = f"{run.good_count:,} good rows", f"{run.bad_count:,} bad ones"
        hints = {
            ImportContract.GOOD_ROWS: f"Imports the {good} and leaves the {bad} out; mend them in the rejects file.",
            ImportContract.ALL_OR_NOTHING: "Imports only when no row is bad; mend the file and upload it again.",
        }
        words = {ImportContract.GOOD_ROWS: "Import the good rows", ImportContract.ALL_OR_NOTHING: "All or nothing"}
        form.contract.choices = [
            SelectChoice(str(item), words[item], render_kw={"data-hint": hint}) for item, hint in hints.items()
        ]
        return form
