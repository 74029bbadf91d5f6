"""How dates, numbers and amounts read: British, with the zone, the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, current_app
from markupsafe import Markup, escape

from webapp.adapters import clock, rich_text
from webapp.domain import plurals
from webapp.queries.audit import AuditRow

ICONS = {
    "attribute": "tag",
    "benefit": "gift",
    "benefits": "gift",
    "completion": "award",
    "definition": "gift",
    "draw": "dices",
    "entries": "users",
    "entry": "users",
    "group": "users",
    "import": "upload",
    "job": "list-checks",
    "profile": "user",
    "location": "map-pin",
    "message": "mail",
    "module": "circle-check",
    "organisation": "building-2",
    "organisation-type": "tag",
    "reward": "trophy",
    "settings": "settings",
    "site": "globe",
    "slot": "award",
    "staff": "user-cog",
    "tier": "medal",
    "view": "bookmark",
    "voucher-type": "ticket",
    "vouchers": "ticket",
    "winner": "award",
}
plural = plurals.plural
_KILO = 1000
_SIGNS = {"GBP": "£", "EUR": "€", "USD": "$"}
_UNITS = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)


def register(app: Flask) -> None:
    """Make every function named in ``_FILTERS`` a filter of the templates."""
    app.jinja_env.filters.update(_FILTERS)


def told(rows: Iterable[AuditRow], zone: str | None = None) -> list[dict[str, str]]:
    """Audit rows as the macro ``timeline`` draws them: when, who, what."""
    return [
        {
            "at": moment(row.at, zone),
            "iso": iso(row.at),
            "who": row.actor,
            "sentence": capitalise_first(row.sentence),
            "icon": ICONS.get(row.group, "history"),
        }
        for row in rows
    ]


def day(value: date | datetime | None, zone: str | None = None) -> str:
    """«22 Nov 2026»; an instant is shown as the local day of ``zone`` (the account's own unless given)."""
    if value is None:
        return "–"
    local = _local(value, zone) if isinstance(value, datetime) else value
    return f"{local.day} {local:%b %Y}"


def short_day(value: date) -> str:
    """«22 Nov», for the axis of a chart."""
    return f"{value.day} {value:%b}"


def moment(value: datetime | None, zone: str | None = None) -> str:
    """«22 Nov 2026, 14:05 GMT»."""
    if value is None:
        return "–"
    local = _local(value, zone)
    return f"{local.day} {local:%b %Y, %H:%M} {zone_sign(local)}"


def time(value: datetime | None, zone: str | None = None) -> str:
    """«14:05 GMT»."""
    if value is None:
        return "–"
    local = _local(value, zone)
    return f"{local:%H:%M} {zone_sign(local)}"


def iso(value: date | datetime | None) -> str:
    """«2026-11-22T14:05:00Z», for machines."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return value.isoformat()


def last_day(value: datetime | None, zone: str | None = None) -> str:
    """The last local day before an exclusive end: midnight after the 31st reads «31 …»."""
    return day(None if value is None else value - timedelta(microseconds=1), zone)


def local_minute(value: datetime, zone: str | None = None) -> str:
    """«2026-11-22T14:05», local: what a field for a date and a time is filled with."""
    return f"{_local(value, zone):%Y-%m-%dT%H:%M}"


def number(value: float | None) -> str:
    """«12,000»."""
    return "–" if value is None else f"{value:,}"


def money(minor: int | None, currency: str = "GBP") -> str:
    """«£25.00» from 2500 hundredths; a currency without a sign of its own goes in front: «NOK 25.00»."""
    if minor is None:
        return "–"
    sign = _SIGNS.get(currency, f"{currency} ")
    return f"{'-' if minor < 0 else ''}{sign}{abs(minor) // 100:,}.{abs(minor) % 100:02d}"


def ago(value: datetime | None, now: datetime | None = None) -> str:
    """«3 hours ago», «in 2 days», «just now»."""
    if value is None:
        return "never"
    difference = (now or clock.now()) - value
    words = duration(abs(difference))
    if words == "under a minute":
        return "just now"
    return f"{words} ago" if difference > timedelta() else f"in {words}"


def duration(value: timedelta | int | float | None) -> str:
    """«3 hours»: the largest unit that fits; numbers are seconds."""
    if value is None:
        return "–"
    length = value if isinstance(value, timedelta) else timedelta(seconds=value)
    for unit, name in _UNITS:
        count = length // unit
        if count:
            return plural(count, name)
    return "under a minute"


def size(value: int | None) -> str:
    """«1.4 MB» from a number of bytes."""
    if value is None:
        return "–"
    amount = float(value)
    for unit in ("bytes", "kB", "MB"):
        if amount < _KILO:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= _KILO
    return f"{amount:.1f} GB"


def capitalise_first(text: str) -> str:
    """«Editor everywhere» from «editor everywhere»: the rest keeps its letters."""
    return text[:1].upper() + text[1:]


def clean_html(text: str) -> Markup:
    """Somebody's HTML with the few elements a description needs, and nothing that runs or loads (reliability.md 6.3)."""
    return Markup(rich_text.cleaned(text))  # noqa: S704 - what the cleaner lets through is safe


def drawn_as(field: Any) -> str:
    """How ``components/form.html`` draws a field of WTForms: text, date, select, textarea, choices, checkbox, form, list …"""
    widget = getattr(field, "widget", None)
    found = (
        (hasattr(field, "form"), "form"),
        (hasattr(field, "entries"), "list"),
        (hasattr(widget, "input_type"), getattr(widget, "input_type", "")),
        (hasattr(widget, "multiple"), "select"),
        (hasattr(field, "option_widget"), "choices"),
        (type(widget).__name__ == "TextArea", "textarea"),
    )
    return next((drawn for holds, drawn in found if holds), "text")


_FLAGS = ("required", "disabled", "readonly")
_BOUNDS = ("minlength", "maxlength", "min", "max", "pattern", "accept")
_TYPING = ("placeholder", "autocomplete", "inputmode")
_OURS = frozenset({"class", "id", "style", "rows", *_TYPING})


def hidden_of(form: Any) -> list[Any]:
    """The hidden fields of a form, its token apart: one look at each, without a template in between."""
    return [item for item in form if getattr(item.widget, "input_type", "") == "hidden" and item.name != "csrf_token"]


def described_by(field: Any, hint: object = None, check: object = None) -> str:
    """The ids of what stands beside a control: its hint, its refusal, the answer of its check."""
    parts = (("hint", hint), ("error", field.errors), ("check", check))
    return " ".join(f"{field.id}-{name}" for name, shown in parts if shown)


def control_attributes(field: Any, hint: object = None, check: object = None, **typing: str | None) -> Markup:
    """Every attribute of a control beside its id, name, type and value; in Python, because a form has fifty of them."""
    described = described_by(field, hint, check)
    flags, kept = vars(field.flags), field.render_kw or {}  # asked for by name, each flag that is not set costs a call
    parts = [f" {name}" for name in _FLAGS if flags.get(name)]
    values = [(name, flags[name]) for name in _BOUNDS if name in flags]
    values += [(name, value) for name, value in kept.items() if name not in _OURS]
    values += [("aria-invalid", "true" if field.errors else None), ("aria-describedby", described or None)]
    values += [(name, typing.get(name) or kept.get(name)) for name in typing if name in _TYPING]
    parts += [f' {name}="{escape(value)}"' for name, value in values if value is not None]
    return Markup("".join(parts))  # noqa: S704 - every value is escaped, the names are ours


def input_attributes(field: Any, drawn: str, hint: object = None, check: object = None, **typing: str | None) -> Markup:
    """Every attribute of an ``<input>`` drawn as ``drawn``; passwords and files are never sent back."""
    head = f' id="{escape(field.id)}" name="{escape(field.name)}" type="{drawn}"'
    if drawn not in ("password", "file"):
        value = field._value()
        head += f' value="{escape(value.replace(" ", "T") if drawn == "datetime-local" else value)}"'
    elif getattr(field.widget, "multiple", False):
        head += " multiple"
    step = getattr(field.widget, "step", None)
    if step is not None and "step" not in (field.render_kw or {}):
        head += f' step="{escape(step)}"'
    return Markup(head) + control_attributes(field, hint, check, **typing)  # noqa: S704 - as above


def zone_sign(local: datetime) -> str:
    """«GMT», «BST», «CET»; zones without letters give their offset: «UTC+03»."""
    sign = local.tzname() or "UTC"
    return f"UTC{sign}" if sign[:1] in "+-" else sign


def account_zone() -> str:
    """The zone of the whole installation."""
    return str(current_app.extensions["largesse"].timezone)


def _local(value: datetime, zone: str | None) -> datetime:
    return value.astimezone(ZoneInfo(zone or account_zone()))


_FILTERS = {
    "ago": ago,
    "capitalise_first": capitalise_first,
    "clean_html": clean_html,
    "control_attributes": control_attributes,
    "described_by": described_by,
    "drawn_as": drawn_as,
    "day": day,
    "duration": duration,
    "hidden_of": hidden_of,
    "input_attributes": input_attributes,
    "iso": iso,
    "last_day": last_day,
    "local": local_minute,
    "moment": moment,
    "money": money,
    "number": number,
    "plural": plural,
    "short_day": short_day,
    "size": size,
    "time": time,
    "told": told,
}
