"""Texts with ((placeholders)): a closed list of names, filled in one pass, never a template language (product.md ruling 10)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

from webapp.domain.errors import Refused

_PLACE = re.compile(r"\(\(([^()\n]{0,80})\)\)")
_OPENED = re.compile(r"\(\(")
_SHOWN = 40
# Every name there is, and what stands in its place.
NAMES: dict[str, str] = {
    "benefit.code": "its code, whole",
    "benefit.code_online": "its code for the web shop",
    "benefit.value": "what it is worth",
    "benefit.issued_on": "the local day it was issued",
    "benefit.expires_on": "its last local day",
    "benefit.expires_at": "its last minute, local",
    "benefit.days_left": "how many days it is still good",
    "benefit.redemptions_left": "how often it can still be redeemed",
    "definition.name": "what the benefit is called",
    "definition.campaign": "the campaign",
    "definition.short_description": "the short description",
    "definition.redeem_instructions_store": "how to redeem it in a shop",
    "definition.redeem_instructions_online": "how to redeem it online",
    "definition.terms_conditions": "the terms it was issued under",
    "profile.first_name": "the person's first name",
    "profile.last_name": "the person's last name",
    "profile.full_name": "both names",
    "profile.external_id": "the member id",
}


def check(text: str, field: str) -> None:
    """``Refused`` on ``field`` for the first name that is not on the list, with its line and the name it may be meant for."""
    for line, words in enumerate(text.split("\n"), 1):
        for found in _PLACE.finditer(words):
            if (name := found[1].strip()) not in NAMES:
                raise Refused(
                    "placeholder.unknown", f"Line {line}: there is no (({name[:_SHOWN]})); {_instead(name)}", field
                )
        if open_ := _OPENED.search(_PLACE.sub("", words)):
            rest = _PLACE.sub("", words)[open_.start() :]
            raise Refused(
                "placeholder.open",
                f"Line {line}: «{rest[:_SHOWN]}» begins a placeholder that does not end; write ((benefit.code)), or one bracket.",
                field,
            )


def _instead(name: str) -> str:
    near = get_close_matches(name.lower(), NAMES, 1, 0.5)
    return f"did you mean (({near[0]}))?" if near else "the list beside the text has every name there is."


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with every placeholder replaced, in one pass: what is put in is not looked at again."""
    return _PLACE.sub(lambda found: values[found[1].strip()], text)


def one_line(text: str, most: int = 200) -> str:
    """A text as a subject can have it: one line, at most ``most`` signs."""
    return " ".join(text.split())[:most]


def values(
    benefit: Any, definition: Any, person: Any, *, code: str, terms: Mapping[str, Any], now: datetime
) -> dict[str, str]:
    """What stands in the place of every name, for rows of benefits, benefit_definitions and profiles; days are local.

    ``code`` is the whole code or what is shown in its place, ``terms`` the version the benefit was issued under.
    """
    zone = ZoneInfo(benefit.zone)
    issued = benefit.issued_at.astimezone(zone)
    ends = benefit.expires_at.astimezone(zone) if benefit.expires_at else None
    left = benefit.facts.redemptions_left
    worth = benefit.value_minor
    return {
        "benefit.code": code,
        "benefit.code_online": benefit.redeem_code_online or definition.redeem_code_online or "",
        "benefit.value": "" if worth is None else f"{worth / 100:,.2f} {benefit.currency}".strip(),
        "benefit.issued_on": f"{issued:%-d %B %Y}",
        "benefit.expires_on": f"{ends:%-d %B %Y}" if ends else "no end",
        "benefit.expires_at": f"{ends:%-d %B %Y, %H:%M} ({benefit.zone})" if ends else "no end",
        "benefit.days_left": str(max(0, (ends.date() - now.astimezone(zone).date()).days)) if ends else "no end",
        "benefit.redemptions_left": "without a limit" if left is None else f"{left:,}",
        "definition.name": definition.name,
        "definition.campaign": definition.campaign or "",
        "definition.short_description": definition.short_description,
        "definition.redeem_instructions_store": definition.redeem_instructions_store,
        "definition.redeem_instructions_online": definition.redeem_instructions_online,
        "definition.terms_conditions": str(terms.get("terms_conditions") or ""),
        "profile.first_name": person.first_name,
        "profile.last_name": person.last_name,
        "profile.full_name": f"{person.first_name} {person.last_name}".strip(),
        "profile.external_id": person.external_id or "",
    }


def sample(zone: str, now: datetime) -> dict[str, str]:
    """What stands in the place of every name for a person and a benefit made up to look at a text."""
    today = now.astimezone(ZoneInfo(zone))
    ends = today + timedelta(days=30)
    made_up = {name: f"«{words}»" for name, words in NAMES.items()}
    return made_up | {
        "benefit.code": "K7QM-29XD-4TV",
        "benefit.code_online": "ONLINE-10",
        "benefit.value": "10.00 GBP",
        "benefit.issued_on": f"{today:%-d %B %Y}",
        "benefit.expires_on": f"{ends:%-d %B %Y}",
        "benefit.expires_at": f"{ends:%-d %B %Y}, 23:59 ({zone})",
        "benefit.days_left": "30",
        "benefit.redemptions_left": "1",
        "definition.name": "Ten pounds off beans",
        "definition.campaign": "Autumn",
        "profile.first_name": "Ada",
        "profile.last_name": "Berg",
        "profile.full_name": "Ada Berg",
        "profile.external_id": "M-1001",
    }


def check_payload(text: str, field: str) -> None:
    """``Refused`` on ``field``, with the line, unless ``text`` is a JSON object whatever stands in for its placeholders.

    They stand inside "quotes" only: filled with a bare letter the text must still be JSON, which outside a string and
    after a backslash it never is.
    """
    check(text, field)
    try:
        found = json.loads(_PLACE.sub("x", text), parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise Refused(
            "payload.json",
            f'Line {error.lineno}: this is not JSON ({error.msg.lower()}); ((placeholders)) stand inside "quotes".',
            field,
        ) from None
    except (ValueError, RecursionError):
        raise Refused(
            "payload.json",
            "This is not JSON: NaN and Infinity are no numbers, and lists do not nest without end.",
            field,
        ) from None
    if not isinstance(found, dict):
        raise Refused("payload.object", 'Write a JSON object: { "code": "((benefit.code))" }.', field)


def _no_constant(name: str) -> None:
    raise ValueError(name)


def fill_payload(text: str, values: Mapping[str, str]) -> str:
    """The JSON text with every placeholder replaced in one pass, each value escaped as a JSON string has it."""
    return fill(text, {name: json.dumps(value, ensure_ascii=False)[1:-1] for name, value in values.items()})
