"""Those who wait for SQLite share one commit, and nobody notices anything else of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event as Signal

import pytest
from sqlalchemy import create_engine, event, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.support.clock import NOW
from webapp.adapters.engines import engine_options
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, Refused
from webapp.domain.identity import SYSTEM, Actor
from webapp.models import AuditEntry, RequestKey, Site
from webapp.services import work, writer
from webapp.services.work import RequestStamp, Work, changed_rows

THREADS = 8
Act = Callable[[Work], object]


class Crowd:
    """Threads that ask the writer for something, all of them waiting until the turn is free."""

    def __init__(self, url: str, pool: ThreadPoolExecutor) -> None:
        self.engine = create_engine(url, **engine_options(url, threads=THREADS))
        self.pool = pool
        self.commits = 0
        self.asked: list[Future[object]] = []
        self.answered_early = False
        event.listen(self.engine, "commit", self.note)

    def note(self, _connection: object) -> None:
        self.commits += 1
        self.answered_early |= any(one.done() for one in self.asked)

    def ask(self, act: Act, stamp: RequestStamp | None = None, actor: Actor = SYSTEM) -> Future[object]:
        begun = Signal()

        def run() -> object:
            with Session(self.engine, expire_on_commit=False) as session:
                begun.set()
                return writer.perform(session, actor, NOW, act, stamp)

        self.asked.append(self.pool.submit(run))
        begun.wait()
        return self.asked[-1]

    @contextmanager
    def waiting(self, number: int) -> Iterator[None]:
        """The turn is taken until so many wait for it."""
        with Session(self.engine) as session, work.turn(session):
            yield
            if self.engine.dialect.name == "sqlite":
                while len(writer._WAITING.get(self.engine, ())) < number:
                    Signal().wait(0.005)
        for one in self.asked:
            one.exception()


@pytest.fixture
def crowd(own_database: str) -> Iterator[Crowd]:
    with ThreadPoolExecutor(THREADS) as pool:
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
    with crowd.waiting(THREADS):
        asked = [crowd.ask(found(f"club-{number}")) for number in range(THREADS)]
    assert len({one.result().id for one in asked}) == THREADS
    assert {one.result().name for one in asked} == set(names(crowd)) == {f"club-{number}" for number in range(THREADS)}
    assert crowd.commits == (1 if database == "sqlite" else THREADS)
    assert not crowd.answered_early or database == "postgresql"


def test_somebody_alone_is_done_at_once(crowd):
    assert crowd.ask(found("club")).result().name == "club"
    assert names(crowd) == ["club"]


def test_a_refusal_takes_back_its_own_only(crowd):
    with crowd.waiting(3):
        first, refused, last = crowd.ask(found("first")), crowd.ask(refuse), crowd.ask(found("last"))
    assert (first.result().name, last.result().name) == ("first", "last")
    with pytest.raises(Refused, match="No"):
        refused.result()
    assert names(crowd) == ["first", "last"]


def test_a_mistake_in_the_program_is_met_by_whoever_asked_for_it_and_nothing_of_it_stays(crowd):
    with crowd.waiting(3):
        first, failed, last = crowd.ask(found("first")), crowd.ask(fail), crowd.ask(found("last"))
    with pytest.raises(ValueError, match="mistake"):
        failed.result()
    done = [name for name, one in (("first", first), ("last", last)) if one.exception() is None]
    assert names(crowd) == done  # whoever did the work for all of them may have met it too, and has done nothing then
    assert len(done) >= 1


def test_a_value_that_another_one_took_is_a_conflict_for_one_of_them(crowd):
    with crowd.waiting(3):
        asked = [crowd.ask(found("same")), crowd.ask(found("same")), crowd.ask(found("other"))]
    refusals = [one.exception() for one in asked if one.exception()]
    assert len(refusals) == 1
    assert isinstance(refusals[0], Conflict)
    assert isinstance(refusals[0].__cause__, IntegrityError)
    assert names(crowd) == ["other", "same"]


def test_one_form_that_was_pressed_twice_counts_once(crowd):
    stamp = RequestStamp("key", "digest")
    with crowd.waiting(3):
        asked = [crowd.ask(found("club"), stamp), crowd.ask(found("club"), stamp), crowd.ask(found("other"))]
    assert asked[0].result().id == asked[1].result().id != asked[2].result().id
    assert names(crowd) == ["club", "other"]
    with Session(crowd.engine) as session:
        assert session.scalar(select(RequestKey.result)) == f"sites:{asked[0].result().id}"


def test_what_one_was_shown_is_not_what_the_next_believes(crowd, database):
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
    with crowd.waiting(2):
        asked = [crowd.ask(rename("first")), crowd.ask(rename("second"))]
    assert all(one.result() for one in asked)
    assert sorted(seen) in (["club", "first"], ["club", "second"]) or database == "postgresql"


def test_whoever_only_looks_changes_nothing(crowd):
    looking = crowd.ask(found("club"), actor=Actor("Ann", is_looking=True))
    with pytest.raises(Refused, match="as somebody else"):
        looking.result()
    assert names(crowd) == []
