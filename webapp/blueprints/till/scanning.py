"""What was scanned: a voucher, a benefit, a receipt, a person; or nothing anybody knows, which is kept."""

from __future__ import annotations

from datetime import timedelta

from flask import abort, request
from flask.typing import ResponseReturnValue

from webapp.adapters import clock
from webapp.blueprints.till import bp, presenters
from webapp.blueprints.till.forms import PlaceForm, ScanForm
from webapp.blueprints.till.presenters import PLACE, Verdict
from webapp.domain import benefits as rules
from webapp.domain.identity import Reach
from webapp.domain.permissions import Permission
from webapp.domain.redemptions import WRONG_CODES, looks_like_receipt
from webapp.domain.voucher_codes import STANDARD, check_ok, code_hash, masked, normalise
from webapp.extensions import db
from webapp.queries import benefits as read_benefits
from webapp.queries import reaches
from webapp.queries import redemptions as read_ledger
from webapp.queries import till as read
from webapp.queries import vouchers as read_vouchers
from webapp.services import benefits
from webapp.web import benefit_words, places
from webapp.web.access import actor, requires, where
from webapp.web.choosing import NOT_LISTED
from webapp.web.codes import mint
from webapp.web.paging import number, text
from webapp.web.rendering import go, render
from webapp.web.work import perform

UNKNOWN, MISTYPED = "unknown_code", "mistyped_code"


@bp.get("")
@requires(Permission.BENEFITS_REDEEM, within=True)
def index() -> ResponseReturnValue:
    """One field, and the last five receipts."""
    return _desk(ScanForm(), None)


@bp.post("")
@requires(Permission.BENEFITS_REDEEM, within=True)
def scan() -> ResponseReturnValue:
    """To whatever the code means."""
    form = ScanForm()
    if not form.validate_on_submit():
        return _desk(form, None)
    return look(str(form.code.data), number("profile"))


def look(code: str, profile_id: int | None = None) -> ResponseReturnValue:
    """Go to what a code means; keep it, last signs only, when nobody knows it or nothing can be had for it.

    ``profile_id`` is who is on screen: a code of theirs that was mistyped is offered (peers.md feature 18).
    """
    if not code:
        return _desk(ScanForm(), None)
    _not_too_often()
    return _voucher_or_benefit(code) or _receipt_or_person(code) or _unknown(code, profile_id)


def _voucher_or_benefit(code: str) -> ResponseReturnValue | None:
    session, reached = db.session(), where(Permission.BENEFITS_REDEEM)
    voucher = read_vouchers.find_by_hash(session, code_hash(mint().key, code), reached)
    if voucher is None:
        found = read_benefits.id_of_code(session, code, reached)
    elif (found := read_benefits.id_of_voucher(session, voucher)) is None:
        return go(".voucher", voucher_id=voucher)
    if found is None or (isinstance(reached, Reach) and not reaches.has_benefit(session, reached, found)):
        return None
    _keep_refusal(found, code)
    return go(".benefit", benefit_id=found)


def _receipt_or_person(code: str) -> ResponseReturnValue | None:
    session, reached = db.session(), where(Permission.BENEFITS_REDEEM)
    if looks_like_receipt(code) and (line := read_ledger.id_of_receipt(session, normalise(code), reached)):
        return go(".done", redemption_id=line)
    if (person := read.person_named(session, code, reached)) is not None:
        return go(".people", profile=person.id)
    if (name := read.definition_of_code(session, code, reaches.touched(reached))) is not None:
        words = f"This code is the same for everybody who holds «{name}». Find the person below."
        return _desk(ScanForm(), Verdict("Who is it?", "wait", words), 422)
    return None


