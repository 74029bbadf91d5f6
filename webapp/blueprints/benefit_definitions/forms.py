"""What an editor types of a benefit definition."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from wtforms import BooleanField, SelectChoice, SelectField
from wtforms.validators import InputRequired

from webapp.domain import benefit_definitions as rules
from webapp.domain.benefit_claims import ReclaimEvery
from webapp.domain.benefit_dates import PeriodType
from webapp.domain.benefit_definitions import FURTHEST_NOTICE, LONGEST_PERIOD, MOST_HOURS, DefinitionTerms
from webapp.domain.benefits import BenefitType
from webapp.queries.benefit_definitions import Sheet
from webapp.services.benefit_definitions import ArchiveDefinition, ChangeDefinition, CloneDefinition, CreateDefinition
from webapp.web.choosing import ListedField, number_or_nothing
from webapp.web.fields import DayField, MinuteField, MoneyField, ParagraphField, TextField, WholeField
from webapp.web.forms import CommandForm
from webapp.web.versions import VersionField

C = TypeVar("C", bound=DefinitionTerms)
SIDES = (("before", "before expiry"), ("after", "after expiry"))
_TEXT, _LONG = 2_000, 20_000


def _choices(kind: Any, words: Any = None) -> list[SelectChoice]:
    return [SelectChoice(str(item), words[item] if words else str(item)) for item in kind]


def _days(label: str) -> WholeField:
    return WholeField(label, least=0, most=FURTHEST_NOTICE, required=False)


def _hour(label: str) -> WholeField:
    return WholeField(label, least=0, most=23, required=False)


def _side(label: str) -> SelectField:
    return SelectField(label, choices=[SelectChoice(*side) for side in SIDES], default="before")


def _target(label: str) -> ListedField:
    return ListedField(label, coerce=number_or_nothing)


def _limit(label: str, least: int = 1) -> WholeField:
    return WholeField(label, least=least, required=False)


class TermsForm(CommandForm[C]):
    """The fields a new definition and a changed one share: each is an attribute of the seed or of benefits.md 2.1."""

    steering = frozenset({"remind_side", "extend_side", "further"})

    name = TextField("Name", length=200, required=True)
    handle = TextField("Handle", length=rules.LONGEST_HANDLE, required=True)
    type = SelectField("Type", coerce=BenefitType, choices=_choices(BenefitType), default=BenefitType.OTHER)
    campaign = TextField("Campaign", length=80)
    external_id = TextField("External id", length=64)
    tags = TextField("Tags", length=900)

    short_description = ParagraphField("Short description", length=_TEXT)
    long_description = ParagraphField("Long description", length=_LONG)
    image_url = TextField("Address of an image", length=500)
    icon = TextField("Address of an icon", length=500)
    earn_instructions = ParagraphField("How to get it", length=_TEXT)
    redeem_instructions_store = ParagraphField("How to redeem it in a shop", length=_TEXT)
    redeem_instructions_online = ParagraphField("How to redeem it online", length=_TEXT)
    terms_conditions = ParagraphField("Terms and conditions", length=_LONG)

    period = WholeField("Period", least=0, most=LONGEST_PERIOD, required=False)
    period_type = SelectField(
        "Counted in", coerce=PeriodType, choices=_choices(PeriodType, rules.PERIOD_WORDS), default=PeriodType.DAYS
    )
    absolute_expiry = DayField("Fixed last day")
    end_at = DayField("Last day of the definition")

    value_minor = MoneyField("Value")
    currency = TextField("Currency", length=3)
    redeem_code_pos = TextField("Code at the till", length=80)
    redeem_code_online = TextField("Code online", length=80)
    voucher_type_id = ListedField("Codes from the voucher type", coerce=number_or_nothing)
    force_allocation = BooleanField("Issue only with a code")

    max_redemptions = _limit("Redemptions of one benefit")
    max_global_redemptions = _limit("Redemptions over all benefits", 0)
    max_per_profile = _limit("Benefits for one person")
    is_assignable = BooleanField("Staff, files and rules may issue it", default=True)
    is_extendable = BooleanField("It may be extended, once")
    is_reassignable = BooleanField("It may go to another person")
    allow_user_redeem = BooleanField("Holders may redeem it without staff")

    is_claimable = BooleanField("People may claim it")
    claim_period_start_at = MinuteField("Claiming opens")
    claim_period_end_at = MinuteField("Claiming closes")
    is_reclaimable = BooleanField("One person may claim it again")
    reclaim_every = SelectField(
        "Again once in each",
        coerce=ReclaimEvery,
        choices=[SelectChoice("none", "any time"), *_choices(list(ReclaimEvery)[1:])],
        default=ReclaimEvery.NONE,
    )
    reclaim_requires_used = BooleanField("Only when the one before is used or has expired", default=True)
    claim_condition = ParagraphField("Who may claim it", length=8_192)
    view_condition = ParagraphField("Who sees it", length=8_192)

    notify_issue_offset_days = _days("Days after issue")
    notify_issue_offset_hour = _hour("Hour of the issue notice")
    notify_remind_offset_days = _days("Days of the reminder")
    remind_side = _side("Reminder before or after")
    notify_remind_offset_hour = _hour("Hour of the reminder")
    notify_extend_offset_days = _days("Days of the offer to extend")
    extend_side = _side("Offer before or after")
    notify_extend_offset_hour = _hour("Hour of the offer to extend")
    issue_target_id = _target("Target of the issue notice")
    remind_target_id = _target("Target of the reminder")
    extend_target_id = _target("Target of the offer to extend")
    notify_schedule_offset = WholeField("Hours earlier", least=0, most=MOST_HOURS, required=False)

    description = ParagraphField("Internal description", length=_TEXT)
    internal_notes = ParagraphField("Notes for staff", length=_LONG)
    further = ParagraphField("Further data", length=rules.LONGEST_META, name="meta")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # ``meta`` is a word of WTForms' own, so the field is defined under another name and known by its real one.
        self._fields["meta"] = self._fields.pop("further")
        for name in ("type", "period_type", "reclaim_every", "remind_side", "extend_side"):
            self[name].flags.required = True  # something is always chosen

    def offer(
        self,
        voucher_types: Sequence[tuple[int, str]],
        targets: Sequence[tuple[int, str]],
        find: Callable[[int], str | None],
    ) -> None:
        """Fill the lists of voucher types and of targets; one that is chosen is offered though it is archived.

        ``find`` gives the title of a target that can be reached, archived or not.
        """
        self.voucher_type_id.offer(voucher_types, nothing="None")
        for field in self.targets:
            field.offer(targets, find, nothing="None")
            field.keep()

    def offer_anything(self) -> None:
        """Ask for no list: for a preview, which saves nothing."""
        for field in (self.voucher_type_id, *self.targets):
            field.choices, field.validate_choice = [], False

    @property
    def targets(self) -> tuple[ListedField, ...]:
        return self.issue_target_id, self.remind_target_id, self.extend_target_id

    def validate(self, extra_validators: Any = None) -> bool:
        """Shape first, then every rule that needs no database, so that all of them are told at once."""
        good = bool(super().validate(extra_validators))
        for reason in rules.may_save(self.terms()).reasons:
            field = self._fields[str(reason.field)]
            if not field.errors:
                field.errors = [reason.message]
                good = False
        return good

    def terms(self) -> DefinitionTerms:
        """What was typed so far; a half-typed field counts as empty."""
        found = {
            field.name: self[field.name].data
            for field in fields(DefinitionTerms)
            if self[field.name].data is not None
            and (not self[field.name].errors or field.name.endswith("_condition"))  # the summary says what is wrong
        }
        return DefinitionTerms(**{"name": ""} | found | self._signed())

    def _signed(self) -> dict[str, int | None]:
        """The days of notices that count from expiry: before it is negative."""
        found = {}
        for kind in ("remind", "extend"):
            field = self[f"notify_{kind}_offset_days"]
            days = None if field.errors else field.data
            found[f"notify_{kind}_offset_days"] = -days if days and self[f"{kind}_side"].data == "before" else days
        return found

    def to_command(self, **route: object) -> C:
        return super().to_command(**self._signed(), **route)


class CreateForm(TermsForm[CreateDefinition]):
    command = CreateDefinition

    site_id = SelectField("Site", [InputRequired("Choose the site this definition belongs to.")], coerce=int)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_submitted():  # on the fresh page only: what is sent without it has no limit
            self.max_redemptions.data = 1


class ChangeForm(TermsForm[ChangeDefinition]):
    command = ChangeDefinition

    version = VersionField()


class CloneForm(CommandForm[CloneDefinition]):
    command = CloneDefinition

    name = TextField("Name", length=200, required=True)
    handle = TextField("Handle", length=rules.LONGEST_HANDLE, required=True)
    shift_days = WholeField("Move every date by days", least=-3_650, most=3_650, default=0)


class ArchiveForm(CommandForm[ArchiveDefinition]):
    command = ArchiveDefinition

    stops_redemptions = BooleanField("Also stop redemptions of what is out")


def saved(sheet: Sheet) -> dict[str, Any]:
    """What is saved of a definition, as the form shows it."""
    definition, zone = sheet.definition, sheet.site.timezone
    found = {field.name: getattr(definition, field.name) for field in fields(DefinitionTerms)}
    found |= {name: value or "" for name, value in found.items() if isinstance(value, str | None) and name in _EMPTY}
    end = rules.local_time(definition.end_at, zone)
    found |= {
        "handle": definition.handle,
        "version": definition.version,
        "tags": ", ".join(definition.tags),
        "end_at": end.date() if end else None,
        "claim_period_start_at": rules.local_time(definition.claim_period_start_at, zone),
        "claim_period_end_at": rules.local_time(definition.claim_period_end_at, zone),
    }
    for name in ("meta", "claim_condition", "view_condition"):
        value = getattr(definition, name)
        found[name] = json.dumps(value, ensure_ascii=False) if value else ""
    found["further"] = found["meta"]
    for kind in ("remind", "extend"):
        days = found[f"notify_{kind}_offset_days"]
        found[f"{kind}_side"] = "after" if days is not None and days > 0 else "before"
        found[f"notify_{kind}_offset_days"] = None if days is None else abs(days)
    return found


_EMPTY = {"campaign", "external_id", "icon", "image_url", "redeem_code_pos", "redeem_code_online"}


def terms_of(sheet: Sheet) -> DefinitionTerms:
    """The saved terms as an editor would type them."""
    names = {field.name for field in fields(DefinitionTerms)}
    plain = {name: value for name, value in saved(sheet).items() if name in names}
    days = {name: getattr(sheet.definition, name) for name in names if name.endswith("_offset_days")}
    return DefinitionTerms(**plain | days)
