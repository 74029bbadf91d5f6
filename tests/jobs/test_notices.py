"""13.8 «exactly once», «crash restart», «edit definition»: the sweep, its rivals, its end in the middle, and planning anew."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import create_engine, func, select, update
from sqlalchemy.orm import Session

from tests.factories import Factories
from tests.support.clock import NOW
from tests.support.jobs import run_jobs
from webapp.adapters.engines import engine_options
from webapp.domain.errors import DomainError
from webapp.domain.identity import SYSTEM
from webapp.domain.notices import NoticeStatus, Skip
from webapp.jobs import notices as sweep
from webapp.models import Notice, OutboxMessage
from webapp.queries import notices as read
from webapp.services import notices
from webapp.services.notices import sending
from webapp.services.work import Work, perform

THREADS, DUE = 4, 60


@pytest.fixture
def due(own_database):
    """Sixty notices that are due, on a database whose commits are real; gives its address."""
    engine = create_engine(own_database, **engine_options(own_database, threads=1))
    with Session(engine, expire_on_commit=False) as session:
        make = Factories(session)
        definition, target, person = make.benefit_definition(), make.target(), make.profile()
        for _ in range(DUE):
            make.notice(make.benefit(definition, person), target)
    engine.dispose()
    return own_database


def together(url, act):
    """`act` on every thread until nothing is due; how often each answer came."""
    engine = create_engine(url, **engine_options(url, threads=THREADS))
    start = Barrier(THREADS)

    def run(_number):
        with Session(engine, expire_on_commit=False) as session:
            start.wait()
            try:
                while perform(session, SYSTEM, NOW, act):
                    pass
            except DomainError as refusal:
                return refusal.code
        return "done"

    try:
        with ThreadPoolExecutor(THREADS) as pool:
            return Counter(pool.map(run, range(THREADS)))
    finally:
        engine.dispose()


def written(url):
    """How many messages were written for each notice."""
    engine = create_engine(url, **engine_options(url, threads=1))
    with Session(engine) as session:
        keys = session.scalars(select(OutboxMessage.dedupe_key)).all()
    engine.dispose()
    return Counter(key.split(":")[1] for key in keys)


def test_13_8_exactly_once(due):
    assert together(due, lambda work: notices.send_some(work, 7)) == {"done": THREADS}
    found = written(due)
    assert (len(found), set(found.values())) == (DUE, {1})


def test_the_twin_that_does_not_ask_again_sends_twice(due, monkeypatch):
    """Without its guard, and without the unique key of the outbox, every sender sends everything."""
    start = Barrier(THREADS)

    def take(work: Work, _size: int) -> list[int]:
        ids = list(work.session.scalars(select(Notice.id).order_by(Notice.id)))
        work.session.rollback()
        start.wait()
        work.session.connection(execution_options={"largesse_write": True})
        work.session.execute(update(Notice).where(Notice.id.in_(ids)).values(attempts=Notice.attempts + 1))
        return ids

    monkeypatch.setattr(sending, "_take", take)
    engine = create_engine(due, **engine_options(due, threads=THREADS))

    def run(_number):
        with Session(engine, expire_on_commit=False) as session:
            return perform(session, SYSTEM, NOW, notices.send_some)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(run, range(THREADS)))
    engine.dispose()
    assert max(written(due).values()) > 1


def test_13_8_crash_restart(due, monkeypatch):
    """Cut off in the middle of a batch, nothing of it was done; the next beat does all of it."""
    hand_over, seen = sending._hand_over, []

    def cut_off(work, letter):
        if len(seen) == DUE // 2:
            raise KeyboardInterrupt
        seen.append(letter)
        hand_over(work, letter)

    engine = create_engine(due, **engine_options(due, threads=1))
    monkeypatch.setattr(sending, "_hand_over", cut_off)
    with Session(engine) as session, pytest.raises(KeyboardInterrupt):
        perform(session, SYSTEM, NOW, notices.send_some)
    assert written(due) == {}
    monkeypatch.setattr(sending, "_hand_over", hand_over)
    monkeypatch.setattr("webapp.adapters.clock.now", lambda: NOW)
    assert sweep.run_due(lambda: Session(engine)) == DUE
    assert (len(written(due)), set(written(due).values())) == (DUE, {1})
    engine.dispose()


def test_a_look_at_nothing_due_costs_no_write(session, moment):
    assert not read.is_due(session, moment.now)
    assert sweep.run_due(lambda: Session(session.get_bind(), join_transaction_mode="create_savepoint")) == 0


def test_13_8_edit_definition(session, make, actor, moment):
    definition, target = make.benefit_definition(), make.target()
    ends = NOW + timedelta(days=30)
    held = [make.benefit(definition, expires_at=ends, zone="UTC") for _ in range(3)]
    over = make.benefit(definition, expires_at=NOW - timedelta(seconds=1), issued_at=NOW - timedelta(days=9))
    for benefit in held:
        make.notice(benefit, target, kind="remind", anchor_at=ends, due_at=NOW + timedelta(days=16))
    sent = make.notice(held[0], target, status=NoticeStatus.SENT, sent_at=NOW)
    definition.notify_remind_offset_days, definition.remind_target_id = -7, target.id
    definition.notify_remind_offset_hour = 9
    session.commit()
    job = perform(session, actor, NOW, lambda work: notices.start(work, notices.ReplanNotices(definition.id)))
    assert job.total == 3
    run_jobs(session)
    wanted = (NOW + timedelta(days=23)).replace(hour=9, minute=0)
    rows = session.execute(select(Notice.due_at, Notice.status).where(Notice.kind == "remind"))
    assert {tuple(row) for row in rows} == {(wanted, NoticeStatus.PLANNED)}
    assert session.scalar(select(func.count()).where(Notice.benefit_id == over.id)) == 0
    session.refresh(sent)
    assert sent.status is NoticeStatus.SENT
    definition.notify_remind_offset_days = definition.notify_remind_offset_hour = None
    session.commit()
    perform(session, actor, NOW, lambda work: notices.start(work, notices.ReplanNotices(definition.id)))
    run_jobs(session)
    reasons = session.scalars(select(Notice.reason).where(Notice.kind == "remind"))
    assert set(reasons) == {Skip.DROPPED}
