"""Two versions of the terms of a benefit definition beside each other, attribute by attribute."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from webapp.domain.import_rows import clean

# Every attribute that terms hold, in the order of the form, and what it is called.
LABELS: dict[str, str] = {
    "name": "name",
    "handle": "handle",
    "type": "type",
    "campaign": "campaign",
    "external_id": "external id",
    "tags": "tags",
    "meta": "meta",
    "short_description": "short description",
    "long_description": "long description",
    "image_url": "image",
    "icon": "icon",
    "earn_instructions": "how to get it",
    "redeem_instructions_store": "how to redeem it in a shop",
    "redeem_instructions_online": "how to redeem it online",
    "terms_conditions": "terms and conditions",
    "description": "internal description",
    "internal_notes": "notes for staff",
    "period": "period",
    "period_type": "period counts",
    "absolute_expiry": "fixed last day",
    "end_at": "end of the definition",
    "value_minor": "value in hundredths",
    "currency": "currency",
    "redeem_code_pos": "code at the till",
    "redeem_code_online": "code online",
    "voucher_type_id": "voucher type",
    "force_allocation": "a code for every benefit",
    "max_redemptions": "redemptions of one benefit",
    "max_global_redemptions": "redemptions over all",
    "max_per_profile": "benefits for one person",
    "is_assignable": "staff may issue it",
    "is_extendable": "it may be extended",
    "is_reassignable": "it may go to somebody else",
    "allow_user_redeem": "holders may redeem it",
    "is_claimable": "it can be claimed",
    "claim_period_start_at": "claiming opens",
    "claim_period_end_at": "claiming closes",
    "claim_condition": "who may claim it",
    "view_condition": "who sees it",
    "is_reclaimable": "it can be claimed again",
    "reclaim_every": "claimed again once a",
    "reclaim_requires_used": "the one before must be used",
    "notify_issue_offset_days": "issue notice, days",
    "notify_issue_offset_hour": "issue notice, hour",
    "notify_remind_offset_days": "reminder, days",
    "notify_remind_offset_hour": "reminder, hour",
    "notify_extend_offset_days": "offer to extend, days",
    "notify_extend_offset_hour": "offer to extend, hour",
    "notify_schedule_offset": "notices earlier by hours",
    "issue_target_id": "target of the issue notice",
    "remind_target_id": "target of the reminder",
    "extend_target_id": "target of the offer to extend",
}
# What a benefit takes with it when it is issued; everything else of a definition holds for what is out as well.
KEPT = frozenset(
    {
        "period", "period_type", "absolute_expiry", "end_at", "value_minor", "currency", "max_redemptions",
        "terms_conditions", "notify_issue_offset_days", "notify_issue_offset_hour", "notify_remind_offset_days",
        "notify_remind_offset_hour", "notify_extend_offset_days", "notify_extend_offset_hour", "notify_schedule_offset",
        "issue_target_id", "remind_target_id", "extend_target_id",
    }
)  # fmt: skip
# For those who edit only: the log names them, the versions hold what they said.
INSIDE = ("description", "internal_notes", "meta")
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class Difference:
    """One attribute that differs: what it was and is, and whether benefits that are out keep what it was."""

    label: str
    before: str
    after: str
    is_kept: bool


def plain(value: Any) -> Any:
    """A value as JSON keeps it: an instant in UTC with Z, a day, or itself."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """What differs between two sets of terms, in the order of the form."""
    return [
        Difference(label, shown(before.get(name)), shown(after.get(name)), name in KEPT)
        for name, label in LABELS.items()
        if name in after and plain(before.get(name)) != plain(after.get(name))
    ]


def told(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """«name from «A» to «B»; period from «30» to «60»; notes for staff», shortened where a text is long.

    What is ``INSIDE`` is only named, because whoever sees a definition reads its history; empty when nothing differs.
    """
    inside = {LABELS[name] for name in INSIDE}
    return "; ".join(
        one.label if one.label in inside else f"{one.label} from {_short(one.before)} to {_short(one.after)}"
        for one in differences(before, after)
    )


def _short(text: str) -> str:
    return f"«{clean(text)[:_LONGEST]}»" if text else "nothing"


def shown(value: Any) -> str:
    """A value as a table has it."""
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(plain(value))
