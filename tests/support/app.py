"""The application in the test's own process: one database per process, one rolled-back transaction per test."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session

from tests.factories import Factories
from tests.pages import Console
from tests.support.clock import NOW
from tests.support.databases import settings_for
from tests.support.signing_in import sign_in
from webapp.adapters import clock
from webapp.adapters.engines import engine_options
from webapp.config import Settings
from webapp.domain.identity import Actor
from webapp.domain.permissions import Role
from webapp.extensions import db
from webapp.services.work import Work


@pytest.fixture(scope="session")
def settings(new_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of this process: a migrated database, an instance folder, no scheduler."""
    return settings_for(new_database(), Path(tmp_path_factory.mktemp("instance")))


@pytest.fixture(scope="session")
def engine(settings: Settings) -> Iterator[Engine]:
    """The engine on which every test of this process has its transaction."""
    engine = create_engine(settings.database, **engine_options(settings.database, threads=1))
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """Whatever the test commits stays inside one outer transaction, which is rolled back."""
    with engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
            yield session
        outer.rollback()


@pytest.fixture(scope="session")
def app(settings: Settings) -> Iterator[Flask]:
    app: Flask = importlib.import_module("webapp.app").create_app(settings)  # tests without it start without it
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def shared(app: Flask, session: Session) -> Iterator[Connection]:
    """Puts the application's sessions, one a request, on the connection of the test's own session.

    `db.engines` is where the extension looks up what a session talks to; the session's own bind is ignored.
    """
    connection = session.get_bind()
    assert isinstance(connection, Connection)
    with app.app_context():
        engines, engine = db.engines, db.engine
        db.session.configure(join_transaction_mode="create_savepoint")
    engines[None] = connection  # type: ignore[assignment]
    yield connection
    engines[None] = engine


@pytest.fixture
def make(session: Session) -> Factories:
    return Factories(session)


@pytest.fixture
def actor(make: Factories) -> Actor:
    """A person with every role; the account is a small team's as far as this person goes."""
    return make.actor(*Role, name="Ann Able", email="ann@example.org")


@pytest.fixture
def work(session: Session, actor: Actor) -> Work:
    """A piece of work of `actor` at NOW, in the test's own transaction: call services with it directly."""
    return Work(session, actor, NOW)


@dataclass
class Moment:
    """Where the application's clock stands."""

    now: datetime = NOW

    def forward(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> Moment:
    """Stops the application's clock at NOW; `moment.forward(minutes=10)` moves it."""
    moment = Moment()
    monkeypatch.setattr(clock, "now", lambda: moment.now)
    return moment


@pytest.fixture
def new_console(app: Flask, session: Session, shared: Connection, moment: Moment) -> Iterator[Callable[[], Console]]:
    """Opens browsers that share the test's transaction and clock."""
    with ExitStack() as stack:

        def make() -> Console:
            console = Console(app.test_client(), session.expire_all)
            event.listen(shared, "before_cursor_execute", console.count_statement)
            stack.callback(event.remove, shared, "before_cursor_execute", console.count_statement)
            return console

        yield make


@pytest.fixture
def anonymous(new_console: Callable[[], Console]) -> Console:
    """A browser in which nobody is signed in."""
    return new_console()


@pytest.fixture
def console(new_console: Callable[[], Console], session: Session, actor: Actor) -> Console:
    """A browser in which `actor` is signed in, who may do everything."""
    console = new_console()
    sign_in(console.client, session, actor)
    return console


@pytest.fixture
def signed_in(new_console: Callable[[], Console], session: Session, make: Factories) -> Callable[..., Console]:
    """`signed_in("editor")`, `signed_in("till", site_id=3)`: a browser of a new person with just these roles."""

    def open_for(*roles: Role | str, **changes: object) -> Console:
        console = new_console()
        sign_in(console.client, session, make.actor(*roles, **changes))
        return console

    return open_for
