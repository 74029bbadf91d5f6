"""What the rows of files of benefit definitions can tell: what their export writes, less what only counts."""

from __future__ import annotations

from webapp.domain.benefit_claims import ReclaimEvery
from webapp.domain.benefit_dates import PeriodType
from webapp.domain.benefit_definitions import FURTHEST_NOTICE, LONGEST_HANDLE, LONGEST_META, LONGEST_PERIOD, MOST_HOURS
from webapp.domain.benefits import BenefitType
from webapp.domain.condition_reading import MOST_BYTES
from webapp.domain.import_kinds import Cell, Column
from webapp.domain.terms_compared import LABELS

_MOST, _MOST_MINOR = 2_000_000_000, 99_999_999_999
_TEXT, _LONG = 2_000, 20_000
_HOUR = (0, 23)


def _column(name: str, cell: Cell = Cell.TEXT, most: int = 200, hint: str = "", **more: object) -> Column:
    """A column headed as the terms of a definition are called elsewhere."""
    label = LABELS[name]
    return Column(name, f"{label[:1].upper()}{label[1:]}", (), hint, cell, most, **more)  # type: ignore[arg-type]


def _number(name: str, least: int = 1, most: int = _MOST, hint: str = "") -> Column:
    return _column(name, Cell.NUMBER, 12, hint, within=(least, most))


def _yes_no(name: str) -> Column:
    return _column(name, Cell.YES_NO, 5)


def _instant(name: str, hint: str = "") -> Column:
    return _column(name, Cell.INSTANT, 40, hint)


def _named(name: str, heading: str, hint: str, most: int = 60) -> Column:
    return Column(name, heading, (), hint, Cell.KEY, most)


def _notice(kind: str, least: int) -> tuple[Column, Column]:
    days = _number(f"notify_{kind}_offset_days", least, FURTHEST_NOTICE, "Below 0: before expiry." if least else "")
    return days, _number(f"notify_{kind}_offset_hour", *_HOUR)


DEFINITION_COLUMNS: tuple[Column, ...] = (
    _column(
        "handle", Cell.HANDLE, LONGEST_HANDLE, "Says which definition; a new handle makes a new one.", is_needed=True
    ),
    _named("site", "Site", "The name of a site; a new definition needs it, a known one keeps its own."),
    _named("voucher_type", "Voucher type", "The code of a voucher type of that site.", 40),
    _named("issue_target", "Target of the issue notice", "The name of a target of that site."),
    _named("remind_target", "Target of the reminder", "The same."),
    _named("extend_target", "Target of the offer to extend", "The same."),
    _column("name", is_needed=True),
    _column("type", hint="One of those of the form.", choices=tuple(map(str, BenefitType))),
    _column("campaign", most=80),
    _column("external_id", most=64),
    _column("tags", Cell.TAGS, 2_000, "Separated by commas."),
    _column("meta", Cell.META, LONGEST_META, "A JSON object."),
    _column("description", Cell.PARAGRAPH, _TEXT),
    _column("short_description", Cell.PARAGRAPH, _TEXT),
    _column("long_description", Cell.PARAGRAPH, _LONG),
    _column("terms_conditions", Cell.PARAGRAPH, _LONG),
    _column("earn_instructions", Cell.PARAGRAPH, _TEXT),
    _column("redeem_instructions_store", Cell.PARAGRAPH, _TEXT),
    _column("redeem_instructions_online", Cell.PARAGRAPH, _TEXT),
    _column("icon", most=500),
    _column("image_url", most=500),
    _number("period", 0, LONGEST_PERIOD),
    _column("period_type", hint="How the period counts, such as days.", choices=tuple(map(str, PeriodType))),
    _column("absolute_expiry", Cell.DAY, 10, "Such as 2026-03-31."),
    _instant("end_at", "Its last instant: an ISO date and time."),
    _number("value_minor", 0, _MOST_MINOR),
    _column("currency", most=3),
    _column("redeem_code_pos", most=80),
    _column("redeem_code_online", most=80),
    _yes_no("force_allocation"),
    _number("max_redemptions"),
    _number("max_global_redemptions", 0),
    _number("max_per_profile"),
    _yes_no("is_extendable"),
    _yes_no("is_assignable"),
    _yes_no("is_reassignable"),
    _yes_no("allow_user_redeem"),
    _yes_no("is_claimable"),
    _yes_no("is_reclaimable"),
    _column("reclaim_every", choices=tuple(map(str, ReclaimEvery))),
    _yes_no("reclaim_requires_used"),
    _instant("claim_period_start_at"),
    _instant("claim_period_end_at"),
    _column("claim_condition", Cell.CONDITION, MOST_BYTES, "A condition as JSON; empty is everyone."),
    _column("view_condition", Cell.CONDITION, MOST_BYTES, "The same."),
    *_notice("issue", 0),
    *_notice("remind", -FURTHEST_NOTICE),
    *_notice("extend", -FURTHEST_NOTICE),
    _column("notify_schedule_offset", Cell.HOURS, 12, within=(0, MOST_HOURS)),
    Column("is_published", "Published", (), "Yes publishes it when nothing stops that.", Cell.YES_NO, 5),
    Column("is_archived", "Archived", (), "Yes archives it. An empty cell brings nothing back.", Cell.YES_NO, 5),
    Column("stops_redemptions", "Redemptions stopped", (), "Of what is archived only.", Cell.YES_NO, 5),
    Column(
        "created_at",
        "Created at",
        ("createdat",),
        "Kept for new ones; what was live then is live though it has ended since.",
        Cell.MOMENT,
        40,
    ),
)
