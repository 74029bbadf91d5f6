"""The one field of the till, and what may stand beside it."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import PasswordField
from wtforms.validators import InputRequired

from webapp.domain.redemptions import MOST_AT_ONCE
from webapp.services.benefits import RedeemBenefit, hold_limits
from webapp.services.vouchers import RedeemVoucher
from webapp.services.writer import Shared
from webapp.web.choosing import ListedField, number_or_nothing
from webapp.web.fields import TextField, WholeField
from webapp.web.forms import CommandForm


def _code() -> TextField:
    return TextField("Scan or type a code", length=80)


class ScanForm(CommandForm[None]):
    """A code travels in the body of a POST and stands in no address."""

    code = _code()


class TillForm(CommandForm[RedeemBenefit]):
    """Enter with nothing typed redeems what is on screen; with a code typed it looks at that one instead."""

    command = RedeemBenefit
    steering = frozenset({"code"})

    code = _code()
    count = WholeField("How many", least=1, most=MOST_AT_ONCE, default=1)
    receipt_ref = TextField("Receipt of the shop", length=64)

    def shared(self, command: RedeemBenefit) -> Shared:
        return Shared(hold_limits, command.benefit_id)


class VoucherForm(CommandForm[RedeemVoucher]):
    """The same for a voucher."""

    command = RedeemVoucher
    steering = frozenset({"code"})

    code = _code()


class PlaceForm(CommandForm[None]):
    """Where this till stands."""

    place = ListedField("This till stands at", coerce=number_or_nothing)


class LockForm(FlaskForm):  # type: ignore[misc]
    """What opens a locked till. The field has the name of ``proofs.AGAIN``, which is kept out of digests and pages."""

    password_again = PasswordField("Your PIN", [InputRequired("Enter it.")])
