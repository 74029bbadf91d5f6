"""Turns a voucher as the database has it into the card that is typeset."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from webapp.adapters.typesetting import Card
from webapp.domain import money
from webapp.domain.voucher_codes import grouped
from webapp.queries.voucher_cards import CardRow

SAMPLE_CODE = "SAMPLE-ONLY"
SAMPLE_HOLDER = "Ann Example"


def card(row: CardRow) -> Card:
    """The card of a voucher; its QR code holds the code itself, as it is stored."""
    return Card(
        title=row.title,
        code=grouped(row.code),
        qr=row.code,
        subtitle=row.subtitle,
        holder=row.holder,
        value="" if row.value_minor is None else money.shown(row.value_minor, row.currency),
        expiry=_last_day(row),
        terms=row.terms,
        programme=row.site,
        organisation=row.organiser,
        reference=_reference(row),
    )


def is_plain(row: CardRow) -> bool:
    """Whether the card holds ASCII only, which every font draws."""
    words = (row.title, row.subtitle, row.terms, row.site, row.organiser, row.holder, row.prize, row.reward)
    return all(word is None or word.isascii() for word in words)


def sample(row: CardRow) -> Card:
    """The same card for nobody: what a preview may show to whoever sees the page."""
    return replace(card(row), code=SAMPLE_CODE, qr=SAMPLE_CODE, holder=SAMPLE_HOLDER, reference="")


def _last_day(row: CardRow) -> str:
    """«31 Mar 2027»: the last local day before the exclusive end; empty when the voucher never ends."""
    if row.expires_at is None:
        return ""
    last = (row.expires_at - timedelta(microseconds=1)).astimezone(ZoneInfo(row.zone))
    return f"{last.day} {last:%b %Y}"


def _reference(row: CardRow) -> str:
    """What the voucher was won with, so that a sheet can be sorted into envelopes."""
    parts = [row.reward or "", row.prize or "", f"winner {row.rank}" if row.rank else ""]
    return " · ".join(filter(None, parts))
