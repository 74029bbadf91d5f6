"""The password asked for again: before acts that need somebody to be there, and before it is changed."""

from __future__ import annotations

from dataclasses import replace

from flask import abort, g, request
from werkzeug.exceptions import Unauthorized

from webapp.adapters import clock
from webapp.domain import staff as rules
from webapp.domain import till_lock
from webapp.domain.errors import Refused
from webapp.extensions import db
from webapp.services import passwords, staff, work
from webapp.services import staff_account as account
from webapp.services import staff_pins as pins
from webapp.services import staff_sessions as sessions
from webapp.services.staff_sessions import TooManyTries
from webapp.web import authentication

AGAIN = "password_again"  # the field in which the password travels beside an interrupted form


class ConfirmationNeeded(Unauthorized):
    """This act waits until the password is given again; ``refusal`` says why the one given was not enough."""

    def __init__(self, refusal: str = "", wait: int = 0) -> None:
        super().__init__(refusal)
        self.refusal, self.wait = refusal, wait


def ask_who_it_is() -> None:
    """Let an act go on whose person gave the password within ten minutes, or gives it with this very form."""
    if not _is_the_act() or is_confirmed():
        return
    if g.actor.is_looking:
        abort(403, "This needs the password of its owner, so it cannot be seen as somebody else.")
    password = request.form.get(AGAIN)
    if password is None:
        raise ConfirmationNeeded
    try:
        confirm(password, f"{request.method} {request.path[:200]}")
    except TooManyTries as wait:
        raise ConfirmationNeeded(wait.message, wait.seconds) from None
    except Refused as refusal:
        raise ConfirmationNeeded(refusal.message) from None


def _is_the_act() -> bool:
    """Where an address is posted to, looking at it is not the act; where it is only fetched, fetching is."""
    return request.method == "POST" or "POST" not in ((request.url_rule and request.url_rule.methods) or ())


def is_confirmed() -> bool:
    """Whether the password was given so lately that it counts."""
    at = g.staff.confirmed_at
    return at is not None and clock.now() - at <= rules.CONFIRMED_FOR


def confirm(password: str, what: str) -> None:
    """Note that the person is there, or raise ``Refused``; tries count like those of signing in."""
    attempt = _check(password, AGAIN)
    token, renewal = authentication.new_token()
    command = sessions.ConfirmSession(renewal, what, (attempt,))
    if work.perform(db.session(), g.actor, clock.now(), lambda w: sessions.confirm(w, command)):
        g.new_token = token
        g.staff = replace(g.staff, confirmed_at=clock.now(), token_hash=renewal.token_hash)


def change_password(present: str, wanted: str) -> None:
    """Change the own password, ending every other session; ``Refused`` says which of the two is not right and why."""
    person = g.staff
    rules.may_use_password(wanted, name=person.name, email=person.email).require()
    attempt = _check(present, "present_password")
    if wanted == present:
        raise Refused("password.same", "This is the password you have now; choose another.", "password")
    hashed = staff.checked_password(wanted, name=person.name, email=person.email)
    token, renewal = authentication.new_token()
    command = account.ChangePassword(hashed, renewal, (attempt,))
    if work.perform(db.session(), g.actor, clock.now(), lambda w: account.change_password(w, command)):
        g.new_token = token


def set_pin(present: str, pin: str) -> None:
    """Set the PIN of the till, or remove it when empty; ``Refused`` says which of the two is not right and why."""
    if pin:
        till_lock.may_use_pin(pin).require()
    attempt = _check(present, "present_password")
    command = pins.SetPin(g.staff.id, passwords.hashed(pin) if pin else None, (attempt,))
    work.perform(db.session(), g.actor, clock.now(), lambda w: pins.set_pin(w, command))


def _check(password: str, field: str) -> int:
    """The number of the try, when this is the password of whoever is signed in."""
    attempt = authentication.admit(g.staff.email)
    if not authentication.is_password(password):
        raise Refused("confirm.wrong", "This is not your password. The case of letters counts.", field)
    return attempt
