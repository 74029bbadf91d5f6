"""What is typed of a voucher type."""

from __future__ import annotations

from typing import Any, TypeVar

from wtforms import SelectChoice, SelectField
from wtforms.validators import InputRequired

from webapp.adapters import spreadsheets
from webapp.domain import voucher_uploads
from webapp.domain.errors import Refused
from webapp.services.voucher_types import ChangeVoucherType, CreateVoucherType
from webapp.services.vouchers import LARGEST_ORDER, GenerateVouchers, UploadCodes
from webapp.web.fields import DayField, MoneyField, ParagraphField, TextField, WholeField
from webapp.web.forms import CommandForm
from webapp.web.uploads import FileForm
from webapp.web.versions import VersionField

C = TypeVar("C")
LONGEST_DAYS = 36_500
CURRENCIES = (
    "EUR", "GBP", "USD", "AUD", "BGN", "BRL", "CAD", "CHF", "CZK", "DKK", "HKD", "HUF",
    "INR", "NOK", "NZD", "PLN", "RON", "SEK", "SGD", "TRY", "UAH", "ZAR",
)  # fmt: skip


class TypeForm(CommandForm[C]):
    """The fields a new type and a changed one share."""

    title = TextField("Title", length=120, required=True, description="Printed large on every voucher.")
    subtitle = TextField("Subtitle", length=120, description="One line below the title, such as where it is taken.")
    value_minor = MoneyField("Value", description="What one voucher is worth. Empty when it is not money.")
    currency = SelectField("Currency", choices=[SelectChoice("", "None"), *(SelectChoice(c, c) for c in CURRENCIES)])
    valid_for_days = WholeField(
        "Days valid",
        least=1,
        most=LONGEST_DAYS,
        required=False,
        description="Counted from the local day a code is allocated; the last day counts whole.",
    )
    static_expiry_on = DayField(
        "Fixed last day", description="Codes end with this day at the latest, whenever they were allocated."
    )
    id_pattern = TextField(
        "Pattern of codes",
        length=60,
        description="Empty: our own codes, such as K7QM-29XD-4TV. Or letters, digits and dashes with {year}, {month}, "
        "{rand:N} and {digits:N}, such as MM-{year}-{rand:8}.",
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    terms = ParagraphField(
        "Terms",
        length=3_000,
        description="Printed small on every voucher. A code that belongs to a benefit carries the terms of that benefit, if it has any.",
    )
    notes = ParagraphField("Notes for staff", length=5_000, description="Never shown outside the console.")


class NewTypeForm(TypeForm[CreateVoucherType]):
    command = CreateVoucherType

    site_id = SelectField("Site", [InputRequired("Choose the site this type belongs to.")], coerce=int)
    code = TextField(
        "Code",
        length=40,
        required=True,
        description="What files and commands call it: letters, digits and dashes. It never changes.",
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


class ChangeTypeForm(TypeForm[ChangeVoucherType]):
    command = ChangeVoucherType

    version = VersionField()


class GenerateForm(CommandForm[GenerateVouchers]):
    command = GenerateVouchers

    count = WholeField("How many", least=1, most=LARGEST_ORDER, default=100)


class UploadForm(FileForm[UploadCodes]):
    """A file of codes that others made."""

    command = UploadCodes
    steering = frozenset({"file", "encoding"})

    def table(self) -> dict[str, Any] | None:
        """The file as ``UploadCodes`` takes it, once it was read without a fault; else the fault is on the form."""
        found = self.incoming()
        if found is None:
            return None
        try:
            voucher_uploads.require_size(found.survey.record_count)
        except Refused as refusal:
            self.refuse(refusal)
            return None
        table = spreadsheets.open_table(self.file.data.stream, found.name, str(self.encoding.data))
        return {"name": found.name, "headings": table.headings, "rows": list(table.rows)}
