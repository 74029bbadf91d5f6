"""A database with rows in every table: the sample programme, and by hand what a programme leaves empty."""

from __future__ import annotations

import hashlib

from sqlalchemy import Engine, create_engine, insert, select
from sqlalchemy.orm import Session

from tests.support.clock import NOW
from webapp.config import Settings
from webapp.demo.programme import Builder
from webapp.extensions import engine_options
from webapp.jobs import audit
from webapp.models import (
    AccountSettings,
    Base,
    ImportProblem,
    ImportRun,
    Lease,
    OutboxMessage,
    RequestKey,
    SignInAttempt,
    StaffInvitation,
    StaffMember,
    StaffSession,
)

HASH = "0" * 64


def open_engine(url: str) -> Engine:
    return create_engine(url, **engine_options(url, threads=1))


def fill(engine: Engine) -> None:
    """Rows in every table, the audit log linked."""

    def sessions() -> Session:
        return Session(engine, expire_on_commit=False)

    Builder(sessions, NOW, Settings(secret_key="a secret of the tests"), "small").build()
    audit.run_due(sessions)
    with sessions() as session:
        session.connection(execution_options={"largesse_write": True})
        _fill_the_rest(session)
        session.commit()


def _fill_the_rest(session: Session) -> None:
    staff = session.scalars(select(StaffMember.id).limit(1)).one()
    run = session.scalars(select(ImportRun.id).limit(1)).one()
    rows: dict[type[Base], dict[str, object]] = {
        AccountSettings: {"id": 1, "is_small_team": False},
        ImportProblem: {"run_id": run, "record": 1, "line": 2, "outcome": "bad", "reason": "A test."},
        Lease: {"name": "test", "owner": "nobody", "until": NOW},
        OutboxMessage: {
            "dedupe_key": "test", "recipient": "a@example.org", "subject": "A", "body": "B", "due_at": NOW, "created_at": NOW
        },
        RequestKey: {"key": HASH, "at": NOW, "digest": HASH},
        SignInAttempt: {"at": NOW, "email": "a@example.org", "address": "::1"},
        StaffInvitation: {"staff_id": staff, "token_hash": HASH, "created_at": NOW, "expires_at": NOW},
        StaffSession: {
            "token_hash": HASH, "staff_id": staff, "created_at": NOW, "seen_at": NOW, "expires_at": NOW
        },
    }  # fmt: skip
    for model, values in rows.items():
        if session.scalar(select(model).limit(1)) is None:
            session.execute(insert(model).values(values))


def digests(engine: Engine) -> dict[str, tuple[int, str]]:
    """How many rows each table has, and a hash over all of them in the order of their keys."""
    found = {}
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            content, count = hashlib.sha256(), 0
            for row in connection.execute(select(table).order_by(*table.primary_key)):
                content.update(repr(tuple(row)).encode())
                count += 1
            found[table.name] = (count, content.hexdigest())
    return found
