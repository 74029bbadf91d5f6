"""Sessions: who a request belongs to, how one begins and how it ends (reliability.md 6.2)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import cast
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, redirect, request, url_for
from flask import session as visit
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Unauthorized

from webapp.adapters import clock, randomness
from webapp.config import Settings
from webapp.domain import second_factor
from webapp.domain import staff as rules
from webapp.domain.errors import Busy, Refused
from webapp.domain.identity import Actor
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.models import StaffMember
from webapp.queries import signed_in
from webapp.queries import staff as read
from webapp.services import staff, work
from webapp.services import staff_sessions as sessions

# A progress part asks every few seconds by itself; that is not a person at work.
_POLLS = ".progress"
HOST_COOKIE, COOKIE = "__Host-session", "session"
_CSRF = "csrf_token"  # where Flask-WTF keeps its secret
# What somebody who only looks may press: the ways out, and a search, which writes nothing.
_WAYS_OUT = frozenset({"auth.sign_out", "search.find", "staff.stop_seeing"})
_WITHOUT_SECOND_FACTOR = frozenset({"account", "auth", "help"})  # what is open until a second factor is set up
_QUIET = frozenset({"static", "health.healthz", None})


@dataclass(frozen=True, slots=True)
class Staff:
    """What templates may know of the person signed in."""

    id: int
    name: str
    email: str
    roles: tuple[str, ...]
    session_id: int
    token_hash: str
    confirmed_at: datetime | None
    has_second_factor: bool
    is_small_team: bool
    is_second_factor_optional: bool
    site: str  # the title of the site their lists keep to; empty for all
    has_sites: bool  # whether there is anything to choose
    seen_by: str  # who looks at the console as this person does; empty for the person
    till_seen_at: datetime | None  # when the till of this session was last used


class SessionEnded(Unauthorized):
    """This very request ended the session; the description says why, in a sentence."""


def register(app: Flask) -> None:
    """Recognise the person before anything else runs, forged forms included; set or clear the cookie at the end."""
    app.before_request_funcs.setdefault(None, []).insert(0, _recognise)
    app.after_request(_record_refusal)
    app.after_request(_keep_cookie)


def cookie_name() -> str:
    """``__Host-`` ties the cookie to this very host over https; plain http on one machine has to do without."""
    return COOKIE if _settings().insecure_local else HOST_COOKIE


def recognise(email: str, password: str) -> tuple[read.Credentials, int]:
    """Whose address and password these are, and the number of the try; ``Refused`` says why not or how long to wait."""
    attempt = admit(email)
    found = sessions.recognise(db.session(), email, password)
    if found is None:
        raise Refused(
            "sign_in.wrong", "The e-mail address or the password is not right. Check both; the case of letters counts."
        )
    return found, attempt


def admit(email: str) -> int:
    """Count one try of this account from this address; ``TooManyTries`` says how long to wait."""
    stranger = Actor("Somebody not signed in", address=address())
    command = sessions.AdmitTry(email, address())
    return work.perform(db.session(), stranger, clock.now(), lambda w: sessions.admit(w, command))


def is_password(given: str) -> bool:
    """Whether this is the password of whoever is signed in; the caller counts the try."""
    return sessions.recognise(db.session(), g.staff.email, given) is not None


def enter(staff_id: int, name: str, attempts: tuple[int, ...] = ()) -> None:
    """Open a session under a new token for somebody who proved who they are."""
    token = randomness.token()
    command = sessions.StartSession(
        staff_id, sessions.token_hash(token), address(), request.headers.get("User-Agent", ""), attempts
    )
    actor = Actor(name, staff_id, address=address())
    row = work.perform(db.session(), actor, clock.now(), lambda w: sessions.sign_in(w, command))
    g.new_token = token
    _bind_forms(row.id)


def invited(token: str) -> StaffMember:
    """Whom an open invitation, or a link for a new password, was sent to; ``NotFound`` says why it cannot be used."""
    found = read.invitation(db.session(), sessions.token_hash(token), clock.now())
    return read.get(db.session(), found.staff_id)


def take_up(token: str, typed: str | None, password: str) -> StaffMember:
    """Give the invited account a password, and a name where one was ``typed``; nobody is signed in yet."""
    member = invited(token)
    name = typed or member.name
    password_hash = staff.checked_password(password, name=name, email=member.email)
    db.session.rollback()
    command = staff.AcceptInvitation(sessions.token_hash(token), name, password_hash)
    stranger = Actor(name, address=address())
    return work.perform(db.session(), stranger, clock.now(), lambda w: staff.accept(w, command))


def sign_out() -> None:
    """End the session of this browser, in the database and in the cookie."""
    person: Staff | None = g.get("staff")
    if person is not None:
        work.perform(db.session(), myself(), clock.now(), lambda w: sessions.sign_out(w, person.session_id))
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


def address() -> str:
    """Where the request comes from, as the log and the limits know it."""
    return request.remote_addr or ""


def _recognise() -> ResponseReturnValue | None:
    """Set ``g.actor`` and ``g.staff``; whoever is not signed in goes no further than public pages."""
    if request.endpoint in _QUIET:
        return None
    token = request.cookies.get(cookie_name(), "")
    now = clock.now()
    found = signed_in.by_session(db.session(), sessions.token_hash(token), now) if token else None
    if found is None:
        if _permission() is not Permission.PUBLIC:
            abort(401)
        return None
    if found.is_idle:
        return _keep_behind_lock(found, token)
    _welcome(found, sessions.token_hash(token))
    if found.needs_new_token and not is_polling():
        renew_token()
    if now - found.seen_at >= rules.SEEN_EVERY and not is_polling():
        _touch(found.session_id)
    if g.actor.is_looking and request.method not in {"GET", "HEAD", "OPTIONS"} and request.endpoint not in _WAYS_OUT:
        abort(403, f"You see the console as {g.staff.name} does, so nothing can be changed. Press «Stop» first.")
    return _lead_to_second_factor() if _owes_second_factor(found) else None


def _permission() -> Permission:
    """What the address asked for needs."""
    view = current_app.view_functions[str(request.endpoint)]
    return cast(Permission, getattr(view, "permission", Permission.PUBLIC))


def _keep_behind_lock(found: signed_in.SignedIn, token: str) -> ResponseReturnValue | None:
    """A till left alone for long: its own pages ask for the PIN first, and the others lead there. None of it is use."""
    if str(request.endpoint).startswith("till.") or request.endpoint == "auth.sign_out":
        _welcome(found, sessions.token_hash(token))
        return None
    if _permission() is Permission.PUBLIC:
        return None
    if request.method != "GET" or "HX-Request" in request.headers:
        abort(401)
    return redirect(url_for("till.lock", next=request.full_path.rstrip("?")))


def _owes_second_factor(found: signed_in.SignedIn) -> bool:
    """Whether this page has to wait until a second factor is set up."""
    here = str(request.endpoint).partition(".")[0]
    if found.has_second_factor or here in _WITHOUT_SECOND_FACTOR or _permission() is Permission.PUBLIC:
        return False
    roles = (grant.role for grant in found.grants)
    return second_factor.is_needed(roles, is_optional=found.is_second_factor_optional)


def _lead_to_second_factor() -> ResponseReturnValue:
    if request.method == "POST":
        abort(403, "Your roles need a second factor. Set it up on your account page, then send this again.")
    address = url_for("account.second_factor")
    if "HX-Request" in request.headers:
        return Response(status=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": address})
    return redirect(address)


def _sees_as(found: signed_in.SignedIn) -> signed_in.SeenAs | None:
    """The person as whom this session sees, as long as whoever looks may still manage that person."""
    if found.seen_as is None:
        return None
    reach = Actor(found.name, found.staff_id, found.grants)
    if not reach.may(Permission.STAFF_MANAGE):
        return None
    is_within = rules.may_give(found.seen_as.grants, reach.sites(Permission.STAFF_MANAGE)).ok
    return found.seen_as if is_within else None


def myself() -> Actor:
    """Whoever is signed in, also while they see as somebody else: what is told to the log is told of them."""
    actor: Actor = g.get("myself") or g.actor
    return actor


def _welcome(found: signed_in.SignedIn, token_hash: str) -> None:
    other = _sees_as(found)
    who = other or found
    g.actor = Actor(who.name, who.staff_id, who.grants, address(), is_looking=other is not None)
    g.myself = Actor(found.name, found.staff_id, found.grants, address())
    reach = {grant.site_id for grant in who.grants}
    # A site the person has no role on any more is no choice any more.
    g.site = found.site_id if reach & {None, found.site_id} else None
    g.staff = Staff(
        who.staff_id,
        who.name,
        who.email,
        tuple(sorted({str(grant.role) for grant in who.grants})),
        found.session_id,
        token_hash,
        found.confirmed_at,
        found.has_second_factor,
        found.is_small_team,
        found.is_second_factor_optional,
        found.site_title if g.site is not None else "",
        len(reach) > 1 or None in reach,
        found.name if other else "",
        found.till_seen_at,
    )
    _bind_forms(found.session_id)


def new_token() -> tuple[str, sessions.RenewToken]:
    """A token to take the place of this session's, and the command that puts it there."""
    token = randomness.token()
    return token, sessions.RenewToken(g.staff.session_id, g.staff.token_hash, sessions.token_hash(token))


