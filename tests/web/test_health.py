"""Addresses for monitors."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from tests.support.clock import NOW
from webapp.domain.health import HealthFacts, unready
from webapp.models import Lease
from webapp.queries import health
from webapp.services import leases

WELL = HealthFacts("0002", NOW, None)
PLENTY = 10**10


def test_the_process_answers_without_the_database(anonymous):
    assert anonymous.get("/healthz").text == "ok"
    assert anonymous.statements == []


def test_a_server_with_a_scheduler_that_beats_is_ready(anonymous, make):
    make.add(Lease(name="scheduler", owner="x", until=NOW + health.SCHEDULER_LEASE))
    assert anonymous.get("/readyz").text == "ok"


def test_strangers_learn_only_that_it_is_not_ready_and_administrators_why(anonymous, signed_in):
    assert anonymous.get("/readyz", 503).text == "not ready"
    assert "The scheduler has never run." in signed_in("administrator").get("/readyz", 503).text


def test_a_database_that_cannot_be_written_to_is_not_ready(anonymous, make, monkeypatch):
    make.add(Lease(name="scheduler", owner="x", until=NOW + health.SCHEDULER_LEASE))

    def fail(*_arguments: object) -> bool:
        raise OperationalError("update", {}, Exception("database or disk is full"))

    monkeypatch.setattr(leases, "take", fail)
    assert anonymous.get("/readyz", 503).text == "not ready"


@pytest.mark.parametrize(
    ("facts", "free", "mail", "reason"),
    [
        (HealthFacts("0001", NOW, None), PLENTY, True, "The database is at schema 0001, the program at 0002."),
        (HealthFacts(None, NOW, None), PLENTY, True, "The database is at schema none"),
        (HealthFacts("0002", None, None), PLENTY, True, "never run"),
        (
            HealthFacts("0002", NOW - timedelta(seconds=121), None),
            PLENTY,
            True,
            "last heard of at 2026-03-02 08:57:59 UTC",
        ),
        (HealthFacts("0002", NOW, NOW - timedelta(minutes=11)), PLENTY, True, "waited since 2026-03-02 08:49 UTC"),
        (WELL, 499 * 2**20, True, "Only 499 MB"),
    ],
)
def test_each_fault_is_a_reason(facts, free, mail, reason):
    [found] = unready(facts, NOW, head="0002", free_bytes=free, sends_mail=mail)
    assert reason in found


@pytest.mark.parametrize(
    ("facts", "mail"),
    [
        (WELL, True),
        (HealthFacts("0002", NOW - timedelta(seconds=120), None), True),
        (HealthFacts("0002", NOW, NOW - timedelta(minutes=10)), True),
        (HealthFacts("0002", NOW, NOW - timedelta(days=1)), False),
    ],
)
def test_what_is_within_bounds_is_ready(facts, mail):
    assert unready(facts, NOW, head="0002", free_bytes=PLENTY, sends_mail=mail) == ()
