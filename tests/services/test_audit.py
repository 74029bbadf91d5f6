"""The chain of the audit log, and everything that may be done to it behind the program's back."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from tests.support.clock import NOW
from webapp.domain.audit import START, Event
from webapp.jobs import anchors
from webapp.jobs import audit as job
from webapp.models import AccountSettings, AuditEntry, OutboxMessage
from webapp.services import audit
from webapp.services.work import perform


def tell(session, actor, count, start=0):
    def act(work):
        for number in range(start, start + count):
            work.record(Event.SITE_CREATED, f"sites:{number}", title=f"Site «{number}» ünï")

    perform(session, actor, NOW + timedelta(seconds=start, microseconds=start), act)


class Sessions:
    """Lends the test's own session: leaving it must not close it."""

    def __init__(self, session):
        self.session = session

    def __call__(self):
        return self

    def __enter__(self):
        return self.session

    def __exit__(self, *_):
        return None


def link(session, size=audit.CHUNK):
    return job.run_due(Sessions(session), size=size)


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


def recompute(session, start):
    """What somebody with the program at hand would do: every link anew from ``start`` on, so that the chain holds."""
    session.expire_all()
    previous = None
    for row in list(audit.read.linked(session)):
        if row.position >= start:
            digest = audit.rules.chain(previous, audit.payload(row, row.position))
            session.execute(
                text("update audit_entries set previous = :p, digest = :d where position = :n"),
                {"p": previous, "d": digest, "n": row.position},
            )
            previous = digest
        else:
            previous = row.digest
    session.commit()


def test_p23_a_log_recomputed_from_an_edit_on_holds_until_an_anchor_is_asked(session, actor):
    tell(session, actor, 6)
    link(session)
    anchor = audit.verify(session).head
    unguard(session)
    session.execute(text("update audit_entries set actor = 'Nobody' where position = 3"))
    session.execute(text("update audit_entries set previous = null where position >= 3"))
    session.commit()
    recompute(session, 3)
    assert audit.verify(session).holds
    found = audit.verify(session, [anchor])
    assert found.problems == ("Entry 6 is not the one the anchor names: the log before it was rewritten.",)


def anchor(session, actor, *emails):
    return perform(session, actor, NOW, lambda work: audit.anchor_by_mail(work, emails))


def test_the_end_is_told_once_to_everybody_who_is_to_have_it(session, actor):
    assert anchor(session, actor, "auditor@example.org") is None
    tell(session, actor, 3)
    link(session)
    head = anchor(session, actor, "auditor@example.org", "board@example.org")
    assert head == audit.verify(session).head
    assert anchor(session, actor, "auditor@example.org") is None
    letters = session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).all()
    assert [letter.recipient for letter in letters] == ["auditor@example.org", "board@example.org"]
    assert {letter.subject for letter in letters} == {f"largesse-audit 3 {head.digest}"}
    assert audit.rules.read_anchors(letters[0].body) == [(3, head.digest)]
    (row,) = audit.read.anchors(session)
    assert (row.position, row.digest, row.place) == (3, head.digest, "mail to auditor@example.org, board@example.org")


def test_what_the_database_remembers_of_its_anchors_is_looked_at_too(session, actor):
    tell(session, actor, 5)
    link(session)
    anchor(session, actor, "auditor@example.org")
    found = attack(session, "delete from audit_entries where position > 3")
    assert found.problems == ("The anchor names entry 5, but the log ends at 3: its end was cut off.",)


def test_the_hour_and_a_log_that_moved_are_waited_for(session, actor, moment):
    def tick():
        return anchors.run_due(Sessions(session))

    tell(session, actor, 2)
    link(session)
    assert tick() == 0  # nobody is to have it
    session.add(AccountSettings(id=1, anchor_emails="auditor@example.org"))
    session.commit()
    assert tick() == 1
    tell(session, actor, 1, start=2)
    link(session)
    assert tick() == 0  # told within the hour
    moment.forward(hours=1)
    assert tick() == 1
    moment.forward(hours=2)
    assert tick() == 0  # nothing moved
    assert [row.position for row in audit.read.anchors(session)] == [3, 2]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("3 " + "a" * 64, [(3, "a" * 64)]),
        ("# noted\n\nlargesse-audit 3 " + "a" * 64 + "\nlargesse-audit 9 " + "b" * 64, [(3, "a" * 64), (9, "b" * 64)]),
        ("Subject: x\nTo: y\n\nlargesse-audit 3 " + "a" * 64 + "\r\n\r\nThis is where it ended.", [(3, "a" * 64)]),
        ("", []),
    ],
)
def test_anchors_are_read_from_lists_and_from_messages(lines, expected):
    assert audit.rules.read_anchors(lines) == expected


@pytest.mark.parametrize("lines", ["hello", "largesse-audit 3 abc", "x\nlargesse-audit 3", "3 " + "A" * 64])
def test_a_line_that_should_be_an_anchor_and_is_none_is_named(lines):
    with pytest.raises(ValueError, match="is not «position digest»"):
        audit.rules.read_anchors(lines)
