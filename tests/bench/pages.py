"""Every page against an empty one of its layout, on a crowded database: `python -m tests.bench.pages [--database postgresql]`."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from flask import Flask, render_template
from flask.testing import FlaskClient
from jinja2 import ChoiceLoader, DictLoader
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session

from tests.bench import crowd
from tests.factories import Factories
from tests.pages import BOOKKEEPING
from tests.support import postgres
from tests.support.clock import NOW
from tests.support.databases import settings_for
from tests.support.signing_in import sign_in
from webapp.adapters import clock
from webapp.adapters.engines import engine_options
from webapp.app import create_app
from webapp.config import Settings
from webapp.domain.permissions import Permission, Role
from webapp.extensions import db
from webapp.web.access import requires

MOST_STATEMENTS, MOST_TIMES, ROUNDS, MEDIAN_OF = 8, 4.0, 3, 5
LAYOUTS = ("console", "plain", "print", "ceremony")
EMPTY = '{{% extends "layouts/{name}.html" %}}{{% block main %}}<h1>Empty</h1>{{% endblock %}}'
FOR_STRANGERS = {"sign-in"}
OTHER_LAYOUT = {
    "sign-in": "plain",
    "draw, record": "plain",
    "draw, sheet": "print",
    "draw, run": "ceremony",
    "draw, result": "ceremony",
}


def with_empty_pages(app: Flask) -> None:
    """An address for the empty page of each layout, signed in like any screen."""
    empty = {f"bench/{name}.html": EMPTY.format(name=name) for name in LAYOUTS}
    app.jinja_env.loader = ChoiceLoader([DictLoader(empty), app.jinja_env.loader])  # type: ignore[list-item]
    for name in LAYOUTS:
        view = requires(Permission.SIGNED_IN)(lambda name=name: render_template(f"bench/{name}.html"))
        app.add_url_rule(f"/bench/{name}", f"bench_{name}", view)


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The address of an empty database; a PostgreSQL server is started for it and stopped afterwards."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'bench.db'}"
        return
    server = postgres.begin()
    try:
        yield postgres.create_database("bench")
    finally:
        if server:
            server.stop()


def measured(client: FlaskClient, url: str) -> float:
    begun = time.process_time()
    for _ in range(ROUNDS):
        answer = client.get(url)
    assert answer.status_code == 200, f"{url}: {answer.status_code}"
    return (time.process_time() - begun) / ROUNDS


def count_statements(engine: Engine, act: Callable[[], object]) -> int:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.lstrip().upper().startswith(BOOKKEEPING):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    act()
    event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def compare(app: Flask, engine: Engine, pages: dict[str, str], who: FlaskClient) -> list[tuple[str, int, float, float]]:
    """Name, statements, seconds of the processor, ratio to the empty page; page and floor take turns."""
    rows = []
    for name, url in pages.items():
        client = app.test_client() if name in FOR_STRANGERS else who
        floor_url = f"/bench/{OTHER_LAYOUT.get(name, 'console')}"
        who.get(floor_url)
        client.get(url)  # templates compiled, caches warm
        statements = count_statements(engine, partial(client.get, url))
        pairs = [(measured(client, url), measured(who, floor_url)) for _ in range(MEDIAN_OF)]
        page, floor = (statistics.median(times) for times in zip(*pairs, strict=True))
        rows.append((name, statements, page, page / floor))
    return rows


def prepare(settings: Settings) -> tuple[Flask, Engine, dict[str, str]]:
    engine = create_engine(settings.database, **engine_options(settings.database, 1))
    crowd.build(engine)
    app = create_app(settings)
    with_empty_pages(app)
    with Session(engine) as session:
        return app, engine, crowd.addresses(session)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--rows", type=int, default=crowd.MANY, help="rows of each kind beside the sample programme's")
    parser.add_argument("--only", default="", help="only pages whose name contains this")
    asked = parser.parse_args()
    clock.now = lambda: NOW
    crowd.MANY = asked.rows
    with tempfile.TemporaryDirectory() as folder, database(asked.database, Path(folder)) as url:
        app, engine, pages = prepare(settings_for(url, Path(folder) / "instance"))
        client = app.test_client()
        with Session(engine, expire_on_commit=False) as session:
            sign_in(client, session, Factories(session).actor(*Role, name="Ann Able"))
        with app.app_context():
            own = db.engine
        rows = compare(app, own, {name: at for name, at in pages.items() if asked.only in name}, client)
        own.dispose()
        engine.dispose()
    print(f"{'page':<24} {'statements':>10} {'CPU ms':>8} {'× empty':>8}")
    for name, statements, seconds, times in sorted(rows, key=lambda row: -row[3]):
        over = " over" if statements > MOST_STATEMENTS or times > MOST_TIMES else ""
        print(f"{name:<24} {statements:>10} {seconds * 1000:>8.2f} {times:>8.1f}{over}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
