"""What was just redeemed: the receipt, and a minute to take it back."""

from __future__ import annotations

from flask import flash, url_for
from flask.typing import ResponseReturnValue

from webapp.adapters import clock, randomness
from webapp.blueprints.till import bp, presenters
from webapp.blueprints.till.forms import ScanForm
from webapp.domain.permissions import Permission
from webapp.domain.redemptions import RedemptionKind, receipt
from webapp.domain.vouchers import VoucherStatus
from webapp.extensions import db
from webapp.queries import redemptions as read_ledger
from webapp.queries import till as read
from webapp.queries import vouchers as read_vouchers
from webapp.services import benefits, vouchers
from webapp.web import benefit_words
from webapp.web.access import actor, bound, requires, where
from webapp.web.forms import PressForm
from webapp.web.rendering import go, render


@bp.get("/redemptions/<int:redemption_id>")
@requires(Permission.BENEFITS_REDEEM, within=True)
def done(redemption_id: int) -> ResponseReturnValue:
    """A line of the ledger as the till shows it."""
    session, now = db.session(), clock.now()
    sheet = read_ledger.sheet(session, redemption_id, where(Permission.BENEFITS_REDEEM))
    line = sheet.redemption
    is_own = line.staff_id == actor().staff_id
    stands = line.kind is RedemptionKind.REDEEM and not sheet.returned
    return render(
        "till/done.html",
        form=ScanForm(),
        press=PressForm(),
        sheet=sheet,
        line=line,
        stands=stands,
        seconds=presenters.seconds_left(line.at, now) if stands and is_own else 0,
        holder=benefit_words.person(sheet.holder, in_full=False),
        left=sheet.benefit.facts.redemptions_left,
        return_url=_return_url(sheet) if stands else None,
        **presenters.frame(session),
    )


def _return_url(sheet: read_ledger.RedemptionSheet) -> str | None:
    """Where it is taken back later: on the page of the benefit, or at once for whoever may not open that."""
    person, site_id = actor(), sheet.definition.site_id
    if bound(Permission.BENEFITS_RETURN) is None or person.may(Permission.BENEFITS_VIEW, site_id):
        sees = person.may(Permission.BENEFITS_RETURN)
        return url_for("benefits.show", benefit_id=sheet.benefit.id) if sees else None
    if person.may(Permission.BENEFITS_RETURN, site_id, within=True):
        return url_for("benefits.give_back", redemption_id=sheet.redemption.id)
    return None


@bp.post("/redemptions/<int:redemption_id>/undo")
@requires(Permission.BENEFITS_REDEEM, within=True)
def undo(redemption_id: int) -> ResponseReturnValue:
    """Take one's own redemption of the last minute back."""
    read_ledger.sheet(db.session(), redemption_id, where(Permission.BENEFITS_REDEEM))
    form = PressForm()
    command = benefits.UndoRedemption(redemption_id, receipt(randomness.entropy), bound(Permission.BENEFITS_REDEEM))
    if form.press(lambda work: benefits.undo(work, command)):
        flash("Undone. It can be redeemed again.", "success")
    else:
        flash(next(iter(form.form_errors), "The page was too old; press the button again."), "error")
    return go(".done", redemption_id=redemption_id)


@bp.get("/vouchers/<int:voucher_id>/done")
@requires(Permission.BENEFITS_REDEEM, within=True)
def voucher_done(voucher_id: int) -> ResponseReturnValue:
    """A voucher as the till left it."""
    session, now = db.session(), clock.now()
    sheet = read_vouchers.sheet(session, voucher_id, where(Permission.BENEFITS_REDEEM))
    last = read.last_change(session, voucher_id)
    stands = sheet.voucher.status is VoucherStatus.REDEEMED and last is not None
    is_own = last is not None and last.by == actor().label
    return render(
        "till/voucher_done.html",
        form=ScanForm(),
        press=PressForm(),
        sheet=sheet,
        note=last.note if last else "",
        stands=stands,
        seconds=presenters.seconds_left(last.at, now) if last and stands and is_own else 0,
        holder=benefit_words.person(sheet.holder, in_full=False) if sheet.holder else "nobody",
        **presenters.frame(session),
    )


@bp.post("/vouchers/<int:voucher_id>/undo")
@requires(Permission.BENEFITS_REDEEM, within=True)
def voucher_undo(voucher_id: int) -> ResponseReturnValue:
    """The same for a voucher."""
    read_vouchers.sheet(db.session(), voucher_id, where(Permission.BENEFITS_REDEEM))
    form = PressForm()
    command = vouchers.MoveVoucher(voucher_id, where=bound(Permission.BENEFITS_REDEEM))
    if form.press(lambda work: vouchers.undo(work, command)):
        flash("Undone. It can be redeemed again.", "success")
    else:
        flash(next(iter(form.form_errors), "The page was too old; press the button again."), "error")
    return go(".voucher_done", voucher_id=voucher_id)
