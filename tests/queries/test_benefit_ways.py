"""A list of benefits that a filter leaves few of costs no more when there are more benefits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.orm import Session

from tests.factories import Factories
from tests.support.benefit_lists import Stock, T
from webapp.adapters.engines import engine_options
from webapp.domain.benefit_lists import Order
from webapp.domain.redemptions import BenefitSource
from webapp.queries import benefit_lists as lists
from webapp.queries.benefit_lists import Patience, Turn

USUAL = {"expires_at": T + timedelta(days=30), "claimed_at": T, "extended_at": T, "source": BenefitSource.CLAIM}
IN_FEBRUARY = datetime(2026, 2, 4, 12, tzinfo=UTC)
# What the few have that a filter leaves, and what all others have besides USUAL where that is not enough.
FEW: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "definition": ({"kind": "rare"}, {}),
    "batch": ({"kind": "rare"}, {}),
    "search": ({"kind": "rare"}, {}),
    "source staff": ({"source": BenefitSource.STAFF}, {}),
    "source claim": ({}, {"source": BenefitSource.STAFF}),
    "state void": ({"voided_at": T, "void_reason": "x"}, {}),
    "state redeemed": ({"redeemed_count": 3}, {}),
    "state expired": ({"expires_at": IN_FEBRUARY}, {}),
    "state scheduled": ({"issued_at": T + timedelta(days=1)}, {}),
    "state partly redeemed": ({"redeemed_count": 1}, {}),
    "state active": ({"redeemed_count": 0}, {"redeemed_count": 1}),
    "issued between": ({"issued_at": IN_FEBRUARY}, {}),
    "claimed between": ({"claimed_at": IN_FEBRUARY}, {}),
    "ends between": ({"expires_at": IN_FEBRUARY}, {}),
    "extended between": ({"extended_at": IN_FEBRUARY}, {}),
    "claimed yes": ({}, {"claimed_at": None}),
    "ends yes": ({}, {"expires_at": None}),
    "extended yes": ({}, {"extended_at": None}),
    "claimed never": ({"claimed_at": None}, {}),
    "ends never": ({"expires_at": None}, {}),
    "extended never": ({"extended_at": None}, {}),
}
MANY = 400


@pytest.fixture
def own(own_database: str) -> Iterator[Session]:
    """A session on a database without the traces of other tests, which PostgreSQL's plans would follow."""
    engine = create_engine(own_database, **engine_options(own_database, threads=1))
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


@pytest.fixture
def looked_at(own, database) -> Callable[[Callable[[], object]], int]:
    """How much a read costs: steps of SQLite's machine in hundreds, or rows that PostgreSQL took into its hands."""
    if database == "postgresql":
        return lambda act: sum(map(_rows, _plans(own, act)))
    driver = own.connection().connection.driver_connection

    def count(act: Callable[[], object]) -> int:
        steps = [0]

        def step() -> int:
            steps[0] += 1
            return 0

        driver.set_progress_handler(step, 10)
        act()
        driver.set_progress_handler(None, 0)
        return steps[0] // 10

    return count


def _plans(session: Session, act: Callable[[], object]) -> list[dict[str, Any]]:
    session.execute(text("set local enable_seqscan = off"))  # a small table is read whole otherwise
    seen: list[tuple[str, object]] = []

    def note(_connection, _cursor, statement, parameters, *_rest):
        seen.append((statement, parameters))

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", note)
    act()
    event.remove(connection, "before_cursor_execute", note)
    answers = [connection.exec_driver_sql(f"explain (analyze, format json) {one}", values) for one, values in seen]
    told = [answer.scalar_one() for answer in answers]
    return [(json.loads(one) if isinstance(one, str) else one)[0]["Plan"] for one in told]


def _rows(plan: dict[str, Any]) -> int:
    mine = (plan.get("Actual Rows", 0) + plan.get("Rows Removed by Filter", 0)) * plan.get("Actual Loops", 1)
    return int(mine) + sum(map(_rows, plan.get("Plans", [])))


@pytest.mark.parametrize("name", FEW)
def test_a_filter_that_leaves_few_reads_few(own, database, monkeypatch, looked_at, name):
    """In every order, with four times as many benefits around; those looked for have the lowest numbers."""
    monkeypatch.setattr(lists, "TURNS", (Patience(40, 60), Patience(80, 100)))
    stock = Stock(own, Factories(own))
    narrow, (special, others) = stock.filter(name), FEW[name]

    def more(count: int, first: int) -> None:
        hours = (timedelta(hours=n) for n in range(first, first + count))
        when = ({"issued_at": T - timedelta(days=60) - gap, "expires_at": T + gap} for gap in hours)
        stock.add([{**USUAL, **one, **others} for one in when])
        if database == "postgresql":
            own.execute(text("analyze benefits"))
            own.commit()

    def read(order: Order) -> int:
        return len(lists.page(own, None, narrow, T, Turn(order)))

    def count() -> int:
        return lists.how_many(own, None, narrow, T)

    stock.add([{**USUAL, **special}] * 8)
    more(MANY, 0)
    assert {read(order) for order in Order} == {count()} == {8}  # and every statement is compiled
    before = [looked_at(lambda order=order: read(order)) for order in Order], looked_at(count)
    more(MANY * 3, MANY)
    after = [looked_at(lambda order=order: read(order)) for order in Order], looked_at(count)
    for first, second in zip([*before[0], before[1]], [*after[0], after[1]], strict=True):
        assert second <= first * 1.25 + 20
