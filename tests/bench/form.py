"""How long the form of a benefit definition takes to make and to draw: `python -m tests.bench.form`."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from flask import render_template
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from tests.factories import Factories
from tests.support.databases import settings_for
from webapp.adapters import schema
from webapp.adapters.engines import engine_options
from webapp.app import create_app
from webapp.blueprints.benefit_definitions.forms import ChangeForm, saved
from webapp.extensions import db
from webapp.queries import benefit_definitions as read

MOST_MS, ROUNDS, TIMES = 3.0, 15, 20
PLAIN = 200_000  # additions that take about 6 ms on an idle core of the machine the limit was set on


def measured(act: Callable[[], object]) -> float:
    """Milliseconds of the processor, the median of some rounds."""
    act()
    found = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(TIMES):
            act()
        found.append((time.process_time() - begun) / TIMES * 1000)
    return statistics.median(found)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(f"sqlite:///{folder}/bench.db", Path(folder) / "instance")
        engine = create_engine(settings.database, **engine_options(settings.database, 1))
        schema.upgrade(engine)
        with Session(engine, expire_on_commit=False) as session:
            number = Factories(session).benefit_definition(tags=["a"], terms_conditions="Once.").id
        app = create_app(settings)
        with app.test_request_context(f"/benefits/definitions/{number}/edit"):
            sheet = read.sheet(db.session(), number, None)

            def make() -> ChangeForm:
                form = ChangeForm(data=saved(sheet))
                form.offer([(1, "Coffee for a month")], [(1, "The till's webhook")], str)
                return form

            form = make()
            fields = len([item for item in form if item.type not in ("HiddenField", "CSRFTokenField", "VersionField")])
            part = "benefit_definitions/_form.html"
            drawn = measured(lambda: render_template(part, form=form, definition=sheet.definition))
            plain = measured(lambda: sum(range(PLAIN)))
            print(
                f"{fields} fields: make {measured(make):.2f} ms, draw {drawn:.2f} ms, {PLAIN:,} additions {plain:.2f} ms"
            )
            db.engine.dispose()
        engine.dispose()
    return 0 if drawn <= MOST_MS else 1


if __name__ == "__main__":
    sys.exit(main())
