"""13.8 «exactly once» and «crash restart» for webhooks, with real commits, real requests and a real kill."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session
from standardwebhooks import Webhook

from tests.factories import Factories
from tests.support.processes import tied
from tests.support.run import ROOT
from tests.support.webhook_secrets import SECRETS
from webapp.adapters import clock
from webapp.adapters.engines import engine_options
from webapp.adapters.webhooks import HttpPoster
from webapp.domain.notices import NoticeStatus
from webapp.domain.outbox import OutboxStatus
from webapp.jobs import notices as sweep
from webapp.jobs import webhooks
from webapp.models import Notice, OutboxMessage, Target
from webapp.services import outbox

DUE, THREADS = 100, 4
HERE = HttpPoster(frozenset({"127.0.0.1"}))
# Posts what is due; kills itself right after the request with this number was answered, before that is written down.
SENDER = """
import os, signal, sys
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from tests.support.webhook_secrets import SECRETS
from webapp.adapters.engines import engine_options
from webapp.adapters.webhooks import HttpPoster
from webapp.jobs import notices, webhooks
url, fatal = sys.argv[1], int(sys.argv[2])
engine = create_engine(url, **engine_options(url, threads=1))
here, seen = HttpPoster(frozenset({"127.0.0.1"})), []
class Poster:
    def post(self, delivery, now):
        answer = here.post(delivery, now)
        seen.append(delivery.id)
        if len(seen) == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer
sessions = lambda: Session(engine, expire_on_commit=False)
notices.run_due(sessions)
webhooks.run_due(sessions, Poster(), SECRETS, f"sender-{os.getpid()}")
"""


@pytest.fixture
def due(own_database, receiver):
    """A hundred notices of a webhook that are due now; gives the way to sessions."""
    engine = create_engine(own_database, **engine_options(own_database, threads=THREADS))

    def sessions():
        return Session(engine, expire_on_commit=False)

    now = clock.now()
    with sessions() as session:
        make = Factories(session)
        definition, person = make.benefit_definition(), make.profile()
        target = make.webhook(receiver.url, site_id=definition.site_id)
        for _ in range(DUE):
            make.notice(make.benefit(definition, person, issued_at=now), target, due_at=now)
    yield sessions
    engine.dispose()


def states(sessions):
    with sessions() as session:
        counts = select(Notice.status, func.count()).group_by(Notice.status)
        return {row[0]: row[1] for row in session.execute(counts)}


def test_13_8_exactly_once(due, receiver):
    """Four senders at once: one request for each row, and each verifies."""
    start = Barrier(THREADS)

    def run(number):
        start.wait()
        sweep.run_due(due)
        return webhooks.run_due(due, HERE, SECRETS, f"sender-{number}")

    with ThreadPoolExecutor(THREADS) as pool:
        taken = sum(pool.map(run, range(THREADS)))
    taken += webhooks.run_due(due, HERE, SECRETS, "the last")  # what was planned after a sender had looked
    assert (taken, len(receiver.got)) == (DUE, DUE)
    assert set(Counter(receiver.ids).values()) == {1}
    assert states(due) == {NoticeStatus.SENT: DUE}
    with due() as session:
        target = session.scalars(select(Target)).one()
    check = Webhook(SECRETS.open(target.name, target.secret))
    assert all(check.verify(got.body, got.headers)["to"] for got in receiver.got)


def test_13_8_exactly_once_of_two_processes(due, receiver, own_database):
    """Both look at the same hundred rows and post until nothing is left."""
    run = tied(sys.executable, "-c", SENDER, own_database, "0")
    both = [subprocess.Popen(run, cwd=ROOT, stderr=subprocess.PIPE) for _ in range(2)]
    said = [process.communicate(timeout=60)[1].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    webhooks.run_due(due, HERE, SECRETS, "the last")  # what was planned after a sender had looked
    assert (len(receiver.got), set(Counter(receiver.ids).values())) == (DUE, {1})
    assert states(due) == {NoticeStatus.SENT: DUE}


def test_the_twin_without_a_guard_sends_twice(due, receiver, monkeypatch):
    """Were a claim only a look, every sender would send everything."""
    sweep.run_due(due)
    start = Barrier(THREADS)

    def look(work, _owner, _size, _way, _silent):
        found = work.session.execute(
            select(*outbox._COLUMNS).where(OutboxMessage.status == OutboxStatus.QUEUED).order_by(OutboxMessage.id)
        )
        return [outbox.Claimed(*row) for row in found]

    monkeypatch.setattr(outbox, "claim", look)
    monkeypatch.setattr(outbox, "sent", lambda *_: None)

    def run(number):
        round_ = webhooks.Round(due, send, f"sender-{number}", outbox.Way.WEBHOOK)
        batch = round_._claim()
        start.wait()
        round_._deliver(batch)

    def send(message, now):
        return HERE.post(webhooks._delivery(due, SECRETS, message), now)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(run, range(THREADS)))
    assert set(Counter(receiver.ids).values()) == {THREADS}


def test_13_8_crash_restart(due, receiver, own_database, monkeypatch):
    """Killed between an answer and its commit: all hundred arrive, and what comes twice comes under the same id."""
    fatal = 47
    sweep.run_due(due)
    killed = subprocess.run(
        tied(sys.executable, "-c", SENDER, own_database, str(fatal)), cwd=ROOT, capture_output=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert len(receiver.got) == fatal
    assert webhooks.run_due(due, HERE, SECRETS, "second") == DUE - 60  # three batches were claimed
    later = clock.now() + timedelta(seconds=61)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert webhooks.run_due(due, HERE, SECRETS, "second") == 60 - (fatal - 1)
    assert states(due) == {NoticeStatus.SENT: DUE}
    ids = Counter(receiver.ids)
    assert (len(ids), sorted(ids.values())) == (DUE, [1] * (DUE - 1) + [2])
    twice = [got.body for got in receiver.got if ids[got.id] == 2]
    assert twice[0] == twice[1]
