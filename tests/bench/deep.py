"""First page against 10,000th page of every long list: `python -m tests.bench.deep [--rows N] [--database postgresql]`.

One row of the sample programme is copied until each list has ten thousand pages; a request is timed on the server's side.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import create_engine, func, insert, select, text
from sqlalchemy.orm import Session

from tests.bench import crowd
from tests.bench.pages import database
from tests.factories import Factories
from tests.support.clock import NOW
from tests.support.databases import settings_for
from tests.support.signing_in import sign_in
from webapp.adapters import clock
from webapp.adapters.engines import engine_options
from webapp.app import create_app
from webapp.domain.permissions import Role
from webapp.extensions import db
from webapp.models import (
    AuditEntry,
    Base,
    Benefit,
    Completion,
    Entry,
    ExportRun,
    Group,
    ImportRun,
    Job,
    Location,
    Membership,
    Module,
    Organisation,
    OutboxMessage,
    Profile,
    Reward,
    StaffMember,
    Voucher,
    VoucherType,
)

PAGES, PAGE, MEDIAN_OF = 10_000, 50, 7
GOAL_MS, GOAL_TIMES = 50.0, 1.5
# What tells the copies of a row apart; everything else is as in the row they are copied from. «{people}»: an id.
APART: dict[type[Base], dict[str, str]] = {
    Profile: {"external_id": "'DEEP-' || i", "email_key": "null", "search_text": "'deep ' || i", "merged_into_id": "null"},
    Entry: {"number": "1000000 + i", "receipt": "'DEEP-' || i"},
    Organisation: {"external_id": "'DEEP-' || i", "search_text": "'deep ' || i", "path": "'/' || (9000000 + i) || '/'",
                   "parent_id": "null"},
    Group: {"name": "'deep-' || i"},
    Module: {"path": "'/deep/m' || i"},
    Location: {"external_id": "'DEEP-' || i", "search_text": "'deep ' || i"},
    Membership: {"profile_id": "{people} + i"},
    Completion: {"profile_id": "{people} + i"},
    Reward: {"name": "'deep-' || i"},
    Benefit: {"code_key": "'DEEP' || i", "redeem_code_pos": "'DEEP' || i", "claim_key": "null", "voucher_id": "null"},
    Voucher: {"code": "'DEEP' || i", "code_hash": "'deep-' || i", "winner_id": "null", "winner_place": "null"},
    VoucherType: {"code": "'DEEP-' || i"},
    ImportRun: {},
    Job: {},
    AuditEntry: {"position": "5000000 + i", "previous": "'deep-' || i"},
    StaffMember: {"email": "'deep' || i || '@example.org'", "name": "'Deep ' || i",
                  "name_key": "'deep ' || i"},
    ExportRun: {},
    OutboxMessage: {"dedupe_key": "'deep:' || i"},
}  # fmt: skip
# Address, its cursor, and the last row of the page before the one wanted.
_NEWEST = "select {key} from {table} {where} order by {key} desc limit 1 offset :rows"
LISTS = {
    "people": ("/profiles", "before", _NEWEST.format(key="id", table="profiles", where="")),
    "entries": (
        "/rewards/{reward}/entries",
        "before",
        _NEWEST.format(key="number", table="entries", where="where reward_id = {reward_id}"),
    ),
    "organisations": (
        "/organisations",
        "after",
        "select id from organisations where archived_at is null order by search_text, id limit 1 offset :rows",
    ),
    "groups": (
        "/groups",
        "after",
        "select id from groups where archived_at is null order by name limit 1 offset :rows",
    ),
    "modules": (
        "/modules",
        "after",
        "select id from modules where archived_at is null order by site_id, path limit 1 offset :rows",
    ),
    "locations": (
        "/locations",
        "after",
        "select id from locations where closed_at is null order by search_text, id limit 1 offset :rows",
    ),
    "members of a group": (
        "/groups/{group}",
        "before",
        _NEWEST.format(key="id", table="memberships", where="where group_id = {group}"),
    ),
    "completions": (
        "/modules/{module}",
        "before",
        _NEWEST.format(key="id", table="completions", where="where module_id = {module}"),
    ),
    "benefits": ("/benefits", "before", _NEWEST.format(key="id", table="benefits", where="")),
    "rewards": ("/rewards", "before", _NEWEST.format(key="id", table="rewards", where="")),
    "vouchers": ("/vouchers", "before", _NEWEST.format(key="id", table="vouchers", where="")),
    "voucher types": ("/voucher-types", "before", _NEWEST.format(key="id", table="voucher_types", where="")),
    "imports": ("/imports", "before", _NEWEST.format(key="id", table="import_runs", where="")),
    "jobs": ("/jobs", "before", _NEWEST.format(key="id", table="jobs", where="")),
    "audit": ("/audit", "before", _NEWEST.format(key="id", table="audit_entries", where="")),
    "staff": (
        "/staff",
        "after",
        "select id from staff_members order by is_active desc, name_key, id limit 1 offset :rows",
    ),
    "exports": ("/exports", "before", _NEWEST.format(key="id", table="export_runs", where="")),
    "messages": ("/notifications", "before", _NEWEST.format(key="id", table="outbox_messages", where="")),
}


def multiply(session: Session, model: type[Base], count: int, values: dict[str, object]) -> None:
    """``count`` copies of the first row of a table, or of the one that an address below leads to."""
    table, apart = model.__tablename__, APART[model]
    names = [column.name for column in model.__table__.columns if column.name != "id" or "id" in apart]
    wanted = ", ".join(apart.get(name, f"t.{name}").format(**values) for name in names)
    here = {
        Entry: "t.reward_id = {reward_id}",
        Membership: "t.group_id = {group}",
        Completion: "t.module_id = {module}",
    }
    which = here.get(model, "t.id = (select min(id) from " + table + ")").format(**values)
    numbers = "with recursive n(i) as (select 1 union all select i + 1 from n where i < :count)"
    session.execute(
        text(
            f"insert into {table} ({', '.join(names)}) {numbers}"
            f" select {wanted} from (select t.* from {table} t where {which} limit 1) t, n"
        ),
        {"count": count},
    )
    session.commit()


def fill(session: Session, count: int) -> dict[str, object]:
    """Long lists of everything; gives what addresses need."""
    reward = session.scalars(
        select(Reward).join(Entry, Entry.reward_id == Reward.id).order_by(Reward.id).limit(1)
    ).one()
    values: dict[str, object] = {
        "reward": reward.name,
        "reward_id": reward.id,
        "group": session.scalars(select(Membership.group_id).order_by(Membership.id)).first(),
        "module": session.scalars(select(Completion.module_id).order_by(Completion.id)).first(),
    }
    session.execute(insert(ExportRun), [{"kind": "sites", "media": "csv", "created_at": NOW, "created_by": "Ann"}])
    message = {"dedupe_key": "deep", "recipient": "a@example.org", "subject": "x", "body": "x", "due_at": NOW}
    session.execute(insert(OutboxMessage), [message | {"created_at": NOW}])
    session.commit()
    for model in APART:
        began = time.perf_counter()
        multiply(session, model, count, values)
        if (
            model is Profile
        ):  # ids of people who are gone are not used again, so they need not begin behind the last one
            values["people"] = (session.scalar(select(func.max(Profile.id))) or 0) - count
        print(f"{model.__tablename__}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("analyze"))
        session.commit()
    return values


def milliseconds(client: FlaskClient, url: str, now: Callable[[], float]) -> float:
    """The median of a few requests: SQLite works in this process and is timed by its processor, a server by the wall."""
    times = []
    for _ in range(MEDIAN_OF):
        began = now()
        answer = client.get(url)
        times.append((now() - began) * 1_000)
    assert answer.status_code == 200, f"{url}: {answer.status_code}"
    return statistics.median(times)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--rows", type=int, default=(PAGES + 1) * PAGE)
    asked = parser.parse_args()
    clock.now = lambda: NOW
    crowd.MANY = 60
    now = time.process_time if asked.database == "sqlite" else time.perf_counter
    with tempfile.TemporaryDirectory() as folder, database(asked.database, Path(folder)) as url:
        settings = settings_for(url, Path(folder) / "instance")
        engine = create_engine(url, **engine_options(url, 1))
        crowd.build(engine)
        app = create_app(settings)
        client = app.test_client()
        with Session(engine, expire_on_commit=False) as session:
            sign_in(client, session, Factories(session).actor(*Role, name="Ann Able"))
            values = fill(session, asked.rows)
            print(f"{'list':<20} {'first ms':>9} {'deep ms':>9} {'×':>6}")
            for name, (address, cursor, place) in LISTS.items():
                found = {"rows": asked.rows - PAGE - 1}
                last = session.execute(text(place.format(**values)), found).scalar_one()
                session.rollback()
                here = address.format(**values)
                client.get(here)
                first, deep = (milliseconds(client, at, now) for at in (here, f"{here}?{cursor}={last}"))
                over = " over" if deep > GOAL_MS or deep > first * GOAL_TIMES else ""
                print(f"{name:<20} {first:>9.1f} {deep:>9.1f} {deep / first:>6.2f}{over}", flush=True)
        with app.app_context():
            db.engine.dispose()
        engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