def renew_token() -> None:
    """Go on under a new token, for the roles changed; a busy database is not worth a wait."""
    token, command = new_token()
    try:
        with work.transaction(db.session(), myself(), clock.now()) as unit:
            is_ours = sessions.renew(unit, command)
    except Busy:
        return
    if is_ours:
        g.new_token = token


def _bind_forms(session_id: int) -> None:
    """Forms of this session carry its secret and no other, so they die with it; a new token keeps them good."""
    secret = _form_secret(session_id)
    if not hmac.compare_digest(str(visit.get(_CSRF, "")), secret):
        visit[_CSRF] = secret
        g.pop(_CSRF, None)  # a form drawn earlier in this request had the old one


def _form_secret(session_id: int) -> str:
    key = str(_settings().secret_key).encode()
    return hmac.new(key, f"forms of session {session_id}".encode(), hashlib.sha256).hexdigest()


def is_polling() -> bool:
    """Whether the page asks by itself."""
    return str(request.endpoint).endswith(_POLLS) or "HX-PTag" in request.headers


def _touch(session_id: int) -> None:
    """One try: a busy database must not keep a reader waiting; the next minute will do as well."""
    try:
        with work.transaction(db.session(), myself(), clock.now()) as unit:
            sessions.touch(unit, session_id)
    except Busy:
        db.session.rollback()


def _record_refusal(response: Response) -> Response:
    refused = g.get("refused")
    if refused is not None and response.status_code == HTTPStatus.FORBIDDEN:
        what = f"{refused} at {request.method} {request.path[:200]}"
        work.perform(db.session(), myself(), clock.now(), lambda w: sessions.note_refusal(w, what))
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
