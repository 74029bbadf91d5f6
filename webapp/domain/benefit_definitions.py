"""What an editor types of a benefit definition, what is refused of it, and which of it is worth saying (benefits.md 2.1)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from webapp.domain.benefit_claims import ReclaimEvery
from webapp.domain.benefit_dates import Lead, PeriodType, Validity, end_of_day
from webapp.domain.benefits import BenefitType
from webapp.domain.condition_reading import parse
from webapp.domain.errors import Refused
from webapp.domain.verdicts import Reason, Verdict, all_of

LONGEST_HANDLE, MOST_TAGS, LONGEST_TAG, LONGEST_META = 80, 20, 40, 8_000
LONGEST_PERIOD, FURTHEST_NOTICE, MOST_HOURS = 36_500, 3_650, 240
NOTICES = {"issue": "When it is issued", "remind": "Reminder", "extend": "Offer to extend"}
_HANDLE = re.compile(r"[a-z0-9][a-z0-9_-]*")
_CURRENCY = re.compile("[A-Z]{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionTerms:
    """Everything an editor types; names are the seed's. Days and local times are those of the definition's site.

    ``value_minor`` is in hundredths; ``end_at`` is the last day; tags, meta and the conditions are the text typed.
    """

    name: str
    type: BenefitType = BenefitType.OTHER
    campaign: str = ""
    external_id: str = ""
    tags: str = ""
    meta: str = ""
    description: str = ""
    internal_notes: str = ""
    short_description: str = ""
    long_description: str = ""
    terms_conditions: str = ""
    earn_instructions: str = ""
    redeem_instructions_store: str = ""
    redeem_instructions_online: str = ""
    icon: str = ""
    image_url: str = ""
    period: int | None = None
    period_type: PeriodType = PeriodType.DAYS
    absolute_expiry: date | None = None
    end_at: date | None = None
    value_minor: int | None = None
    currency: str = ""
    redeem_code_pos: str = ""
    redeem_code_online: str = ""
    voucher_type_id: int | None = None
    force_allocation: bool = False
    max_redemptions: int | None = None
    max_global_redemptions: int | None = None
    max_per_profile: int | None = None
    is_extendable: bool = False
    is_assignable: bool = True
    is_reassignable: bool = False
    allow_user_redeem: bool = False
    is_claimable: bool = False
    is_reclaimable: bool = False
    reclaim_every: ReclaimEvery = ReclaimEvery.NONE
    reclaim_requires_used: bool = True
    claim_period_start_at: datetime | None = None
    claim_period_end_at: datetime | None = None
    claim_condition: str = ""
    view_condition: str = ""
    notify_issue_offset_days: int | None = None
    notify_issue_offset_hour: int | None = None
    notify_remind_offset_days: int | None = None
    notify_remind_offset_hour: int | None = None
    notify_extend_offset_days: int | None = None
    notify_extend_offset_hour: int | None = None
    notify_schedule_offset: int | None = None
    issue_target_id: int | None = None
    remind_target_id: int | None = None
    extend_target_id: int | None = None

    def lead(self, kind: str) -> Lead | None:
        """When the notice ``kind`` of ``NOTICES`` is sent; None when it is not."""
        days = getattr(self, f"notify_{kind}_offset_days")
        hour = getattr(self, f"notify_{kind}_offset_hour")
        return None if days is None else Lead(days, hour, self.notify_schedule_offset or 0)

    def validity(self, zone: str) -> Validity:
        """How long benefits are valid, the end of the definition as an instant."""
        end = None if self.end_at is None else end_of_day(self.end_at, zone)
        return Validity(self.period, self.period_type, self.absolute_expiry, end)


def handle_of(text: str) -> str:
    """The handle as it is kept, in small letters; ``Refused`` names the alphabet (benefits.md 13.1)."""
    found = text.strip().lower()
    if not _HANDLE.fullmatch(found) or len(found) > LONGEST_HANDLE:
        raise Refused(
            "handle.alphabet",
            f"«{text[:40]}» is no handle: use small letters, digits, - and _, the first a letter or a digit, at most "
            f"{LONGEST_HANDLE} signs.",
            "handle",
        )
    return found


def suggested(name: str) -> str:
    """A handle for a definition called ``name``: its letters and digits, the rest dashes."""
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")[:LONGEST_HANDLE]


def may_rename(before: str, after: str, issued: int) -> Verdict:
    """A handle never changes once anything was issued: programs and printed things name it."""
    sentence = (
        f"{issued:,} benefits were issued from «{before}»; its handle never changes again. Clone it for another one."
    )
    return all_of(Reason("handle.fixed", sentence, "handle") if issued and before != after else None)


def may_delete(name: str, issued: int, batches: int) -> Verdict:
    """Only what nothing was issued from, and no batch was ever planned for, can go (product.md ruling 13)."""
    benefits = f"{issued:,} benefits were issued" if issued > 1 else "A benefit was issued"
    planned = f"{batches:,} batches were planned" if batches > 1 else "A batch was planned"
    return all_of(
        Reason("definition.issued", f"{benefits} from «{name}»; archive it instead.") if issued else None,
        Reason("definition.planned", f"{planned} for «{name}»; archive it instead.") if batches else None,
    )


def may_save(terms: DefinitionTerms) -> Verdict:
    """Everything against these terms, each at its field; what needs the database is checked where they are saved."""
    return all_of(*_reasons(terms))


def _reasons(terms: DefinitionTerms) -> Iterator[Reason | None]:
    yield from _of_dates(terms)
    yield from _of_value(terms)
    yield from _of_notices(terms)
    for field in ("icon", "image_url"):
        yield _of_url(field, getattr(terms, field))
    for field, reader in (("tags", tags_of), ("meta", meta_of), ("claim_condition", parse), ("view_condition", parse)):
        yield _refusal(field, reader, getattr(terms, field))


def _of_dates(terms: DefinitionTerms) -> Iterator[Reason | None]:
    is_date = terms.period_type is PeriodType.ABSOLUTE_DATE
    if is_date:
        missing = "A fixed last day needs that day: give it, or choose another way to count."
        yield None if terms.absolute_expiry else Reason("period.needs_date", missing, "absolute_expiry")
    elif terms.period is None and terms.period_type is not PeriodType.DAYS:
        yield Reason("period.needed", f"Say how many {PERIOD_WORDS[terms.period_type]} it is valid.", "period")
    start, end = terms.claim_period_start_at, terms.claim_period_end_at
    if start and end and end < start:
        sentence = f"Claiming would close on {end:%-d %B %Y %H:%M}, before it opens on {start:%-d %B %Y %H:%M}; choose a later end."
        yield Reason("window.order", sentence, "claim_period_end_at")
    if terms.end_at and start and start.date() > terms.end_at:
        sentence = f"The definition ends on {terms.end_at:%-d %B %Y}, before claiming opens on {start:%-d %B %Y}."
        yield Reason("window.after_end", sentence, "claim_period_start_at")


def _of_value(terms: DefinitionTerms) -> Iterator[Reason | None]:
    if terms.currency and not _CURRENCY.fullmatch(terms.currency):
        sentence = f"«{terms.currency}» is no currency; give its three capitals, such as GBP."
        yield Reason("currency.unknown", sentence, "currency")
    if terms.value_minor is not None and not terms.currency:
        yield Reason("currency.needed", "A value needs its currency, such as GBP.", "currency")
    if terms.force_allocation and terms.voucher_type_id is None:
        sentence = (
            "Codes for every benefit need a voucher type that gives them; choose one, or let benefits go without."
        )
        yield Reason("codes.no_pool", sentence, "voucher_type_id")


def _of_notices(terms: DefinitionTerms) -> Iterator[Reason | None]:
    for kind, title in NOTICES.items():
        days, hour = getattr(terms, f"notify_{kind}_offset_days"), getattr(terms, f"notify_{kind}_offset_hour")
        if days is None and hour is not None:
            field = f"notify_{kind}_offset_days"
            yield Reason("notice.days_needed", f"«{title}» has an hour and no day; give both, or neither.", field)
        target = getattr(terms, f"{kind}_target_id")
        if days is not None and target is None:
            sentence = f"«{title}» has no target, the text that is sent; choose one, or empty its days."
            yield Reason("notice.target_needed", sentence, f"{kind}_target_id")
        if days is None and target is not None:
            sentence = f"«{title}» has a target and no day on which it is sent; give the days, or choose no target."
            yield Reason("notice.days_needed", sentence, f"notify_{kind}_offset_days")
    if terms.notify_issue_offset_days is not None and terms.notify_issue_offset_days < 0:
        sentence = "Nobody can be told before the benefit is there; give 0 or more days."
        yield Reason("notice.too_early", sentence, "notify_issue_offset_days")
    if terms.lead("extend") and not terms.is_extendable:
        sentence = "An offer to extend needs benefits that can be extended; allow that, or send no offer."
        yield Reason("notice.not_extendable", sentence, "notify_extend_offset_days")


def _of_url(field: str, text: str) -> Reason | None:
    found = urlsplit(text) if text else None
    if found is None or (found.scheme in ("http", "https") and found.hostname and not re.search(r"[\s<>\"']", text)):
        return None
    return Reason("url.scheme", f"«{text[:60]}» is no address of the web; it begins with https:// or http://.", field)


def _refusal(field: str, reader: Any, text: str) -> Reason | None:
    try:
        reader(text)
    except Refused as refused:
        return Reason(refused.code, refused.message, field)
    return None


def tags_of(text: str) -> list[str]:
    """The tags of a comma-separated text, each once, in the order typed."""
    found = list(dict.fromkeys(" ".join(tag.split()) for tag in text.split(",") if tag.strip()))
    if len(found) > MOST_TAGS:
        raise Refused("tags.many", f"These are {len(found)} tags; at most {MOST_TAGS} can be kept.", "tags")
    if long := [tag for tag in found if len(tag) > LONGEST_TAG]:
        raise Refused(
            "tags.long", f"«{long[0][:40]}…» has {len(long[0])} signs; a tag has {LONGEST_TAG} at most.", "tags"
        )
    return found


def meta_of(text: str) -> dict[str, Any]:
    """The object that JSON text holds; nothing is an empty one."""
    if not text.strip():
        return {}
    if len(text) > LONGEST_META:
        raise Refused("meta.long", f"This has {len(text):,} signs; at most {LONGEST_META:,} can be kept.", "meta")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused("meta.json", 'This is no JSON; write an object such as {"key": 1}.', "meta") from None
    if not isinstance(found, dict):
        raise Refused("meta.json", 'Write an object such as {"key": 1}, not a single value or a list.', "meta")
    return found


def instant(local: datetime | None, zone: str) -> datetime | None:
    """The UTC instant of a local time as typed; the first of two when clocks go back."""
    return None if local is None else local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def local_time(at: datetime | None, zone: str) -> datetime | None:
    """The local time of an instant, as it was typed."""
    return None if at is None else at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def shifted(value: date | datetime | None, days: int, zone: str) -> date | datetime | None:
    """A day or an instant ``days`` calendar days later, at the same local time of day."""
    if isinstance(value, datetime):
        local = local_time(value, zone)
        return None if local is None else instant(local + timedelta(days=days), zone)
    return None if value is None else value + timedelta(days=days)


PERIOD_WORDS: Mapping[PeriodType, str] = {
    PeriodType.DAYS: "days",
    PeriodType.WEEKS: "weeks",
    PeriodType.MONTHS: "months",
    PeriodType.YEARS: "years",
    PeriodType.ABSOLUTE_DATE: "until one fixed day",
    PeriodType.ABSOLUTE_WEEK: "weeks, to their Sunday",
    PeriodType.ABSOLUTE_MONTH: "months, to their last day",
}
