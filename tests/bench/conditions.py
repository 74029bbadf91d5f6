"""How long a condition is counted over everybody: `python -m tests.bench.conditions [--people N] [--database postgresql]`.

The floor is one look through the same table in the same run: how many rows have a first name. People are written by
the driver with tags, tiers, attributes and dates spread over them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from tests.bench.pages import database
from tests.support.clock import NOW
from webapp.adapters import schema
from webapp.adapters.engines import engine_options
from webapp.domain.condition_reading import read
from webapp.domain.people import AttributeKind
from webapp.models import AttributeDefinition, Profile, Tier
from webapp.queries import conditions
from webapp.services import bulk

MANY, CHUNK, ROUNDS = 1_000_000, 10_000, 3
GOAL = 2.0  # seconds
ZONE = "Australia/Melbourne"
RULES: dict[str, Any] = {
    "tier": {"===": [{"var": "tier_handle"}, "gold"]},
    "birth": {"<=": [5, {"var": "birth_month"}, 6]},
    "joined lately": {"<": [{"days_since": [{"var": "joined_at"}]}, 30]},
    "tag": {"in": ["vip", {"var": "flattened_tags"}]},
    "attribute": {">": [{"var": "aggregations.spend_12m"}, 1000]},
    "consent": {"var": "attributes.comms.email_promo"},
    "groups": {"in": ["crew", {"var": "groups"}]},
    "nested": {
        "and": [
            {"or": [{"in": ["vip", {"var": "flattened_tags"}]}, {"===": [{"var": "tier_handle"}, "gold"]}]},
            {">": [{"var": "aggregations.spend_12m"}, 1000]},
            {"!": [{"in": ["staff", {"var": "flattened_statuses"}]}]},
        ]
    },
}


def fill(session: Session, count: int) -> None:
    """``count`` people with facts of every kind."""
    tiers = [Tier(name=name, title=name, rank=rank, created_at=NOW) for rank, name in enumerate(("blue", "gold"), 1)]
    kind = AttributeKind.DECIMAL
    spent = AttributeDefinition(name="aggregations.spend_12m", title="Spent", kind=kind, choices=[], created_at=NOW)
    session.add_all([*tiers, spent])
    session.flush()
    names = (
        "external_id",
        "first_name",
        "birth_month",
        "joined_at",
        "tier_id",
        "tags",
        "statuses",
        "consents",
        "attributes",
    )
    same = {"last_name": "", "email": "", "phone": "", "zone": "", "created_at": NOW, "updated_at": NOW, "search_text": "", "name_key": "", "phone_key": ""}  # fmt: skip
    tags: tuple[list[str], ...] = ([], ["press"], ["vip", "press"], [])
    statuses: tuple[list[str], ...] = ([], [], ["staff"])
    for start in range(0, count, CHUNK):
        rows = [
            (
                f"M{n:07}",
                f"Name {n % 5_000}",
                n % 12 + 1,
                NOW.replace(year=2015 + n % 11, month=n % 12 + 1, day=1),
                (None, tiers[0].id, tiers[1].id)[n % 3],
                tags[n % 4],
                statuses[n % 3],
                {"email_promo": n % 2 == 0},
                {"postcode": str(n % 4_000), "aggregations.spend_12m": n % 2_500 + 0.5},
            )
            for n in range(start, min(start + CHUNK, count))
        ]
        bulk.insert_rows(session, Profile.__table__, names, rows, same)  # type: ignore[arg-type]
    session.commit()


def clock(act: Callable[[], Any]) -> tuple[float, Any]:
    found = act()
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        found = act()
        times.append(time.perf_counter() - began)
    return statistics.median(times), found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=MANY)
    parser.add_argument("--database", default="sqlite")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, database(given.database, Path(folder)) as url:
        engine = create_engine(url, **engine_options(url, 2))
        schema.upgrade(engine)
        with Session(engine) as session:
            fill(session, given.people)
            if given.database != "sqlite":
                session.execute(text("analyze"))
                session.commit()
            variables = conditions.variables(session)
            floor, _ = clock(
                lambda: session.execute(text("select count(*) from profiles where first_name <> ''")).all()
            )
            print(f"{given.people:,} people; one look through the table {floor * 1000:,.0f} ms")
            print(f"{'condition':14} {'matched':>10} {'ms':>8} {'× floor':>8}")
            for name, rule in RULES.items():
                node = read(rule, variables, ZONE)
                taken, (matched, _) = clock(lambda node=node: conditions.count(session, node, NOW, ZONE))  # type: ignore[misc]
                print(f"{name:14} {matched:>10,} {taken * 1000:>8,.0f} {taken / floor:>8.1f}")
            print(
                f"Goal: {GOAL * 1000:,.0f} ms. A rule of {len(json.dumps(RULES['nested']))} bytes is the longest here."
            )
        engine.dispose()


if __name__ == "__main__":
    main()
