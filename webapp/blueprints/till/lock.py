"""A till that was left alone asks for the PIN; a form that was sent meanwhile goes on with it."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.blueprints.till import bp
from webapp.blueprints.till.forms import LockForm
from webapp.domain.errors import Refused
from webapp.domain.permissions import Permission
from webapp.services.staff_sessions import TooManyTries
from webapp.web import till_lock
from webapp.web.access import actor, requires
from webapp.web.authentication import safe_next
from webapp.web.proofs import AGAIN
from webapp.web.rendering import leave

_OWN = frozenset({"csrf_token", AGAIN})  # the form of the lock has its own


@bp.before_request
def keep_locked() -> ResponseReturnValue | None:
    """Nothing of the till is shown or done before the PIN; who only looks, or has no right, comes not so far."""
    if actor().is_looking or not actor().may(Permission.BENEFITS_REDEEM, within=True):
        return None
    try:
        return _ask() if till_lock.is_locked() else None
    except Refused as refusal:
        return _ask(refusal)


@bp.route("/lock", methods=["GET", "POST"])
@requires(Permission.BENEFITS_REDEEM, within=True)
def lock() -> ResponseReturnValue:
    """Open again: back to the page that was asked for."""
    return leave(safe_next(request.args.get("next") or url_for(".index")))


def _ask(refusal: Refused | None = None) -> ResponseReturnValue:
    here = request.full_path.rstrip("?")
    is_part = "HX-Request" in request.headers
    goes_on = request.method == "POST" or request.endpoint == "till.lock"
    action = here if goes_on else url_for(".lock", next=here)
    if is_part and not goes_on:
        return Response(status=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": action})
    form, is_pin = LockForm(formdata=None), till_lock.asks_for_pin()
    form.password_again.label.text = "Your PIN" if is_pin else "Your password"
    form.password_again.errors = [refusal.message] if refusal else []
    typed = [(name, value) for name, value in request.form.items(multi=True) if name not in _OWN]
    name = "till/_lock.html" if is_part else "till/lock.html"
    page = render_template(name, form=form, action=action, typed=typed, is_pin=is_pin)
    headers = {"HX-Retarget": "#main", "HX-Reswap": "innerHTML"} if is_part else {}
    if isinstance(refusal, TooManyTries):
        return page, HTTPStatus.TOO_MANY_REQUESTS, headers | {"Retry-After": str(refusal.seconds)}
    return page, HTTPStatus.UNAUTHORIZED, headers
