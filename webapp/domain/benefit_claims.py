"""Whether one person may claim the same benefit again, and how often (benefits.md 7.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from webapp.domain.benefits import BenefitState, Look, told


class ReclaimEvery(StrEnum):
    """How often one person may claim again: once in each calendar period of the benefit's zone."""

    NONE = "none"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Claim:
    """An earlier claim that is not void: when, what has become of the benefit, which it is, and whether it went on."""

    claimed_at: datetime
    state: BenefitState
    benefit_id: int | None = None
    is_handed_on: bool = False
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReclaimRules:
    """Whether and how often one person may claim again (benefits.md 7.6)."""

    is_reclaimable: bool = False
    every: ReclaimEvery = ReclaimEvery.NONE
    requires_used: bool = True


def why_not_again(rules: ReclaimRules, claims: Sequence[Claim], now: datetime, zone: str) -> str:
    """The sentence against claiming again, the claims in the order they were made; empty when nothing is against it.

    Benefits that staff issued do not count, and voided claims free the person.
    """
    if not claims:
        return ""
    last = claims[-1]
    if not rules.is_reclaimable:
        return f"This person claimed it on {told(last.claimed_at, zone)}; it can be claimed once."
    claimed_in = period(rules.every, last.claimed_at, zone)
    if claimed_in and claimed_in == period(rules.every, now, zone):
        return f"This person claimed it on {told(last.claimed_at, zone)}; it can be claimed once a {rules.every}."
    if rules.requires_used and last.state not in (BenefitState.REDEEMED, BenefitState.EXPIRED):
        which = (
            f"handed on the one of {told(last.claimed_at, zone)}, which is"
            if last.is_handed_on
            else "holds one that is"
        )
        return f"This person {which} {last.state}; it can be claimed again once that is used or has expired."
    return ""


def looked_at(rules: ReclaimRules, claims: Sequence[Claim], now: datetime, zone: str) -> Look:
    """The last claim, what it would take to claim again, and from when on time alone allows it."""
    if not rules.is_reclaimable:
        needed = "no claim before"
    else:
        once = rules.every is not ReclaimEvery.NONE
        needed = " and ".join(
            word
            for word, holds in (
                (f"no claim this {rules.every}", once),
                ("the last one used or expired", rules.requires_used),
            )
            if holds
        )
    if not claims:
        return Look("no claim", needed or "nothing")
    last = claims[-1]
    event = f"benefit {last.benefit_id}" if last.benefit_id else "the claim"
    seen = f"claimed on {told(last.claimed_at, zone)}, {last.state}"
    return Look(seen, needed or "nothing", event, _again_at(rules, last, now, zone))


def _again_at(rules: ReclaimRules, last: Claim, now: datetime, zone: str) -> datetime | None:
    """When it can be claimed again if nothing is done; None where it is never, or at once."""
    if not rules.is_reclaimable:
        return None
    waits = []
    if rules.every is not ReclaimEvery.NONE and period(rules.every, last.claimed_at, zone) == period(
        rules.every, now, zone
    ):
        waits.append(_next_period(rules.every, now, zone))
    if rules.requires_used and last.state not in (BenefitState.REDEEMED, BenefitState.EXPIRED):
        if last.ends_at is None:
            return None
        waits.append(last.ends_at + timedelta(seconds=1))
    return max(waits, default=None)


def _next_period(every: ReclaimEvery, moment: datetime, zone: str) -> datetime:
    """The first instant of the calendar period after that of ``moment``."""
    day = moment.astimezone(ZoneInfo(zone)).date()
    first = {
        ReclaimEvery.WEEK: day + timedelta(days=7 - day.weekday()),
        ReclaimEvery.MONTH: (day.replace(day=1) + timedelta(days=32)).replace(day=1),
        ReclaimEvery.YEAR: day.replace(year=day.year + 1, month=1, day=1),
    }.get(every, day + timedelta(days=1))
    return datetime.combine(first, time(), ZoneInfo(zone)).astimezone(UTC)


def why_not_back(rules: ReclaimRules, own: Claim, since: Sequence[Claim], zone: str) -> str:
    """The sentence against undoing that ``own`` was made void, ``since`` being what the person claimed after that.

    With this one standing none of those may have been in the way of it, nor it of them.
    """
    is_used = own.state in (BenefitState.REDEEMED, BenefitState.EXPIRED)
    asked = replace(rules, requires_used=rules.requires_used and not is_used)
    for other in since:
        if why_not_again(asked, [other], own.claimed_at, zone):
            when = told(other.claimed_at, zone)
            return f"The person has claimed another one since, on {when}; void that one first."
    return ""


def period(every: ReclaimEvery, moment: datetime, zone: str) -> tuple[int, ...]:
    """The calendar period of ``moment``, local; nothing for none."""
    day = moment.astimezone(ZoneInfo(zone)).date()
    return {
        ReclaimEvery.NONE: (),
        ReclaimEvery.DAY: (day.toordinal(),),
        ReclaimEvery.WEEK: tuple(day.isocalendar()[:2]),
        ReclaimEvery.MONTH: (day.year, day.month),
        ReclaimEvery.YEAR: (day.year,),
    }[every]
