"""What the till shows: the second identifier of a person, the frame around every screen, and the verdict on a voucher."""

from __future__ import annotations

from calendar import month_name
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import request, url_for
from sqlalchemy.orm import Session

from webapp.domain import vouchers as voucher_rules
from webapp.domain.permissions import Permission
from webapp.domain.redemptions import UNDO_WINDOW
from webapp.domain.vouchers import Move
from webapp.queries import redemptions as read_ledger
from webapp.queries import till as read
from webapp.queries.vouchers import VoucherSheet
from webapp.web.access import actor, where
from webapp.web.filters import moment
from webapp.web.navigation import may_open

PLACE = "till_place"  # the cookie that remembers where this till stands
_PHONE_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """One big word, in a tone, with the sentence below it."""

    word: str
    tone: str  # good, bad, wait
    sentence: str = ""


def place(session: Session) -> read.Place | None:
    """Where this till stands, as its browser remembers."""
    kept = request.cookies.get(PLACE, "")
    if not (kept.isascii() and kept.isdigit() and len(kept) <= 9):
        return None
    return read.place(session, int(kept), where(Permission.BENEFITS_REDEEM))


def frame(session: Session) -> dict[str, Any]:
    """What stands on every screen of the till: where it is, and the last five receipts."""
    receipts = read_ledger.receipts(session, actor().staff_id or 0, where(Permission.BENEFITS_REDEEM))
    return {"place": place(session), "receipts": receipts}


def second(person: Any) -> str:
    """What tells two people of one name apart, without telling more (peers.md 3.2)."""
    found = [person.external_id or ""]
    if person.birth_month:
        found.append(f"born in {month_name[person.birth_month]}")
    digits = "".join(sign for sign in person.phone if sign.isdigit())
    if len(digits) > _PHONE_SHOWN:
        found.append(f"phone ends {digits[-_PHONE_SHOWN:]}")
    if person.email:
        name, _, host = person.email.partition("@")
        found.append(f"{name[:1]}•••@{host}")
    return " · ".join(word for word in found if word)


def seconds_left(redeemed_at: datetime, now: datetime) -> int:
    """How long the till can still take it back."""
    return max(0, int((UNDO_WINDOW - (now - redeemed_at)).total_seconds()))


def of_voucher(sheet: VoucherSheet, now: datetime) -> Verdict:
    """Whether a voucher can be redeemed, in a word and a sentence."""
    voucher, zone = sheet.voucher, sheet.site.timezone
    if not (verdict := voucher_rules.may_move(voucher.status, Move.REDEEM)).ok:
        word = {"redeemed": "Already used", "cancelled": "Cancelled", "idle": "Not given out"}.get(voucher.status, "No")
        return Verdict(word, "bad", verdict.reasons[0].message)
    if voucher_rules.is_expired(voucher.expires_at, now):
        return Verdict("Expired", "bad", f"It was good until {moment(voucher.expires_at, zone)}.")
    return Verdict("Good", "good")


def why_url(benefit_id: int) -> str | None:
    """Where the whole table is, at any instant; None for whoever may not open pages of benefits."""
    return url_for("benefits.why_not", benefit_id=benefit_id) if may_open("benefits.why_not") else None
