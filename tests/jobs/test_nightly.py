"""13.5 «reconcile» as it happens by itself: the check of every night, and what it finds under Today."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from tests.support.clock import NOW
from tests.support.jobs import run_jobs
from webapp.domain.jobs import JobStatus
from webapp.jobs import nightly
from webapp.models import Benefit, Job

MIDNIGHT = datetime(2026, 3, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "zone", "at"),
    [
        (MIDNIGHT + timedelta(hours=3), "UTC", MIDNIGHT + timedelta(hours=3)),
        (MIDNIGHT + timedelta(hours=2, minutes=59), "UTC", MIDNIGHT - timedelta(hours=21)),
        (MIDNIGHT, "Australia/Melbourne", MIDNIGHT - timedelta(hours=8)),
        (datetime(2026, 3, 29, 12, tzinfo=UTC), "Europe/London", datetime(2026, 3, 29, 2, tzinfo=UTC)),
    ],
)
def test_the_night_is_that_of_the_first_site(now, zone, at):
    assert nightly.last_night(now, zone) == at


@pytest.fixture
def sessions(session):
    """The beat works in sessions of its own; here they are the one of the test."""

    class Same:
        def __enter__(self):
            return session

        def __exit__(self, *_fault):
            session.rollback()

    return Same


def checks(session):
    session.expire_all()
    return session.scalars(select(Job).where(Job.kind == nightly.KIND).order_by(Job.id)).all()


def test_it_is_queued_once_a_night_and_not_before_the_first(session, sessions, make, moment):
    make.site(timezone="UTC")
    session.commit()
    assert nightly.run_due(sessions) == 0, "there was no site that night"
    moment.forward(days=1)
    assert [nightly.run_due(sessions) for _ in range(3)] == [1, 0, 0]
    moment.forward(hours=23)
    assert nightly.run_due(sessions) == 1, "three o'clock has passed again"
    run_jobs(session)
    assert {job.status for job in checks(session)} == {JobStatus.DONE}
    assert "promises kept" in checks(session)[0].message


def test_without_a_site_nothing_is_checked(session, sessions):
    assert nightly.run_due(sessions) == 0


def test_13_5_reconcile_a_counter_tampered_with_fails_the_check_with_both_numbers(
    session, sessions, make, moment, signed_in
):
    benefit = make.benefit(max_redemptions=5)
    session.commit()
    moment.forward(days=1)
    session.execute(update(Benefit).where(Benefit.id == benefit.id).values(redeemed_count=3))
    session.commit()
    nightly.run_due(sessions)
    run_jobs(session)
    (job,) = checks(session)
    assert job.status is JobStatus.FAILED
    assert f"Broken by: {benefit.id}:3:0." in job.error
    moment.now = NOW
    assert f"{benefit.id}:3:0" in signed_in("administrator").get(f"/jobs/{job.id}").text
