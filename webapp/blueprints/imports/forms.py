"""What is chosen about an upload: its columns, and what bad rows do to the good ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wtforms import RadioField, SelectChoice, SelectField

from webapp.domain import import_options
from webapp.domain.import_columns import Column, ImportKind
from webapp.domain.import_options import ARCHIVING, CHANGING, OPTION_WORDS, ArchivedRows, EmptyCells, KnownRows
from webapp.domain.imports import ImportContract
from webapp.domain.person_columns import CONSENT_COLUMNS
from webapp.domain.plurals import plural
from webapp.queries.imports import RunSheet
from webapp.services.imports import ApplyImport, ChooseColumns, UploadRows, positions
from webapp.web.forms import CommandForm
from webapp.web.uploads import FileForm


def _place(text: str | int | None) -> int | None:
    return int(text) if text else None


def _attribute(name: str) -> str:
    """Where a form keeps the field of a column: no column, whatever it is called, hides what the form itself has."""
    return f"column {name}"


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
    """Which column is what, filled with what was chosen, remembered or guessed; and what rows do to what is known.

    The fields of the columns are those of the kind, one for each of our names.
    """

    command = ChooseColumns

    known_rows = RadioField("Rows about what is known already", coerce=KnownRows)
    empty_cells = RadioField("Empty cells", coerce=EmptyCells)
    archived_rows = RadioField("Rows about what is archived", coerce=ArchivedRows)

    @classmethod
    def of(cls, sheet: RunSheet, columns: Sequence[Column]) -> ColumnsForm:
        """The form of one upload, with the columns its rows can tell. Consents are asked for where a heading is one."""
        headings, kind = list(sheet.run.headings), ImportKind(sheet.run.kind)
        offered = [column for column in columns if column not in CONSENT_COLUMNS or column.name in sheet.run.mapping]
        fields = {
            _attribute(column.name): _ColumnField(column.heading, description=column.hint, name=column.name)
            for column in offered
        }
        places, chosen = positions(sheet.run.mapping, headings), import_options.options(kind, sheet.run.options)
        filled = {_attribute(name): place for name, place in places.items()} | chosen.stored()
        form: ColumnsForm = type(cls.__name__, (cls,), fields)(data=filled)
        form._fields = {item.name: item for item in form}
        for column in offered:
            form[column.name].offer(headings)
            form[column.name].flags.required = column.is_needed or column.name == "entered_at"
        form._offer_options(kind)
        return form

    def _offer_options(self, kind: ImportKind) -> None:
        for name, kinds in (("known_rows", CHANGING), ("empty_cells", CHANGING), ("archived_rows", ARCHIVING)):
            if kind not in kinds:
                del self[name]
                continue
            self[name].flags.required = True
            self[name].choices = [
                SelectChoice(str(value), label, render_kw={"data-hint": hint})
                for value, (label, hint) in OPTION_WORDS[name].items()
            ]

    def places(self) -> list[_ColumnField]:
        """The fields of the columns, in the order of the form."""
        return [item for item in self if isinstance(item, _ColumnField)]

    def choices(self) -> list[Any]:
        """The fields of the options."""
        return [item for item in self if isinstance(item, RadioField)]

    def to_command(self, **route: object) -> ChooseColumns:
        """A column that is not on the form is not in the file."""
        chosen: dict[str, Any] = {item.name: item.data for item in self.choices()}
        return ChooseColumns(places={item.name: item.data for item in self.places()}, **chosen | route)


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
        good, bad = plural(run.good_count, "good row"), plural(run.bad_count, "bad one")
        them = "it" if run.bad_count == 1 else "them"
        hints = {
            ImportContract.GOOD_ROWS: f"Imports the {good} and leaves the {bad} out; mend {them} in the rejects file.",
            ImportContract.ALL_OR_NOTHING: "Imports only when no row is bad; mend the file and upload it again.",
        }
        words = {ImportContract.GOOD_ROWS: "Import the good rows", ImportContract.ALL_OR_NOTHING: "All or nothing"}
        form.contract.choices = [
            SelectChoice(str(item), words[item], render_kw={"data-hint": hint}) for item, hint in hints.items()
        ]
        return form
