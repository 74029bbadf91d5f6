"""What staff type about a benefit."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from wtforms import BooleanField, HiddenField
from wtforms.validators import InputRequired

from webapp.adapters import clock
from webapp.domain.errors import DomainError
from webapp.domain.redemptions import MOST_AT_ONCE
from webapp.domain.timing import day_starts
from webapp.services.benefits import (
    ClaimBenefit,
    ExtendBenefit,
    ExtendBenefits,
    IssueBenefit,
    PrintBenefits,
    ReassignBenefit,
    RedeemBenefit,
    ReleaseCode,
    RestoreBenefit,
    ReturnRedemption,
    ReverseRedemption,
    SetExpiry,
    VoidBenefit,
)
from webapp.services.benefits.voiding import VoidBenefits
from webapp.web.choosing import ListedField, number_or_nothing
from webapp.web.fields import DayField, MoneyField, TextField, WholeField
from webapp.web.filters import account_zone
from webapp.web.forms import CommandForm
from webapp.web.sheets import SheetForm

NOTE = 300
PERSON = "Member id or e-mail"


class _PersonForm(CommandForm[Any]):
    """A form that names a person: what a service says about its id belongs to what was typed."""

    def refuse(self, error: DomainError) -> None:
        error.field = {"profile_id": "person"}.get(error.field or "", error.field)
        super().refuse(error)


class IssueForm(_PersonForm):
    command = IssueBenefit
    steering = frozenset({"person"})

    person = TextField(PERSON, length=254, required=True)
    definition_id = ListedField("Benefit", [InputRequired("Choose a benefit.")], coerce=int)
    issued_on = DayField("First day", description="Empty is now. A later day is kept back until it begins.")
    expires_on = DayField(
        "Last day", description="Empty goes by the terms. The end of the definition holds all the same."
    )
    zone = TextField("Time zone", length=64, description="Empty is the person's, or that of the site.")
    redeem_code_pos = TextField(
        "Code of its own", length=40, description="For the till. Empty makes one where it needs one."
    )
    redeem_code_online = TextField("Code for online", length=80)
    value_minor = MoneyField("Value", description="Empty is the value of the definition.")
    note = TextField("Note", length=NOTE, description="Stands in the history of the benefit.")


class ClaimForm(_PersonForm):
    command = ClaimBenefit
    steering = frozenset({"person"})

    person = TextField(PERSON, length=254, required=True)
    definition_id = ListedField("Benefit", [InputRequired("Choose a benefit.")], coerce=int)
    count = WholeField("Redeem at once", least=0, most=MOST_AT_ONCE, default=0, description="0 leaves it for later.")


class RedeemForm(CommandForm[RedeemBenefit]):
    command = RedeemBenefit

    count = WholeField("How many", least=1, most=MOST_AT_ONCE, default=1)
    location_id = ListedField("Where", coerce=number_or_nothing)
    receipt_ref = TextField("Receipt of the shop", length=64)
    note = TextField("Note", length=NOTE)


class ReturnForm(CommandForm[ReturnRedemption]):
    command = ReturnRedemption

    count = WholeField("How many come back", least=1, most=MOST_AT_ONCE, default=1)
    note = TextField("Reason", length=NOTE, required=True)


class ReverseForm(CommandForm[ReverseRedemption]):
    command = ReverseRedemption

    note = TextField("Reason", length=NOTE, required=True)


class ExtendForm(CommandForm[ExtendBenefit]):
    command = ExtendBenefit

    extend_days = WholeField("Days longer", least=1, most=3_650, required=False)
    extend_date = DayField("Or until")
    note = TextField("Note", length=NOTE)


class ExtendSeveralForm(CommandForm[ExtendBenefits]):
    command = ExtendBenefits

    extend_days = WholeField("Days longer", least=1, most=3_650, required=False)
    extend_date = DayField("Or until")
    note = TextField("Note", length=NOTE)


class ExpiryForm(CommandForm[SetExpiry]):
    command = SetExpiry

    expires_on = DayField("New last day", required=True)
    reason = TextField("Reason", length=NOTE, required=True)


class ReassignForm(CommandForm[ReassignBenefit]):
    command = ReassignBenefit

    person = TextField(PERSON, length=254, required=True)
    note = TextField("Note", length=NOTE)
    is_confirmed = BooleanField("Hand it over although they claimed one before")


class PrintForm(SheetForm[PrintBenefits]):
    command = PrintBenefits

    reason = TextField(
        "Reason", length=NOTE, required=True, description="Stands in every history and in the audit log."
    )


class VoidForm(CommandForm[VoidBenefit]):
    command = VoidBenefit

    reason = TextField("Reason", length=NOTE, required=True)


class ReleaseForm(CommandForm[ReleaseCode]):
    command = ReleaseCode

    reason = TextField("Reason", length=NOTE, required=True)


def _count(text: object) -> int:
    """A number as the page wrote it; anything else is none that a page states."""
    typed = str(text)
    return int(typed) if re.fullmatch("[0-9]{1,9}", typed, re.ASCII) else -1


class VoidSeveralForm(CommandForm[VoidBenefits]):
    command = VoidBenefits

    stated = HiddenField(filters=[_count])
    reason = TextField("Reason", length=NOTE, required=True, description="Stands in the history of every one of them.")


class RestoreForm(CommandForm[RestoreBenefit]):
    command = RestoreBenefit


def instant(text: str, zone: str = "") -> datetime:
    """An instant as a page asks for it («2026-03-31T14:00», local); now for anything that is none."""
    where = ZoneInfo(zone or account_zone())
    try:
        found = datetime.fromisoformat(text).replace(tzinfo=where)
    except ValueError:
        return clock.now()
    first, last = (day_starts(found.date().replace(year=year, month=1, day=1), "UTC") for year in (2000, 2200))
    return found if first and last and first <= found <= last else clock.now()
