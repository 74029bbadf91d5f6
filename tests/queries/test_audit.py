"""Pages of the audit log: whatever it is narrowed to, a page is read along an index and nothing is sorted."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import event, insert, text

from tests.support.clock import NOW
from webapp.domain.audit import Event
from webapp.models import AuditEntry
from webapp.queries import audit as read
from webapp.queries.audit import Filters

EVENTS = (Event.PROFILE_CREATED, Event.SITE_CREATED, Event.GROUP_LEFT, Event.PROFILE_ERASED)
NARROWED = {
    "everything": Filters(),
    "a person": Filters(subject="profiles:3"),
    "people": Filters(group="profile"),
    "a rare kind": Filters(group="draw"),
    "an address": Filters(address="192.0.2.3"),
    "an actor": Filters(staff_id=1),
    "people from an address": Filters(group="profile", address="192.0.2.3"),
}


@pytest.fixture
def log(session, make):
    staff = [make.staff("editor").id for _ in range(2)]
    rows = [
        {
            "at": NOW + timedelta(seconds=number),
            "actor": "Ann Able",
            "staff_id": staff[number % 2],
            "address": f"192.0.2.{number % 7}",
            "event": EVENTS[number % 4],
            "subject": f"profiles:{number % 11}",
            "facts": {"person": str(number % 11), "title": "T", "place": "", "cleared": "it"},
        }
        for number in range(1_000)
    ]
    session.execute(insert(AuditEntry), rows)
    session.execute(text("analyze"))
    return staff


def pages(session, filters):
    """Every page from the newest to the oldest, as ids."""
    found, before = [], None
    while True:
        page = read.page(session, None, filters, before=before)
        found.append([row.id for row in page.rows])
        if page.older is None:
            return found
        before = page.older


@pytest.mark.parametrize("filters", NARROWED.values(), ids=NARROWED)
def test_pages_have_what_was_asked_for_the_newest_first(session, log, filters):
    wanted = [
        entry.id
        for entry in session.query(AuditEntry).order_by(AuditEntry.id.desc())
        if (not filters.subject or entry.subject == filters.subject)
        and (not filters.group or entry.event.partition(".")[0] == filters.group)
        and (not filters.address or entry.address == filters.address)
        and (filters.staff_id is None or entry.staff_id == filters.staff_id)
    ]
    found = pages(session, filters)
    assert [number for page in found for number in page] == wanted
    assert all(len(page) == read.PAGE for page in found[:-1])


@pytest.mark.parametrize("filters", NARROWED.values(), ids=NARROWED)
def test_a_page_is_read_along_an_index(session, log, filters, database):
    if database == "postgresql":
        session.execute(text("set local enable_seqscan = off"))  # a small table is read whole otherwise
        session.execute(text("set local enable_bitmapscan = off"))
    seen = []

    def note(_connection, _cursor, statement, parameters, *_rest):
        seen.append((statement, parameters))

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", note)
    read.page(session, None, filters, before=900)
    event.remove(connection, "before_cursor_execute", note)
    [(statement, parameters)] = seen
    explain = "explain query plan " if database == "sqlite" else "explain "
    plan = "\n".join(str(row) for row in connection.exec_driver_sql(explain + statement, parameters))
    assert "Seq Scan on" not in plan, plan
    assert re.search(r"SCAN audit_entries\b(?! USING)", plan) is None or filters == Filters(), plan
    if not filters.group:  # of several events, the first pages of each are put in order
        assert "TEMP B-TREE" not in plan, plan