def _unknown(code: str, profile_id: int | None) -> ResponseReturnValue:
    slip = len(normalise(code)) == STANDARD + 1 and not check_ok(code)
    words = (
        "One of its signs is not right: compare it with the card."
        if slip
        else "No voucher, benefit, receipt or person has this code. Compare it sign by sign, or find the person."
    )
    place = presenters.place(db.session())
    kept = benefits.NoteAttempt(
        MISTYPED if slip else UNKNOWN, words, masked(code)[-8:], location_id=place.id if place else None
    )
    perform(lambda work: benefits.note(work, kept))
    near = read.near_code(db.session(), profile_id, code, where(Permission.BENEFITS_REDEEM)) if profile_id else None
    return _desk(ScanForm(), Verdict("Unknown code", "bad", words), 422, near)


def _not_too_often() -> None:
    """Ten codes a minute that nobody knows are a guess (reliability.md P18)."""
    since = clock.now() - timedelta(minutes=1)
    wrong = read_ledger.wrong_codes(db.session(), actor().staff_id or 0, since, (UNKNOWN, MISTYPED))
    if wrong >= WRONG_CODES:
        abort(429, f"{WRONG_CODES} codes within a minute were unknown. Wait a minute, then scan again.")


def _keep_refusal(benefit_id: int, code: str) -> None:
    """Scanned and not to be had: kept with its reason, though nobody pressed anything."""
    session, now = db.session(), clock.now()
    sheet = read_benefits.sheet(session, benefit_id, where(Permission.BENEFITS_REDEEM))
    found = rules.verdict(rules.gates_to_redeem(sheet.definition.facts, sheet.benefit.facts, 1, now))
    if not found.ok:
        first, place = found.reasons[0], presenters.place(session)
        kept = benefits.NoteAttempt(
            first.code, first.message, masked(code)[-8:], benefit_id, place.id if place else None
        )
        perform(lambda work: benefits.note(work, kept))


@bp.get("/people")
@requires(Permission.BENEFITS_REDEEM, within=True)
def people() -> ResponseReturnValue:
    """Customers by the beginning of a name, e-mail, member id or phone, with what they can use."""
    session, reached = db.session(), where(Permission.BENEFITS_REDEEM)
    search, chosen = text("q"), number("profile")
    if chosen:
        person = read.person(session, chosen, reached)
        found = [] if person.erased_at else [person]
    else:
        found = read.people(session, reached, search) if search else []
    shown = found[: read.MOST_PEOPLE]
    held = read_benefits.of_person(session, [person.id for person in shown], reached, size=100) if shown else []
    return render(
        "till/people.html",
        "till/_people.html",
        form=ScanForm(),
        search=search,
        people=shown,
        has_more=len(found) > read.MOST_PEOPLE,
        held=held,
        now=clock.now(),
        words=benefit_words,
        may_claim=actor().may(Permission.BENEFITS_CLAIM, within=True),
        second=presenters.second,
        **presenters.frame(session),
    )


@bp.post("/place")
@requires(Permission.BENEFITS_REDEEM, within=True)
def place() -> ResponseReturnValue:
    """Remember in this browser where the till stands."""
    form = PlaceForm()
    places.offer(form.place, where(Permission.BENEFITS_REDEEM))
    if not form.validate_on_submit():
        return _desk(ScanForm(), Verdict("No such place", "bad", next(iter(form.place.errors), NOT_LISTED)), 422)
    answer = go(".index")
    answer.set_cookie(
        PLACE, str(form.place.data or ""), max_age=31_536_000, httponly=True, samesite="Lax", secure=request.is_secure
    )
    return answer


def _desk(
    form: ScanForm, verdict: Verdict | None, status: int = 200, near: read.NearCode | None = None
) -> ResponseReturnValue:
    session = db.session()
    standing = PlaceForm(formdata=None)
    places.offer(standing.place, where(Permission.BENEFITS_REDEEM))
    frame = presenters.frame(session)
    standing.place.data = frame["place"].id if frame["place"] else None
    return render(
        "till/index.html",
        None,
        max(status, form.status),
        form=form,
        verdict=verdict,
        near=near,
        places=standing,
        **frame,
    )
