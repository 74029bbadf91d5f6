"""What staff type about a winner."""

from __future__ import annotations

from wtforms import SelectChoice, SelectField

from webapp.domain.fulfilment import WORDS, Stage
from webapp.services.fulfilment import AcceptPrize, HandOver, LeaveSlot, NotifyWinner
from webapp.web.fields import TextField
from webapp.web.forms import CommandForm

LONGEST_NOTE = 500


class NotifyForm(CommandForm[NotifyWinner]):
    command = NotifyWinner

    note = TextField("How they were told", length=LONGEST_NOTE, required=True)


class AcceptForm(CommandForm[AcceptPrize]):
    command = AcceptPrize


class LeaveForm(CommandForm[LeaveSlot]):
    command = LeaveSlot

    stage = SelectField("What happened", coerce=Stage)
    reason = TextField("Reason", length=LONGEST_NOTE, required=True)

    def offer(self, stages: list[Stage]) -> None:
        """What this person may record (reliability.md 6.1)."""
        self.stage.choices = [SelectChoice(stage.value, WORDS[stage]) for stage in stages]


class HandOverForm(CommandForm[HandOver]):
    command = HandOver

    note = TextField("How it got to them", length=LONGEST_NOTE, required=True)
