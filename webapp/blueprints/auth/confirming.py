"""Acts that need somebody to be there: the password is asked for, what was typed is kept and goes on with it."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.blueprints.auth.expired import shown
from webapp.blueprints.auth.forms import ConfirmForm
from webapp.web.authentication import safe_next
from webapp.web.proofs import AGAIN, ConfirmationNeeded

# The form carries a token of its own; everything else goes on as it was sent, its key included, so it counts once.
_OWN = frozenset({"csrf_token", AGAIN})


def ask_to_confirm(needed: ConfirmationNeeded) -> ResponseReturnValue:
    """A form is kept on the page that asks, and sent on from there; whoever only looks comes back by the address."""
    if request.method != "POST":
        return _lead_back()
    form = ConfirmForm(formdata=None)
    del form.next
    if needed.refusal:
        form.password_again.errors = [needed.refusal]
    typed = [(name, value) for name, value in request.form.items(multi=True) if name not in _OWN]
    is_part = "HX-Request" in request.headers
    page = render_template(
        "auth/_confirm.html" if is_part else "auth/confirm.html",
        form=form,
        action=request.full_path.rstrip("?"),
        typed=typed,
        kept=shown((name, value) for name, value in typed if not name.endswith(("password", "request_key"))),
        has_files=any(upload.filename for upload in request.files.values()),
    )
    headers = {"HX-Retarget": "#main", "HX-Reswap": "innerHTML"} if is_part else {}
    if needed.wait:
        return page, HTTPStatus.TOO_MANY_REQUESTS, headers | {"Retry-After": str(needed.wait)}
    return page, HTTPStatus.UNAUTHORIZED, headers


def _lead_back() -> ResponseReturnValue:
    address = url_for("auth.confirm", next=safe_next(request.full_path.rstrip("?")))
    if "HX-Request" in request.headers:
        return Response(status=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": address})
    return redirect(address)
