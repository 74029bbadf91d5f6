"""The PIN of the till: set, removed, and the lock it opens; tries are counted before anything is hashed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import or_, update

from webapp.domain import till_lock as rules
from webapp.domain.audit import Event
from webapp.models import StaffMember, StaffSession
from webapp.queries import staff as read
from webapp.services import staff_sessions as sessions
from webapp.services.work import Work, changed_rows


@dataclass(frozen=True, slots=True)
class SetPin:
    """``pin_hash`` None removes the PIN; ``attempts`` are the tries of the password it took."""

    staff_id: int
    pin_hash: str | None
    attempts: tuple[int, ...] = ()


def set_pin(work: Work, command: SetPin) -> StaffMember:
    """Keep the hash of the PIN, or forget it; the till asks for the password then."""
    member = read.get(work.session, command.staff_id)
    sessions.forgive(work, command.attempts)
    if command.pin_hash or member.pin_hash:
        work.record(Event.STAFF_PIN_SET if command.pin_hash else Event.STAFF_PIN_REMOVED, member)
    member.pin_hash = command.pin_hash
    return member


def note_use(work: Work, session_id: int) -> None:
    """The till of this session is in use; written every few seconds at most."""
    last = StaffSession.till_seen_at
    work.session.execute(
        update(StaffSession)
        .where(StaffSession.id == session_id, or_(last.is_(None), last <= work.now - rules.SEEN_EVERY))
        .values(till_seen_at=work.now)
    )


def admit(work: Work, session_id: int) -> int:
    """The number of this try, counted before the hash is worked out; 0 when there is none left."""
    count = StaffSession.wrong_proof_count
    return (
        work.session.execute(
            update(StaffSession)
            .where(StaffSession.id == session_id, StaffSession.ended_at.is_(None), count < rules.WRONG_PROOFS)
            .values(wrong_proof_count=count + 1)
            .returning(count)
        ).scalar_one_or_none()
        or 0
    )


def open_till(work: Work, session_id: int, attempts: tuple[int, ...] = ()) -> bool:
    """The right answer: the till goes on, and the wrong ones are forgotten; False when the session is over."""
    sessions.forgive(work, attempts)
    statement = (
        update(StaffSession)
        .where(StaffSession.id == session_id, StaffSession.ended_at.is_(None))
        .values(seen_at=work.now, till_seen_at=work.now, wrong_proof_count=0)
    )
    return changed_rows(work.session, statement) == 1


@dataclass(frozen=True, slots=True)
class NoteWrong:
    """``what`` was asked for, the PIN or the password; ``number`` counts the wrong ones in a row."""

    session_id: int
    what: str
    number: int


def note_wrong(work: Work, command: NoteWrong) -> bool:
    """Keep that it was wrong; the fifth in a row ends the session, and True says so."""
    work.record(Event.STAFF_PROOF_WRONG, _who(work), what=command.what, number=command.number)
    if command.number < rules.WRONG_PROOFS:
        return False
    turn_out(work, command.session_id)
    return True


def turn_out(work: Work, session_id: int) -> None:
    """End a session whose till has no try left."""
    statement = (
        update(StaffSession)
        .where(StaffSession.id == session_id, StaffSession.ended_at.is_(None))
        .values(ended_at=work.now)
    )
    if changed_rows(work.session, statement):
        work.record(Event.STAFF_TILL_ENDED, _who(work), number=rules.WRONG_PROOFS)


def _who(work: Work) -> str:
    return f"staff_members:{work.actor.staff_id}"
