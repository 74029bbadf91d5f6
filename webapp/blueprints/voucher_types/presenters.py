"""Figures, expiry rules, samples and differences in words."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flask import url_for

from webapp.adapters import randomness
from webapp.domain import voucher_codes as codes
from webapp.domain import voucher_patterns as patterns
from webapp.domain.errors import Refused
from webapp.domain.vouchers import VoucherStatus
from webapp.queries.matching import MOST_COUNTED
from webapp.queries.voucher_uploads import Apart
from webapp.web.filters import day, money, plural

if TYPE_CHECKING:
    from webapp.models import VoucherType


def figures(kind: VoucherType, apart: Apart) -> list[dict[str, Any]]:
    """Counts and cash in each state, those in people's hands that have run out (K137), and idle ones nobody can be given."""
    found = [_figure(kind, status, has_own=bool(apart.valued)) for status in VoucherStatus]
    for figure, count, word in (
        (found[0], apart.not_yet, "not valid yet"),
        (found[0], apart.lapsed, "lapsed"),
        (found[1], apart.expired, "expired"),
    ):
        if count:
            many = f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else f"{count:,}"
            figure |= {"sub": f"{figure['sub']} · {many} {word}", "tone": "warn"}
    return found


def _figure(kind: VoucherType, status: VoucherStatus, *, has_own: bool) -> dict[str, Any]:
    count: int = getattr(kind, f"{status}_count")
    worth = "no value in money" if kind.value_minor is None else money(kind.value_minor * count, kind.currency)
    return {
        "label": status.capitalize(),
        "value": f"{count:,}",
        "sub": "values differ" if has_own else worth,
        "url": url_for("vouchers.index", type=kind.id, status=status),
    }


def left_by_value(kind: VoucherType, found: list[tuple[int, int]]) -> list[tuple[str, int, str]]:
    """Each value, how many codes of it are left, and what they come to."""
    return [(money(value, kind.currency), count, money(value * count, kind.currency)) for value, count in found]


def expiry_rule(kind: Any) -> str:
    """«365 days after allocation, 31 Mar 2027 at the latest»."""
    days = f"{plural(kind.valid_for_days, 'day')} after allocation" if kind.valid_for_days else ""
    fixed = day(kind.static_expiry_on) if kind.static_expiry_on else ""
    if days and fixed:
        return f"{days}, {fixed} at the latest"
    return days or (f"on {fixed}" if fixed else "never")


def sample(pattern: str, now: datetime, zone: str) -> dict[str, Any]:
    """One code a pattern would give, how hard it is to guess, or why the pattern cannot be used (K129)."""
    if not pattern.strip():
        code = codes.codes(randomness.entropy, 1)[0]
        return {"code": codes.grouped(code), "bits": 5 * codes.STANDARD, "warning": None, "problem": None}
    try:
        parsed = patterns.parse(pattern.strip())
    except Refused as refusal:
        return {"code": None, "bits": None, "warning": None, "problem": refusal.message}
    code = patterns.fill(parsed, randomness.entropy, 1, now.astimezone(ZoneInfo(zone)).date())[0]
    return {"code": code, "bits": int(parsed.bits), "warning": patterns.warning(parsed), "problem": None}


def differences(form: Any, saved: VoucherType) -> list[tuple[str, str, str]]:
    """What was typed and what somebody else saved meanwhile, field by field."""
    names = ("title", "subtitle", "value_minor", "currency", "valid_for_days", "static_expiry_on", "id_pattern")
    found = []
    for name in (*names, "terms", "notes"):
        typed, now = form[name].data, getattr(saved, name)
        if (typed or None) != (now or None):
            found.append((form[name].label.text, _shown(name, now), _shown(name, typed)))
    return found


def _shown(name: str, value: Any) -> str:
    if value in (None, ""):
        return "–"
    if name == "value_minor":
        return f"{value // 100:,}.{value % 100:02d}"
    return day(value) if name == "static_expiry_on" else str(value)
