"""What one test commits, the next does not see; what a refusal rolls back, nobody sees."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from tests.factories import NOW
from webapp.domain.audit import FACTS, Event
from webapp.domain.identity import SYSTEM
from webapp.models import AuditEntry, Site
from webapp.services.work import transaction


def commit_something(session, make):
    site = make.site(name="the-same-every-time")
    with transaction(session, SYSTEM, NOW) as work:
        site.title = "Changed"
        work.record(Event.SITE_CHANGED, site, **dict.fromkeys(FACTS[Event.SITE_CHANGED], "x"))
    return session.scalar(select(func.count()).select_from(AuditEntry)), session.scalars(select(Site.title)).all()


def test_what_is_committed_stays(session, make):
    assert commit_something(session, make) == (1, ["Changed"])


def test_the_next_test_sees_nothing_of_it(session, make):
    assert commit_something(session, make) == (1, ["Changed"])


def test_a_rolled_back_transaction_leaves_what_the_test_made(session, make):
    site = make.site()

    def break_off():
        with transaction(session, SYSTEM, NOW):
            site.title = "Never"
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    session.expire_all()
    assert session.scalars(select(Site.title)).all() == [site.title] != ["Never"]


def test_a_broken_statement_does_not_spoil_the_test(session, make):
    make.site(name="taken")
    with pytest.raises(IntegrityError):
        make.site(name="taken")
    session.rollback()
    assert make.site(name="free").id


def test_the_database_is_the_one_asked_for(session, database):
    assert session.get_bind().dialect.name == database
    assert session.scalar(text("select 1")) == 1


def test_databases_of_ones_own_are_apart(new_database, fresh_database, own_database):
    assert len({new_database(), fresh_database, own_database}) == 3
