"""The lock of the till: who it asks, for what, and what a right or a wrong answer leads to."""

from __future__ import annotations

from flask import g, request

from webapp.adapters import clock
from webapp.domain import till_lock as rules
from webapp.domain.errors import Busy, Refused
from webapp.extensions import db
from webapp.queries import staff as read
from webapp.services import passwords, work
from webapp.services import staff_pins as pins
from webapp.web import authentication
from webapp.web.access import actor
from webapp.web.proofs import AGAIN


def is_locked() -> bool:
    """Whether this request has to give a PIN first; ``Refused`` when the one it brings is not right."""
    # A password that was just given says as much as a till that was just used; signing in is the first.
    known = [at for at in (g.staff.till_seen_at, g.staff.confirmed_at) if at is not None]
    last, now = max(known, default=None), clock.now()
    if not rules.is_locked(last, now):
        if now - (last or now) >= rules.SEEN_EVERY and not authentication.is_polling():
            _note_use()
        return False
    given = request.form.get(AGAIN)
    if given is None:
        return True
    _prove(given)
    return False


def was_just_opened() -> bool:
    """Whether this form came by way of the lock: whoever opens the till need not be the one who had pressed."""
    return AGAIN in request.form


def asks_for_pin() -> bool:
    """Whether there is a PIN to ask for; without one it is the password."""
    return read.pin_hash(db.session(), g.staff.id) is not None


def _prove(given: str) -> None:
    pin_hash = read.pin_hash(db.session(), g.staff.id)
    db.session.rollback()  # no snapshot is held while the processor is busy
    # The password is what opens everything: its tries here count with those of signing in.
    attempts = () if pin_hash else (authentication.admit(g.staff.email),)
    number = work.perform(db.session(), actor(), clock.now(), lambda w: pins.admit(w, g.staff.session_id))
    if not number:
        work.perform(db.session(), actor(), clock.now(), lambda w: pins.turn_out(w, g.staff.session_id))
        raise _turned_out()
    if not (passwords.matches(pin_hash, given) if pin_hash else authentication.is_password(given)):
        raise _wrong("PIN" if pin_hash else "password", number)
    if not work.perform(db.session(), actor(), clock.now(), lambda w: pins.open_till(w, g.staff.session_id, attempts)):
        raise _turned_out()


def _wrong(what: str, number: int) -> Refused | authentication.SessionEnded:
    command = pins.NoteWrong(g.staff.session_id, what, number)
    if work.perform(db.session(), actor(), clock.now(), lambda w: pins.note_wrong(w, command)):
        return _turned_out()
    left = rules.WRONG_PROOFS - number
    again = f"After {left} more wrong one{'s' if left > 1 else ''}"
    return Refused("till.wrong", f"This is not your {what}. {again} you are signed out.")


def _turned_out() -> authentication.SessionEnded:
    """To the sign-in page, which says why and keeps what was typed."""
    g.new_token = ""
    return authentication.SessionEnded(
        f"The locked till was given {rules.WRONG_PROOFS} wrong answers in a row, so you are signed out. "
        "Sign in with your password to go on."
    )


def _note_use() -> None:
    """One try, as with the session itself: a busy database must not keep a customer waiting."""
    try:
        with work.transaction(db.session(), actor(), clock.now()) as unit:
            pins.note_use(unit, g.staff.session_id)
    except Busy:
        db.session.rollback()
