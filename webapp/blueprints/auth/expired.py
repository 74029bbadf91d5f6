"""What happens when nobody is signed in any more: to the sign-in page, and nothing typed is lost."""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import urlsplit

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Unauthorized

from webapp.blueprints.auth.forms import SignInForm
from webapp.web.authentication import SessionEnded, safe_next
from webapp.web.proofs import AGAIN

# Secrets are asked for again; the keys belong to the session that ended.
_NOT_KEPT = ("password", "pin_code", AGAIN, "csrf_token", "request_key")


def ask_to_sign_in(error: Unauthorized) -> ResponseReturnValue:
    """302 with the way back; htmx reloads the whole page; a form that was sent is kept on the sign-in page."""
    if request.method == "POST":
        return _keep_form(str(error.description) if isinstance(error, SessionEnded) else "")
    if "HX-Request" in request.headers:
        address = url_for("auth.sign_in", next=_page_shown())
        return Response(status=401, headers={"HX-Redirect": address})
    return redirect(url_for("auth.sign_in", next=safe_next(request.full_path.rstrip("?"))))


def _keep_form(reason: str) -> ResponseReturnValue:
    """The sign-in page with the form folded inside; within the frame of the page that htmx has open."""
    typed = [(name, value) for name, value in request.form.items(multi=True) if not name.endswith(_NOT_KEPT)]
    kept = packed(request.path, typed) if typed or not reason else ""
    form = SignInForm(formdata=None, data={"next": _page_shown(), "kept": kept})
    if reason:
        form.form_errors.append(reason)
    is_part = "HX-Request" in request.headers
    page = render_template(
        "auth/_sign_in.html" if is_part else "auth/sign_in.html",
        form=form,
        kept=shown(typed),
        has_files=bool(request.files),
    )
    return page, 401, {"HX-Retarget": "#main", "HX-Reswap": "innerHTML"} if is_part else {}


def shown(typed: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What was typed, for reading: labels as words, nothing empty."""
    return [(name.replace("_", " ").capitalize(), value) for name, value in typed if value.strip()]


def packed(path: str, typed: list[tuple[str, str]]) -> str:
    """The interrupted form as one text for a hidden field."""
    return json.dumps({"path": path, "typed": typed}, ensure_ascii=False)


def unpacked(text: str | None) -> tuple[str, list[tuple[str, str]]] | None:
    """Where the interrupted form was going and what was typed; None when it is not one of ours."""
    try:
        kept = json.loads(text or "null")
        path, typed = str(kept["path"]), [(str(name), str(value)) for name, value in kept["typed"]]
    except (ValueError, TypeError, KeyError):
        return None
    return (path, typed) if path.startswith("/") and safe_next(path) == path else None


def _page_shown() -> str:
    """The page the person was looking at: the browser says so, else the address that was asked for."""
    shown = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
    path = f"{shown.path}?{shown.query}" if shown.query else shown.path
    return safe_next(path if shown.netloc == request.host and path else request.path)
