"""The list of benefits, and one with everything about it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flask.typing import ResponseReturnValue

from webapp.adapters import clock
from webapp.blueprints.benefits import bp, listing
from webapp.domain.benefit_acts import may_release, may_unvoid
from webapp.domain.benefit_ends import Bounds
from webapp.domain.benefit_lists import MOST_COUNTED
from webapp.domain.benefits import may_reverse, state
from webapp.domain.extensions import WINDOW
from webapp.domain.notices import NoticeStatus
from webapp.domain.permissions import Permission
from webapp.domain.redemptions import RedemptionKind
from webapp.domain.verdicts import Verdict
from webapp.domain.voucher_codes import grouped
from webapp.extensions import db
from webapp.queries import benefit_lists as read_lists
from webapp.queries import benefit_rows, benefit_traces, choices
from webapp.queries import benefits as read
from webapp.queries import extensions as read_extensions
from webapp.queries import notices as read_notices
from webapp.queries import redemptions as read_ledger
from webapp.queries.benefit_filters import Filter
from webapp.services import benefits
from webapp.web import benefit_words
from webapp.web.access import actor, listed, requires, scope
from webapp.web.exporting import offer
from webapp.web.forms import PressForm
from webapp.web.rendering import render

if TYPE_CHECKING:
    from webapp.models import Benefit, BenefitExtension


@bp.get("")
@requires(Permission.BENEFITS_VIEW)
def index() -> ResponseReturnValue:
    """Benefits by definition, state, origin, their dates, or by who holds them, in the order of the address."""
    session, where, now = db.session(), listed(Permission.BENEFITS_VIEW), clock.now()
    narrow, turn = listing.narrowed(), listing.turn()
    rows = read_lists.page(session, where, narrow, now, turn)
    shown = rows[: turn.size]
    return render(
        "benefits/index.html",
        "benefits/_results.html",
        rows=shown,
        further=listing.written(read_lists.place_of(shown[-1], turn.order)) if len(rows) > turn.size else None,
        is_first=turn.after is None,
        narrow=narrow,
        turn=turn,
        listing=listing,
        definitions=choices.definition_names(session, where),
        now=now,
        in_full=actor().may(Permission.PROFILES_VIEW),
        may_change=actor().may(Permission.BENEFITS_CHANGE),
        may_print=actor().may(Permission.CODES_PRINT),
        matching=_matching(narrow) if len(rows) > turn.size or turn.after else None,
        benefit_words=benefit_words,
    )


def _matching(narrow: Filter) -> str | None:
    """How many benefits of the whole list one may change; None where the list is narrowed to nothing or one may not."""
    if narrow == Filter() or not actor().may(Permission.BENEFITS_CHANGE):
        return None
    count = read_lists.how_many(db.session(), listed(Permission.BENEFITS_CHANGE), narrow, clock.now())
    return f"{count:,}" if count <= MOST_COUNTED else f"{MOST_COUNTED:,}+"


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.PROFILES_VIEW, confirmed=True)
def export() -> ResponseReturnValue:
    """The benefits of the list as a file: who holds them, and of the codes the last four signs."""
    where, narrow, now = listed(Permission.PROFILES_VIEW), listing.narrowed(), clock.now()
    order = listing.turn().order
    return offer(
        "benefits", benefit_rows.EXPORT, lambda session: benefit_rows.stream(session, where, narrow, now, order)
    )


@bp.get("/<int:benefit_id>")
@requires(Permission.BENEFITS_VIEW)
def show(benefit_id: int) -> ResponseReturnValue:
    """One benefit: what it is now, its ledger, its history, and what was refused."""
    return _show(benefit_id, code=None)


@bp.post("/<int:benefit_id>/reveal")
@requires(Permission.CODES_PRINT, confirmed=True)
def reveal(benefit_id: int) -> ResponseReturnValue:
    """Show the whole code once and leave a trace of it."""
    found = read.sheet(db.session(), benefit_id, scope(Permission.CODES_PRINT))
    form = PressForm()
    seen = form.press(lambda work: benefits.reveal(work, benefits.RevealBenefit(benefit_id)))
    own = found.benefit.redeem_code_pos
    return _show(benefit_id, code=grouped(own) if seen and own else None)


def _release(sheet: read.BenefitSheet, now: datetime) -> Verdict | None:
    """Whether the code of a void benefit can go back to its pool; None where there is none to go."""
    benefit = sheet.benefit
    if benefit.voided_at is None or sheet.voucher is None:
        return None
    return may_release(benefit.voided_at, now, benefit.zone, benefit_traces.of_code(db.session(), benefit))


def _bounds(sheet: read.BenefitSheet) -> Bounds:
    over = sheet.voucher.expires_at if sheet.voucher else None
    return Bounds(sheet.benefit.zone, sheet.definition.end_at, over - timedelta(seconds=1) if over else None)


def _extension(benefit: Benefit, now: datetime) -> BenefitExtension | None:
    """The extension of several it was in, while that can be taken back."""
    is_fresh = benefit.extended_at is not None and now - benefit.extended_at <= WINDOW
    return read_extensions.newest_of(db.session(), benefit.id, now - WINDOW) if is_fresh else None


def _show(benefit_id: int, code: str | None) -> ResponseReturnValue:
    session, now, person = db.session(), clock.now(), actor()
    sheet = read.sheet(session, benefit_id, scope(Permission.BENEFITS_VIEW) if code is None else None)
    benefit, site_id = sheet.benefit, sheet.site.id
    in_full = person.may(Permission.PROFILES_VIEW)
    ledger = read_ledger.ledger(session, benefit_id)
    return render(
        "benefits/show.html",
        "benefits/_code.html",
        sheet=sheet,
        benefit=benefit,
        facts=benefit.facts,
        outlasted=_bounds(sheet).outlasted(benefit.expires_at),
        state=state(benefit.facts, now),
        holder=benefit_words.person(sheet.holder, in_full=in_full),
        in_full=in_full,
        code=code,
        tail=benefit_words.tail(benefit.redeem_code_pos, sheet.voucher.last_four if sheet.voucher else None),
        may_reveal=bool(benefit.redeem_code_pos) and person.may(Permission.CODES_PRINT, site_id),
        may={
            name: person.may(Permission(f"benefits.{name}"), site_id)
            for name in ("redeem", "return", "change", "override")
        },
        may_print=person.may(Permission.CODES_PRINT, site_id),
        extension=_extension(benefit, now),
        may_restore=may_unvoid(benefit.voided_at, now, benefit.zone).ok,
        release=_release(sheet, now),
        ledger=ledger,
        redeem=RedemptionKind.REDEEM,
        reversible={
            line.redemption.id
            for line in ledger
            if may_reverse(line.redemption.at, line.returned, now, benefit.zone).ok
        },
        history=benefit_words.history(read.changes(session, benefit_id), ledger, benefit.zone),
        attempts=read_ledger.attempts(session, benefit_id),
        notices=read_notices.of_benefit(session, benefit_id),
        notice_words=benefit_words.NOTICES,
        notice_ended=(NoticeStatus.SENT, NoticeStatus.FAILED, NoticeStatus.SKIPPED),
        kept=benefit_words.kept,
    )
