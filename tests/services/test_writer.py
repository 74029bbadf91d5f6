"""Those who wait share one commit, and nobody notices anything else of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event as Signal
from typing import Any

import pytest
from sqlalchemy import create_engine, event, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.factories import Factories
from tests.support.clock import NOW
from tests.support.processes import wait_until
from webapp.adapters.engines import engine_options
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, Refused
from webapp.domain.identity import SYSTEM, Actor
from webapp.models import AuditEntry, BenefitDefinition, RequestKey, Site
from webapp.services import benefits, work, writer
from webapp.services.work import RequestStamp, Work, changed_rows
from webapp.services.writer import Shared

THREADS = 8
Act = Callable[[Work], object]


class Crowd:
    """Threads of one server that ask the writer for something, all of them waiting until somebody before them is done."""

    def __init__(self, url: str, pool: ThreadPoolExecutor) -> None:
        self.engine = create_engine(url, **engine_options(url, threads=THREADS))
        self.pool = pool
        self.commits = 0
        self.asked: list[Future[Any]] = []
        self.held: list[list[int]] = []
        self.answered_early = False
        event.listen(self.engine, "commit", self.note)

    def note(self, _connection: object) -> None:
        self.commits += 1
        self.answered_early |= any(one.done() for one in self.asked)

    def hold(self, _session: Session, about: Sequence[int]) -> None:
        self.held.append(list(about))

    def ask(
        self, act: Act, stamp: RequestStamp | None = None, actor: Actor = SYSTEM, shared: Shared | None = None
    ) -> Future[Any]:
        """The next one in the queue: it stands there before this returns."""
        was = self.waiting()
        self.asked.append(self.begin(act, stamp, actor, shared or Shared(self.hold, len(self.asked))))
        wait_until(lambda: self.waiting() > was or self.asked[-1].done(), "it stands in the queue")
        return self.asked[-1]

    def begin(self, act: Act, stamp: RequestStamp | None, actor: Actor, shared: Shared) -> Future[Any]:
        def run() -> object:
            with Session(self.engine, expire_on_commit=False) as session:
                return writer.perform(session, actor, NOW, act, stamp, shared)

        return self.pool.submit(run)

    def waiting(self) -> int:
        queue = writer._QUEUES.get(self.engine)
        return len(queue.waiting) if queue else 0

    @contextmanager
    def gathering(self, *, to_the_end: bool = True) -> Iterator[None]:
        """Somebody is first and stays so until everybody has asked; their commit is not counted."""
        is_first, is_enough = Signal(), Signal()

        def stay(_piece: Work) -> None:
            is_first.set()
            is_enough.wait()

        first = self.begin(stay, None, SYSTEM, Shared(self.hold, -1))
        is_first.wait()
        self.commits = -1
        yield
        is_enough.set()
        for one in (first, *(self.asked if to_the_end else ())):
            one.exception()


@pytest.fixture
def crowd(own_database: str) -> Iterator[Crowd]:
    with ThreadPoolExecutor(THREADS + 1) as pool:
        crowd = Crowd(own_database, pool)
        yield crowd
        crowd.engine.dispose()


def found(name: str) -> Act:
    """An act that founds a site and tells of it."""

    def act(piece: Work) -> Site:
        site = Site(name=name, title=name, organiser="Club", timezone="UTC", created_at=piece.now)
        piece.session.add(site)
        piece.session.flush()
        piece.record(Event.SITE_CREATED, site, site.id, title=name)
        return site

    return act


def refuse(piece: Work) -> None:
    found("refused")(piece)
    raise Refused("no", "No.")


def fail(piece: Work) -> None:
    found("failed")(piece)
    raise ValueError("a mistake in the program")


def names(crowd: Crowd) -> list[str]:
    with Session(crowd.engine) as session:
        told = session.scalar(select(func.count()).select_from(AuditEntry))
        rows = list(session.scalars(select(Site.name).order_by(Site.name)))
        assert told == len(rows)
        return rows


def test_all_who_wait_share_one_commit_and_nobody_is_answered_before_it(crowd, database):
    with crowd.gathering():
        asked = [crowd.ask(found(f"club-{number}")) for number in range(THREADS)]
    assert len({one.result().id for one in asked}) == THREADS
    assert {one.result().name for one in asked} == set(names(crowd)) == {f"club-{number}" for number in range(THREADS)}
    assert crowd.commits == 1
    assert not crowd.answered_early
    assert crowd.held == ([] if database == "sqlite" else [list(range(THREADS))])


def test_somebody_alone_is_done_at_once(crowd):
    assert crowd.ask(found("club")).result().name == "club"
    assert names(crowd) == ["club"]


def test_a_refusal_takes_back_its_own_only(crowd):
    with crowd.gathering():
        first, refused, last = crowd.ask(found("first")), crowd.ask(refuse), crowd.ask(found("last"))
    assert (first.result().name, last.result().name) == ("first", "last")
    with pytest.raises(Refused, match="No"):
        refused.result()
    assert names(crowd) == ["first", "last"]
    assert crowd.commits == 1


def test_a_mistake_in_the_program_is_met_by_whoever_asked_for_it_and_nothing_of_it_stays(crowd):
    with crowd.gathering():
        first, failed, last = crowd.ask(found("first")), crowd.ask(fail), crowd.ask(found("last"))
    with pytest.raises(ValueError, match="mistake"):
        failed.result()
    done = [name for name, one in (("first", first), ("last", last)) if one.exception() is None]
    assert names(crowd) == done  # whoever did the work for all of them may have met it too, and has done nothing then
    assert len(done) >= 1


def test_a_value_that_another_one_took_is_a_conflict_for_one_of_them(crowd):
    with crowd.gathering():
        asked = [crowd.ask(found("same")), crowd.ask(found("same")), crowd.ask(found("other"))]
    refusals = [one.exception() for one in asked if one.exception()]
    assert len(refusals) == 1
    assert isinstance(refusals[0], Conflict)
    assert isinstance(refusals[0].__cause__, IntegrityError)
    assert names(crowd) == ["other", "same"]


def test_one_form_that_was_pressed_twice_counts_once(crowd):
    stamp = RequestStamp("key", "digest")
    with crowd.gathering():
        asked = [crowd.ask(found("club"), stamp), crowd.ask(found("club"), stamp), crowd.ask(found("other"))]
    assert asked[0].result().id == asked[1].result().id != asked[2].result().id
    assert names(crowd) == ["club", "other"]
    with Session(crowd.engine) as session:
        assert session.scalar(select(RequestKey.result)) == f"sites:{asked[0].result().id}"


def test_what_one_was_shown_is_not_what_the_next_believes(crowd):
    """Each reads a row of its own, as in a request of its own."""
    crowd.ask(found("club")).result()

    def rename(title: str) -> Act:
        def act(piece: Work) -> Site:
            site = piece.session.scalars(select(Site)).one()
            seen.append(site.title)
            changed_rows(piece.session, update(Site).values(title=title))
            return site

        return act

    seen: list[str] = []
    with crowd.gathering():
        asked = [crowd.ask(rename("first")), crowd.ask(rename("second"))]
    assert all(one.result() for one in asked)
    assert seen == ["club", "first"]


def test_whoever_only_looks_changes_nothing(crowd):
    looking = crowd.ask(found("club"), actor=Actor("Ann", is_looking=True))
    with pytest.raises(Refused, match="as somebody else"):
        looking.result()
    assert names(crowd) == []


def test_who_waits_for_a_turn_that_does_not_come_tries_alone(crowd, monkeypatch, database):
    """On SQLite: the turn is a courtesy among threads, what holds is the lock of the database."""
    monkeypatch.setattr(work, "_PATIENCE", 0.05)
    with Session(crowd.engine) as session, work.turn(session):
        asked = [crowd.ask(found(f"club-{number}")) for number in range(3)]
        assert {one.result(timeout=30).name for one in asked} == {"club-0", "club-1", "club-2"}
    assert names(crowd) == ["club-0", "club-1", "club-2"]
    assert crowd.commits == 3 or database == "postgresql"


def test_after_a_mistake_of_the_first_the_next_one_is_first(crowd):
    with pytest.raises(ValueError, match="mistake"):
        crowd.ask(fail).result()
    assert crowd.ask(found("club")).result(timeout=30).name == "club"


class Tills:
    """Two servers; each redeems a benefit of either definition in one transaction, in orders that cross."""

    def __init__(self, url: str, pool: ThreadPoolExecutor) -> None:
        self.servers = [Crowd(url, pool), Crowd(url, pool)]
        with Session(self.servers[0].engine, expire_on_commit=False) as session:
            make = Factories(session)
            held = [make.benefit(make.benefit_definition(max_redemptions=None), issued_at=NOW) for _ in range(2)]
            session.commit()
            self.definitions = [one.definition_id for one in held]
            self.benefits = [one.id for one in held]

    def redeem(self, server: Crowd, benefit_id: int, hold: writer.Hold, pause: float = 0.0) -> Future[Any]:
        def act(piece: Work) -> object:
            line = benefits.redeem(piece, benefits.RedeemBenefit(benefit_id, "ABCD"))
            Signal().wait(pause)
            return line

        return server.ask(act, shared=Shared(hold, benefit_id))

    def cross(self, hold: writer.Hold) -> int:
        """How many commits four redemptions took."""
        one, other = self.servers
        with one.gathering(to_the_end=False), other.gathering(to_the_end=False):
            for server, order in ((one, self.benefits), (other, self.benefits[::-1])):
                for benefit_id in order:
                    self.redeem(server, benefit_id, hold, pause=0.2)
        assert all(asked.result() for server in self.servers for asked in server.asked)
        return one.commits + other.commits


@pytest.fixture
def tills(own_database: str) -> Iterator[Tills]:
    with ThreadPoolExecutor(2 * THREADS) as pool:
        tills = Tills(own_database, pool)
        yield tills
        for server in tills.servers:
            server.engine.dispose()


def test_two_servers_that_redeem_several_benefits_together_never_wait_for_one_another(tills, database):
    if database == "postgresql":  # SQLite has one writer
        assert tills.cross(benefits.hold_limits) == 2


def test_without_holding_the_limits_first_two_servers_do(tills, database):
    """The twin: PostgreSQL ends the deadlock of one of them, whose redemptions are done one by one."""
    if database == "postgresql":
        assert tills.cross(lambda _session, _about: None) == 3


def test_what_somebody_holds_for_long_keeps_the_others_waiting_for_a_moment_only(tills, database):
    if database == "sqlite":  # whoever writes there keeps everybody waiting
        return
    server = tills.servers[0]
    with Session(server.engine) as session:
        changed_rows(
            session, update(BenefitDefinition).where(BenefitDefinition.id == tills.definitions[0]).values(name="x")
        )
        with server.gathering(to_the_end=False):
            held, free = (tills.redeem(server, one, benefits.hold_limits) for one in tills.benefits)
        assert free.result(timeout=30)
        assert not held.done()
        session.commit()
    assert held.result(timeout=30)
