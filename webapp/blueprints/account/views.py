"""The pages of one's own account."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, g, request
from flask.typing import ResponseReturnValue

from webapp.adapters import clock
from webapp.blueprints.account.forms import NameForm, PasswordForm, PinForm, SiteForm
from webapp.domain import staff as rules
from webapp.domain.errors import DomainError
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import sites as read_sites
from webapp.queries import staff as read
from webapp.services import staff_account as account
from webapp.services import staff_sessions as sessions
from webapp.services.staff_sessions import TooManyTries
from webapp.web import proofs
from webapp.web.access import actor, requires
from webapp.web.authentication import safe_next
from webapp.web.forms import PressForm
from webapp.web.paging import text
from webapp.web.rendering import go, leave, render

bp = Blueprint("account", __name__, url_prefix="/account")


@bp.get("")
@requires(Permission.SIGNED_IN)
def show() -> ResponseReturnValue:
    """Name, roles, and where one is signed in."""
    session = db.session()
    return render(
        "account/show.html",
        person=g.staff,
        in_words=rules.in_words(
            actor().grants, read_sites.names(session), read.organisation_titles(session, actor().grants)
        ),
        sessions=read.open_sessions(session, g.staff.id, clock.now()),
        form=PressForm(),
        factor=read.second_factor(session, g.staff.id),
        has_pin=read.pin_hash(session, g.staff.id) is not None,
    )


@bp.route("/name", methods=["GET", "POST"])
@requires(Permission.SIGNED_IN)
def rename() -> ResponseReturnValue:
    form = NameForm(data={"name": g.staff.name})
    if form.submit(account.rename):
        flash("Your name is changed.", "success")
        return go(".show")
    return render("account/name.html", "account/_name.html", form.status, form=form)


@bp.route("/site", methods=["GET", "POST"])
@requires(Permission.SIGNED_IN)
def site() -> ResponseReturnValue:
    """Which site lists keep to, remembered with the account; back to the page one came from."""
    form, search = SiteForm(), text("q")
    held = {grant.site_id for grant in actor().grants}
    where = None if None in held else frozenset(number for number in held if number is not None)
    if form.submit(account.choose_site):
        return leave(safe_next(request.args.get("next")))
    rows = read_sites.page(db.session(), where, search)
    back = request.args.get("next")
    return render("account/site.html", None, form.status, form=form, rows=rows, search=search, chosen=g.site, back=back)


@bp.route("/password", methods=["GET", "POST"])
@requires(Permission.SIGNED_IN)
def password() -> ResponseReturnValue:
    form = PasswordForm()
    headers: dict[str, str] = {}
    if form.validate_on_submit():
        try:
            proofs.change_password(form.present_password.data, form.password.data)
        except DomainError as refusal:
            headers = _refuse(form, refusal)
        else:
            flash("Your password is changed. You are signed out everywhere else.", "success")
            return go(".show")
    return _answer("password", form, headers)


@bp.route("/pin", methods=["GET", "POST"])
@requires(Permission.BENEFITS_REDEEM, within=True)
def pin() -> ResponseReturnValue:
    """The PIN that opens a till left alone for five minutes."""
    form = PinForm()
    headers: dict[str, str] = {}
    if form.validate_on_submit():
        try:
            proofs.set_pin(form.present_password.data, form.pin_code.data)
        except DomainError as refusal:
            headers = _refuse(form, refusal)
        else:
            said = "Your PIN is set." if form.pin_code.data else "You have no PIN; the till asks for your password."
            flash(said, "success")
            return go(".show")
    return _answer("pin", form, headers)


def _refuse(form: PressForm, refusal: DomainError) -> dict[str, str]:
    form.refuse(refusal)
    return {"Retry-After": str(refusal.seconds)} if isinstance(refusal, TooManyTries) else {}


def _answer(page: str, form: PressForm, headers: dict[str, str]) -> ResponseReturnValue:
    """The form as it stands; too many tries say how long to wait."""
    status = HTTPStatus.TOO_MANY_REQUESTS if headers else form.status
    response = render(f"account/{page}.html", f"account/_{page}.html", status, form=form)
    response.headers.update(headers)
    return response


@bp.post("/sessions/<int:session_id>/end")
@requires(Permission.SIGNED_IN)
def end_session(session_id: int) -> ResponseReturnValue:
    """Sign out one of one's own browsers."""
    read.open_session(db.session(), g.staff.id, session_id, clock.now())
    form = PressForm()
    if form.press(lambda work: sessions.end(work, session_id)):
        flash("That session has ended.", "success")
    return go(".show")


@bp.post("/sessions/end-others")
@requires(Permission.SIGNED_IN)
def end_others() -> ResponseReturnValue:
    """Sign out every one of one's own browsers but this."""
    form = PressForm()
    if form.press(lambda work: sessions.end_others(work, g.staff.session_id)) is not None:
        flash("Every other session has ended.", "success")
    return go(".show")
