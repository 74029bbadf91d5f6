"""Sessions: who a request belongs to, how one begins and how it ends (reliability.md 6.2)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, request
from flask import session as visit

from webapp.adapters import clock, randomness
from webapp.config import Settings
from webapp.domain import staff as rules
from webapp.domain.errors import Busy, Refused
from webapp.domain.identity import Actor
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import staff as read
from webapp.services import staff, work

# A progress part asks every few seconds by itself; that is not a person at work.
_POLLS = ".progress"
HOST_COOKIE, COOKIE = "__Host-session", "session"
_CSRF = "csrf_token"  # where Flask-WTF keeps its secret
_QUIET = frozenset({"static", "health.healthz", None})


@dataclass(frozen=True, slots=True)
class Staff:
    """What templates may know of the person signed in."""

    id: int
    name: str
    email: str
    roles: tuple[str, ...]
    session_id: int
    is_small_team: bool


def register(app: Flask) -> None:
    """Recognise the person before anything else runs, forged forms included; set or clear the cookie at the end."""
    app.before_request_funcs.setdefault(None, []).insert(0, _recognise)
    app.after_request(_record_refusal)
    app.after_request(_keep_cookie)


def cookie_name() -> str:
    """``__Host-`` ties the cookie to this very host over https; plain http on one machine has to do without."""
    return COOKIE if _settings().insecure_local else HOST_COOKIE


def sign_in(email: str, password: str) -> None:
    """Open a session for the owner of this address and password; ``Refused`` says why not, or how long to wait."""
    attempt = work.perform(
        db.session(),
        Actor("Somebody not signed in", address=_address()),
        clock.now(),
        lambda w: staff.admit(w, staff.AdmitTry(email, _address())),
    )
    found = staff.recognise(db.session(), email, password)
    if found is None:
        raise Refused(
            "sign_in.wrong", "The e-mail address or the password is not right. Check both; the case of letters counts."
        )
    enter(found.staff_id, found.name, attempt)


def enter(staff_id: int, name: str, attempt_id: int | None = None) -> None:
    """Open a session under a new token for somebody who proved who they are."""
    token = randomness.token()
    command = staff.StartSession(
        staff_id, staff.token_hash(token), _address(), request.headers.get("User-Agent", ""), attempt_id
    )
    actor = Actor(name, staff_id, address=_address())
    work.perform(db.session(), actor, clock.now(), lambda w: staff.sign_in(w, command))
    g.new_token = token
    _bind_forms(token)


def invited(token: str) -> str:
    """The address an open invitation was sent to; ``NotFound`` says why it cannot be used."""
    found = read.invitation(db.session(), staff.token_hash(token), clock.now())
    return read.get(db.session(), found.staff_id).email


def take_up(token: str, name: str, password: str) -> None:
    """Give the invited account a name and a password, and sign in."""
    password_hash = staff.checked_password(password, name=name, email=invited(token))
    db.session.rollback()
    command = staff.AcceptInvitation(staff.token_hash(token), name, password_hash)
    stranger = Actor(name, address=_address())
    member = work.perform(db.session(), stranger, clock.now(), lambda w: staff.accept(w, command))
    enter(member.id, member.name)


def sign_out() -> None:
    """End the session of this browser, in the database and in the cookie."""
    person: Staff | None = g.get("staff")
    if person is not None:
        work.perform(db.session(), g.actor, clock.now(), lambda w: staff.sign_out(w, person.session_id))
    g.new_token = ""


def safe_next(address: str | None) -> str:
    """``address`` when it is a path of our own, else the first page."""
    if not address or not address.startswith("/") or address.startswith("//") or "\\" in address:
        return "/"
    parts = urlsplit(address)
    clean = not parts.scheme and not parts.netloc and all(sign >= " " for sign in address)
    return address if clean else "/"


def _settings() -> Settings:
    settings: Settings = current_app.extensions["largesse"]
    return settings


def _address() -> str:
    return request.remote_addr or ""


def _recognise() -> None:
    """Set ``g.actor`` and ``g.staff``; whoever is not signed in goes no further than public pages."""
    if request.endpoint in _QUIET:
        return
    token = request.cookies.get(cookie_name(), "")
    now = clock.now()
    found = read.by_session(db.session(), staff.token_hash(token), now) if token else None
    if found is None:
        permission = getattr(current_app.view_functions[str(request.endpoint)], "permission", Permission.PUBLIC)
        if permission is not Permission.PUBLIC:
            abort(401)
        return
    g.actor = Actor(found.name, found.staff_id, found.grants, _address())
    roles = tuple(sorted({str(grant.role) for grant in found.grants}))
    g.staff = Staff(found.staff_id, found.name, found.email, roles, found.session_id, found.is_small_team)
    _bind_forms(token)
    if now - found.seen_at >= rules.SEEN_EVERY and not _is_polling():
        _touch(found.session_id)


def _bind_forms(token: str) -> None:
    """Forms of this session carry its secret and no other, so they die with it."""
    secret = _form_secret(token)
    if not hmac.compare_digest(str(visit.get(_CSRF, "")), secret):
        visit[_CSRF] = secret
        g.pop(_CSRF, None)  # a form drawn earlier in this request had the old one


def _form_secret(token: str) -> str:
    return hmac.new(str(_settings().secret_key).encode(), f"forms:{token}".encode(), hashlib.sha256).hexdigest()


def _is_polling() -> bool:
    return str(request.endpoint).endswith(_POLLS) or "HX-PTag" in request.headers


def _touch(session_id: int) -> None:
    """One try: a busy database must not keep a reader waiting; the next minute will do as well."""
    try:
        with work.transaction(db.session(), g.actor, clock.now()) as unit:
            staff.touch(unit, session_id)
    except Busy:
        db.session.rollback()


def _record_refusal(response: Response) -> Response:
    refused = g.get("refused")
    if refused is not None and response.status_code == HTTPStatus.FORBIDDEN:
        what = f"{refused} at {request.method} {request.path[:200]}"
        work.perform(db.session(), g.actor, clock.now(), lambda w: staff.note_refusal(w, what))
    return response


def _keep_cookie(response: Response) -> Response:
    token: str | None = g.get("new_token")
    if token:
        response.set_cookie(
            cookie_name(), token, secure=not _settings().insecure_local, httponly=True, samesite="Lax", path="/"
        )
    elif token == "":
        visit.clear()
        response.delete_cookie(
            cookie_name(), secure=not _settings().insecure_local, httponly=True, samesite="Lax", path="/"
        )
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response
