"""What staff type on the reward screens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import request
from wtforms import BooleanField, FieldList, Form, FormField, HiddenField, SelectChoice, SelectField
from wtforms.validators import InputRequired

from webapp.domain import rewards as rules
from webapp.domain.rewards import (
    LONGEST_NOTES,
    LONGEST_TERMS,
    LONGEST_WAIT,
    MOST_OF_ONE,
    MOST_PRIZES,
    MOST_RESERVES,
    MOST_VOUCHERS,
    in_words,
)
from webapp.queries.rewards import RewardSheet
from webapp.services.rewards import DICE, ChangeReward, CreateReward, PrizeLine, RewardTerms
from webapp.web.fields import DayField, MoneyField, ParagraphField, TextField, WholeField
from webapp.web.forms import CommandForm

T = TypeVar("T", bound=RewardTerms)
FIRST_ROWS = 3


class PrizeForm(Form):  # type: ignore[misc]
    """One row of the prize list; an empty row is left out."""

    title = TextField("Prize", length=120)
    quantity = WholeField("Quantity", least=1, most=MOST_OF_ONE, required=False)
    value_minor = MoneyField("Value of one")

    @property
    def is_empty(self) -> bool:
        return not (self.title.data or self.quantity.data or self.value_minor.data)


class TermsForm(CommandForm[T]):
    """The fields a new reward and a changed one share."""

    title = TextField("Title", length=120, required=True)
    sub_title = TextField("Subtitle", length=200)
    starts_at = DayField("First day")
    ends_at = DayField("Last day")
    prizes = FieldList(FormField(PrizeForm), label="Prizes", max_entries=MOST_PRIZES)
    reserve_count = WholeField("Reserves", least=0, most=MOST_RESERVES, required=False)
    voucher_type_id = SelectField("Voucher type", coerce=lambda text: int(text) if text else None)
    vouchers_per_winner = WholeField("Vouchers for each winner", least=1, most=MOST_VOUCHERS, default=1)
    one_per_recipient = BooleanField("One entry per person")
    exclude_previous_winners = BooleanField("Leave out people who have won before")
    min_wait_minutes = WholeField("Least time between seal and draw", least=0, most=LONGEST_WAIT, default=10)
    witnessed_value = TextField("What the witness supplies", length=300, default=DICE)
    terms = ParagraphField("Terms", length=LONGEST_TERMS)
    notes = ParagraphField("Notes for staff", length=LONGEST_NOTES)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Not min_entries: after a gap in what was sent, WTForms would read the last row a second time.
        while len(self.prizes.entries) < FIRST_ROWS:
            self.prizes.append_entry()

    def offer(self, voucher_types: list[tuple[int, str]]) -> None:
        """Fill the lists to choose from."""
        self.voucher_type_id.choices = [SelectChoice("", "None")] + [
            SelectChoice(str(number), title) for number, title in voucher_types
        ]

    def in_words(self, zone: str) -> list[str]:
        """What was typed so far, told as sentences; half-typed fields count as empty."""
        lines = [row.form for row in self.prizes if row.form.title.data]
        return in_words(
            [(line.title.data, line.quantity.data or 1) for line in lines],
            (self.starts_at.data, self.ends_at.data),
            self.reserve_count.data,
            zone=zone,
            one_per_recipient=bool(self.one_per_recipient.data),
            min_wait_minutes=self.min_wait_minutes.data or 0,
        )

    def wants_another_row(self) -> bool:
        """Whether the button that adds a prize row was pressed; adds it."""
        if "another" not in request.form:
            return False
        if len(self.prizes.entries) < MOST_PRIZES:
            self.prizes.append_entry()
        return True

    def validate(self, extra_validators: Any = None) -> bool:
        """Each row that is begun needs a title; together they fit one draw."""
        good = bool(super().validate(extra_validators))
        for row in self.prizes:
            if not row.form.is_empty and not row.form.title.data:
                row.form.title.errors = [*row.form.title.errors, "Enter what this prize is, or empty the row."]
                good = False
        slots = sum(row.form.quantity.data or 1 for row in self.prizes if not row.form.is_empty)
        told = [reason.message for reason in rules.may_give(slots, self.reserve_count.data or 0).reasons]
        self.form_errors += told
        good = good and not told
        self.turned_down = not good
        return good

    def to_command(self, **route: object) -> T:
        """The command with the prize rows that were filled in."""
        lines = tuple(
            PrizeLine(row.form.title.data, row.form.quantity.data or 1, row.form.value_minor.data)
            for row in self.prizes
            if not row.form.is_empty
        )
        return super().to_command(prizes=lines, **route)


class CreateForm(TermsForm[CreateReward]):
    command = CreateReward

    site_id = SelectField("Site", [InputRequired("Choose the site this reward belongs to.")], coerce=int)


class ChangeForm(TermsForm[ChangeReward]):
    command = ChangeReward

    version = HiddenField(
        filters=[lambda text: int(text) if text and str(text).isascii() and str(text).isdigit() else 0]
    )


def filled(sheet: RewardSheet, choose: Callable[[ChangeForm], None]) -> ChangeForm:
    """The change form of a reward: what was typed, else what is saved."""
    reward = sheet.reward
    saved = {
        name: getattr(reward, name)
        for name in RewardTerms.__dataclass_fields__
        if name not in {"starts_at", "ends_at", "prizes"}
    }
    saved |= {"starts_at": sheet.starts_on, "ends_at": sheet.ends_on, "version": reward.version}
    saved["prizes"] = [
        {"title": prize.title, "quantity": prize.quantity, "value_minor": prize.value_minor} for prize in reward.prizes
    ]
    form = ChangeForm(data=saved)
    choose(form)
    return form
