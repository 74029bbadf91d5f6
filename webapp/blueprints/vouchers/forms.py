"""What is typed on the voucher screens."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, RadioField, SelectChoice, SelectMultipleField
from wtforms.validators import InputRequired

from webapp.services.vouchers import MoveVoucher, PrintVouchers, RedeemVoucher
from webapp.web.fields import TextField
from webapp.web.forms import CommandForm
from webapp.web.sheets import SheetForm


class GoForm(CommandForm[None]):
    """A whole code; it travels in the body of a POST and stands in no address."""

    code = TextField(
        "Whole code",
        length=80,
        required=True,
        render_kw={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"},
    )


class MoveForm(CommandForm[MoveVoucher]):
    command = MoveVoucher

    reason = TextField("Reason", length=300, description="Goes into the voucher's log and the audit log.")


class RedeemForm(CommandForm[RedeemVoucher]):
    command = RedeemVoucher

    reason = TextField("Note", length=300, description="Such as the number of the receipt.")
    is_late_accepted = BooleanField("Accept it although it has expired")


class PrintForm(SheetForm[PrintVouchers]):
    """Which winners, on which paper."""

    command = PrintVouchers
    steering = frozenset({"which"})

    which = RadioField(
        "Whose vouchers",
        [InputRequired("Choose whose vouchers are printed.")],
        choices=[
            SelectChoice("all", "Every accepted winner"),
            SelectChoice("ticked", "Only the winners ticked below"),
        ],
        default="all",
    )
    winner_ids = SelectMultipleField("Winners", coerce=int)

    def validate(self, extra_validators: Any = None) -> bool:
        good = bool(super().validate(extra_validators))
        if good and self.which.data == "ticked" and not self.winner_ids.data:
            self.winner_ids.errors = [*self.winner_ids.errors, "Tick at least one winner."]
            return False
        return good

    def to_command(self, **route: object) -> PrintVouchers:
        """All winners are not named one by one."""
        chosen = tuple(self.winner_ids.data or ()) if self.which.data == "ticked" else None
        return super().to_command(**route | {"winner_ids": chosen})
