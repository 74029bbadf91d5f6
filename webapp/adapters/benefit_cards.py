"""Turns a benefit as the database has it into the card that is typeset."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from webapp.adapters.typesetting import Card
from webapp.adapters.voucher_cards import SAMPLE_CODE, SAMPLE_HOLDER
from webapp.domain import money
from webapp.domain.voucher_codes import grouped
from webapp.queries.benefit_cards import BenefitCardRow

KIND = "Benefit"


def card(row: BenefitCardRow) -> Card:
    """The card of a benefit; its QR code holds the code itself, as the till looks it up."""
    return Card(
        title=row.title,
        code=grouped(row.code),
        qr=row.code,
        subtitle=" · ".join(filter(None, (_often(row.left), row.subtitle))),
        holder=row.holder,
        value="" if row.value_minor is None else money.shown(row.value_minor, row.currency or "GBP"),
        expiry=_last_day(row),
        terms=row.terms,
        programme=row.site,
        organisation=row.organiser,
        reference=f"benefit {row.benefit_id}",
        kind=KIND,
    )


def is_plain(row: BenefitCardRow) -> bool:
    """Whether the card holds ASCII only, which every font draws."""
    words = (row.code, row.title, row.subtitle, row.terms, row.site, row.organiser, row.holder)
    return all(word.isascii() for word in words)


def sample(row: BenefitCardRow) -> Card:
    """The same card for nobody: what a preview may show to whoever sees the page."""
    return replace(card(row), code=SAMPLE_CODE, qr=SAMPLE_CODE, holder=SAMPLE_HOLDER, reference="")


def _often(left: int | None) -> str:
    """How often it can be redeemed yet, where that is not once."""
    if left is None:
        return "As often as you like"
    return "" if left == 1 else f"Good for {left:,} times"


def _last_day(row: BenefitCardRow) -> str:
    """«31 Mar 2027»: the local day of the last second; empty when the benefit never expires."""
    if row.expires_at is None:
        return ""
    last = row.expires_at.astimezone(ZoneInfo(row.zone))
    return f"{last.day} {last:%b %Y}"
