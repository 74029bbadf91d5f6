"""One benefit or voucher at the till: the big verdict, and Enter redeems it."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from webapp.adapters import clock, randomness
from webapp.blueprints.till import bp, presenters
from webapp.blueprints.till.forms import TillForm, VoucherForm
from webapp.blueprints.till.presenters import Verdict
from webapp.blueprints.till.scanning import look
from webapp.domain import benefits as rules
from webapp.domain.benefits import BenefitState, state
from webapp.domain.errors import Refused
from webapp.domain.permissions import Permission
from webapp.domain.redemptions import VERDICTS, receipt
from webapp.extensions import db
from webapp.queries import benefits as read_benefits
from webapp.queries import redemptions as read_ledger
from webapp.queries import vouchers as read_vouchers
from webapp.services import benefits, vouchers
from webapp.web import benefit_words, till_lock
from webapp.web.access import bound, requires, where
from webapp.web.rendering import go, render


@bp.route("/benefits/<int:benefit_id>", methods=["GET", "POST"])
@requires(Permission.BENEFITS_REDEEM, within=True)
def benefit(benefit_id: int) -> ResponseReturnValue:
    """The verdict on a benefit; sent with nothing typed it is redeemed, with a code that one is looked at."""
    session, reached = db.session(), where(Permission.BENEFITS_REDEEM)
    form = TillForm()
    if form.is_submitted() and form.code.data:
        if not form.code.validate(form):
            return _verdict(form, benefit_id)
        read_benefits.owner(session, benefit_id, reached)
        return look(str(form.code.data), read_benefits.get(session, benefit_id).profile_id)
    if till_lock.was_just_opened():
        return _verdict(form, benefit_id)
    place = presenters.place(session)
    found = form.submit(
        benefits.attempt,
        benefit_id=benefit_id,
        where=reached,
        receipt=receipt(randomness.entropy),
        location_id=place.id if place else None,
    )
    if isinstance(found, benefits.RedemptionAttempt):
        form.refuse(Refused(found.reason, found.message, found.field or None))
    elif found is not None:
        return go(".done", redemption_id=found.id)
    return _verdict(form, benefit_id)


def _verdict(form: TillForm, benefit_id: int) -> ResponseReturnValue:
    session, now = db.session(), clock.now()
    sheet = read_benefits.sheet(session, benefit_id, where(Permission.BENEFITS_REDEEM))
    gates = rules.gates_to_redeem(sheet.definition.facts, sheet.benefit.facts, 1, now)
    found, stands = rules.verdict(gates), state(sheet.benefit.facts, now)
    sentence = found.reasons[0].message if found.reasons else ""
    if stands is BenefitState.REDEEMED and (last := read_ledger.last_use(session, sheet.benefit.id)):
        sentence = last.words(sheet.benefit.zone)
    word = VERDICTS[stands] if found.ok or VERDICTS[stands] != "Good" else "Not now"
    tone = "good" if found.ok else "wait" if stands is BenefitState.SCHEDULED else "bad"
    return render(
        "till/benefit.html",
        None,
        form.status,
        form=form,
        was_held_back=till_lock.was_just_opened(),
        sheet=sheet,
        verdict=Verdict(word, tone, sentence),
        is_good=found.ok,
        rules=benefit_words.table(gates),
        holder=benefit_words.person(sheet.holder, in_full=False),
        second=presenters.second(sheet.holder),
        left=sheet.benefit.facts.redemptions_left,
        why_url=presenters.why_url(sheet.benefit.id),
        **presenters.frame(session),
    )


@bp.route("/vouchers/<int:voucher_id>", methods=["GET", "POST"])
@requires(Permission.BENEFITS_REDEEM, within=True)
def voucher(voucher_id: int) -> ResponseReturnValue:
    """The verdict on a voucher that was handed out as a prize; the same two ways to send it."""
    session, reached = db.session(), where(Permission.BENEFITS_REDEEM)
    sheet = read_vouchers.sheet(session, voucher_id, reached)
    form = VoucherForm()
    if form.is_submitted() and form.code.data:
        return look(str(form.code.data)) if form.code.validate(form) else _voucher(form, sheet)
    if till_lock.was_just_opened():
        return _voucher(form, sheet)
    place = presenters.place(session)
    words = f"Till, receipt {receipt(randomness.entropy)}" + (f", {place.title}" if place else "")
    if form.submit(vouchers.redeem, voucher_id=voucher_id, reason=words, where=bound(Permission.BENEFITS_REDEEM)):
        return go(".voucher_done", voucher_id=voucher_id)
    return _voucher(form, sheet)


def _voucher(form: VoucherForm, sheet: read_vouchers.VoucherSheet) -> ResponseReturnValue:
    session = db.session()
    if form.form_errors:
        sheet = read_vouchers.sheet(session, sheet.voucher.id, None)
    return render(
        "till/voucher.html",
        None,
        form.status,
        form=form,
        was_held_back=till_lock.was_just_opened(),
        sheet=sheet,
        verdict=presenters.of_voucher(sheet, clock.now()),
        holder=benefit_words.person(sheet.holder, in_full=False) if sheet.holder else "nobody yet",
        second=presenters.second(sheet.holder) if sheet.holder else "",
        **presenters.frame(session),
    )
