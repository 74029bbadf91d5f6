"""No screen asks the database more than eight times, however many rows there are: a list asks once, not once a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session

from tests.bench import crowd
from tests.factories import Factories
from tests.pages import BOOKKEEPING, MOST_STATEMENTS
from tests.support.databases import settings_for
from tests.support.signing_in import sign_in
from webapp.adapters.engines import engine_options
from webapp.app import create_app
from webapp.domain.permissions import Role
from webapp.extensions import db

# What answers a GET with something other than a page, or only ever sends people on.
NO_PAGE = {
    "benefit_definitions.lead_here",  # sends on to the page
    "account.recovery_codes",  # shown once, see tests/web/test_second_factor.py
    "benefit_batches.progress",  # a part that is polled
    "benefit_batches.rejects",
    "benefit_definitions.by_handle",  # sends on to the page
    "benefit_definitions.check_handle",  # the answer to a field
    "benefits.print_preview",
    "auth.code",  # the second step of signing in, see there
    "auth.invitation",  # its page belongs to one token, see tests/web/test_auth.py
    "csp_report",
    "draws.seal_file",
    "health.healthz",
    "health.readyz",
    "imports.progress",  # a part that is polled
    "imports.rejects",
    "jobs.progress",
    "jobs.result",
    "organisations.parent",  # the answer to a field
    "staff.link",  # shows a link once
    "static",
    "targets.secret",  # shown once, see tests/web/test_targets.py
    "till.lock",  # sends on while the till is open, see tests/web/test_till_lock.py
    "today.home",
    "voucher_types.progress",  # a batch that is being made
    "voucher_types.sample",  # the answer to a field
    "vouchers.file",
    "vouchers.preview",
    "vouchers.progress",  # a job that prints
}
FOR_STRANGERS = {"sign-in"}


@pytest.fixture(scope="module")
def crowded(new_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on a database with hundreds of everything."""
    settings = settings_for(new_database(), Path(tmp_path_factory.mktemp("crowded")))
    engine = create_engine(settings.database, **engine_options(settings.database, threads=1))
    crowd.build(engine)
    engine.dispose()
    app = create_app(settings)
    app.config.update(TESTING=True)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="module")
def session(crowded: Flask) -> Iterator[Session]:
    with crowded.app_context():
        engine = db.engine
    with Session(engine, expire_on_commit=False) as session:
        yield session


@pytest.fixture(scope="module")
def addresses(session: Session) -> dict[str, str]:
    found = crowd.addresses(session)
    session.commit()
    return found


class Visitor:
    """A browser that counts statements and reads nothing: parsing pages this long takes most of a test's time."""

    def __init__(self, app: Flask, engine: Engine) -> None:
        self.client = app.test_client()
        self.statements: list[str] = []
        event.listen(engine, "before_cursor_execute", self.note)

    def note(self, _connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.lstrip().upper().startswith(BOOKKEEPING):
            self.statements.append(statement)

    def get(self, url: str) -> str:
        self.statements.clear()
        answer = self.client.get(url)
        assert answer.status_code == 200, f"{url}: {answer.status_code}"
        return answer.get_data(as_text=True)


@pytest.fixture(scope="module")
def visitor(crowded: Flask, session: Session) -> Visitor:
    """Somebody with every role."""
    visitor = Visitor(crowded, session.get_bind())
    sign_in(visitor.client, session, Factories(session).actor(*Role, name="Ann Able"))
    return visitor


@pytest.fixture(scope="module")
def stranger(crowded: Flask, session: Session) -> Visitor:
    return Visitor(crowded, session.get_bind())


@pytest.mark.usefixtures("moment")
@pytest.mark.parametrize("name", crowd.SCREENS)
def test_a_screen_asks_the_database_eight_times_at_most(
    name: str, addresses: dict[str, str], visitor: Visitor, stranger: Visitor
) -> None:
    who = stranger if name in FOR_STRANGERS else visitor
    who.get(addresses[name])
    assert len(who.statements) <= MOST_STATEMENTS, "\n".join(who.statements)


def test_every_screen_is_among_them(crowded: Flask, addresses: dict[str, str]) -> None:
    found = crowded.url_map.bind("localhost")
    seen = {found.match(address.partition("?")[0])[0] for address in addresses.values()}
    pages = {rule.endpoint for rule in crowded.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert pages - NO_PAGE - seen == set()


@pytest.mark.usefixtures("moment")
@pytest.mark.parametrize(
    ("name", "mark", "rows"),
    [
        ("rewards", "<tr", 50),
        ("entries", "<tr", 50),
        ("groups", "<tr", 50),
        ("group", "<tr", 50),
        ("modules", "<tr", 50),
        ("module", "<tr", 50),
        ("locations", "<tr", 50),
        ("organisations", "<tr", 50),
        ("organisation", "<tr", 50),
        ("organisation types", "<tr", crowd.MANY),
        ("board", "<article", 11),
        ("board, column", "<article", 24),
        ("definitions", "<tr", 50),
        ("definition", "<tr", 30),
        ("targets", "<tr", 50),
        ("benefit", "<tr", 50),
        ("tiers", "<tr", 50),
        ("benefits, extend", "<tr", 50),
        ("batches", "<tr", 50),
        ("batch", "<tr", 150),
        ("staff", "<tr", 50),
        ("audit", "timeline__dot", 50),
        ("winner", "timeline__dot", 50),
    ],
)
def test_the_lists_are_long_enough_to_show_a_query_for_each_row(
    name: str, mark: str, rows: int, addresses: dict[str, str], visitor: Visitor
) -> None:
    assert visitor.get(addresses[name]).count(mark) >= rows
