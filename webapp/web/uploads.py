"""The file field that every import begins with: read from end to end before anything is kept."""

from __future__ import annotations

from typing import TypeVar

from flask_wtf.file import FileField, FileRequired
from wtforms import SelectChoice, SelectField

from webapp.adapters import spreadsheets
from webapp.domain.errors import Refused
from webapp.domain.import_rows import clean
from webapp.services.imports import IncomingFile
from webapp.web.forms import CommandForm

C = TypeVar("C")


class FileForm(CommandForm[C]):
    """The file, and its encoding where it cannot be told from the file itself."""

    file = FileField(
        "File", [FileRequired("Choose a file.")], description="CSV or Excel workbook (.xlsx), at most 25 MB."
    )
    encoding = SelectField(
        "Encoding",
        choices=[
            SelectChoice(spreadsheets.AUTOMATIC, "Automatic (Unicode)"),
            *(SelectChoice(name, words) for name, words in spreadsheets.ENCODINGS.items()),
        ],
        default=spreadsheets.AUTOMATIC,
        description="Leave it automatic unless the file is refused for its encoding.",
    )

    def incoming(self) -> IncomingFile | None:
        """The file once it was read from end to end without a fault; else the fault is on the form."""
        if not self.validate_on_submit():
            return None
        upload = self.file.data
        name = clean(str(upload.filename or "")).replace("\\", "/").rpartition("/")[2][:200]
        try:
            survey = spreadsheets.survey(upload.stream, name, str(self.encoding.data))
        except Refused as fault:
            self.refuse(fault)
            return None
        return IncomingFile(name, survey, spreadsheets.Pieces(upload.stream))
