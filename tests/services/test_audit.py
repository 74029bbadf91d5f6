"""The chain of the audit log, and everything that may be done to it behind the program's back."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from tests.support.clock import NOW
from webapp.domain.audit import START, Event
from webapp.jobs import audit as job
from webapp.models import AuditEntry
from webapp.services import audit
from webapp.services.work import perform


def tell(session, actor, count, start=0):
    def act(work):
        for number in range(start, start + count):
            work.record(Event.SITE_CREATED, f"sites:{number}", title=f"Site «{number}» ünï")

    perform(session, actor, NOW + timedelta(seconds=start, microseconds=start), act)


def link(session, size=audit.CHUNK):
    class Sessions:
        """Lends the test's own session: leaving it must not close it."""

        def __enter__(self):
            return session

        def __exit__(self, *_):
            return None

    return job.run_due(Sessions, size=size)


def unguard(session):
    """What somebody with the database in their hands would do first."""
    for act in ("update", "delete"):
        on = "" if session.get_bind().dialect.name == "sqlite" else " ON audit_entries"
        session.execute(text(f"DROP TRIGGER guard_audit_entries_{act}{on}"))


def attack(session, statement):
    unguard(session)
    session.execute(text(statement))
    session.commit()
    return audit.verify(session)


def test_every_entry_gets_its_place_in_order(session, actor):
    tell(session, actor, 7)
    assert link(session, size=3) == 7
    rows = session.execute(select(AuditEntry.position, AuditEntry.previous, AuditEntry.digest).order_by(AuditEntry.id))
    previous = START
    for number, (position, before, digest) in enumerate(rows, 1):
        assert (position, before) == (number, previous)
        previous = digest
    found = audit.verify(session)
    assert (found.holds, found.head, found.waiting) == (True, audit.Head(7, previous), 0)


def test_linking_goes_on_where_it_stopped(session, actor):
    tell(session, actor, 2)
    assert link(session) == 2
    tell(session, actor, 3, start=2)
    assert audit.verify(session).waiting == 3
    assert link(session) == 3
    assert link(session) == 0
    assert audit.verify(session).holds


def test_an_empty_log_holds(session):
    assert audit.verify(session) == audit.Check(audit.Head(0, START), 0)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("update audit_entries set actor = 'Nobody' where position = 3", "Entry 3 was changed"),
        ('update audit_entries set facts = \'{"title": "X"}\' where position = 3', "Entry 3 was changed"),
        ("update audit_entries set subject = 'sites:99' where position = 5", "Entry 5 was changed"),
        ("update audit_entries set address = '10.0.0.9' where position = 1", "Entry 1 was changed"),
        ("delete from audit_entries where position = 3", "Entry 3 is missing"),
        ("delete from audit_entries where position in (2, 3)", "Entries 2 to 3 are missing"),
        ("delete from audit_entries where position = 1", "Entry 1 is missing"),
        (
            "update audit_entries set position = case position when 3 then 1004 else 1003 end where position in (3, 4)",
            "missing",
        ),
        (
            "insert into audit_entries (at, actor, address, event, subject, facts, position, previous, digest) "
            "select at, actor, address, event, subject, facts, 6, digest, 'not a digest of anything' "
            "from audit_entries where position = 5",
            "Entry 6 was changed",
        ),
    ],
    ids=["edit", "edit-facts", "edit-subject", "edit-address", "deletion", "two", "first", "reorder", "insertion"],
)
def test_what_was_done_to_the_log_is_found(session, actor, statement, says):
    tell(session, actor, 5)
    link(session)
    found = attack(session, statement)
    assert not found.holds
    assert says in " ".join(found.problems)


def test_an_edit_with_a_digest_to_match_breaks_the_next_link(session, actor):
    tell(session, actor, 4)
    link(session)
    unguard(session)
    session.execute(text("update audit_entries set actor = 'Nobody' where position = 2"))
    session.commit()
    session.expire_all()
    row = next(row for row in audit.read.linked(session) if row.position == 2)
    forged = audit.rules.chain(row.previous, audit.payload(row, 2))
    session.execute(text("update audit_entries set digest = :digest where position = 2"), {"digest": forged})
    session.commit()
    found = audit.verify(session)
    assert found.problems == ("Entry 3 does not stand on the one before it: one was taken out, put in or moved.",)


def test_a_cut_off_end_is_found_with_an_anchor_only(session, actor):
    tell(session, actor, 5)
    link(session)
    anchor = audit.verify(session).head
    assert attack(session, "delete from audit_entries where position > 3").holds
    found = audit.verify(session, [anchor])
    assert found.problems == ("The anchor names entry 5, but the log ends at 3: its end was cut off.",)


def test_a_log_rewritten_whole_is_found_with_an_anchor(session, actor):
    tell(session, actor, 3)
    link(session)
    assert audit.verify(session, [audit.verify(session).head]).holds
    found = audit.verify(session, [audit.Head(2, "a" * 64)])
    assert found.problems == ("Entry 2 is not the one the anchor names: the log before it was rewritten.",)
