"""The list of codes, one voucher, and its moves."""

from __future__ import annotations

from flask import Blueprint, flash
from flask.typing import ResponseReturnValue

from webapp.adapters import clock
from webapp.blueprints.vouchers import presenters
from webapp.blueprints.vouchers.forms import GoForm, MoveForm, RedeemForm
from webapp.domain import vouchers as rules
from webapp.domain.errors import Refused
from webapp.domain.permissions import Permission
from webapp.domain.voucher_codes import code_hash, grouped
from webapp.domain.vouchers import Move, VoucherStatus
from webapp.extensions import db
from webapp.queries import rewards as read_rewards
from webapp.queries import voucher_types as read_types
from webapp.queries import vouchers as read
from webapp.services import vouchers
from webapp.web.access import actor, listed, requires, scope
from webapp.web.codes import mint
from webapp.web.exporting import offer
from webapp.web.forms import PressForm
from webapp.web.paging import choice, number, text
from webapp.web.rendering import go, render

bp = Blueprint("vouchers", __name__, url_prefix="/vouchers")


@bp.get("")
@requires(Permission.PROGRAMMES_VIEW)
def index() -> ResponseReturnValue:
    """Codes, newest first, by type, state and reward; whole codes are never shown."""
    return _list(GoForm())


@bp.post("")
@requires(Permission.PROGRAMMES_VIEW)
def jump() -> ResponseReturnValue:
    """To the one voucher with exactly this code."""
    form = GoForm()
    if form.validate_on_submit():
        found = read.find_by_hash(
            db.session(), code_hash(mint().key, str(form.code.data)), scope(Permission.PROGRAMMES_VIEW)
        )
        if found is not None:
            return go(".show", voucher_id=found)
        form.refuse(
            Refused("voucher.no_such", "No voucher has this code. Compare it sign by sign with the card.", "code")
        )
    return _list(form)


def _list(form: GoForm) -> ResponseReturnValue:
    session = db.session()
    where, narrow = _narrow(Permission.PROGRAMMES_VIEW)
    rows = read.page(session, where, narrow, before=number("before"))
    return render(
        "vouchers/index.html",
        "vouchers/_results.html",
        form.status,
        form=form,
        rows=rows[: read.PAGE],
        has_more=len(rows) > read.PAGE,
        narrow=narrow,
        reward=text("reward", 60),
        types=read_types.titles(session, where),
        counts=read.counts(session, where, narrow.voucher_type_id) if narrow.reward_id is None else {},
        may_see_people=actor().may(Permission.WINNERS_VIEW),
        now=clock.now(),
    )


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.WINNERS_VIEW, confirmed=True)
def export() -> ResponseReturnValue:
    """The vouchers of the list as a file: who holds them, and of the codes the last four signs."""
    where, narrow = _narrow(Permission.WINNERS_VIEW)
    return offer("vouchers", read.EXPORT, lambda session: read.stream(session, where, narrow))


def _narrow(permission: Permission) -> tuple[frozenset[int] | None, read.Filter]:
    """The sites and what is asked for; a link to the codes of one type or reward leads there whatever site is chosen."""
    status = choice("status", VoucherStatus)
    voucher_type_id, reward = number("type"), text("reward", 60)
    if voucher_type_id is None and not reward:
        return listed(permission), read.Filter(None, status, None)
    where = scope(permission)
    reward_id = read_rewards.id_of(db.session(), reward, where) if reward else None
    return where, read.Filter(voucher_type_id, status, reward_id)


@bp.get("/<int:voucher_id>")
@requires(Permission.PROGRAMMES_VIEW)
def show(voucher_id: int) -> ResponseReturnValue:
    """One voucher: state, holder, prize, expiry, log."""
    return _show(voucher_id, code=None)


@bp.post("/<int:voucher_id>/reveal")
@requires(Permission.CODES_PRINT, confirmed=True)
def reveal(voucher_id: int) -> ResponseReturnValue:
    """Show the whole code once and leave a trace of it."""
    sheet = read.sheet(db.session(), voucher_id, scope(Permission.CODES_PRINT))
    form = PressForm()
    seen = form.press(lambda work: vouchers.reveal(work, vouchers.MoveVoucher(voucher_id)))
    return _show(voucher_id, code=grouped(sheet.voucher.code) if seen else None)


def _show(voucher_id: int, code: str | None) -> ResponseReturnValue:
    session = db.session()
    sheet = read.sheet(session, voucher_id, scope(Permission.PROGRAMMES_VIEW))
    voucher, person = sheet.voucher, actor()
    return render(
        "vouchers/show.html",
        "vouchers/_code.html",
        sheet=sheet,
        voucher=voucher,
        code=code,
        may_reveal=person.may(Permission.CODES_PRINT, sheet.site.id),
        may_see_people=person.may(Permission.WINNERS_VIEW, sheet.site.id),
        verbs=presenters.offered(voucher.status) if person.may(Permission.VOUCHERS_EDIT, sheet.site.id) else [],
        states=presenters.states(voucher.status),
        is_expired=rules.is_expired(voucher.expires_at, clock.now()),
        log=presenters.log(read.changes(session, voucher_id), sheet.site.timezone),
    )


@bp.route(
    "/<int:voucher_id>/<any('redeem','hold','let-go','reverse','cancel','reactivate'):verb>", methods=["GET", "POST"]
)
@requires(Permission.VOUCHERS_EDIT)
def move(voucher_id: int, verb: str) -> ResponseReturnValue:
    """Confirm one move of a voucher, then make it."""
    sheet = read.sheet(db.session(), voucher_id, scope(Permission.VOUCHERS_EDIT))
    chosen = presenters.VERBS[verb]
    form = RedeemForm() if chosen.move is Move.REDEEM else MoveForm()
    if form.submit(chosen.act, voucher_id=voucher_id):
        flash(chosen.done, "success")
        return go(".show", voucher_id=voucher_id)
    return render(
        "vouchers/move.html",
        "vouchers/_move.html",
        form.status,
        form=form,
        sheet=sheet,
        verb=chosen,
        is_expired=rules.is_expired(sheet.voucher.expires_at, clock.now()),
    )
