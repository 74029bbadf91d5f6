"""A voucher's moves and its log in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from webapp.domain import vouchers as rules
from webapp.domain.vouchers import Move, VoucherStatus
from webapp.services import vouchers
from webapp.web.filters import iso, moment


@dataclass(frozen=True, slots=True)
class Verb:
    """A move as a screen offers it: its address, its button, what it will do, and the service that does it."""

    name: str
    move: Move
    label: str
    icon: str
    kind: str
    consequences: tuple[str, ...]
    act: Callable[..., Any]
    done: str


VERBS = {
    verb.name: verb
    for verb in (
        Verb(
            "redeem", Move.REDEEM, "Redeem voucher", "check", "primary",
            ("The voucher counts as spent and no till takes it again.", "A redemption can be reversed with a reason."),
            vouchers.redeem, "Voucher redeemed.",
        ),
        Verb(
            "hold", Move.HOLD, "Hold voucher", "hourglass", "primary",
            ("The voucher is pending: it is in somebody's hand and not spent yet.",), vouchers.hold, "Voucher held.",
        ),
        Verb(
            "let-go", Move.LET_GO, "Let voucher go", "undo-2", "primary",
            ("The voucher goes back to its holder, as if it had not been shown.",), vouchers.let_go, "Voucher let go.",
        ),
        Verb(
            "reverse", Move.REVERSE, "Reverse redemption", "undo-2", "danger",
            ("The redemption is taken back; the voucher can be redeemed again.", "The log keeps both."),
            vouchers.reverse, "Redemption reversed.",
        ),
        Verb(
            "cancel", Move.CANCEL, "Cancel voucher", "ban", "danger",
            ("No till takes the voucher any more, printed or not.", "It can be reactivated with a reason."),
            vouchers.cancel, "Voucher cancelled.",
        ),
        Verb(
            "reactivate", Move.REACTIVATE, "Reactivate voucher", "refresh-cw", "primary",
            ("The voucher is good again: allocated to its holder, or idle when nobody had it.",),
            vouchers.reactivate, "Voucher reactivated.",
        ),
    )
}  # fmt: skip

_SAID = {
    VoucherStatus.IDLE: ("Put back to the idle codes", "undo-2"),
    VoucherStatus.ALLOCATED: ("Allocated", "user"),
    VoucherStatus.PENDING: ("Held as pending", "hourglass"),
    VoucherStatus.REDEEMED: ("Redeemed", "check"),
    VoucherStatus.CANCELLED: ("Cancelled", "ban"),
}


def offered(status: VoucherStatus) -> list[Verb]:
    """The moves a voucher in this state can make."""
    return [verb for verb in VERBS.values() if rules.may_move(status, verb.move).ok]


def states(status: VoucherStatus) -> list[tuple[str, str]]:
    """The states of the strip: the usual way, or the one that ended it."""
    last = VoucherStatus.CANCELLED if status is VoucherStatus.CANCELLED else VoucherStatus.REDEEMED
    middle = (VoucherStatus.PENDING,) if status is VoucherStatus.PENDING else ()
    return [(item, item.capitalize()) for item in (VoucherStatus.IDLE, VoucherStatus.ALLOCATED, *middle, last)]


def log(changes: Iterable[Any], zone: str) -> list[dict[str, Any]]:
    """The change log as the timeline draws it."""
    return [
        {
            "at": moment(change.at, zone),
            "iso": iso(change.at),
            "who": change.by,
            "sentence": _SAID[change.status][0],
            "icon": _SAID[change.status][1],
            "detail": change.note or None,
        }
        for change in changes
    ]
