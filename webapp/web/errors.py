"""Every failure as a page: what happened, what to do, the reference, and what was typed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

from flask import Flask, Response, g, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import BadRequestKeyError, HTTPException, SecurityError

from webapp.domain.errors import Busy, Conflict, DomainError, NotFound
from webapp.domain.permissions import ROLES, Permission
from webapp.services.work import is_passing
from webapp.web import logs
from webapp.web.access import actor
from webapp.web.words import FORGED, FULL, OUT_OF_REACH, WORDS, Words

log = logging.getLogger(__name__)
SERVER_FAULT = 500
_STATUS: dict[type[DomainError], int] = {NotFound: 404, Conflict: 409, Busy: 503}
_SECRET = ("password", "token", "secret", "code", "request_key")
_MOST_KEPT = 100
_RETRY_AFTER = "5"


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What ``layouts/error.html`` draws."""

    status: int
    title: str
    what: str
    do: tuple[str, ...]
    reference: str
    kept: tuple[tuple[str, str], ...] = ()
    back_url: str | None = None
    code: str = ""  # which rule refused, where one did


def register(app: Flask) -> None:
    """Answer every exception with a page; ``webapp.web.authentication`` answers 401 itself."""
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DomainError, _domain)
    app.register_error_handler(OperationalError, _database)
    app.register_error_handler(Exception, _fault)


def page(status: int, words: Words | None = None, what: str = "", code: str = "") -> Response:
    """The page for ``status``; ``what`` replaces the usual sentence."""
    words = words or WORDS.get(status) or WORDS[500 if status >= SERVER_FAULT else 400]
    error = ErrorPage(
        status, words.title, what or words.what, words.do, logs.request_id(), tuple(_kept()), _back(), code
    )
    response = make_response(_draw(error), status)
    if status == 503:
        response.headers["Retry-After"] = _RETRY_AFTER
    return response


def _draw(error: ErrorPage) -> Response:
    """The whole page; for htmx a toast beside the form, which stays as it is. If even that fails, plain text."""
    try:
        if "HX-Request" in request.headers:
            response = make_response(render_template("errors/_toast.html", error=error))
            response.headers["HX-Reswap"] = "none"
            return response
        return make_response(render_template("errors/show.html", error=error))
    except Exception:
        log.exception("The error page itself failed")
        text = f"{error.title}. {error.what}\n\nReference: {error.reference}\n"
        return Response(text, mimetype="text/plain")


def _http(error: HTTPException) -> Response:
    status = error.code or SERVER_FAULT
    if error.response is not None or status < 400:
        return make_response(error.get_response())
    if status >= SERVER_FAULT and status != 503:
        log.error("Answered %s: %s", status, error.description)
    response = page(status, _refused() if status == 403 else None, _own_words(error))
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _own_words(error: HTTPException) -> str:
    """The sentence the view gave to ``abort``; not werkzeug's own, which may repeat what was sent."""
    given = error.description or ""
    is_ours = not isinstance(error, (SecurityError, BadRequestKeyError)) and given != type(error).description
    return given if is_ours else ""


def _refused() -> Words:
    """403 names who can help: the roles that carry the permission."""
    if g.get("is_foreign"):
        return FORGED
    permission: Permission | None = g.get("refused")
    roles = [str(role) for role, held in ROLES.items() if permission in held]
    words = WORDS[403]
    if not roles:
        return words
    named = " or ".join(f"«{role}»" for role in roles)
    is_bound = any(str(grant.role) in roles and grant.organisation_id is not None for grant in actor().grants)
    help_ = f"An administrator can give you the role {named} on the Staff page."
    if is_bound:
        help_ = f"Your role holds within an organisation only. {help_[:-1]}, for all of them."
    return replace(words, do=(help_, *words.do))


def _forged(error: CSRFError) -> Response:
    log.warning("A form was refused: %s", error.description)
    return page(400, FORGED)


def _domain(error: DomainError) -> Response:
    """A refusal no form could show."""
    status = next((number for kind, number in _STATUS.items() if isinstance(error, kind)), 422)
    return page(status, what=error.message, code=error.code)


def _database(error: OperationalError) -> Response:
    log.error("The database failed: %s", error.orig)
    if is_passing(error):
        return page(503)
    is_full = "disk is full" in str(error.orig) or getattr(error.orig, "sqlstate", "") == "53100"
    return page(503, FULL if is_full else OUT_OF_REACH)


def _fault(error: Exception) -> Response:
    log.error("A fault of the program, reference %s", logs.request_id(), exc_info=error)
    return page(500)


def _kept() -> Iterator[tuple[str, str]]:
    """What was typed, but for secrets and files."""
    if request.method != "POST":
        return
    fields = _posted()
    for name, value in fields[:_MOST_KEPT]:
        if value.strip() and not any(word in name.lower() for word in _SECRET):
            yield name.replace("_", " ").capitalize(), value


def _posted() -> list[tuple[str, str]]:
    try:
        return list(request.form.items(multi=True))
    except HTTPException:
        return []


def _back() -> str | None:
    """The page the form was on: our own path, never an address somebody else wrote."""
    return (
        request.path
        if request.method == "POST" and request.url_rule and "GET" in (request.url_rule.methods or ())
        else None
    )
