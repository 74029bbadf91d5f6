"""Benefit definitions of the sample programme: every type and every state, with every attribute used somewhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from webapp.demo import targets
from webapp.domain.benefit_claims import ReclaimEvery
from webapp.domain.benefit_dates import PeriodType
from webapp.domain.benefits import BenefitType
from webapp.domain.permissions import Role
from webapp.services import benefit_definitions as definitions

if TYPE_CHECKING:
    from webapp.demo.programme import Builder
    from webapp.models import BenefitDefinition, Site, VoucherType

_MONTH = timedelta(days=30)
_GOLD = '{"or": [{"===": [{"var": "tier_handle"}, "captain"]}, {"in": ["barista-friend", {"var": "flattened_tags"}]}]}'


def build(builder: Builder, harbour: Site, outdoor: Site, coffee: VoucherType) -> dict[str, BenefitDefinition]:
    """Makes them, by handle; tiers are there already."""
    today = builder.now.date()
    texts = _texts()
    here = targets.build(builder, harbour)
    found = [
        _live(builder, harbour, "gold-coffee", "A coffee for captains", **texts | _coffee(coffee, builder.now) | _without_offer(here)),
        _live(builder, harbour, "birthday-cake", "A slice of birthday cake", type=BenefitType.GIFT, period=0,
              period_type=PeriodType.ABSOLUTE_MONTH, max_redemptions=1, is_claimable=True, is_reclaimable=True,
              reclaim_every=ReclaimEvery.YEAR, claim_condition='{"!!": [{"var": "birth_month"}]}', tags="cake, birthday",
              short_description="On us, in the month of your birthday."),
        _live(builder, harbour, "ten-off", "Ten pounds off beans", type=BenefitType.DISCOUNT, period=30, value_minor=1000,
              currency="GBP", redeem_code_pos="BEANS10", redeem_code_online="BEANS-ONLINE-10", max_redemptions=3,
              max_global_redemptions=500, campaign="Autumn", is_extendable=True, is_reassignable=True,
              notify_issue_offset_days=0, notify_remind_offset_days=-14, notify_remind_offset_hour=9,
              notify_extend_offset_days=-3, notify_extend_offset_hour=18, notify_schedule_offset=2, **here),
        _live(builder, harbour, "points-day", "Double stamps", type=BenefitType.BONUS, period=2, period_type=PeriodType.WEEKS,
              max_redemptions=None, campaign="Autumn", short_description="Two stamps for one, all day long.",
              issue_target_id=targets.webhook(builder, harbour), notify_issue_offset_days=0),
        _live(builder, outdoor, "trail-fund", "Twenty dollars for the trail", type=BenefitType.VALUE, period=1,
              period_type=PeriodType.YEARS, value_minor=2000, currency="AUD", external_id="NW-7001", max_redemptions=1),
        _live(builder, outdoor, "summit-night", "Night on the summit", type=BenefitType.EVENT,
              period_type=PeriodType.ABSOLUTE_DATE, absolute_expiry=today + timedelta(days=60), max_redemptions=2,
              max_per_profile=1, description="One evening with the rangers, for forty people."),
        _live(builder, harbour, "ferry-ticket", "A ticket for the ferry draw", type=BenefitType.COMPETITION, period=3,
              period_type=PeriodType.MONTHS, max_redemptions=1, is_claimable=True, view_condition=_GOLD),
    ]  # fmt: skip
    found.append(_draft(builder, harbour))
    found.append(_ended(builder, harbour))
    found.append(_archived(builder, outdoor))
    return {one.handle: one for one in found}


def _without_offer(here: dict[str, int]) -> dict[str, int]:
    return {name: number for name, number in here.items() if name != "extend_target_id"}


def _texts() -> dict[str, str]:
    return {
        "short_description": "One hot drink, any size, any milk.",
        "long_description": "<p>A hot drink <strong>of your choice</strong>, once a month.</p><ul><li>any size</li><li>any milk</li></ul>",
        "terms_conditions": "Once a month, in any of our shops. Not with other offers. No change is given.",
        "earn_instructions": "Collect forty stamps to become a captain.",
        "redeem_instructions_store": "Show the code before you pay.",
        "redeem_instructions_online": "Type the code at the checkout.",
        "icon": "https://harbour.example/cup.svg",
        "image_url": "https://harbour.example/cup.jpg",
        "description": "The monthly drink that keeps captains coming.",
        "internal_notes": "Ask Nora before changing the window.",
        "meta": '{"ledger": "4711", "budget": "loyalty"}',
        "tags": "coffee, tier",
    }


def _coffee(kind: VoucherType, now: datetime) -> dict[str, Any]:
    local = now.replace(tzinfo=None, hour=9, minute=0, second=0, microsecond=0)
    return {
        "type": BenefitType.VOUCHER, "period": 30, "value_minor": 450, "currency": "GBP", "max_redemptions": 1,
        "max_per_profile": 12, "voucher_type_id": kind.id, "is_claimable": True, "is_reclaimable": True,
        "reclaim_every": ReclaimEvery.MONTH, "claim_condition": _GOLD, "allow_user_redeem": True, "campaign": "Captains",
        "claim_period_start_at": local - timedelta(days=40), "claim_period_end_at": local + timedelta(days=200),
        "notify_issue_offset_days": 0, "notify_remind_offset_days": -7, "notify_remind_offset_hour": 9,
    }  # fmt: skip


def _create(builder: Builder, site: Site, handle: str, name: str, **terms: Any) -> BenefitDefinition:
    command = definitions.CreateDefinition(site_id=site.id, handle=handle, name=name, **terms)
    return builder.do(Role.EDITOR, _MONTH + timedelta(days=12), partial(definitions.create, command=command))


def _live(builder: Builder, site: Site, handle: str, name: str, **terms: Any) -> BenefitDefinition:
    made = _create(builder, site, handle, name, **terms)
    command = definitions.PublishDefinition(made.id)
    return builder.do(Role.EDITOR, _MONTH + timedelta(days=11), partial(definitions.publish, command=command))


def _draft(builder: Builder, site: Site) -> BenefitDefinition:
    """Not finished: the checklist has something to say; changed twice, so that versions can be compared."""
    made = _create(builder, site, "winter-warmer", "Winter warmer", type=BenefitType.OTHER, period=14)
    change = definitions.ChangeDefinition(
        definition_id=made.id, handle="winter-warmer", version=made.version, name="Winter warmer",
        type=BenefitType.OTHER, period=21, tags="winter", short_description="A hot soup after a cold walk.",
    )  # fmt: skip
    return builder.do(Role.EDITOR, timedelta(days=3), partial(definitions.change, command=change))


def _ended(builder: Builder, site: Site) -> BenefitDefinition:
    last = (builder.now - timedelta(days=6)).date()
    return _live(
        builder, site, "summer-ice", "Summer ice", type=BenefitType.GIFT, period=7, end_at=last, max_redemptions=1
    )


def _archived(builder: Builder, site: Site) -> BenefitDefinition:
    """Retired below, once somebody holds one."""
    return _live(
        builder, site, "old-stamp", "The old stamp card", type=BenefitType.OTHER, period=90, max_redemptions=10
    )


def retire(builder: Builder, made: BenefitDefinition) -> None:
    """Archive it, and stop redeeming what is out."""
    command = definitions.ArchiveDefinition(made.id, stops_redemptions=True)
    builder.do(Role.EDITOR, timedelta(days=8), partial(definitions.archive, command=command))
