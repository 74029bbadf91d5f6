"""Sessions of staff: signing in and out, the password given again, tokens renewed, browsers signed out from afar."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, update
from sqlalchemy.orm import Session

from webapp.domain import staff as rules
from webapp.domain.audit import Event
from webapp.domain.errors import Refused
from webapp.models import SignInAttempt, StaffSession
from webapp.queries import staff as read
from webapp.services import passwords
from webapp.services.work import Work, changed_rows


class TooManyTries(Refused):
    """Sign-in has to wait: ``seconds`` until the next try is let through."""

    def __init__(self, seconds: int) -> None:
        minutes = max(1, -(-seconds // 60))
        super().__init__(
            "sign_in.wait",
            f"There were too many tries to sign in. Wait {minutes} minute{'s' if minutes > 1 else ''}, then try again; "
            "the account is not locked.",
        )
        self.seconds = seconds


def token_hash(token: str) -> str:
    """What the database keeps of a session or invitation token: SHA-256 in hex (reliability.md 6.2)."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


# Signing in: admit (counts the try) → recognise (hashes, outside any transaction) → sign_in (writes the session).


@dataclass(frozen=True, slots=True)
class AdmitTry:
    email: str
    address: str


def admit(work: Work, command: AdmitTry) -> int:
    """Count one try before any hashing; ``TooManyTries`` when the account, the address or all are over the limit."""
    since = work.now - rules.WINDOW
    email = rules.normalise(command.email)[:254]
    limits: tuple[tuple[int, dict[str, str]], ...] = (
        (rules.TRIES_PER_ACCOUNT, {"email": email}),
        (rules.TRIES_PER_ADDRESS, {"address": command.address}),
        (rules.TRIES_OVERALL, {}),
    )
    waits = [at + rules.WINDOW for limit, which in limits if (at := read.tries(work.session, since, limit, **which))]
    if waits:
        raise TooManyTries(-int((work.now - max(waits)).total_seconds() // 1))
    work.session.execute(delete(SignInAttempt).where(SignInAttempt.at < since))
    attempt = SignInAttempt(at=work.now, email=email, address=command.address)
    work.session.add(attempt)
    work.session.flush()
    return attempt.id


def recognise(session: Session, email: str, password: str) -> read.Credentials | None:
    """Whose address and password these are; the same work is done for unknown addresses."""
    found = read.credentials(session, rules.normalise(email))
    session.rollback()  # no snapshot is held while the processor is busy
    is_right = passwords.matches(found.password_hash if found else None, password)
    return found if is_right else None


@dataclass(frozen=True, slots=True)
class StartSession:
    """``attempts`` are the tries that succeeded and so no longer count."""

    staff_id: int
    token_hash: str
    address: str = ""
    browser: str = ""
    attempts: tuple[int, ...] = ()


def sign_in(work: Work, command: StartSession) -> StaffSession:
    """Open a session under a new token; the account must still be active."""
    member = read.get(work.session, command.staff_id)
    if not member.is_active:
        raise Refused("sign_in.wrong", "This account is disabled; ask an administrator.")
    row = StaffSession(
        token_hash=command.token_hash,
        staff_id=member.id,
        created_at=work.now,
        seen_at=work.now,
        expires_at=work.now + rules.LONGEST,
        confirmed_at=work.now,
        till_seen_at=work.now if rules.is_of_till(map(read.grant_of, member.grants)) else None,
        address=command.address[:64],
        browser=command.browser[:200],
    )
    work.session.add(row)
    forgive(work, command.attempts)
    work.record(Event.STAFF_SIGNED_IN, member)
    return row


def forgive(work: Work, attempts: Iterable[int]) -> None:
    """Tries that succeeded do not count as failed."""
    work.session.execute(delete(SignInAttempt).where(SignInAttempt.id.in_(tuple(attempts))))


def touch(work: Work, session_id: int) -> None:
    """Note that the session is in use, at most once a minute."""
    work.session.execute(
        update(StaffSession)
        .where(StaffSession.id == session_id, StaffSession.seen_at <= work.now - rules.SEEN_EVERY)
        .values(seen_at=work.now)
    )


def sign_out(work: Work, session_id: int) -> None:
    """End one session for good."""
    ended = work.session.execute(
        update(StaffSession)
        .where(StaffSession.id == session_id, StaffSession.ended_at.is_(None))
        .values(ended_at=work.now)
        .returning(StaffSession.staff_id)
    ).scalar_one_or_none()
    if ended is not None:
        work.record(Event.STAFF_SIGNED_OUT, f"staff_members:{ended}")


def note_refusal(work: Work, what: str) -> None:
    """Somebody signed in asked for something their roles do not allow (ASVS 16.3.2)."""
    work.record(Event.STAFF_REFUSED, f"staff_members:{work.actor.staff_id}", what=what)


@dataclass(frozen=True, slots=True)
class RenewToken:
    """``had`` and ``token_hash`` are the SHA-256 of the token so far and of the one that takes its place."""

    session_id: int
    had: str
    token_hash: str


def renew(work: Work, command: RenewToken) -> bool:
    """Put the session under its new token; False when a request beside this one did it first."""
    statement = (
        update(StaffSession)
        .where(StaffSession.id == command.session_id, StaffSession.token_hash == command.had)
        .values(token_hash=command.token_hash, needs_new_token=False)
    )
    return changed_rows(work.session, statement) == 1


@dataclass(frozen=True, slots=True)
class ConfirmSession:
    """The password was right; ``what`` is the act it was asked for, ``attempts`` the tries it took."""

    renewal: RenewToken
    what: str
    attempts: tuple[int, ...] = ()


def confirm(work: Work, command: ConfirmSession) -> bool:
    """Note that the person is there, under a new token; acts that need a password go on for ten minutes."""
    won = renew(work, command.renewal)
    work.session.execute(
        update(StaffSession).where(StaffSession.id == command.renewal.session_id).values(confirmed_at=work.now)
    )
    forgive(work, command.attempts)
    work.record(Event.STAFF_CONFIRMED, f"staff_members:{work.actor.staff_id}", what=command.what)
    return won


def end(work: Work, session_id: int) -> int:
    """Sign the actor out of one browser; ``NotFound`` for a session that is not theirs or is over."""
    read.open_session(work.session, work.actor.staff_id or 0, session_id, work.now)
    return _end(work, StaffSession.id == session_id)


def end_others(work: Work, session_id: int) -> int:
    """Sign the actor out of every browser but the one of ``session_id``; gives how many those were."""
    return _end(work, StaffSession.id != session_id)


def _end(work: Work, which: ColumnElement[bool]) -> int:
    count = close(work, which)
    if count:
        work.record(Event.STAFF_SESSIONS_ENDED, f"staff_members:{work.actor.staff_id}", sessions=count)
    return count


def close(work: Work, which: ColumnElement[bool]) -> int:
    """End the sessions of the actor that ``which`` names, and say nothing."""
    return changed_rows(
        work.session,
        update(StaffSession)
        .where(StaffSession.staff_id == work.actor.staff_id, StaffSession.ended_at.is_(None), which)
        .values(ended_at=work.now),
    )
