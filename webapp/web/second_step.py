"""Signing in, step by step: the password, then the code of an authenticator where there is one."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from flask import current_app, session

from webapp.adapters import clock
from webapp.config import Settings
from webapp.domain import ciphers
from webapp.domain import second_factor as rules
from webapp.domain import staff as staff_rules
from webapp.domain.errors import Refused
from webapp.domain.identity import Actor
from webapp.extensions import db
from webapp.queries import staff as read
from webapp.services import staff_second_factor as second_factor
from webapp.services import work
from webapp.web import authentication

_WAITING = "second_step"  # where the half-done sign-in waits: a signed cookie, good for five minutes


@dataclass(frozen=True, slots=True)
class _Waiting:
    person: read.SecondFactor
    attempt: int


def sign_in(email: str, password: str) -> bool:
    """Take the first step; True when that was all, False when a code is still to come.

    The try goes on counting until the code is right: whoever only has a password has ten tries like anybody else.
    """
    found, attempt = authentication.recognise(email, password)
    return _enter_or_wait(found.staff_id, found.name, attempt, has_second_factor=found.has_second_factor)


def take_up(token: str, name: str | None, password: str) -> bool:
    """Take up an invitation; a link for a forgotten password does not stand in for the second factor."""
    member = authentication.take_up(token, name, password)
    return _enter_or_wait(member.id, member.name, 0, has_second_factor=member.totp_since is not None)


def _enter_or_wait(staff_id: int, name: str, attempt: int, *, has_second_factor: bool) -> bool:
    if not has_second_factor:
        authentication.enter(staff_id, name, (attempt,))
        return True
    person = read.second_factor(db.session(), staff_id)
    session[_WAITING] = [staff_id, clock.now().isoformat(), attempt, _proof(person)]
    return False


def is_waiting() -> bool:
    """Whether somebody has given the password here and owes the code."""
    return _waiting() is not None


def finish(code: str) -> None:
    """Open the session of whoever waits; ``Refused`` when the code is not right, ``TooManyTries`` after ten."""
    waiting = _waiting()
    if waiting is None:
        raise Refused("second_step.late", "This took longer than five minutes. Sign in with the password again.")
    person = waiting.person
    attempt = authentication.admit(person.email)
    actor = Actor(person.name, person.staff_id, address=authentication.address())
    if rules.is_recovery(code):
        hashed = rules.recovery_hash(code)
        work.perform(
            db.session(), actor, clock.now(), lambda w: second_factor.use_recovery_code(w, person.staff_id, hashed)
        )
    else:
        step = step_of(person, code)
        if step is None:
            raise second_factor.wrong()
        work.perform(db.session(), actor, clock.now(), lambda w: second_factor.use_code(w, person.staff_id, step))
    session.pop(_WAITING, None)
    authentication.enter(person.staff_id, person.name, (waiting.attempt, attempt))


def step_of(person: read.SecondFactor, code: str) -> int | None:
    """The time step whose code this is; None for a wrong or used one, and when the secret cannot be opened any more."""
    try:
        secret = ciphers.unseal(key(), context(person.staff_id), person.sealed)
    except ciphers.Unopenable:
        return None
    return rules.step_of(secret, code, clock.now(), person.last_step)


def key() -> bytes:
    """What second factors are enciphered with at rest."""
    settings: Settings = current_app.extensions["largesse"]
    return ciphers.key(settings.secret_key, "second factor")


def context(staff_id: int) -> str:
    """Whose secret it is: one copied to another account does not open there."""
    return f"staff_members:{staff_id}"


def _waiting() -> _Waiting | None:
    kept = session.get(_WAITING)
    if kept is None:
        return None
    staff_id, at, attempt, proof = kept
    person = read.second_factor(db.session(), staff_id)
    is_late = clock.now() - datetime.fromisoformat(at) > staff_rules.WINDOW
    if person is None or person.since is None or is_late or not hmac.compare_digest(proof, _proof(person)):
        return None
    return _Waiting(person, attempt)


def _proof(person: read.SecondFactor | None) -> str:
    """Changes with the password: half a sign-in is worth nothing after that."""
    known = (person.password_hash or "") if person else ""
    return hmac.new(key(), f"password: {known}".encode(), sha256).hexdigest()
