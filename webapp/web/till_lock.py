"""The lock of the till: who it asks, for what, and what a right or a wrong answer leads to."""

from __future__ import annotations

from flask import abort, g, request

from webapp.adapters import clock
from webapp.domain import till_lock as rules
from webapp.domain.errors import Busy, Refused
from webapp.extensions import db
from webapp.queries import staff as read
from webapp.services import passwords, work
from webapp.services import staff_pins as pins
from webapp.web.access import actor
from webapp.web.proofs import AGAIN


def is_locked() -> bool:
    """Whether this request has to give a PIN first; ``Refused`` when the one it brings is not right."""
    now = clock.now()
    if not rules.is_locked(g.staff.till_seen_at, now):
        _note_use()
        return False
    given = request.form.get(AGAIN)
    if given is None:
        return True
    _prove(given)
    return False


def asks_for_pin() -> bool:
    """Whether there is a PIN to ask for; without one it is the password."""
    return read.pin_hash(db.session(), g.staff.id) is not None


def _prove(given: str) -> None:
    number = work.perform(db.session(), actor(), clock.now(), lambda w: pins.admit(w, g.staff.session_id))
    if not number:
        _turn_out()
    stored, what = read.pin_hash(db.session(), g.staff.id), "PIN"
    if stored is None:
        stored, what = _password_hash(), "password"
    db.session.rollback()  # no snapshot is held while the processor is busy
    if passwords.matches(stored, given):
        work.perform(db.session(), actor(), clock.now(), lambda w: pins.open_till(w, g.staff.session_id))
        return
    command = pins.NoteWrong(g.staff.session_id, what, number)
    if work.perform(db.session(), actor(), clock.now(), lambda w: pins.note_wrong(w, command)):
        _turn_out()
    left = rules.WRONG_PROOFS - number
    raise Refused(
        "till.wrong",
        f"This is not your {what}. After {left} more wrong one{'s' if left > 1 else ''} you are signed out.",
    )


def _password_hash() -> str | None:
    found = read.credentials(db.session(), g.staff.email)
    return found.password_hash if found else None


def _turn_out() -> None:
    """The session is over: to the sign-in page, which keeps what was typed."""
    g.new_token = ""
    abort(401)


def _note_use() -> None:
    """One try, as with the session itself: a busy database must not keep a customer waiting."""
    last, now = g.staff.till_seen_at, clock.now()
    if last is not None and now - last < rules.SEEN_EVERY:
        return
    try:
        with work.transaction(db.session(), actor(), now) as unit:
            pins.note_use(unit, g.staff.session_id)
    except Busy:
        db.session.rollback()
